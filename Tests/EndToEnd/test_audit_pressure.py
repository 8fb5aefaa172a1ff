"""What callers without a key, and callers who are refused, can make the journal do: little, and all of it is told."""

import collections
import json
import threading

import pytest

import gateways
import service
import wire
from gateways import CRM
from test_audit import create, small_disk  # noqa: F401 (a fixture)
from waiting import PATIENCE, until

LONGEST_RECORD = 16 << 10


def records(setup):
    return [json.loads(line) for line in setup.journal_lines()]


def counted(setup):
    """How many requests the journal tells of, by decision; and how many of them in `suppressed` records only."""
    decisions, suppressed = collections.Counter(), 0
    for record in records(setup):
        if record["record"] == "outcome" and "intent" not in record:
            decisions[record["decision"]] += 1
        elif record["record"] == "outcome":
            decisions[record.get("decision", "allowed")] += 1
        elif record["record"] == "suppressed":
            assert record["count"] == sum(record["byDecision"].values())
            decisions.update(record["byDecision"])
            suppressed += record["count"]
    return decisions, suppressed


def metric(gateway, name):
    text = gateway.admin_request("/metrics").body.decode()
    return [float(line.split()[-1]) for line in text.splitlines() if line.startswith(name + " ")][0]


def flood(address, request, count, connections=4):
    """Sends a request again and again on a few connections, pipelined, and reads all answers; returns the statuses."""
    statuses = collections.Counter()
    lock = threading.Lock()

    def run(part):
        with wire.Connection(address) as connection:
            sender = threading.Thread(
                target=lambda: [connection.send(request * 50) for _ in range(part // 50)], daemon=True
            )
            sender.start()
            mine = collections.Counter(connection.read().status for _ in range(part))
            sender.join(PATIENCE)
        with lock:
            statuses.update(mine)

    threads = [threading.Thread(target=run, args=(count // connections,)) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    return statuses


ANONYMOUS = wire.encode(
    "POST",
    "/app-instance-users",
    [("Host", "gateway.test"), ("User-Agent", "x" * 2000), ("Content-Length", "0")],
)


def test_flood_of_unauthenticated_requests_is_bounded_and_counted(make_setup, upstream):
    setup = make_setup(audit={"directory": "audit"})
    count = 12_000
    with gateways.running(setup) as gateway:
        served = []
        stop = threading.Event()

        def serve():
            with gateway.connect() as connection:
                while not stop.is_set():
                    served.append(connection.exchange(create()).status)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        statuses = flood(gateway.address, ANONYMOUS, count)
        stop.set()
        thread.join(PATIENCE)
        assert statuses == {403: count}
        assert set(served) == {201}
        until(
            lambda: counted(setup)[0]["unauthenticated"] == count,
            lambda: f"{counted(setup)[0]} for {count} requests",
        )
        assert gateway.admin_request("/readyz").status == 200
        suppressed = counted(setup)[1]
        assert metric(gateway, "gatehouse_audit_suppressed_records_total") == suppressed > count / 2
    decisions, _ = counted(setup)
    assert decisions == {"unauthenticated": count, "allowed": len(served)}
    told = [record for record in records(setup) if record["record"] == "suppressed"]
    assert all(record["sources"]["loudest"][0]["address"] == "127.0.0.1" for record in told)
    assert all(record["sources"]["more"] == 0 for record in told)
    alone = [line for line in setup.journal_lines() if b'"unauthenticated"' in line and b'"outcome"' in line]
    assert all(len(line) < 1000 for line in alone), "what a stranger chooses is cut"
    assert b'"truncated":["userAgent"]' in alone[0]
    code, answer = setup.verify()
    assert code == 0, answer


def test_last_refusals_are_told_at_drain(make_setup, upstream):
    setup = make_setup(audit={"directory": "audit", "refusals": {"perSecond": "1KiB", "perSourcePerSecond": 1024}})
    with gateways.running(setup) as gateway:
        statuses = flood(gateway.address, ANONYMOUS, 200, connections=1)
        assert statuses == {403: 200}
    decisions, suppressed = counted(setup)
    assert decisions == {"unauthenticated": 200}
    assert suppressed >= 190


def test_throttled_and_unreadable_requests_are_in_the_budget_too(make_setup, upstream):
    setup = make_setup()
    setup.config["audit"]["refusals"] = {"perSecond": "4KiB", "perSourcePerSecond": "4KiB"}
    setup.tenants = [
        gateways.tenant(operations=service.OPERATIONS, rateLimit={"requestsPerSecond": 0.001, "burst": 1})
    ]
    with gateways.running(setup) as gateway:
        with gateway.connect() as connection:
            throttled = [connection.exchange(create()).status for _ in range(100)]
        assert collections.Counter(throttled) == {201: 1, 429: 99}
        for _ in range(60):
            assert gateway.send(b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n").status == 400
        until(lambda: sum(counted(setup)[0].values()) == 160, lambda: str(counted(setup)))
    decisions, suppressed = counted(setup)
    assert decisions == {"allowed": 1, "throttled": 99, "invalid": 60}
    assert suppressed > 100


def test_unreadable_requests_meet_the_source_limit(make_setup, upstream):
    setup = make_setup()
    setup.config["rateLimit"]["perSourceAddress"] = {"requestsPerSecond": 0.001, "burst": 5}
    with gateways.running(setup) as gateway:
        statuses = [gateway.send(b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n").status for _ in range(8)]
    assert statuses == [400] * 5 + [429] * 3


@pytest.mark.parametrize("kind", ["refused by policy", "breaks the model", "forwarded"])
def test_no_record_is_longer_than_16_kib(make_setup, upstream, kind):
    setup = make_setup()
    if kind == "refused by policy":
        setup.policies["base"] = {"rules": {"tags": {"allowedKeys": ["Owner"]}, "name": {"forbidden": ["x"]}}}
    if kind == "breaks the model":
        tags = [{"Key": f"{number}" + "k" * 3000, "Value": "v" * 3000} for number in range(38)]
        user = service.create_user(Name="x" * 9000, Tags=tags)
    else:
        tags = [{"Key": f"{number}".ljust(128, "k"), "Value": "v" * 256} for number in range(50)]
        user = service.create_user(Name="x" * 100, Tags=tags, Metadata="m" * 1024)
    setup.config["audit"]["sensitive"] = {"metadata": "plain"}
    with gateways.running(setup) as gateway:
        response = gateway.send(
            wire.signed_create(
                CRM, user, headers=[("X-Gatehouse-Actor", "a" * 4000)], extra=[("User-Agent", "u" * 4000)]
            )
        )
        assert response.status == {"forwarded": 201, "breaks the model": 400, "refused by policy": 403}[kind]
        record = setup.audit_record(response.get("x-gatehouse-request-id"))
    assert all(len(line) <= LONGEST_RECORD for line in setup.journal_lines())
    assert "tags" in record["truncated"] and "userAgent" in record["truncated"]
    assert record["appInstanceArn"] == user["AppInstanceArn"]
    assert record["appInstanceUserId"] == user["AppInstanceUserId"]
    if kind == "forwarded":
        assert list(record["tags"]) == [tag["Key"] for tag in tags], "the longest texts are cut first"
    code, answer = setup.verify()
    assert code == 0, answer


def test_below_the_minimum_of_free_space_only_served_requests_are_recorded(make_setup, upstream, small_disk):  # noqa: F811
    setup = make_setup()
    setup.config["audit"] = {"directory": str(small_disk / "audit"), "minimumFreeSpace": "2MiB"}
    filler = small_disk / "filler"
    with gateways.running(setup) as gateway:
        assert metric(gateway, "gatehouse_audit_free_bytes") > 2 << 20
        filler.write_bytes(b"x" * (5 << 19))
        gateway.wait_for_log(lambda line: "minimumFreeSpace" in line.get("event", ""), "the low space")
        ready = gateway.admin_request("/readyz")
        assert ready.status == 200 and b"minimumFreeSpace" in ready.body
        assert gateway.send(create()).status == 201
        assert flood(gateway.address, ANONYMOUS, 50, connections=1) == {403: 50}
        until(lambda: counted(setup)[0] == {"allowed": 1, "unauthenticated": 50}, lambda: str(counted(setup)))
        assert counted(setup)[1] == 50
        filler.unlink()
        gateway.wait_for_log(lambda line: "records again" in line.get("event", ""), "the end of it")
        assert b"minimumFreeSpace" not in gateway.admin_request("/readyz").body
        assert flood(gateway.address, ANONYMOUS, 50, connections=1) == {403: 50}
        size = metric(gateway, "gatehouse_audit_journal_bytes")
        assert 0 < size <= sum(path.stat().st_size for path in setup.segments())
    decisions, suppressed = counted(setup)
    assert decisions == {"allowed": 1, "unauthenticated": 100}
    assert suppressed < 100
    lows = [line for line in gateway.log if "minimumFreeSpace" in line.get("event", "")]
    assert len(lows) == 1, "it is said once"


def test_bounds_of_the_journal_follow_a_reload(make_setup, upstream):
    setup = make_setup()
    setup.config["audit"] = {"directory": "audit", "refusals": {"perSecond": "1KiB", "perSourcePerSecond": "1KiB"}}
    with gateways.running(setup) as gateway:
        assert flood(gateway.address, ANONYMOUS, 50, connections=1) == {403: 50}
        until(lambda: counted(setup)[0].get("unauthenticated") == 50, lambda: str(counted(setup)))
        suppressed = counted(setup)[1]
        assert suppressed > 40
        setup.config["audit"].update(
            refusals={"perSecond": "1MiB", "perSourcePerSecond": "1MiB"}, minimumFreeSpace="900TiB"
        )
        setup.write()
        assert gateway.admin_request("/reload", "POST", headers=[("Content-Length", "0")]).status == 200
        # First the rate: each gets its record. Then the disk is looked at, and there is too little room for any.
        gateway.wait_for_log(lambda line: "minimumFreeSpace" in line.get("event", ""), "the low space")
        setup.config["audit"]["minimumFreeSpace"] = "1MiB"
        setup.write()
        assert gateway.admin_request("/reload", "POST", headers=[("Content-Length", "0")]).status == 200
        gateway.wait_for_log(lambda line: "records again" in line.get("event", ""), "the end of it")
        assert flood(gateway.address, ANONYMOUS, 50, connections=1) == {403: 50}
        until(lambda: counted(setup)[0].get("unauthenticated") == 100, lambda: str(counted(setup)))
        assert counted(setup)[1] == suppressed
        assert not any("next start" in line.get("message", "") for line in gateway.log)
