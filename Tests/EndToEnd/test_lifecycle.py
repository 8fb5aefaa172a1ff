"""Reload by SIGHUP and drain by SIGTERM, without a request lost on the way."""

import concurrent.futures
import signal
import threading

import pytest

import gateways
import service
import signing
import upstreams
import wire
from gateways import CRM, HR
from load import Load
from waiting import PATIENCE


def create(key=CRM, **changes):
    return wire.signed_create(key, service.create_user(**changes))


FORBID_MALLORY = {"rules": {"name": {"forbidden": ["Mallory"]}}}


def test_reload_takes_new_policies(make_setup, upstream):
    setup = make_setup()
    with gateways.running(setup) as gateway, gateway.connect() as connection:
        assert connection.exchange(create(Name="Mallory")).status == 201
        setup.policies["names"] = FORBID_MALLORY
        setup.write_policies()
        gateway.reload()
        assert connection.exchange(create(Name="Mallory")).status == 403
        assert connection.exchange(create()).status == 201


def test_reload_takes_new_tenants_and_drops_revoked_keys(make_setup, upstream):
    setup = make_setup()
    with gateways.running(setup) as gateway, gateway.connect() as connection:
        assert connection.exchange(create(HR)).status == 403
        setup.tenants.append(gateways.tenant(id="hr", keys=[HR]))
        setup.tenants[0]["accessKeys"][0]["status"] = "revoked"
        setup.write_tenants()
        gateway.reload()
        assert connection.exchange(create(HR)).status == 201
        response = connection.exchange(create())
        assert (response.status, response.error_type) == (403, "UnrecognizedClientException")


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("gatehouse.json", "{"),
        ("gatehouse.json", '{"listeners": []}'),
        ("tenants.json", '{"tenants": [{"id": "crm"}]}'),
        ("policies/broken.json", '{"policy": "broken", "rules": {"nmae": {}}}'),
        ("policies/broken.json", '{"policy": "broken", "rules": {"name": {"pattern": "("}}}'),
        ("policies/broken.json", '{"policy": "broken", "rules": {"expiration": {"minDays": 9, "defaultDays": 8}}}'),
        ("policies/zz.json", '{"policy": "zz", "rules": {"tags": {"set": {"Via": "2"}}}}'),
    ],
)
def test_reload_of_a_bad_file_keeps_the_running_set(make_setup, upstream, file, content):
    setup = make_setup()
    setup.policies["names"] = {"rules": {**FORBID_MALLORY["rules"], "tags": {"set": {"Via": "1"}}}}
    with gateways.running(setup) as gateway:
        path = setup.folder / file
        path.write_text(content)
        record = gateway.reload()
        assert record["level"] in ("error", "warning"), record
        assert path.name in str(record), record
        assert gateway.send(create(Name="Mallory")).status == 403
        assert gateway.send(create()).status == 201
        assert b"\ngatehouse_config_reload_failures_total 1" in gateway.admin_request("/metrics").body
        if path.parent.name == "policies":
            path.unlink()
        setup.policies.clear()
        setup.write()
        gateway.reload()
        assert gateway.send(create(Name="Mallory")).status == 201


def test_reload_under_load_fails_no_request(make_setup, upstream):
    setup = make_setup()
    setup.policies["tag"] = {"rules": {"tags": {"set": {"Revision": "0"}}}}
    with gateways.running(setup) as gateway:
        load = Load(gateway)
        try:
            load.wait_for(20)
            for revision in range(1, 11):
                setup.policies["tag"]["rules"]["tags"]["set"]["Revision"] = str(revision)
                setup.write_policies()
                gateway.reload()
                load.wait_for(20)
        finally:
            load.stop()
        assert (load.failed, load.broken) == ([], 0)
        assert len(load.acknowledged) >= 200
    seen = [
        {tag["Key"]: tag["Value"] for tag in request.json["Tags"]}["Revision"]
        for request in upstream.requests
    ]
    assert set(seen) == {str(revision) for revision in range(11)}
    assert {request.problem for request in upstream.requests} == {None}


MANY = 100


def many_policies(generation):
    """100 policies of 20 rules, each other ones. 40 of them put in a tag that says which set they are of."""
    policies = {}
    for number in range(MANY):
        rules = {
            "appInstanceUserId": {
                "pattern": f"[a-zA-Z0-9._-]{{1,{64 + number}}}",
                "forbidden": [f"(?i)nobody{number}", f"--{number}"],
                "minLength": 1,
                "maxLength": 64,
            },
            "name": {
                "pattern": f"[\\p{{L}}\\p{{M}}0-9' .-]{{1,{100 + number}}}",
                "forbidden": [f"(?i)admin{number}"],
                "minLength": 1,
                "maxLength": 100,
                "trimmed": True,
                "singleScript": True,
            },
            "tags": {"forbiddenKeys": ["aws:*", f"tmp{number}*"], "maxCount": 50},
            "expiration": {"minDays": 1, "maxDays": 400 + number, "defaultDays": 30},
            "metadata": {"maxBytes": 1000, "forbidden": [f"secret{number}"]},
        }
        if number < 40:
            rules["tags"]["set"] = {f"Generation{number:02}": f"{generation}-${{tenant.id}}"}
        policies[f"p{number:02}"] = {"rules": rules}
    return policies


