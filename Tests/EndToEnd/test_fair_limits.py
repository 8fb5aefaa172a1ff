"""Who gets what when there is not enough, what a reload makes of limits, and limits that let requests wait or only warn."""

import concurrent.futures
import json
import re
import signal
import threading

import pytest

import gateways
import service
import upstreams
import wire
from checks import assert_refused
from gateways import CRM, HR
from waiting import PATIENCE, until


def create(key=CRM):
    return wire.signed_create(key, service.create_user())


@pytest.fixture
def limited(make_setup):
    """A setup with tenants crm and hr, and the given limits."""

    def make(crm=None, hr=None, **rate_limit):
        setup = make_setup()
        limits = {"crm": crm, "hr": hr}
        setup.tenants = [
            gateways.tenant(
                name,
                keys=[key],
                operations=service.OPERATIONS,
                **({"rateLimit": limits[name]} if limits[name] else {}),
            )
            for name, key in (("crm", CRM), ("hr", HR))
        ]
        setup.config["rateLimit"].update(rate_limit)
        return setup

    return make


def budget(rate, burst, **more):
    return {"requestsPerSecond": rate, "burst": burst, "adaptive": False, **more}


def statuses(gateway, key, count):
    with gateway.connect() as connection:
        return [connection.exchange(create(key)).status for _ in range(count)]


def reload(gateway, setup):
    setup.write()
    assert "reloaded" in gateway.reload()["message"]


def test_tenant_that_called_once_holds_nothing_of_the_budget(limited, upstream):
    setup = limited(hr={"requestsPerSecond": 1000}, upstreamBudget=budget(0.01, 20))
    with gateways.running(setup) as gateway:
        assert statuses(gateway, CRM, 1) == [201]
        assert statuses(gateway, HR, 21) == [201] * 19 + [429] * 2
    assert len(upstream.requests) == 20


def test_requests_that_wait_get_shares_by_the_tenants_rates(limited, upstream):
    """Both tenants always have more requests than the budget lets through."""
    setup = limited(
        crm={"requestsPerSecond": 300, "burst": 1000},
        hr={"requestsPerSecond": 100, "burst": 1000},
        upstreamBudget=budget(100, 1, queueFor="5s"),
    )
    with gateways.running(setup) as gateway, concurrent.futures.ThreadPoolExecutor(32) as pool:

        def call(key):
            return gateway.send(create(key)).status

        answers = [pool.submit(call, key) for _ in range(80) for key in (CRM, HR)]
        assert {answer.result() for answer in answers} == {201}
    assert len(upstream.requests) == 160


def test_request_waits_for_the_accounts_quota(limited, upstream):
    setup = limited(upstreamBudget=budget(5, 1, queueFor="5s"))
    with gateways.running(setup) as gateway:
        assert statuses(gateway, CRM, 4) == [201] * 4
    assert len(upstream.requests) == 4


def test_request_waits_for_its_tenants_rate(limited, upstream):
    setup = limited(crm={"requestsPerSecond": 5, "burst": 1}, queueFor="5s")
    with gateways.running(setup) as gateway:
        assert statuses(gateway, CRM, 4) == [201] * 4
        # What would have to wait for longer is refused at once, and the others of the queue have their turn.
        with concurrent.futures.ThreadPoolExecutor(40) as pool:
            answers = list(pool.map(lambda _: gateway.send(create()).status, range(40)))
    assert set(answers) == {201, 429}
    assert len(upstream.requests) == 4 + answers.count(201)


def in_flight(gateway):
    metrics = gateway.admin_request("/metrics").body.decode()
    return int(metrics.split("\ngatehouse_requests_in_flight ")[1].split()[0])


def test_waiting_request_is_served_when_the_gateway_drains(limited, upstream):
    setup = limited(crm={"requestsPerSecond": 0.5, "burst": 1}, queueFor="9s")
    gateway = gateways.Gateway(setup)
    with gateway.connect() as connection:
        assert connection.exchange(create()).status == 201
        # In one piece: once the first is answered, the second is here.
        assert connection.exchange(create(HR) + create()).status == 201
        until(lambda: in_flight(gateway) == 1, "the second does not wait")
        gateway.signal(signal.SIGTERM)
        waited = connection.read()
    assert waited is not None and waited.status == 201
    assert gateway.wait() == 0
    assert len(upstream.requests) == 3


