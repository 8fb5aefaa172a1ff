"""The views for people who use SQL, in a real PostgreSQL: they tell what `audit query` tells, and the SQL of
docs/audit.md runs."""

import json
import re

import gateways
import pytest
import service
import test_postgres_query
import upstreams
import wire
from gateways import CRM
from shipping import add_postgres, create
from test_postgres_query import ship, silent

VIEWS = (gateways.ROOT / "deploy/postgres/002-views.sql").read_text()


def rows(database, query):
    """Rows as objects."""
    return [json.loads("|".join(row)) for row in database.query(f"SELECT to_jsonb(q) FROM ({query}) AS q")]


# Of the JSON of `audit query`, all but what is compared by itself.
COLUMNS = {
    "requestId": "request_id",
    "tenant": "tenant",
    "accessKeyId": "access_key_id",
    "actor": "actor",
    "sourceIp": "source_ip",
    "userAgent": "user_agent",
    "operation": "operation",
    "appInstanceArn": "app_instance_arn",
    "name": "name",
    "tags": "tags",
    "expirationDays": "expiration_days",
    "decision": "decision",
    "violations": "violations",
    "warnings": "warnings",
    "changes": "changes",
    "policyRevision": "policy_revision",
    "status": "status",
    "upstreamStatus": "upstream_status",
    "upstreamRequestId": "upstream_request_id",
    "appInstanceUserArn": "user_arn",
    "outcome": "outcome",
    "durationMs": "duration_ms",
    "errorType": "error_type",
    "reason": "reason",
    "attempts": "attempts",
    "repeatOf": "repeat_of",
}


def assert_same(view, record):
    told = {column: record.get(member) for member, column in COLUMNS.items()}
    assert {column: view[column] for column in told} == told
    if record["appInstanceUserId"] is not None:
        assert view["user_id"] == record["appInstanceUserId"][:512]


def rich_policies(setup):
    setup.policies["rich"] = {
        "match": {"operations": ["CreateAppInstanceUser"]},
        "owner": "identity@example.com",
        "severity": "high",
        "rules": {
            "tags": {"required": [{"key": "Team", "default": "none"}], "set": {"Via": "gate"}},
            "expiration": {"maxDays": 30, "defaultDays": 7, "onExcess": "clamp"},
        },
    }
    setup.policies["soon"] = {
        "mode": "warn",
        "match": {"operations": ["CreateAppInstanceUser"]},
        "rules": {"tags": {"required": [{"key": "Stage"}]}},
    }


@pytest.fixture
def shipped(make_setup, upstream, database):
    """Requests of every decision and outcome, with policies that change, warn and refuse, one without its JSON."""
    database.query((gateways.ROOT / "deploy/postgres/001-journal.sql").read_text())
    database.query("ALTER TABLE gatehouse.journal ADD CHECK (record ->> 'name' <> 'no json')")
    setup = add_postgres(make_setup(), database.url(), batch=5)
    rich_policies(setup)
    test_postgres_query.serve_everything(setup, upstream)
    upstream.clear()
    with gateways.running(setup) as gateway:
        days = {"ExpirationDays": 90, "ExpirationCriterion": "CREATED_TIMESTAMP"}
        gateway.send(create(AppInstanceUserId="crm-clamped", ExpirationSettings=days))
        again = create(AppInstanceUserId="crm-again", Tags=[{"Key": "CostCenter", "Value": "4711"}])
        for _ in range(2):
            gateway.send(again)
        target = f"/app-instance-users/{service.APP}/user/crm-1"
        gateway.send(wire.signed(CRM, "DELETE", target))
        upstream.handler = lambda request: upstreams.error(409, "ConflictException")
        gateway.send(create(AppInstanceUserId="crm-taken"))
        ship(gateway)
    return setup


def test_views_tell_what_audit_query_tells(shipped, database):
    records = {record["requestId"]: record for record in shipped.audit()}
    requests = rows(database, "SELECT * FROM gatehouse.requests")
    assert {row["request_id"] for row in requests} == set(records) and len(requests) == len(records)
    (in_part,) = (row for row in requests if not row["is_whole"])
    assert (in_part["user_id"], in_part["tenant"], in_part["name"]) == ("hr-1", "hr", None)
    assert (in_part["outcome"], in_part["status"]) == ("created", 201)
    for row in requests:
        if row["is_whole"]:
            assert_same(row, records[row["request_id"]])
    assert {row["outcome"] for row in requests} >= {"created", "rejected", "unknown", "notForwarded"}

    created = rows(database, "SELECT * FROM gatehouse.users_created ORDER BY time")
    meant = [record for record in records.values() if record["outcome"] == "created"]
    assert [row["request_id"] for row in created] == [record["requestId"] for record in meant]
    # A repeat is no second creation.
    assert [row["user_id"] for row in created].count("crm-again") == 1
    clamped = next(row for row in created if row["user_id"] == "crm-clamped")
    assert clamped["expiration_days"] == 30 and clamped["tags"] == {"CostCenter": "4711", "Team": "none", "Via": "gate"}

    findings = rows(database, "SELECT * FROM gatehouse.findings WHERE decision = 'denied' AND enforced")
    assert {(row["policy"], row["rule"], row["user_id"]) for row in findings} >= {
        ("owner", "name.forbidden", "crm-bad"),
        ("gatehouse", "tenant.operation", None),
    }
    warned = rows(database, "SELECT * FROM gatehouse.findings WHERE NOT enforced")
    assert {(row["policy"], row["rule"]) for row in warned} == {("soon", "tags.required")}
    changes = rows(database, "SELECT * FROM gatehouse.changes WHERE user_id = 'crm-clamped'")
    assert {(row["field"], row["from_value"], row["to_value"]) for row in changes} >= {
        ("ExpirationSettings.ExpirationDays", "90", "30"),
        ("Tags.Via", None, "gate"),
    }


