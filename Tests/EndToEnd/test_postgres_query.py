"""`audit query --from postgres`: the answers of the journal, from the copies of all gateways in a real PostgreSQL."""

import csv
import io
import json
import re
import time

import gateways
import postgres
import service
import upstreams
import wire
from gateways import CRM, HR
from shipping import add_postgres, create, unshipped
from waiting import until

FORMATS = ("text", "json", "csv")
TIME = "2026-01-02T03:04:05.678Z"


def ask(setup, *options, format="json"):
    return setup.command("audit", "query", "--from", "postgres", "--format", format, *options)


def found(setup, *options):
    result = ask(setup, *options)
    assert result.returncode == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


def assert_same(setup, *options):
    """The database answers as the journal does; returns how many lines of text that are."""
    for format in FORMATS:
        here = setup.command("audit", "query", "--format", format, *options)
        there = ask(setup, *options, format=format)
        assert (there.returncode, there.stdout) == (here.returncode, here.stdout), (options, there.stderr)
    return len(here.stdout.splitlines()) - 1


def ship(gateway):
    until(lambda: unshipped(gateway) == 0, "records unshipped")


def silent(request):
    """No answer: nobody knows what has become of the request."""
    return upstreams.Raw(b"")


def serve_everything(setup, upstream):
    """Requests of every decision and outcome, by two tenants, with and without what can be searched."""
    setup.tenants.append(gateways.tenant("hr", (HR,), operations=["CreateAppInstanceUser"]))
    setup.policies["owner"] = {
        "match": {"operations": ["CreateAppInstanceUser"]},
        "rules": {"name": {"forbidden": ["bad"]}, "tags": {"set": {"Via": "gate"}}},
    }
    with gateways.running(setup) as gateway:
        actor = [("X-Gatehouse-Actor", "alice@corp")]
        for number in range(6):
            gateway.send(create(AppInstanceUserId=f"crm-{number}", Name=f"Name {number % 2}"))
        gateway.send(wire.signed_create(CRM, service.create_user(AppInstanceUserId="crm-actor"), headers=actor))
        gateway.send(create(AppInstanceUserId="crm-tag", Tags=[{"Key": "Team", "Value": 'blue "1" \\ ü'}]))
        gateway.send(create(AppInstanceUserId="crm-nul", Name="a\u0000b"))
        gateway.send(create(AppInstanceUserId="crm-long" + "x" * 600))
        gateway.send(create(AppInstanceUserId="crm-bad", Name="bad name"))
        gateway.send(wire.signed_create(HR, service.create_user(AppInstanceUserId="hr-1", Name="no json")))
        gateway.send(wire.signed_create(HR, service.create_user(AppInstanceUserId="no-column", Name="Name 0")))
        gateway.send(wire.signed(HR, "GET", "/app-instances"))
        gateway.send(wire.signed(CRM, "GET", "/app-instances"))
        gateway.send(wire.signed(CRM, "GET", "/no-such-thing"))
        gateway.send(wire.encode("GET", "/app-instances", [("Host", "gateway.test")]))
        upstream.handler = silent
        gateway.send(create(AppInstanceUserId="crm-unknown"))
        ship(gateway)