def test_reloads_of_a_large_set_neither_stop_nor_mix_requests(make_setup, upstream):
    """100 policies of 20 rules and 10 000 tenants, and one loop for all connections. What is read and compiled there
    would leave no request answered meanwhile."""
    setup = make_setup(workers=1)
    setup.policies = many_policies(0)
    threads = 6
    with gateways.running(setup) as gateway:
        setup.tenants += [
            gateways.tenant(id=f"t{number:05}", keys=[signing.Key(f"GHAKT{number:013}", f"secret-{number:020}")])
            for number in range(10_000)
        ]
        setup.write_tenants()
        load = Load(gateway, threads)
        answered_meanwhile = []
        try:
            load.wait_for(20)
            for generation in range(1, 4):
                setup.policies = many_policies(generation)
                setup.write_policies()
                seen, before = len(gateway.log), len(load.acknowledged)
                gateway.signal(signal.SIGHUP)
                gateway.wait_for_log(
                    lambda record: record.get("message") == "reloaded", "reloaded", since=seen, timeout=2 * PATIENCE
                )
                answered_meanwhile.append(len(load.acknowledged) - before)
                load.wait_for(20)
        finally:
            load.stop()
        assert (load.failed, load.broken) == ([], 0)
    # Each connection can have had one answer that was under way, and no more if the loop had stood still.
    assert min(answered_meanwhile) > 2 * threads, answered_meanwhile
    generations = []
    for request in upstream.requests:
        tags = {tag["Key"]: tag["Value"] for tag in request.json["Tags"] if tag["Key"].startswith("Generation")}
        assert len(tags) == 40 and len(set(tags.values())) == 1, f"a mixture: {tags}"
        generations.append(next(iter(tags.values())))
    assert set(generations) == {f"{generation}-crm" for generation in range(4)}


def test_admin_reload_does_the_same(make_setup, upstream):
    setup = make_setup()
    with gateways.running(setup) as gateway:
        setup.policies["names"] = FORBID_MALLORY
        setup.write_policies()
        response = gateway.admin_request("/reload", method="POST", headers=[("Content-Length", "0")])
        assert response.status // 100 == 2
        assert gateway.send(create(Name="Mallory")).status == 403


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_drain_finishes_what_was_begun_and_exits_0(make_setup, upstream, number):
    release = threading.Event()
    upstream.handler = lambda request: (release.wait(PATIENCE), upstreams.like_the_service(request))[1]
    gateway = gateways.Gateway(make_setup())
    idle = gateway.connect()
    with concurrent.futures.ThreadPoolExecutor() as pool:
        try:
            begun = [pool.submit(gateway.send, create()) for _ in range(5)]
            upstream.wait_for(5)
            gateway.signal(number)
            assert idle.read() is None, "an idle connection is closed by the drain"
            with pytest.raises((ConnectionError, AssertionError)):
                gateway.send(create())
            assert gateway.process.poll() is None, "it waits for what was begun"
        finally:
            release.set()
        answers = [future.result() for future in begun]
    assert [answer.status for answer in answers] == [201] * 5
    assert all(answer.says_close for answer in answers)
    assert gateway.wait() == 0
    records = gateway.setup.audit()
    assert len(records) == 5 and {record["outcome"] for record in records} == {"created"}
    assert gateway.setup.verify()[0] == 0


def test_drain_under_load_loses_no_answer(make_setup, upstream):
    setup = make_setup()
    gateway = gateways.Gateway(setup)
    load = Load(gateway)
    upstream.wait_for(100)
    gateway.stop()
    load.stop()
    seen = {request.json["AppInstanceUserId"] for request in upstream.requests}
    assert seen == set(load.acknowledged), "every creation that upstream saw was answered"


def test_drain_does_not_wait_longer_than_its_timeout(make_setup, upstream):
    release = threading.Event()
    upstream.handler = lambda request: (release.wait(PATIENCE), upstreams.like_the_service(request))[1]
    setup = make_setup(drainTimeout="500ms")
    setup.config["upstream"]["requestTimeout"] = "60s"
    gateway = gateways.Gateway(setup)
    with gateway.connect() as connection:
        connection.send(create())
        upstream.wait_for(1)
        try:
            gateway.signal(signal.SIGTERM)
            code = gateway.wait()
        finally:
            release.set()
    assert code == 0
    record = setup.audit()[0]
    assert (record["decision"], record["outcome"]) == ("allowed", "unknown")
    assert setup.verify()[0] == 0


def test_several_workers_and_listeners_share_one_journal_and_one_limit(make_setup, upstream):
    setup = make_setup(workers=4, listeners=[{"address": "127.0.0.1:0"}, {"address": "127.0.0.1:0"}])
    setup.tenants = [gateways.tenant(rateLimit={"requestsPerSecond": 0.05, "burst": 10})]
    with gateways.running(setup) as gateway:
        assert len(set(gateway.addresses)) == 2
        statuses = []
        for index in range(20):
            with wire.Connection(gateway.addresses[index % 2]) as connection:
                statuses.append(connection.exchange(create()).status)
        assert statuses.count(201) == 10
    assert setup.verify()[0] == 0


def test_access_line_bears_the_request_id_of_the_audit_record(make_setup, upstream):
    with gateways.running(make_setup()) as gateway:
        request_id = gateway.send(create()).get("x-gatehouse-request-id")
        gateway.wait_for_log(lambda record: request_id in record.values(), "the request id")
    assert all(
        isinstance(record, dict) and "message" in record and "level" in record for record in gateway.log
    )


def test_gateway_logs_json_lines_and_nothing_on_stdout(make_setup, upstream):
    with gateways.running(make_setup()) as gateway:
        gateway.send(create())
        gateway.send(create(signing.Key("GHAKNOBODY0000000001", "x")))
    assert all(line.startswith("{") for line in gateway.log_text), gateway.log_text
    assert gateway.output == []
