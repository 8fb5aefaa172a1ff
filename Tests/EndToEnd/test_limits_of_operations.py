"""A tenant's limits of single operations and of each AppInstance: the tightest refuses, and is named everywhere."""

import concurrent.futures
import json
import re
import threading
from urllib.parse import quote

import pytest

import gateways
import service
import upstreams
import wire
from gateways import CRM, HR
from waiting import PATIENCE

SLOW = 0.01


def rate(burst, requests_per_second=SLOW):
    return {"requestsPerSecond": requests_per_second, "burst": burst}


def create(key=CRM, app=service.APP):
    return wire.signed_create(key, service.create_user(AppInstanceArn=app))


def describe(app=service.APP):
    return wire.signed(CRM, "GET", f"/app-instance-users/{quote(service.user_arn('crm-alice', app), safe='')}")


def list_users(app=service.APP):
    return wire.signed(CRM, "GET", f"/app-instance-users?app-instance-arn={quote(app, safe='')}")


@pytest.fixture
def limited(make_setup):
    def make(limit, **rate_limit):
        setup = make_setup()
        setup.tenants = [
            gateways.tenant(operations=service.OPERATIONS, rateLimit=limit),
            gateways.tenant("hr", keys=[HR], operations=service.OPERATIONS),
        ]
        setup.config["rateLimit"].update(rate_limit)
        return setup

    return make


def exchange(gateway, *requests):
    with gateway.connect() as connection:
        return [connection.exchange(request) for request in requests]


def assert_refused_by(gateway, response, scope, says):
    """Answer, record and metric name the limit, and where it is set."""
    assert response.status == 429
    assert says in response.message, response.body
    assert "of its entry in the gateway's tenants file" in response.message
    assert response.get("RateLimit").startswith(f'"{scope}";r=0;t=')
    assert response.get("RateLimit-Policy").startswith(f'"{scope}";q=')
    # The draft: not earlier than the end of the window in which no more is to be had.
    assert response.get("RateLimit").split(";t=")[1].split(",")[0] == response.get("Retry-After")
    record = gateway.setup.audit_record(response.get("x-gatehouse-request-id"))
    assert record["decision"] == "throttled" and says in record["reason"]
    metrics = gateway.admin_request("/metrics").body.decode()
    series = f'gatehouse_rate_limited_total{{tenant="crm",scope="{scope}"}}'
    assert re.search(rf"^{re.escape(series)} [1-9]", metrics, re.M), metrics


def test_operation_over_its_rate_is_throttled_and_others_are_not(limited, upstream):
    setup = limited({**rate(100), "operations": {"CreateAppInstanceUser": rate(2)}})
    with gateways.running(setup) as gateway:
        answers = exchange(gateway, create(), create(), create(), describe(), create(HR))
        assert [answer.status for answer in answers] == [201, 201, 429, 200, 201]
        assert_refused_by(
            gateway,
            answers[2],
            "operations.CreateAppInstanceUser",
            "more CreateAppInstanceUser requests than tenant crm may make (0.01/s, burst 2); "
            "the limit is `rateLimit.operations.CreateAppInstanceUser`",
        )


def test_reads_share_a_rate(limited, upstream):
    setup = limited({**rate(100), "operations": {"read": rate(2)}})
    with gateways.running(setup) as gateway:
        answers = exchange(gateway, describe(), list_users(), describe(), list_users(), create())
        assert [answer.status for answer in answers] == [200, 200, 429, 429, 201]
        assert_refused_by(gateway, answers[3], "operations.read", "`rateLimit.operations.read`")


def test_each_app_instance_has_a_rate_of_its_own_in_body_path_and_query(limited, upstream):
    setup = limited({**rate(100), "perAppInstance": rate(2)})
    with gateways.running(setup) as gateway:
        other = service.OTHER_APP
        answers = exchange(
            gateway, create(), describe(), list_users(), create(), create(app=other), describe(other), create(app=other)
        )
        assert [answer.status for answer in answers] == [201, 200, 429, 429, 201, 200, 429]
        assert_refused_by(
            gateway, answers[3], "perAppInstance", "more requests about this AppInstance than tenant crm may make"
        )
        # What is about no AppInstance counts for none.
        assert exchange(gateway, wire.signed(CRM, "GET", "/app-instances"))[0].status == 200


