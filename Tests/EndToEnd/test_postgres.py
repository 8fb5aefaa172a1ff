"""Shipping the journal to a real PostgreSQL: every record, once, whatever dies on the way."""

import socket
import threading

import pytest

import gateways
import postgres
import service
import wire
from shipping import Traffic, add_postgres, create, unshipped
from waiting import PATIENCE, until


@pytest.fixture
def make_shipping(make_setup, database):
    """A function that makes a setup that ships to the database under the name of the setup."""

    def make(name="gateway", **changes):
        return add_postgres(make_setup(name), **({"url": database.url()} | changes))

    return make


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
    assert lines == setup.journal_lines()
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
    assert database.lines("gateway") == setup.journal_lines()


def test_gateway_that_starts_without_the_database_catches_up(make_shipping, database):
    setup = make_shipping()
    database.crash()
    with gateways.running(setup) as gateway:
        for _ in range(20):
            assert gateway.send(create()).status == 201
        until(lambda: unshipped(gateway) == 40, lambda: f"{unshipped(gateway)} unshipped, expected 40")
        detail = gateway.admin_request("/readyz").json["checks"]["postgres"]["detail"]
        assert "degraded" in detail
        assert postgres.PASSWORD not in detail
    with gateways.running(setup) as gateway:
        assert unshipped(gateway) == 40
        database.start()
        until(lambda: unshipped(gateway) == 0, "records unshipped")
    assert database.lines("gateway") == setup.journal_lines()


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
    assert database.lines("gateway") == setup.journal_lines()


def test_two_gateways_into_one_database(make_shipping, database):
    setups = [make_shipping("first"), make_shipping("second")]
    with gateways.running(setups[0]) as first, gateways.running(setups[1]) as second:
        for _ in range(20):
            assert first.send(create()).status == 201
            assert second.send(create()).status == 201
        until(lambda: unshipped(first) == 0 and unshipped(second) == 0, "records unshipped")
    assert [database.lines(name) for name in ("first", "second")] == [setup.journal_lines() for setup in setups]


def test_another_journal_under_the_same_name_is_not_mixed_in(make_shipping, database):
    with gateways.running(make_shipping("same")) as gateway:
        for _ in range(5):
            assert gateway.send(create()).status == 201
        until(lambda: unshipped(gateway) == 0, "records unshipped")
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
    assert database.lines("gateway") == setup.journal_lines()
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
    assert database.lines("gateway") == setup.journal_lines()
    # It may not make the views either, which only people need.
    assert "".join(gateway.log_text).count("the views of deploy/postgres are not up to date") == 1
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


def test_reload_takes_another_password(make_shipping, database):
    setup = make_shipping()
    (setup.folder / "pg.password").write_text("wrong-password-51d0")
    with gateways.running(setup) as gateway:
        gateway.wait_for_log(lambda record: "cannot connect" in record.get("event", ""), "the failure")
        (setup.folder / "pg.password").write_text(postgres.PASSWORD)
        gateway.reload()
        assert gateway.send(create()).status == 201
        until(lambda: unshipped(gateway) == 0, "records unshipped")
    assert database.lines("gateway") == setup.journal_lines()


def missing(setup, database):
    """How many records the journal has and the database does not."""
    there = set(database.lines(setup.folder.name))
    return sum(line not in there for line in setup.journal_lines())


def test_long_outage_is_made_up_for_in_many_batches(make_shipping, database):
    setup = make_shipping(batch=2)
    with gateways.running(setup) as gateway:
        for _ in range(3):
            assert gateway.send(create()).status == 201
        until(lambda: unshipped(gateway) == 0, "records unshipped")
        database.crash()
        for _ in range(80):
            assert gateway.send(create()).status == 201
        until(lambda: unshipped(gateway) == 160, lambda: f"{unshipped(gateway)} unshipped, expected 160")
        # It dies again on the way.
        database.start()
        until(lambda: unshipped(gateway) < 150, "nothing shipped")
        database.crash()
        left = unshipped(gateway)
        database.start()
        # What was stored and not yet said may be counted as missing, and not more.
        assert missing(setup, database) <= left
        until(lambda: unshipped(gateway) == 0, "records unshipped")
        assert missing(setup, database) == 0
    assert database.lines("gateway") == setup.journal_lines()
    # One batch is one transaction.
    assert int(database.value("SELECT count(DISTINCT shipped) FROM gatehouse.journal")) >= 83


