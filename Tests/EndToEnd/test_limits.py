"""Rates and concurrency: per tenant, and per source address before anyone is authenticated."""

import concurrent.futures
import re
import threading

import pytest

import gateways
import service
import signing
import upstreams
import wire
from checks import assert_has_the_gateways_marks, assert_refused
from gateways import CRM, HR
from waiting import PATIENCE, until


def create(key=CRM):
    return wire.signed_create(key, service.create_user())


def assert_throttled(response, error_type="ThrottledClientException"):
    assert_refused(response, 429, error_type, "Throttled")
    assert re.fullmatch(r"[0-9]+", response.get("Retry-After")), response.headers
    assert int(response.get("Retry-After")) >= 1
    assert response.get("RateLimit"), response.headers
    assert response.get("RateLimit-Policy"), response.headers


@pytest.fixture
def limited(make_setup):
    """A setup whose tenant crm has the given rate limit; hr has none."""

    def make(limit, **rate_limit):
        setup = make_setup()
        setup.tenants = [
            gateways.tenant(operations=service.OPERATIONS, rateLimit=limit),
            gateways.tenant(id="hr", keys=[HR], operations=service.OPERATIONS),
        ]
        setup.config["rateLimit"].update(rate_limit)
        return setup

    return make


SLOW = {"requestsPerSecond": 0.05, "burst": 3}


def test_tenant_over_its_rate_is_throttled_and_others_are_not(limited, upstream):
    with gateways.running(limited(SLOW)) as gateway, gateway.connect() as connection:
        answers = [connection.exchange(create()) for _ in range(5)]
        assert [answer.status for answer in answers] == [201, 201, 201, 429, 429]
        assert_throttled(answers[3])
        assert int(answers[3].get("Retry-After")) <= 20
        assert len(upstream.requests) == 3
        assert connection.exchange(create(HR)).status == 201
        record = gateway.setup.audit_record(answers[4].get("x-gatehouse-request-id"))
        assert (record["decision"], record["outcome"], record["tenant"]) == (
            "throttled",
            "notForwarded",
            "crm",
        )
        metrics = gateway.admin_request("/metrics").body.decode()
        assert re.search(r'^gatehouse_rate_limited_total\{[^}]*tenant="crm"[^}]*\} 2$', metrics, re.M), (
            metrics
        )


def test_rate_limit_fields_are_in_the_form_of_the_ietf_draft(limited, upstream):
    with gateways.running(limited({"requestsPerSecond": 0.05, "burst": 1})) as gateway:
        gateway.send(create())
        response = gateway.send(create())
    # draft-ietf-httpapi-ratelimit-headers: items with parameters q (quota), w (window), r (remaining), t (reset).
    assert re.match(r'"[^"]+";.*\bq=[0-9]+', response.get("RateLimit-Policy")), response.headers
    assert re.match(r'"[^"]+";.*\br=0\b', response.get("RateLimit")), response.headers


def test_all_keys_of_a_tenant_share_its_rate(make_setup, upstream):
    setup = make_setup()
    second = signing.Key("GHAKCRM00000000002", "second-secret-abcdefghijklmnop")
    setup.tenants = [gateways.tenant(keys=[CRM, second], rateLimit={"requestsPerSecond": 0.05, "burst": 2})]
    with gateways.running(setup) as gateway:
        assert [gateway.send(create(key)).status for key in (CRM, second, CRM, second)] == [
            201,
            201,
            429,
            429,
        ]


def test_unauthenticated_requests_cost_a_tenant_nothing(limited, upstream):
    forged = signing.Key(CRM.id, "not-the-secret")
    with gateways.running(limited(SLOW)) as gateway, gateway.connect() as connection:
        assert {connection.exchange(create(forged)).status for _ in range(10)} == {403}
        assert [connection.exchange(create()).status for _ in range(3)] == [201, 201, 201]


def test_rate_comes_back_with_time(limited, upstream):
    with (
        gateways.running(limited({"requestsPerSecond": 2, "burst": 1})) as gateway,
        gateway.connect() as connection,
    ):
        statuses = []

        def come_back():
            statuses.append(connection.exchange(create()).status)
            return statuses.count(201) == 3

        until(come_back, lambda: statuses)
    assert len(upstream.requests) == 3
    assert 429 in statuses


def test_boto3_standard_mode_does_not_retry_the_modelled_name(limited, upstream):
    with gateways.running(limited({"requestsPerSecond": 0.05, "burst": 1})) as gateway:
        client = gateway.client(attempts=4)
        client.create_app_instance_user(**service.create_user())
        with pytest.raises(client.exceptions.ThrottledClientException) as raised:
            client.create_app_instance_user(**service.create_user())
    assert raised.value.response["ResponseMetadata"]["RetryAttempts"] == 0
    assert raised.value.response["Code"] == "Throttled"
    assert len(upstream.requests) == 1


def test_boto3_standard_mode_retries_the_configured_name(limited, upstream):
    setup = limited({"requestsPerSecond": 1, "burst": 1}, errorType="TooManyRequestsException")
    with gateways.running(setup) as gateway:
        client = gateway.client(attempts=10)
        answers = [client.create_app_instance_user(**service.create_user()) for _ in range(3)]
    assert sum(answer["ResponseMetadata"]["RetryAttempts"] for answer in answers) >= 1
    assert len(upstream.requests) == 3