def test_answers_are_those_of_the_journal(make_setup, upstream, database):
    # Some records are stored without columns, and some without their JSON.
    database.query((gateways.ROOT / "deploy/postgres/001-journal.sql").read_text())
    database.query(
        "ALTER TABLE gatehouse.journal ADD CHECK (record ->> 'name' <> 'no json'), ADD CHECK (user_id <> 'no-column')"
    )
    setup = add_postgres(make_setup(), database.url(), batch=5)
    serve_everything(setup, upstream)
    assert int(database.value("SELECT count(*) FROM gatehouse.journal WHERE kind IS NULL")) > 0
    requests = setup.audit()
    arn = next(record["appInstanceUserArn"] for record in requests if record["appInstanceUserId"] == "crm-2")
    every = assert_same(setup)
    assert every == len(requests) >= 17
    decisions = {record["decision"] for record in requests}
    assert {"allowed", "denied", "invalid", "unauthenticated"} <= decisions
    selective = [
        ("--user-id", "crm-2"),
        ("--user-id", "crm-long" + "x" * 600),
        ("--user-id", "no-column"),
        ("--user-arn", arn),
        ("--user-arn", f"{service.APP}/user/crm-unknown"),
        ("--user-arn", f"{service.APP}/user/no-column"),
        ("--tenant", "hr"),
        ("--actor", "alice@corp"),
        ("--access-key", HR.id),
        ("--operation", "ListAppInstances"),
        *(("--decision", decision) for decision in sorted(decisions)),
        ("--name", "Name 0"),
        ("--name", "no json"),
        ("--tag", 'Team=blue "1" \\ ü'),
        ("--tag", "Via=gate"),
        ("--tag", "Via=gate", "--name", "Name 0", "--tenant", "hr"),
        ("--outcome", "notForwarded"),
        ("--without-tag", "Via"),
        ("--rule", "name.forbidden"),
        ("--limit", "3"),
        ("--limit", "2", "--tenant", "crm", "--decision", "allowed"),
        ("--since", requests[3]["time"]),
        ("--since", requests[3]["time"], "--until", requests[9]["time"]),
        ("--until", requests[1]["time"], "--decision", "allowed"),
    ]
    for options in selective:
        assert 0 < assert_same(setup, *options) < every, options
    today = requests[0]["time"][:10]
    for options in [
        ("--since", today),
        ("--count-by", "tenant,decision"),
        ("--count-by", "day,rule", "--since", today),
        ("--count-by", "outcome", "--limit", "2", "--operation", "CreateAppInstanceUser"),
    ]:
        assert assert_same(setup, *options) > 0, options
    for options in [
        ("--user-id", "crm"),
        ("--user-id", "crm-long" + "x" * 599),
        ("--user-arn", "nobody"),
        ("--name", "name 0"),
        ("--tag", "Team="),
        ("--until", TIME),
        ("--actor", "' OR true --"),
    ]:
        assert assert_same(setup, *options) == 0, options


def test_what_became_of_unknown_requests_is_told(make_setup, upstream, database):
    setup = add_postgres(make_setup(), database.url())
    with gateways.running(setup) as gateway:
        upstream.handler = silent
        gateway.send(create(AppInstanceUserId="crm-open"))
        ship(gateway)
    assert [record["outcome"] for record in found(setup)] == ["unknown"]
    upstream.handler = lambda request: upstreams.error(404, "NotFoundException")
    assert setup.command("audit", "reconcile").returncode == 0
    with gateways.running(setup) as gateway:
        ship(gateway)
    assert [record["outcome"] for record in found(setup, "--user-id", "crm-open")] == ["failed"]
    assert_same(setup)