def assert_policy(response, expected):
    """The limit that refused is told first of those that apply."""
    assert response.status == 429
    assert response.get("RateLimit-Policy").split(", ")[0] == expected


def test_reload_leaves_no_debt_and_no_free_burst_of_a_tenant(limited, upstream):
    setup = limited(crm={"requestsPerSecond": 0.01, "burst": 3})
    with gateways.running(setup) as gateway:
        assert statuses(gateway, CRM, 4) == [201, 201, 201, 429]
        assert_policy(gateway.send(create()), '"tenant";q=3;w=300')
        setup.tenants[0]["rateLimit"] = {"requestsPerSecond": 0.02, "burst": 50}
        reload(gateway, setup)
        # The burst of before was used up, and so is this one.
        assert_policy(gateway.send(create()), '"tenant";q=50;w=2500')
        setup.tenants[0]["rateLimit"] = {"requestsPerSecond": 20, "burst": 20}
        reload(gateway, setup)
        # Nobody waits for what the old rate would have brought.
        until(lambda: gateway.send(create()).status == 201, "a debt under old numbers")


def test_reload_changes_the_limit_of_a_source(limited, upstream):
    setup = limited(perSourceAddress={"requestsPerSecond": 0.01, "burst": 3})
    with gateways.running(setup) as gateway, gateway.connect() as connection:
        assert [connection.exchange(create()).status for _ in range(4)] == [201, 201, 201, 429]
        setup.config["rateLimit"]["perSourceAddress"] = {"requestsPerSecond": 0.01, "burst": 30}
        reload(gateway, setup)
        assert_policy(connection.exchange(create()), '"source";q=30;w=3000')
        setup.config["rateLimit"]["perSourceAddress"] = {"requestsPerSecond": 20, "burst": 20}
        reload(gateway, setup)
        until(lambda: connection.exchange(create()).status == 201, "a debt under old numbers")


def test_reload_changes_the_budget_and_adds_and_takes_it_away(limited, upstream):
    setup = limited(upstreamBudget=budget(0.01, 2))
    with gateways.running(setup) as gateway:
        assert statuses(gateway, CRM, 3) == [201, 201, 429]
        setup.config["rateLimit"]["upstreamBudget"] = budget(0.01, 40)
        reload(gateway, setup)
        assert_policy(gateway.send(create()), '"upstream";q=40;w=4000')
        setup.config["rateLimit"]["upstreamBudget"] = budget(20, 20)
        reload(gateway, setup)
        until(lambda: gateway.send(create()).status == 201, "a debt under old numbers")
        setup.config["rateLimit"]["upstreamBudget"] = None
        reload(gateway, setup)
        assert statuses(gateway, CRM, 30) == [201] * 30
        setup.config["rateLimit"]["upstreamBudget"] = budget(0.01, 2)
        reload(gateway, setup)
        assert statuses(gateway, CRM, 3) == [201, 201, 429]
        assert not [line for line in gateway.log if "next start" in line.get("message", "")]


def test_reload_changes_the_name_of_the_error_and_who_may_wait(limited, upstream):
    setup = limited(crm={"requestsPerSecond": 5, "burst": 1}, upstreamBudget=budget(5, 1))
    with gateways.running(setup) as gateway:
        assert 429 in statuses(gateway, CRM, 4)
        setup.config["rateLimit"] |= {"errorType": "TooManyRequestsException", "queueFor": "4s"}
        reload(gateway, setup)
        # The tenant's rate waits now, and the budget does not: another tenant has taken what it has.
        refused = None
        while refused is None:
            with gateway.connect() as connection:
                answers = [connection.exchange(create(key)) for key in (HR, CRM, HR)]
            refused = next((answer for answer in answers if answer.status == 429), None)
        assert_refused(refused, 429, "TooManyRequestsException", None)
        assert refused.get("RateLimit").startswith('"upstream";r=0')
        setup.config["rateLimit"]["upstreamBudget"]["queueFor"] = "4s"
        reload(gateway, setup)
        assert statuses(gateway, CRM, 3) + statuses(gateway, HR, 3) == [201] * 6