def test_what_was_found_out_afterwards_is_told(make_setup, upstream, database):
    setup = add_postgres(make_setup(), database.url())
    with gateways.running(setup) as gateway:
        upstream.handler = silent
        gateway.send(create(AppInstanceUserId="crm-open"))
        ship(gateway)
    (row,) = rows(database, "SELECT * FROM gatehouse.requests")
    assert (row["outcome"], row["reconciled_at"]) == ("unknown", None)
    upstream.handler = lambda request: upstreams.error(404, "NotFoundException")
    assert setup.command("audit", "reconcile").returncode == 0
    with gateways.running(setup) as gateway:
        ship(gateway)
    (row,) = rows(database, "SELECT * FROM gatehouse.requests")
    (record,) = setup.audit()
    assert row["outcome"] == "failed" and row["reconciled_at"] is not None
    assert_same(row, record)


def test_the_sql_of_the_documentation_runs(shipped, database):
    page = (gateways.ROOT / "docs/audit.md").read_text()
    section = page.split("### Asking it with SQL\n")[1].split("\n## ")[0]
    blocks = re.findall(r"(?m)(?:^    .*\n)+", section)
    assert len(blocks) >= 6
    # One that finds nothing among requests of every kind shows nothing.
    for block in blocks:
        assert rows(database, block.strip().removesuffix(";")), block
    in_text = re.findall(r"`(SELECT [^`]*)`", section)
    assert len(in_text) == 1 and rows(database, in_text[0])


def test_an_earlier_database_gets_the_views(make_setup, upstream, database):
    database.query((gateways.ROOT / "deploy/postgres/001-journal.sql").read_text())
    setup = add_postgres(make_setup(), database.url())
    with gateways.running(setup) as gateway:
        gateway.send(create(AppInstanceUserId="crm-1"))
        ship(gateway)
        assert "not up to date" not in "".join(gateway.log_text)
    (row,) = rows(database, "SELECT * FROM gatehouse.users_created")
    assert row["user_id"] == "crm-1"
    # By hand, and again.
    database.query(VIEWS)
    assert database.value("SELECT max(version) FROM gatehouse.journal_migrations") == "2"


def test_counts_of_refused_requests_are_rows(database):
    for number in (1, 2):
        (script,) = (gateways.ROOT / "deploy/postgres").glob(f"00{number}-*.sql")
        database.query(script.read_text())
    record = {
        "sequence": 1,
        "record": "suppressed",
        "time": "2026-11-28T10:00:01.000Z",
        "count": 61873,
        "bytes": 27842850,
        "since": "2026-11-28T10:00:00.000Z",
        "byDecision": {"unauthenticated": 61873},
        "sources": {"loudest": [{"address": "203.0.113.7", "count": 61873}], "more": 0},
    }
    database.query(
        "INSERT INTO gatehouse.journal (gateway_id, sequence, kind, time, record, line)"
        f" VALUES ('gateway', 1, 'suppressed', '{record['time']}', '{json.dumps(record)}', '')"
    )
    (row,) = rows(database, "SELECT * FROM gatehouse.suppressed")
    assert row["requests"] == 61873 and row["by_decision"] == {"unauthenticated": 61873}
    assert rows(database, "SELECT * FROM gatehouse.requests") == []


def test_what_is_asked_of_time_people_and_tenants_is_served_by_indexes(database):
    for script in sorted((gateways.ROOT / "deploy/postgres").glob("*.sql")):
        database.query(script.read_text())
    database.query(test_postgres_query.MANY)
    database.query("VACUUM ANALYZE gatehouse.journal")
    for view, condition, count in [
        ("requests", "user_id = 'user-7'", 1),
        ("requests", "actor = 'actor-7'", 10),
        ("requests", "tenant = 'rare'", 4),
        ("requests", "operation = 'DeleteAppInstanceUser'", 4),
        ("requests", "access_key_id = 'key-7' AND time < '2026-01-01T02:00:00Z'", 200),
        ("requests", "time >= '2026-01-01T00:01:00Z' AND time < '2026-01-01T00:01:09Z'", 9),
        ("changes", "user_id = 'user-7'", 1),
        ("findings", "user_id = 'user-7'", 0),
        ("users_created", "user_id = 'user-7'", 0),
    ]:
        query = f"FROM gatehouse.{view} WHERE {condition}"
        assert int(database.value(f"SELECT count(*) {query}")) == count, query
        plan = "\n".join(row[0] for row in database.query(f"EXPLAIN SELECT * {query}"))
        assert not re.search(r"Seq Scan on journal\b", plan), (query, plan)