def test_refusal_tells_all_limits_that_apply_and_costs_none_of_them(limited, upstream):
    setup = limited(
        {
            **rate(100),
            "concurrency": 7,
            "operations": {"CreateAppInstanceUser": rate(2), "read": rate(50)},
            "perAppInstance": rate(30),
        },
        perSourceAddress=rate(1000),
        upstreamBudget=rate(500) | {"adaptive": False},
    )
    with gateways.running(setup) as gateway:
        *_, refused = exchange(gateway, create(), create(), create(), create())
        state = '"operations.CreateAppInstanceUser";r=0;t=100, "tenant";r=98;t=100, "perAppInstance";r=28;t=100'
        assert refused.get("RateLimit") == f'{state}, "concurrency";r=6, "source";r=996;t=100, "upstream";r=498;t=100'
        assert refused.get("RateLimit-Policy") == (
            '"operations.CreateAppInstanceUser";q=2;w=200, "tenant";q=100;w=10000, "perAppInstance";q=30;w=3000, '
            '"concurrency";q=7;qu="concurrent-requests", "source";q=1000;w=100000, "upstream";q=500;w=50000'
        )


@pytest.mark.parametrize(
    "scope, limits, says",
    [
        (
            "source",
            {"perSourceAddress": rate(1)},
            "more requests than may come from one address (0.01/s, burst 1); "
            "the limit is `rateLimit.perSourceAddress` of the gateway's configuration",
        ),
        (
            "upstream",
            {"upstreamBudget": rate(1) | {"adaptive": False}},
            "more requests of all tenants together than the gateway forwards (0.01/s, burst 1); "
            "the limit is `rateLimit.upstreamBudget` of the gateway's configuration",
        ),
    ],
)
def test_refusal_by_a_limit_of_all_says_where_it_is_set(limited, upstream, scope, limits, says):
    with gateways.running(limited(rate(100), **limits)) as gateway:
        assert [answer.status for answer in exchange(gateway, create(), create())] == [201, 429]
        refused = exchange(gateway, create())[0]
        assert refused.message == says
        assert refused.get("RateLimit").startswith(f'"{scope}";r=0;t=')
        record = gateway.setup.audit_record(refused.get("x-gatehouse-request-id"))
        assert (record["decision"], record["reason"]) == ("throttled", says)


def test_refusal_for_requests_in_flight_says_where_that_is_set(limited, upstream):
    release = threading.Event()
    upstream.handler = lambda request: (release.wait(PATIENCE), upstreams.like_the_service(request))[1]
    setup = limited({**rate(100), "concurrency": 1})
    with gateways.running(setup) as gateway, concurrent.futures.ThreadPoolExecutor(1) as pool:
        held = pool.submit(gateway.send, create())
        upstream.wait_for(1)
        refused = gateway.send(create())
        release.set()
        assert held.result().status == 201
        assert refused.message == (
            "as many requests in flight as tenant crm may have (1); "
            "the limit is `rateLimit.concurrency` of its entry in the gateway's tenants file"
        )
        assert refused.get("RateLimit").startswith('"concurrency";r=0, "tenant";r=99;t=')
        assert refused.get("RateLimit-Policy").startswith('"concurrency";q=1;qu="concurrent-requests", "tenant";q=100;')


def test_tightest_of_several_that_refuse_is_named(limited, upstream):
    limits = {**rate(1, 1), "operations": {"CreateAppInstanceUser": rate(1)}, "perAppInstance": rate(1, 0.1)}
    with gateways.running(limited(limits)) as gateway:
        assert [answer.status for answer in exchange(gateway, create(), create())] == [201, 429]
        refused = exchange(gateway, create())[0]
        assert refused.get("RateLimit").startswith('"operations.CreateAppInstanceUser";r=0;t=100')
        assert refused.get("Retry-After") == "100"


@pytest.mark.parametrize(
    "scope, limits",
    {
        "operations.CreateAppInstanceUser": {"operations": {"CreateAppInstanceUser": rate(1)}},
        "perAppInstance": {"perAppInstance": rate(1)},
    }.items(),
)
def test_warn_mode_tells_caller_journal_and_metric(limited, upstream, scope, limits):
    with gateways.running(limited({**rate(100), **limits}, mode="warn")) as gateway:
        first, second = exchange(gateway, create(), create())
        record = gateway.setup.audit_record(second.get("x-gatehouse-request-id"))
        metrics = gateway.admin_request("/metrics").body.decode()
        found = gateway.setup.command("audit", "query", "--rule", f"rateLimit.{scope}", "--format", "json")
    assert (first.status, second.status) == (201, 201)
    assert first.get("x-gatehouse-warnings") is None
    assert second.get("x-gatehouse-warnings") == f"rateLimit.{scope}"
    assert [warning["rule"] for warning in record["warnings"]] == [f"rateLimit.{scope}"]
    assert "in the gateway's tenants file" in record["warnings"][0]["message"]
    assert f'gatehouse_rate_limited_total{{tenant="crm",scope="{scope}"}} 1\n' in metrics
    assert [json.loads(line)["requestId"] for line in found.stdout.splitlines()] == [record["requestId"]]