def test_concurrency_is_limited_and_given_back(limited, upstream):
    release = threading.Event()

    def hold(request):
        release.wait(PATIENCE)
        return upstreams.like_the_service(request)

    upstream.handler = hold
    with (
        gateways.running(limited({"requestsPerSecond": 1000, "burst": 1000, "concurrency": 2})) as gateway,
        concurrent.futures.ThreadPoolExecutor() as pool,
    ):
        held = [pool.submit(gateway.send, create()) for _ in range(2)]
        try:
            upstream.wait_for(2)
            refused = gateway.send(create())
            other = pool.submit(gateway.send, create(HR))
            upstream.wait_for(3)
        finally:
            release.set()
        assert_refused(refused, 429, "ThrottledClientException", "Throttled")
        assert re.fullmatch(r"[0-9]+", refused.get("Retry-After"))
        assert [future.result().status for future in (*held, other)] == [201, 201, 201]
        assert gateway.send(create()).status == 201


def test_concurrency_is_given_back_when_the_caller_goes_away(limited, upstream):
    release = threading.Event()
    upstream.behaving(lambda request: (release.wait(PATIENCE), upstreams.like_the_service(request))[1])
    with gateways.running(limited({"requestsPerSecond": 1000, "burst": 1000, "concurrency": 1})) as gateway:
        with gateway.connect() as connection:
            connection.send(create())
            upstream.wait_for(1)
        release.set()
        # The slot is free once upstream has answered, whoever is there to hear it.
        until(lambda: gateway.send(create()).status == 201, "the slot is never free")


def test_source_address_over_its_rate_is_throttled_before_authentication(make_setup, upstream):
    setup = make_setup()
    setup.config["rateLimit"]["perSourceAddress"] = {"requestsPerSecond": 0.05, "burst": 4}
    forged = signing.Key(CRM.id, "not-the-secret")
    with gateways.running(setup) as gateway:
        with gateway.connect(source="127.0.0.2") as connection:
            assert {connection.exchange(create(forged)).status for _ in range(4)} == {403}
            answers = [connection.exchange(create(key)) for key in (forged, CRM)]
        for answer in answers:
            assert_refused(answer, 429, "ThrottledClientException", "Throttled")
            assert answer.get("Retry-After")
        with gateway.connect(source="127.0.0.3") as connection:
            assert connection.exchange(create()).status == 201
    assert len(upstream.requests) == 1


def test_accounts_own_quota_upstream_is_kept_for_all_tenants_together(limited, upstream):
    setup = limited(
        {"requestsPerSecond": 1000, "burst": 1000}, upstreamBudget={"requestsPerSecond": 0.05, "burst": 4}
    )
    with gateways.running(setup) as gateway:
        answers = [gateway.send(create(key)) for key in (CRM, HR) * 4]
        assert len(upstream.requests) == 4
        for answer in answers:
            if answer.status != 201:
                assert_refused(answer, 429, "ThrottledClientException", "Throttled")
                assert answer.get("Retry-After")


def test_warn_mode_counts_but_lets_pass(limited, upstream):
    setup = limited({"requestsPerSecond": 0.05, "burst": 1}, mode="warn")
    with gateways.running(setup) as gateway, gateway.connect() as connection:
        answers = [connection.exchange(create()) for _ in range(3)]
        assert [answer.status for answer in answers] == [201, 201, 201]
        for answer in answers:
            assert_has_the_gateways_marks(answer)
        metrics = gateway.admin_request("/metrics").body.decode()
        assert re.search(r'^gatehouse_rate_limited_total\{[^}]*tenant="crm"[^}]*\} 2$', metrics, re.M), (
            metrics
        )


@pytest.mark.parametrize(
    ("fields", "source"),
    [
        ([("X-Forwarded-For", "203.0.113.7:51234")], "203.0.113.7"),
        ([("X-Forwarded-For", "198.51.100.1, [2001:db8::1]:4711, 127.0.0.1:80")], "2001:db8::1"),
        ([("X-Forwarded-For", "::ffff:203.0.113.7")], "203.0.113.7"),
        ([("X-Forwarded-For", "203.0.113.7, unknown")], "127.0.0.1"),
        ([("Forwarded", 'for="[2001:db8::1]:4711";proto=https')], "2001:db8::1"),
        ([("Forwarded", "for=198.51.100.1, for=203.0.113.7;by=127.0.0.1")], "203.0.113.7"),
        ([("Forwarded", "for=_hidden")], "127.0.0.1"),
        ([("Forwarded", "for=198.51.100.1"), ("X-Forwarded-For", "203.0.113.7")], "203.0.113.7"),
    ],
)
def test_the_address_that_a_trusted_proxy_writes_counts(make_setup, upstream, fields, source):
    setup = make_setup(trustedProxies=["127.0.0.0/8"])
    setup.config["rateLimit"]["perSourceAddress"] = {"requestsPerSecond": 0.01, "burst": 1}

    def send(gateway, fields):
        return gateway.send(wire.signed_create(CRM, service.create_user(), unsigned=fields))

    with gateways.running(setup) as gateway:
        answer = send(gateway, fields)
        assert answer.status == 201
        assert setup.audit_record(answer.get("x-gatehouse-request-id"))["sourceIp"] == source
        assert send(gateway, fields).status == 429
        # Another caller behind the same proxy has a bucket of its own.
        assert send(gateway, [("X-Forwarded-For", "192.0.2.99:1")]).status == 201