def test_budget_that_is_lowered_tells_what_is_in_force(limited, upstream):
    setup = limited(upstreamBudget={"requestsPerSecond": 0.1, "burst": 2, "adaptive": True})
    setup.config["upstream"]["retry"] = {"attempts": 1}
    upstream.handler = lambda request: upstreams.error(429, "ThrottledClientException")
    with gateways.running(setup) as gateway:
        with gateway.connect() as connection:
            answers = [connection.exchange(create()) for _ in range(3)]
        assert [answer.status for answer in answers] == [429] * 3
        # The first is AWS's own, and says nothing of ours; what is in force then is half of what is configured.
        assert answers[0].get("RateLimit-Policy") is None and "gateway" not in answers[0].message
        assert_policy(answers[2], '"upstream";q=2;w=40')
        assert answers[2].message.endswith(
            "(0.1/s, burst 2, less for a while after upstream throttled); "
            "the limit is `rateLimit.upstreamBudget` of the gateway's configuration"
        )


def test_who_would_wait_for_longer_than_a_request_may_take_is_refused_at_once(limited, upstream):
    setup = limited(upstreamBudget=budget(0.1, 1, queueFor="1h"), queueFor="1h")
    setup.config["upstream"]["requestTimeout"] = "2s"
    with gateways.running(setup) as gateway:
        answers = [gateway.send(create()) for _ in range(2)]
        assert [answer.status for answer in answers] == [201, 429]
        assert int(answers[1].get("Retry-After")) > 2
        record = gateway.setup.audit_record(answers[1].get("x-gatehouse-request-id"))
        assert record["durationMs"] < 2000


def test_reload_changes_concurrency_and_mode(limited, upstream):
    release = threading.Event()

    def hold(request):
        release.wait(PATIENCE)
        return upstreams.like_the_service(request)

    upstream.handler = hold
    rate = {"requestsPerSecond": 1000, "burst": 1000}
    setup = limited(crm={**rate, "concurrency": 2})
    with gateways.running(setup) as gateway, concurrent.futures.ThreadPoolExecutor(4) as pool:
        held = [pool.submit(gateway.send, create()) for _ in range(2)]
        try:
            upstream.wait_for(2)
            assert gateway.send(create()).status == 429
            setup.tenants[0]["rateLimit"] = {**rate, "concurrency": 3}
            reload(gateway, setup)
            held.append(pool.submit(gateway.send, create()))
            upstream.wait_for(3)
            assert gateway.send(create()).get("RateLimit-Policy").startswith('"concurrency";q=3')
            setup.config["rateLimit"]["mode"] = "warn"
            reload(gateway, setup)
            held.append(pool.submit(gateway.send, create()))
            upstream.wait_for(4)
        finally:
            release.set()
        assert [future.result().status for future in held] == [201] * 4
        assert held[3].result().get("x-gatehouse-warnings") == "rateLimit.concurrency"


@pytest.mark.parametrize(
    "scope, limits",
    {
        "tenant": {"crm": {"requestsPerSecond": 0.01, "burst": 1}},
        "source": {"perSourceAddress": {"requestsPerSecond": 0.01, "burst": 1}},
        "upstream": {"upstreamBudget": budget(0.01, 1, queueFor="5s")},
    }.items(),
)
def test_warn_mode_tells_caller_and_journal(limited, upstream, scope, limits):
    with gateways.running(limited(mode="warn", **limits)) as gateway:
        first, second = gateway.send(create()), gateway.send(create())
        record = gateway.setup.audit_record(second.get("x-gatehouse-request-id"))
        metrics = gateway.admin_request("/metrics").body.decode()
    assert (first.status, second.status) == (201, 201)
    assert first.get("x-gatehouse-warnings") is None
    assert second.get("x-gatehouse-warnings") == f"rateLimit.{scope}"
    assert [warning["rule"] for warning in record["warnings"]] == [f"rateLimit.{scope}"]
    assert (record["decision"], record["outcome"]) == ("allowed", "created")
    assert re.search(rf'^gatehouse_rate_limited_total\{{[^}}]*scope="{scope}"[^}}]*\}} 1$', metrics, re.M)


def test_type_that_the_model_does_not_have_comes_without_code(limited, upstream):
    for error_type, code in (("TooManyRequestsException", None), ("ThrottledClientException", "Throttled")):
        setup = limited(crm={"requestsPerSecond": 0.01, "burst": 1}, errorType=error_type)
        with gateways.running(setup) as gateway:
            gateway.send(create())
            response = gateway.send(create())
        assert_refused(response, 429, error_type, code)
        assert ("Code" in json.loads(response.body)) == (code is not None)
        wait = int(response.get("Retry-After"))
        assert int(response.get("x-amz-retry-after")) == 1000 * wait
