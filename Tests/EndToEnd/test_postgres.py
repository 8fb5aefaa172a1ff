"""Shipping the journal to a real PostgreSQL: every record, once, whatever dies on the way."""

import threading
import time

import pytest

import gateways
import postgres
import service
import wire
from gateways import CRM

PATIENCE = 60


@pytest.fixture(scope="module")
def server():
    server = postgres.Server()
    yield server
    server.remove()


@pytest.fixture
def database(server):
    if server.process.poll() is not None:
        server.start()
    server.query("DROP SCHEMA IF EXISTS gatehouse CASCADE")
    return server


@pytest.fixture
def make_shipping(make_setup, database):
    """A function that makes a setup that ships to the database under the name of the setup."""

    def make(name="gateway", **changes):
        setup = make_setup(name)
        setup.folder.mkdir(parents=True, exist_ok=True)
        password = setup.folder / "pg.password"
        password.touch(0o600)
        password.write_text(postgres.PASSWORD + "\n")
        setup.config["audit"]["postgres"] = {
            "url": database.url(),
            "passwordFile": "pg.password",
            "gatewayId": name,
            **changes,
        }
        return setup

    return make


def create(**changes):
    return wire.signed_create(CRM, service.create_user(**changes))


def journal_lines(setup):
    return [line for path in setup.segments() for line in path.read_bytes().splitlines()]


def unshipped(gateway):
    text = gateway.admin_request("/metrics").body.decode()
    values = [line for line in text.splitlines() if line.startswith("gatehouse_audit_unshipped_records ")]
    assert len(values) == 1, text
    return int(values[0].split()[1])