def test_retention_waits_for_the_database(make_shipping, database):
    setup = make_shipping()
    setup.config["audit"].update(retain="1s", segmentSize="1KiB")
    database.crash()
    with gateways.running(setup) as gateway:
        for _ in range(8):
            assert gateway.send(create()).status == 201

        def detail():
            return gateway.admin_request("/readyz").json["checks"]["postgres"]["detail"]

        until(lambda: "are kept beyond `audit.retain`" in detail(), detail)
        assert b'"record":"expired"' not in setup.journal_bytes()
        until(lambda: unshipped(gateway) == len(setup.journal_lines()) == 16, "not all counted")
        database.start()
        until(lambda: b'"record":"expired"' in setup.journal_bytes(), "retention never went on")
        until(lambda: unshipped(gateway) == 0 and "are kept" not in detail(), detail)
    assert setup.verify()[0] == 0
    numbers = database.query("SELECT sequence FROM gatehouse.journal ORDER BY 1")
    assert numbers == [[str(number + 1)] for number in range(len(numbers))]
    assert database.value("SELECT count(*) FROM gatehouse.journal WHERE kind <> 'expired'") == "16"


def test_records_of_before_the_database_are_not_counted(make_shipping, database):
    setup = make_shipping()
    setup.config["audit"].update(retain="1s", segmentSize="1KiB")
    shipping = setup.config["audit"].pop("postgres")
    with gateways.running(setup) as gateway:
        for _ in range(4):
            assert gateway.send(create()).status == 201
        until(lambda: b'"sequence":1,' not in b"".join(setup.journal_lines()), "nothing expired")
    setup.config["audit"].update(postgres=shipping, retain="1h")
    database.crash()
    with gateways.running(setup) as gateway:
        assert unshipped(gateway) == len(setup.journal_lines())
        database.start()
        said = gateway.wait_for_log(lambda record: "no longer in the journal" in record.get("event", ""), "the gap")
        assert "records 1 to" in said["event"] and said["level"] == "warning"
        until(lambda: unshipped(gateway) == 0, "records unshipped")
    assert database.lines("gateway") == setup.journal_lines()


@pytest.mark.parametrize("ends", ["idle", "busy"])
def test_drain_while_the_database_is_silent(make_shipping, ends):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"postgresql://audit@127.0.0.1:{listener.getsockname()[1]}/postgres"
        setup = make_shipping(url=url, connectTimeout="10m")
        setup.config["drainTimeout"] = "2s"
        gateway = gateways.Gateway(setup)
        try:
            connection, _ = listener.accept()
            with connection:
                assert gateway.send(create()).status == 201
                until(lambda: unshipped(gateway) == 2, "not all counted")
                if ends == "busy":
                    # A caller that does not go: the drain takes all the time that it has.
                    with gateway.connect() as caller:
                        caller.send(b"GET /app-instances HTTP/1.1\r\n")
                        gateway.stop()
                else:
                    gateway.stop()
        finally:
            if gateway.process.poll() is None:
                gateway.kill()
    assert "cannot connect: no answer in time" in "".join(gateway.log_text)
    assert setup.verify()[0] == 0


def test_host_that_is_silent_is_passed_over(make_shipping, database):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        silent = listener.getsockname()[1]
        url = f"postgresql://audit@127.0.0.1:{silent},127.0.0.1:{database.port}/postgres"
        setup = make_shipping(url=url, connectTimeout="1s")
        with gateways.running(setup) as gateway:
            assert gateway.send(create()).status == 201
            until(lambda: unshipped(gateway) == 0, "records unshipped")
    assert database.lines("gateway") == setup.journal_lines()


def test_drain_while_the_database_does_not_go_on(make_shipping, database):
    setup = make_shipping()
    gateway = gateways.Gateway(setup)
    try:
        assert gateway.send(create()).status == 201
        until(lambda: unshipped(gateway) == 0, "records unshipped")
        with database.stopped("gatehouse"):
            for _ in range(5):
                assert gateway.send(create()).status == 201
            until(lambda: unshipped(gateway) == 10, "not all counted")
            gateway.stop()
    finally:
        if gateway.process.poll() is None:
            gateway.kill()
    with gateways.running(setup) as gateway:
        until(lambda: unshipped(gateway) == 0, "records unshipped")
    assert database.lines("gateway") == setup.journal_lines()