def test_gateways_are_told_apart_and_in_the_order_of_time(make_setup, upstream, database):
    setups = [add_postgres(make_setup(name), database.url()) for name in ("first", "second")]
    with gateways.running(setups[0]) as first, gateways.running(setups[1]) as second:
        for number in range(12):
            (first, second, first)[number % 3].send(create(AppInstanceUserId=f"crm-{number}"))
            # Records tell the millisecond: two in the same one have no order between gateways.
            sent = time.time_ns() // 1_000_000
            until(lambda sent=sent: time.time_ns() // 1_000_000 > sent, "the clock stands still")
        ship(first)
        ship(second)
    both = found(setups[0])
    assert [record["appInstanceUserId"] for record in both] == [f"crm-{number}" for number in range(12)]
    assert [record.pop("gatewayId") for record in both] == ["first", "second", "first"] * 4
    assert [record for index, record in enumerate(both) if index % 3 == 1] == setups[1].audit()
    assert found(setups[0], "--limit", "5", "--user-id", "crm-4")[0]["gatewayId"] == "second"
    assert [record["appInstanceUserId"] for record in found(setups[0], "--limit", "5")] == [
        f"crm-{number}" for number in range(7, 12)
    ]
    for format in FORMATS:
        here = setups[1].command("audit", "query", "--format", format)
        assert ask(setups[0], "--gateway", "second", format=format).stdout == here.stdout
    rows = list(csv.DictReader(io.StringIO(ask(setups[0], format="csv").stdout, newline="")))
    assert [row["gatewayId"] for row in rows] == ["first", "second", "first"] * 4
    header, line, *_ = ask(setups[0], format="text").stdout.splitlines()
    assert "GATEWAY" in header and " first" in line
    unknown = ask(setups[0], "--gateway", "third")
    assert unknown.returncode == 1 and "first, second" in unknown.stderr


def test_hashed_names_are_found_on_a_machine_that_has_the_configuration_only(
    make_setup, upstream, database, tmp_path
):
    key = gateways.write_secret(tmp_path / "audit.key", bytes(range(32)))
    setup = add_postgres(make_setup(), database.url())
    setup.config["audit"]["sensitive"] = {"name": "hash", "tagValues": "hash", "keyFile": str(key)}
    with gateways.running(setup) as gateway:
        gateway.send(create(Name="Alice", Tags=[{"Key": "Team", "Value": "blue"}]))
        gateway.send(create(Name="Bob"))
        ship(gateway)
    expected = setup.audit("--name", "Alice")
    assert len(expected) == 1
    elsewhere = gateways.Setup(tmp_path / "auditor")
    elsewhere.config = setup.config
    # Nothing of what only the gateway has.
    missing = {"certificate": "none.pem", "privateKey": "none.key"}
    elsewhere.config["listeners"] = [{"address": "0.0.0.0:8443", "tls": missing}]
    elsewhere.config["audit"]["checkpoint"] = {"signingKey": "none.key"}
    gateways.write_secret(elsewhere.config_file, json.dumps(elsewhere.config))
    (elsewhere.folder / "pg.password").touch(0o600)
    (elsewhere.folder / "pg.password").write_text(postgres.PASSWORD)
    assert found(elsewhere, "--name", "Alice") == expected
    assert found(elsewhere, "--tag", "Team=blue") == expected
    assert found(elsewhere, "--name", "Carol") == []
    assert not elsewhere.audit_folder.exists()


def test_a_role_that_only_reads_is_enough(make_setup, upstream, database):
    setup = add_postgres(make_setup(), database.url())
    with gateways.running(setup) as gateway:
        gateway.send(create())
        ship(gateway)
    database.query("DROP ROLE IF EXISTS auditor")
    database.query(f"CREATE ROLE auditor LOGIN PASSWORD '{postgres.PASSWORD}'")
    setup.config["audit"]["postgres"]["url"] = database.url("auditor")
    setup.write()
    refused = ask(setup)
    assert refused.returncode == 1 and "permission denied for schema gatehouse" in refused.stderr
    database.query(
        "GRANT USAGE ON SCHEMA gatehouse TO auditor; GRANT SELECT ON ALL TABLES IN SCHEMA gatehouse TO auditor"
    )
    assert len(found(setup)) == 1
    database.query("DROP OWNED BY auditor; DROP ROLE auditor")


def test_what_is_wrong_is_said(make_setup, database, tmp_path):
    setup = make_setup().write()
    result = ask(setup)
    assert result.returncode == 78 and "`audit.postgres` is not set" in result.stderr
    assert setup.command("audit", "query", "--gateway", "x").returncode == 64
    add_postgres(setup, database.url()).write()
    result = ask(setup)
    assert result.returncode == 1 and "no table `gatehouse.journal`" in result.stderr
    database.query((gateways.ROOT / "deploy/postgres/001-journal.sql").read_text())
    assert found(setup) == []
    database.query("INSERT INTO gatehouse.journal_migrations VALUES (99)")
    result = ask(setup)
    assert result.returncode == 1 and "of version 99" in result.stderr
    (setup.folder / "pg.password").write_text("wrong-password-7a")
    result = ask(setup)
    assert result.returncode == 1 and "password authentication failed" in result.stderr
    assert "wrong-password-7a" not in result.stderr
    add_postgres(setup, "postgresql://audit@127.0.0.1:1/postgres").write()
    result = ask(setup)
    assert result.returncode == 1 and "127.0.0.1:1/postgres: cannot connect" in result.stderr
    assert result.stdout == ""


MANY = """
    INSERT INTO gatehouse.journal (gateway_id, sequence, kind, request_id, time, tenant, operation, decision, outcome,
      user_id, user_arn, actor, access_key_id, record, line)
    SELECT 'gateway', i, 'outcome', 'request-' || i, moment, tenant, operation, decision, 'notForwarded',
      'user-' || i, 'arn/user/user-' || i, 'actor-' || i / 10, 'key-' || i / 1000, record,
      convert_to(record::text, 'UTF8')
    FROM (
      SELECT i, moment, tenant, operation, decision, jsonb_build_object('sequence', i, 'record', 'outcome',
        'requestId', 'request-' || i, 'time', to_char(moment AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
        'tenant', tenant, 'operation', operation, 'decision', decision, 'outcome', 'notForwarded',
        'appInstanceUserId', 'user-' || i, 'appInstanceUserArn', 'arn/user/user-' || i, 'actor', 'actor-' || i / 10,
        'accessKeyId', 'key-' || i / 1000, 'name', 'Name ' || i, 'tags', jsonb_build_object('Team', 'team-' || i),
        'changes', jsonb_build_array(jsonb_build_object('field', 'Tags.Owner', 'to', 'owner-' || i))) AS record
      FROM (
        SELECT i, timestamptz '2026-01-01T00:00:00Z' + i * interval '1 second' AS moment,
          CASE WHEN i % 10000 = 0 THEN 'rare' ELSE 'tenant-' || i % 3 END AS tenant,
          CASE WHEN i % 9999 = 0 THEN 'DeleteAppInstanceUser' ELSE 'CreateAppInstanceUser' END AS operation,
          CASE WHEN i % 5000 = 0 THEN 'denied' ELSE 'allowed' END AS decision
        FROM generate_series(1, 40000) AS i
      ) AS facts
    ) AS records
"""


def test_filters_are_served_by_indexes(make_setup, database):
    setup = add_postgres(make_setup(), database.url()).write()
    database.query((gateways.ROOT / "deploy/postgres/001-journal.sql").read_text())
    database.query(MANY)
    # Outside of a transaction, and of its own: no row is left to be looked at by the autovacuum.
    database.query("VACUUM ANALYZE gatehouse.journal")
    for setting in (
        "session_preload_libraries = 'auto_explain'",
        "auto_explain.log_min_duration = 0",
        "auto_explain.log_level = log",
    ):
        database.query(f"ALTER ROLE audit SET {setting}")
    log = database.folder / "log"
    try:
        for options, count in [
            (("--user-id", "user-7"), 1),
            (("--user-arn", "arn/user/user-7"), 1),
            (("--actor", "actor-7"), 10),
            (("--access-key", "key-7", "--limit", "4"), 4),
            (("--tenant", "rare"), 4),
            (("--tenant", "tenant-1", "--limit", "2"), 2),
            (("--operation", "DeleteAppInstanceUser"), 4),
            (("--decision", "denied"), 8),
            (("--name", "Name 7"), 1),
            (("--tag", "Team=team-7"), 1),
            (("--tag", "Owner=owner-7"), 1),
            (("--since", "2026-01-01T00:01:00Z", "--until", "2026-01-01T00:01:09Z"), 9),
            (("--limit", "3"), 3),
            (("--gateway", "gateway", "--user-id", "user-7", "--tenant", "tenant-1"), 1),
        ]:
            start = log.stat().st_size
            assert len(found(setup, *options)) == count, options
            plans = log.read_bytes()[start:].decode()
            assert "DECLARE" in plans, plans
            assert not re.search(r"Seq Scan on journal\b", plans), (options, plans)
    finally:
        database.query("ALTER ROLE audit RESET ALL")


def test_replay_of_the_database_is_that_of_the_journal(make_setup, upstream, database):
    setup = add_postgres(make_setup(), database.url())
    with gateways.running(setup) as gateway:
        for number in range(30):
            create_user = service.create_user(AppInstanceUserId=f"crm-{number}", Name="x" * (1 + number % 9))
            assert gateway.send(wire.signed_create(CRM, create_user)).status == 201
        setup.concluded(30)
        ship(gateway)
    folder = setup.folder / "strict"
    folder.mkdir()
    (folder / "p.json").write_text(json.dumps({"policy": "p", "rules": {"name": {"maxLength": 3}}}))
    here, there = (
        setup.command("replay", "--against", folder, "--format", "json", *options)
        for options in ((), ("--from", "postgres"))
    )
    assert here.returncode == there.returncode == 0, there.stderr
    assert there.stdout == here.stdout and len(here.stdout.splitlines()) > 15