def until(condition, what):
    """Asks again and again; each question takes a round trip."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, what


class Traffic:
    """Creates users from two threads until it is stopped."""

    def __init__(self, gateway):
        self.gateway = gateway
        self.done = threading.Event()
        self.created = []
        self.threads = [threading.Thread(target=self._run) for _ in range(2)]
        for thread in self.threads:
            thread.start()

    def _run(self):
        with self.gateway.connect() as connection:
            while not self.done.is_set():
                assert connection.exchange(create()).status == 201
                self.created.append(1)

    def stop(self):
        self.done.set()
        for thread in self.threads:
            thread.join()


def test_every_record_arrives_once_and_as_it_is(make_shipping, database):
    setup = make_shipping(batch=7)
    with gateways.running(setup) as gateway:
        for _ in range(30):
            assert gateway.send(create()).status == 201
        assert gateway.send(wire.signed_create(gateways.HR, service.create_user())).status == 403
        until(lambda: unshipped(gateway) == 0, "records unshipped")
        ready = gateway.admin_request("/readyz").json
        assert ready["checks"]["postgres"]["ok"] is True
    lines = database.lines("gateway")
    assert lines == journal_lines(setup)
    assert len(lines) == 61
    counts = database.query(
        "SELECT kind, count(*), count(record), count(DISTINCT request_id) FROM gatehouse.journal GROUP BY 1 ORDER BY 1"
    )
    assert counts == [["intent", "30", "30", "30"], ["outcome", "31", "31", "31"]]
    assert database.value("SELECT count(*) FROM gatehouse.journal WHERE tenant = 'crm' AND kind = 'intent'") == "30"
    assert postgres.PASSWORD.encode() not in setup.journal_bytes()
    assert postgres.PASSWORD not in "".join(gateway.log_text)


def test_death_of_the_database_under_load(make_shipping, database):
    setup = make_shipping(batch=3)
    with gateways.running(setup) as gateway:
        for _ in range(3):
            traffic = Traffic(gateway)
            until(lambda: len(traffic.created) > 50, "no traffic")
            database.crash()
            before = len(traffic.created)
            until(lambda: len(traffic.created) > before + 50, "requests wait for the database")
            assert unshipped(gateway) >= 50
            assert gateway.admin_request("/readyz").status == 200
            database.start()
            traffic.stop()
        until(lambda: unshipped(gateway) == 0, "records unshipped")
    assert database.lines("gateway") == journal_lines(setup)


def test_gateway_that_starts_without_the_database_catches_up(make_shipping, database):
    setup = make_shipping()
    database.crash()
    with gateways.running(setup) as gateway:
        for _ in range(20):
            assert gateway.send(create()).status == 201
        until(lambda: unshipped(gateway) == 40, f"{unshipped(gateway)} unshipped, expected 40")
        detail = gateway.admin_request("/readyz").json["checks"]["postgres"]["detail"]
        assert "degraded" in detail
        assert postgres.PASSWORD not in detail
    with gateways.running(setup) as gateway:
        assert unshipped(gateway) == 40
        database.start()
        until(lambda: unshipped(gateway) == 0, "records unshipped")
    assert database.lines("gateway") == journal_lines(setup)


def test_killed_gateway_goes_on_where_it_was(make_shipping, database):
    setup = make_shipping(batch=5)
    for _ in range(3):
        gateway = gateways.Gateway(setup)
        traffic = Traffic(gateway)
        try:
            until(lambda: len(traffic.created) > 40, "no traffic")
        finally:
            traffic.stop()
        gateway.kill()
    with gateways.running(setup) as gateway:
        until(lambda: unshipped(gateway) == 0, "records unshipped")
    assert database.lines("gateway") == journal_lines(setup)


def test_two_gateways_into_one_database(make_shipping, database):
    setups = [make_shipping("first"), make_shipping("second")]
    with gateways.running(setups[0]) as first, gateways.running(setups[1]) as second:
        for _ in range(20):
            assert first.send(create()).status == 201
            assert second.send(create()).status == 201
        until(lambda: unshipped(first) == 0 and unshipped(second) == 0, "records unshipped")
    assert [database.lines(name) for name in ("first", "second")] == [journal_lines(setup) for setup in setups]


def test_another_journal_under_the_same_name_is_not_mixed_in(make_shipping, database):
    with gateways.running(make_shipping("same")) as gateway:
        for _ in range(5):
            assert gateway.send(create()).status == 201
    stored = database.lines("same")
    assert len(stored) == 10
    other = make_shipping("other", gatewayId="same")
    with gateways.running(other) as gateway:
        gateway.wait_for_log(lambda record: "not this journal's" in record.get("event", ""), "a refusal")
        assert gateway.send(create()).status == 201
    assert database.lines("same") == stored


def test_record_that_the_database_refuses_is_stored_all_the_same(make_shipping, database):
    database.query((gateways.ROOT / "deploy/postgres/001-journal.sql").read_text())
    database.query(
        "ALTER TABLE gatehouse.journal ADD CHECK (record ->> 'name' <> 'no json'), ADD CHECK (user_id <> 'no-column')"
    )
    setup = make_shipping()
    with gateways.running(setup) as gateway:
        gateway.send(create(Name="a\u0000b"))
        gateway.send(create(AppInstanceUserId="x" * 6000))
        assert gateway.send(create(Name="no json")).status == 201
        assert gateway.send(create(AppInstanceUserId="no-column")).status == 201
        assert gateway.send(create()).status == 201
        until(lambda: unshipped(gateway) == 0, "records unshipped")
    assert database.lines("gateway") == journal_lines(setup)
    # The intent of "no json" has no record; of "no-column", the records that name it have their line only.
    without = database.query("SELECT kind IS NULL, count(*) > 0 FROM gatehouse.journal WHERE record IS NULL GROUP BY 1")
    assert sorted(without) == [["f", "t"], ["t", "t"]]
    assert database.value("SELECT max(length(user_id)) FROM gatehouse.journal") == "512"


def test_tables_made_by_hand_need_no_right_to_make_any(make_shipping, database):
    script = (gateways.ROOT / "deploy/postgres/001-journal.sql").read_text()
    database.query("DROP ROLE IF EXISTS shipper")
    database.query(
        script
        + f"CREATE ROLE shipper LOGIN PASSWORD '{postgres.PASSWORD}';"
        + "GRANT USAGE ON SCHEMA gatehouse TO shipper; GRANT SELECT ON ALL TABLES IN SCHEMA gatehouse TO shipper;"
        + "GRANT INSERT ON gatehouse.journal TO shipper"
    )
    setup = make_shipping(url=database.url("shipper"))
    with gateways.running(setup) as gateway:
        assert gateway.send(create()).status == 201
        until(lambda: unshipped(gateway) == 0, "records unshipped")
    assert database.lines("gateway") == journal_lines(setup)
    database.query("DROP OWNED BY shipper; DROP ROLE shipper")


@pytest.mark.parametrize("where", ["file", "url"])
def test_refused_password_is_not_shown(make_shipping, database, where):
    setup = make_shipping()
    wrong = "wrong-password-51d0"
    if where == "url":
        setup.config["audit"]["postgres"].update(url=database.url(password=wrong), passwordFile=None)
    else:
        (setup.folder / "pg.password").write_text(wrong)
    with gateways.running(setup) as gateway:
        gateway.wait_for_log(lambda record: "cannot connect" in record.get("event", ""), "the failure")
        seen = gateway.admin_request("/readyz").body + gateway.admin_request("/metrics").body
        assert wrong.encode() not in seen
    assert wrong not in "".join(gateway.log_text)
    assert wrong.encode() not in setup.journal_bytes()
    checked = setup.command("check")
    assert wrong not in checked.stdout + checked.stderr