def test_warn_mode_tells_every_limit_at_once(limited, upstream):
    release = threading.Event()
    upstream.handler = lambda request: (release.wait(PATIENCE), upstreams.like_the_service(request))[1]
    setup = limited(
        {
            **rate(1),
            "concurrency": 1,
            "operations": {"CreateAppInstanceUser": rate(1)},
            "perAppInstance": rate(1),
        },
        mode="warn",
        perSourceAddress=rate(1),
        upstreamBudget=rate(1) | {"adaptive": False},
    )
    names = ["tenant", "concurrency", "source", "upstream", "perAppInstance", "operations.CreateAppInstanceUser"]
    with gateways.running(setup) as gateway, concurrent.futures.ThreadPoolExecutor(2) as pool:
        first = pool.submit(gateway.send, create())
        upstream.wait_for(1)
        second = pool.submit(gateway.send, create())
        upstream.wait_for(2)
        release.set()
        assert first.result().status == 201 and first.result().get("x-gatehouse-warnings") is None
        answer = second.result()
        assert answer.status == 201
        assert answer.get("x-gatehouse-warnings").split(", ") == [f"rateLimit.{name}" for name in names]
        record = gateway.setup.audit_record(answer.get("x-gatehouse-request-id"))
        assert [warning["rule"] for warning in record["warnings"]] == [f"rateLimit.{name}" for name in names]
        metrics = gateway.admin_request("/metrics").body.decode()
    for name in names:
        tenant = "" if name == "source" else "crm"
        assert f'gatehouse_rate_limited_total{{tenant="{tenant}",scope="{name}"}} 1\n' in metrics


def test_request_waits_for_its_operations_rate(limited, upstream):
    setup = limited({**rate(100), "operations": {"CreateAppInstanceUser": rate(1, 5)}}, queueFor="5s")
    with gateways.running(setup) as gateway:
        assert {answer.status for answer in exchange(gateway, create(), create(), create(), create())} == {201}


def test_reload_reaches_them_and_their_state_carries_over(limited, upstream):
    slower = SLOW / 2
    setup = limited({**rate(100), "operations": {"CreateAppInstanceUser": rate(2, slower)}, "perAppInstance": rate(3)})
    with gateways.running(setup) as gateway:
        assert [answer.status for answer in exchange(gateway, create(), create(), create())] == [201, 201, 429]
        assert [answer.status for answer in exchange(gateway, describe(), describe())] == [200, 429]
        setup.tenants[0]["rateLimit"] |= {
            "operations": {"CreateAppInstanceUser": rate(40, slower)},
            "perAppInstance": rate(60),
        }
        setup.write()
        gateway.reload()
        created, described = exchange(gateway, create(), describe())
        assert created.get("RateLimit-Policy").startswith('"operations.CreateAppInstanceUser";q=40;w=8000')
        assert described.get("RateLimit-Policy").startswith('"perAppInstance";q=60;w=6000')
        del setup.tenants[0]["rateLimit"]["operations"], setup.tenants[0]["rateLimit"]["perAppInstance"]
        setup.write()
        gateway.reload()
        assert [answer.status for answer in exchange(gateway, create(), describe())] == [201, 200]


def test_tenant_show_and_check_tell_of_them(limited):
    setup = limited({**rate(7, 2.5), "operations": {"CreateAppInstanceUser": rate(3, 2)}, "perAppInstance": rate(2, 1)})
    setup.write()
    shown = setup.command("tenant", "show", "crm").stdout
    assert "rate limit: 2.5/s, burst 7\n" in shown
    assert "rate limit of CreateAppInstanceUser: 2/s, burst 3\n" in shown
    assert "rate limit of each AppInstance: 1/s, burst 2\n" in shown
    limits = json.loads(setup.command("tenant", "show", "crm", "--format", "json").stdout)["rateLimit"]
    assert limits == setup.tenants[0]["rateLimit"]
    setup.tenants[0]["operations"] = ["DescribeAppInstanceUser"]
    setup.write()
    result = setup.command("check")
    assert result.returncode == 0
    assert 'warning: this limit holds for nothing: the tenant may not call "CreateAppInstanceUser"' in result.stdout
    setup.tenants[0]["rateLimit"]["operations"] = {"CreateAppInstanceUsers": rate(1)}
    setup.write()
    result = setup.command("check")
    assert result.returncode == 1 and 'did you mean "CreateAppInstanceUser"?' in result.stdout