def test_drain_while_the_database_does_not_read(make_shipping, database):
    tags = [{"Key": f"{number:0128}", "Value": "v" * 256} for number in range(50)]
    with postgres.Relay(database.port, 200_000) as relay:
        setup = make_shipping(url=f"postgresql://audit@127.0.0.1:{relay.port}/postgres")
        gateway = gateways.Gateway(setup)
        try:
            # More than sockets hold, for one batch.
            for _ in range(100):
                assert gateway.send(create(Tags=tags)).status == 201
            relay.listen()
            assert relay.is_full.wait(PATIENCE), "the batch did not come"
            until(lambda: unshipped(gateway) == 200, "not all counted")
            gateway.stop()
        finally:
            if gateway.process.poll() is None:
                gateway.kill()
    setup.config["audit"]["postgres"]["url"] = database.url()
    with gateways.running(setup) as gateway:
        until(lambda: unshipped(gateway) == 0, "records unshipped")
    assert database.lines("gateway") == setup.journal_lines()


class TestTLS:
    @pytest.fixture(scope="class")
    def secure(self, tls):
        server = postgres.Server((tls / "server.pem", tls / "server.key"))
        yield server
        server.remove()

    @pytest.fixture(scope="class")
    def misnamed(self, tls):
        server = postgres.Server((tls / "wrong-name.pem", tls / "wrong-name.key"))
        yield server
        server.remove()

    def url(self, server, tls, authority):
        return server.url(host="localhost", sslmode="verify-full", sslrootcert=tls / authority)

    def test_verified_server_gets_the_records(self, make_shipping, secure, tls):
        setup = make_shipping("verified", url=self.url(secure, tls, "ca.pem"))
        with gateways.running(setup) as gateway:
            assert gateway.send(create()).status == 201
            until(lambda: unshipped(gateway) == 0, "records unshipped")
            used = "SELECT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = 'gatehouse'"
            assert secure.query(used) == [["t"]]
        assert secure.lines("verified") == setup.journal_lines()
        assert len(setup.command("audit", "query", "--from", "postgres", "--format", "json").stdout.splitlines()) == 1

    @pytest.mark.parametrize(
        "what, reason", [("authority", "certificate verify failed"), ("name", "does not match host name")]
    )
    def test_another_server_gets_nothing(self, make_shipping, secure, misnamed, tls, what, reason):
        name = f"wrong-{what}"
        url = self.url(*((secure, tls, "other-ca.pem") if what == "authority" else (misnamed, tls, "ca.pem")))
        setup = make_shipping(name, url=url)
        with gateways.running(setup) as gateway:
            said = gateway.wait_for_log(lambda record: "cannot connect" in record.get("event", ""), "the refusal")
            assert reason in said["event"] and said["level"] == "warning"
            assert gateway.send(create()).status == 201
            until(lambda: unshipped(gateway) == 2, "not all counted")
            assert reason in gateway.admin_request("/readyz").json["checks"]["postgres"]["detail"]
        asked = setup.command("audit", "query", "--from", "postgres")
        assert asked.returncode == 1 and reason in asked.stderr
        setup.config["audit"]["postgres"]["url"] = self.url(secure, tls, "ca.pem")
        with gateways.running(setup) as gateway:
            until(lambda: unshipped(gateway) == 0, "records unshipped")
        assert secure.lines(name) == setup.journal_lines()


def test_check_warns_of_a_database_that_proves_nothing_and_refuses_a_readable_password(make_shipping):
    setup = make_shipping(url="postgresql://audit:pass-word-81@db.example/audit?sslmode=require", passwordFile=None)
    setup.config["upstream"]["credentials"] = {"source": "chain"}
    setup.write()
    assert setup.command("check").returncode == 0
    setup.config_file.chmod(0o644)
    result = setup.command("check")
    assert result.returncode == 1, result.stdout
    assert "without sslmode=verify-full" in result.stdout
    line = next(line for line in result.stdout.splitlines() if "this file holds a secret" in line)
    assert "mode 644" in line and "chmod 600" in line
    assert "pass-word-81" not in result.stdout + result.stderr
    # Of the environment the file has only the name.
    url = "postgresql://audit:${ENV:DATABASE_PASSWORD}@db.example/audit?sslmode=verify-full"
    setup.config["audit"]["postgres"]["url"] = url
    setup.write()
    quiet = setup.command("check", environment={"DATABASE_PASSWORD": "pass-word-81"}).stdout
    assert "sslmode" not in quiet and "password" not in quiet
