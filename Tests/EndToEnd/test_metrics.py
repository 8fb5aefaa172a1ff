"""What `/metrics` counts, against what was done."""

import re
import time

import pytest

import gateways
import service
import signing
import upstreams
import wire
from gateways import CRM


def metrics(gateway):
    """{'name{labels}': value}; labels as they are printed."""
    text = gateway.admin_request("/metrics").body.decode()
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}


def family(values, name):
    return {key: value for key, value in values.items() if re.match(rf"{name}(\{{|$)", key)}


@pytest.fixture
def setup(make_setup):
    setup = make_setup(admin={"address": "127.0.0.1:0"})
    setup.policies = {
        "a": {"rules": {"tags": {"set": {"Via": "gatehouse"}, "required": [{"key": "Owner", "default": "o"}]}}},
        "b": {"rules": {"expiration": {"defaultDays": 30}}},
        "w": {"mode": "warn", "rules": {"tags": {"set": {"Never": "x"}}}},
    }
    return setup


def call(gateway, key=CRM):
    return gateway.send(wire.signed_create(key, service.create_user()))


def test_what_policies_changed_is_counted_by_policy_and_field(setup):
    with gateways.running(setup) as gateway:
        for _ in range(3):
            assert call(gateway).status == 201
        values = family(metrics(gateway), "gatehouse_policy_changes_total")
    assert values == {
        'gatehouse_policy_changes_total{policy="a",field="Tags.Owner"}': 3,
        'gatehouse_policy_changes_total{policy="a",field="Tags.Via"}': 3,
        'gatehouse_policy_changes_total{policy="b",field="ExpirationSettings.ExpirationDays"}': 3,
    }


def test_requests_responses_and_refusals(setup):
    with gateways.running(setup) as gateway:
        assert call(gateway).status == 201
        stranger = signing.Key("GHAKNOBODY0000000000", "x" * 40)
        assert call(gateway, key=stranger).status == 403
        assert call(gateway, key=signing.Key(CRM.id, "y" * 40)).status == 403
        values = metrics(gateway)
    assert family(values, "gatehouse_authentication_failures_total") == {
        'gatehouse_authentication_failures_total{reason="key_unknown"}': 1,
        'gatehouse_authentication_failures_total{reason="signature_mismatch"}': 1,
    }
    assert family(values, "gatehouse_upstream_responses_total") == {
        'gatehouse_upstream_responses_total{status="201"}': 1
    }
    assert values["gatehouse_requests_in_flight"] == 0
    create_count = 'gatehouse_request_duration_seconds_count{operation="CreateAppInstanceUser"}'
    assert values[create_count] == 3
    revision = family(values, "gatehouse_policy_info")
    assert len(revision) == 1 and 'revision="sha256:' in next(iter(revision))


def test_a_request_is_in_flight_while_upstream_has_it(setup, upstream):
    seen = []

    def look(request):
        seen.append(metrics(gateway)["gatehouse_requests_in_flight"])
        return upstreams.like_the_service(request)

    with gateways.running(setup) as gateway:
        upstream.handler = look
        assert call(gateway).status == 201
        assert seen == [1] and metrics(gateway)["gatehouse_requests_in_flight"] == 0


def test_each_answer_of_upstream_is_counted(setup, upstream):
    answers = iter([upstreams.error(500, "ServiceFailureException")] * 2)
    upstream.handler = lambda request: next(answers, None) or upstreams.like_the_service(request)
    with gateways.running(setup) as gateway:
        assert call(gateway).status == 201
        values = metrics(gateway)
    assert family(values, "gatehouse_upstream_responses_total") == {
        'gatehouse_upstream_responses_total{status="201"}': 1,
        'gatehouse_upstream_responses_total{status="500"}': 2,
    }


def test_ends_of_keys(setup):
    key = {"id": "GHAKEND0000000000001", "secret": "s" * 40, "notAfter": "2030-01-01T00:00:00Z"}
    later = {"id": "GHAKEND0000000000002", "secret": "s" * 40, "notAfter": "2031-01-01T00:00:00Z"}
    revoked = {**later, "id": "GHAKEND0000000000003", "status": "revoked", "notAfter": "2040-01-01T00:00:00Z"}
    setup.tenants = [gateways.tenant(), gateways.tenant(id="ends", keys=[])]
    setup.tenants[1]["accessKeys"] = [key, later, revoked]
    with gateways.running(setup) as gateway:
        values = family(metrics(gateway), "gatehouse_tenant_key_expiry_timestamp_seconds")
    assert values == {'gatehouse_tenant_key_expiry_timestamp_seconds{tenant="ends"}': 1924992000}


def test_the_process(setup):
    with gateways.running(setup) as gateway:
        values = metrics(gateway)
    assert values["process_open_fds"] > 5 and values["process_max_fds"] >= values["process_open_fds"]
    assert values["process_resident_memory_bytes"] > 1 << 20
    assert abs(values["process_start_time_seconds"] - time.time()) < 600
    assert values["process_cpu_seconds_total"] >= 0


def test_an_access_line_tells_who_and_why(setup):
    setup.policies = {
        "w": {"mode": "warn", "rules": {"name": {"maxLength": 1}}},
        "e": {"rules": {"tags": {"forbiddenKeys": ["bad"]}, "metadata": {"maxBytes": 0}}},
    }
    with gateways.running(setup) as gateway:
        since = len(gateway.log)
        tags = [{"Key": "bad", "Value": "1"}]
        body = service.create_user(Name="Al", Tags=tags, Metadata="m")
        response = gateway.send(
            wire.signed_create(CRM, body, headers=[("X-Gatehouse-Actor", "alice@corp")])
        )
        assert response.status == 403
        line = gateway.wait_for_log(lambda line: line.get("message") == "request", "a request", since=since)
        assert (line["tenant"], line["accessKeyId"], line["actor"]) == ("crm", CRM.id, "alice@corp")
        assert line["rules"] == ["tags.forbiddenKeys", "metadata.maxBytes", "name.length"]

        since = len(gateway.log)
        assert call(gateway, key=signing.Key("K" * 300, "x" * 40)).status == 403
        line = gateway.wait_for_log(lambda line: line.get("message") == "request", "a request", since=since)
        assert line["accessKeyId"] == "K" * 256 and line["rules"] == [] and "tenant" not in line
        assert line["reason"]
