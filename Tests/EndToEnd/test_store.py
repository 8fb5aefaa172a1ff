"""Limits that hold for several gateways together, counted in a real Redis or Valkey."""

import concurrent.futures
import contextlib
import json
import re
import threading
import time

import pytest

import gateways
import service
import signing
import stores
import upstreams
import wire
from checks import assert_refused
from gateways import CRM, HR
from waiting import PATIENCE, until


def create(key=CRM):
    return wire.signed_create(key, service.create_user())


WIDE = {"requestsPerSecond": 100_000, "burst": 100_000}
SLOW = {"requestsPerSecond": 0.01, "burst": 6}


@pytest.fixture(scope="module", params=stores.KINDS)
def server(request):
    with stores.running(request.param) as store:
        yield store


@pytest.fixture
def store(server):
    return server.emptied()


def shared(setup, store, crm=None, url=None, **rate_limit):
    """Makes the setup count in the store; tenant crm has the given limits, hr has none."""
    setup.tenants = [
        gateways.tenant(operations=service.OPERATIONS, **({"rateLimit": crm} if crm else {})),
        gateways.tenant(id="hr", keys=[HR], operations=service.OPERATIONS),
    ]
    setup.config["workers"] = 2
    # Longer than a lease lasts.
    setup.config["upstream"]["requestTimeout"] = "60s"
    settings = {"type": "redis", "url": url or store.url(), "timeout": "2s"}
    settings |= rate_limit.pop("options", {})
    setup.config["rateLimit"].update({"store": settings, "upstreamBudget": {**WIDE, "adaptive": False}, **rate_limit})
    return setup


@contextlib.contextmanager
def several(make_setup, count, *arguments, **options):
    with contextlib.ExitStack() as stack:
        running = []
        for number in range(count):
            setup = shared(make_setup(f"gateway{number}"), *arguments, **options)
            running.append(stack.enter_context(gateways.running(setup)))
        yield running


def statuses(gateway, count, key=CRM):
    with gateway.connect() as connection:
        return [connection.exchange(create(key)).status for _ in range(count)]


def store_check(gateway):
    checks = json.loads(gateway.admin_request("/readyz").body)["checks"]
    return checks["store"]


def metric(gateway, name):
    text = gateway.admin_request("/metrics").body.decode()
    return float(re.search(rf"^{name} (\S+)$", text, re.M).group(1))


def test_a_tenants_rate_is_for_all_gateways_together(make_setup, upstream, store):
    with several(make_setup, 3, store, SLOW) as running:
        answers = [statuses(gateway, 3) for gateway in running]
    assert sum(answers, []) == [201] * 6 + [429] * 3
    assert len(upstream.requests) == 6


def test_a_refusal_says_what_a_local_one_would(make_setup, upstream, store):
    with several(make_setup, 1, store, {"requestsPerSecond": 0.05, "burst": 1}) as (gateway,):
        gateway.send(create())
        response = gateway.send(create())
        assert_refused(response, 429, "ThrottledClientException", "Throttled")
        assert 1 <= int(response.get("Retry-After")) <= 20
        assert '"tenant"' in response.get("RateLimit-Policy") and "r=0" in response.get("RateLimit")
        record = gateway.setup.audit_record(response.get("x-gatehouse-request-id"))
        assert (record["decision"], record["tenant"]) == ("throttled", "crm")


def test_the_upstream_budget_is_for_all_gateways_together(make_setup, upstream, store):
    budget = {"requestsPerSecond": 0.01, "burst": 5, "adaptive": False}
    with several(make_setup, 2, store, upstreamBudget=budget) as running:
        answers = [statuses(gateway, 4, HR) for gateway in running]
        refused = running[1].send(create())
        assert_refused(refused, 429, "ThrottledClientException", "Throttled")
        assert '"upstream"' in refused.get("RateLimit-Policy")
    assert sum(answers, []) == [201] * 5 + [429] * 3
    assert len(upstream.requests) == 5


def test_a_sources_rate_is_for_all_gateways_together_whoever_asks(make_setup, upstream, store):
    limit = {"requestsPerSecond": 0.01, "burst": 6}
    forged = signing.Key(CRM.id, "not-the-secret")
    with several(make_setup, 2, store, perSourceAddress=limit) as (first, second):
        assert statuses(first, 2, forged) == [403, 403]
        assert statuses(second, 2) == [201, 201]
        assert first.send(b"GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n").status == 404
        assert first.send(b"nonsense\r\n\r\n").status == 400
        until(lambda: second.send(create()).status == 429, "the source is not limited")
        assert statuses(first, 2, forged) == [429, 429]


def test_a_request_that_policy_denies_costs_nothing_upstream(make_setup, upstream, store):
    budget = {"requestsPerSecond": 0.01, "burst": 2, "adaptive": False}
    setup = shared(make_setup(), store, {"requestsPerSecond": 0.01, "burst": 5}, upstreamBudget=budget)
    setup.policies = {"p": {"rules": {"appInstanceUserId": {"pattern": "^allowed-.*"}}}}
    with gateways.running(setup) as gateway, gateway.connect() as connection:

        def call(user):
            return connection.exchange(wire.signed_create(CRM, service.create_user(AppInstanceUserId=user))).status

        # Denied ones count for the tenant's rate, though.
        assert [call(user) for user in ("x-1", "x-2", "allowed-1", "allowed-2", "x-3", "x-4")] == [403, 403, 201, 201, 403, 429]


@contextlib.contextmanager
def held_upstream(upstream):
    """Upstream answers nothing until the block ends, or `release` is called."""
    released = threading.Event()

    def hold(request):
        released.wait(PATIENCE)
        return upstreams.like_the_service(request)

    upstream.handler = hold
    try:
        yield released.set
    finally:
        released.set()


FLIGHT = {"requestsPerSecond": 10_000, "burst": 10_000, "concurrency": 2}


def test_concurrency_is_for_all_gateways_together(make_setup, upstream, store):
    with (
        several(make_setup, 3, store, FLIGHT) as running,
        concurrent.futures.ThreadPoolExecutor() as pool,
        held_upstream(upstream) as release,
    ):
        held = [pool.submit(gateway.send, create()) for gateway in running[:2]]
        upstream.wait_for(2)
        for gateway in running:
            refused = gateway.send(create())
            assert_refused(refused, 429, "ThrottledClientException", "Throttled")
            assert "concurrent-requests" in refused.get("RateLimit-Policy")
        release()
        assert [future.result().status for future in held] == [201, 201]
        for gateway in running:
            until(lambda: gateway.send(create()).status == 201, "the place is never free")


def test_places_of_a_gateway_that_was_killed_come_back_and_those_of_others_stay(make_setup, upstream, store):
    """The one that lives holds its place for longer than a lease lasts."""
    limits = {**FLIGHT, "concurrency": 2}
    with (
        several(make_setup, 2, store, limits) as (living, other),
        concurrent.futures.ThreadPoolExecutor() as pool,
        held_upstream(upstream),
    ):
        doomed = gateways.Gateway(shared(make_setup("doomed"), store, limits))
        try:
            held = pool.submit(living.send, create())
            lost = pool.submit(doomed.send, create())
            upstream.wait_for(2)
        finally:
            doomed.kill()
        killed = time.monotonic()
        with pytest.raises(Exception):
            lost.result()
        assert other.send(create()).status == 429
        calls = []

        def take():
            if not calls or calls[-1].done():
                calls.append(pool.submit(other.send, create()))
            return len(upstream.requests) == 3

        until(take, "the place never comes back")
        # A lease lasts 10 s; the rest is for a machine that is busy.
        assert time.monotonic() - killed < 15
        # Now both places are held by the living, and the next one finds none.
        assert other.send(create()).status == 429
        assert not held.done()


def test_one_decision_is_one_call(make_setup, upstream, store):
    limits = {"requestsPerSecond": 1000, "burst": 1000, "concurrency": 10}
    with several(make_setup, 1, store, limits) as (gateway,):
        until(lambda: metric(gateway, "gatehouse_rate_limit_store_up") == 1, "the store is never up")
        store.call("CONFIG", "RESETSTAT")
        assert set(statuses(gateway, 50)) == {201}
        stats = store.call("INFO", "commandstats").decode()
        calls = int(re.search(r"cmdstat_evalsha:calls=(\d+)", stats).group(1))
        # Signs of life are few among them.
        assert 50 <= calls <= 75, stats
        assert not re.search(r"cmdstat_eval:calls=[1-9]", stats), stats


def test_names_of_keys_begin_with_the_prefix(make_setup, upstream, store):
    limits = {"requestsPerSecond": 0.1, "burst": 10, "concurrency": 10}
    with several(make_setup, 1, store, limits, options={"prefix": "mine:"}) as (gateway,):
        statuses(gateway, 1)
        keys = store.keys()
        assert {"mine:{limits}:tenant:crm", "mine:{limits}:source:127.0.0.1"} <= keys
        assert all(key.startswith("mine:{limits}:") for key in keys)
        for key in keys:
            # It may be gone by now: places are given back behind the answer.
            left = store.call("PTTL", key)
            assert left == -2 or 0 < left <= 220_000, key


def test_the_script_is_loaded_anew_where_it_is_gone(make_setup, upstream, store):
    with several(make_setup, 1, store, SLOW) as (gateway,):
        assert statuses(gateway, 3) == [201] * 3
        store.call("SCRIPT", "FLUSH")
        assert statuses(gateway, 5) == [201] * 3 + [429] * 2
        assert store_check(gateway)["detail"].count("degraded") == 0


def test_readiness_and_metrics_tell_of_the_store(make_setup, upstream, store):
    with several(make_setup, 2, store, SLOW) as (gateway, _):
        statuses(gateway, 2)
        until(lambda: "2 gateways" in store_check(gateway)["detail"], lambda: store_check(gateway))
        assert metric(gateway, "gatehouse_rate_limit_store_up") == 1
        assert metric(gateway, "gatehouse_rate_limit_store_duration_seconds_count") == 2


@pytest.mark.parametrize("change", [{"type": "local"}, {"prefix": "other:"}], ids=["local", "prefix"])
def test_another_store_needs_a_restart(make_setup, upstream, store, change):
    with several(make_setup, 1, store, SLOW) as (gateway,):
        assert statuses(gateway, 3) == [201] * 3
        setup = gateway.setup
        before = setup.config["rateLimit"]["store"]
        setup.config["rateLimit"]["store"] = change if "type" in change else {**before, **change}
        setup.write()
        assert "failed" in gateway.reload()["message"]
        assert statuses(gateway, 4) == [201] * 3 + [429]
        setup.config["rateLimit"]["store"] = {**before, "timeout": "3s"}
        setup.write()
        assert "reloaded" in gateway.reload()["message"]
        assert statuses(gateway, 1) == [429]


def test_a_reload_changes_every_number_of_the_store(make_setup, upstream, store):
    """Half of the burst is used, and stays so."""
    with several(make_setup, 2, store, SLOW) as running:
        assert statuses(running[0], 3) == [201] * 3
        for gateway in running:
            gateway.setup.tenants[0]["rateLimit"] = {"requestsPerSecond": 0.01, "burst": 20}
            gateway.setup.write()
            assert "reloaded" in gateway.reload()["message"]
        assert statuses(running[0], 6) + statuses(running[1], 5) == [201] * 10 + [429]


def test_limits_that_only_warn_refuse_nothing(make_setup, upstream, store):
    with several(make_setup, 2, store, {**SLOW, "burst": 1}, mode="warn") as running:
        answers = [gateway.send(create()) for gateway in running]
    assert [answer.status for answer in answers] == [201, 201]
    assert answers[0].get("x-gatehouse-warnings") is None
    assert answers[1].get("x-gatehouse-warnings") == "rateLimit.tenant"


def test_three_gateways_under_uneven_load_share_a_rate_to_the_hundredth(make_setup, upstream, server):
    """Allowed is what the burst and the time bring, over ten seconds in which more is asked for all the time.

    The burst bridges a second in which the machine does something else.
    """
    if server.kind != "redis":
        pytest.skip("ten seconds for one kind of server are enough")
    server.call("FLUSHALL")
    rate, burst, seconds = 50, 50, 10
    limits = {"requestsPerSecond": rate, "burst": burst}
    with several(make_setup, 3, server, limits) as running, concurrent.futures.ThreadPoolExecutor(10) as pool:
        for gateway in running:
            until(lambda: "3 gateways" in store_check(gateway)["detail"], lambda: store_check(gateway))
        began = time.monotonic()

        def load(gateway):
            """Until the time is over and a refusal says that nothing is left."""
            allowed, status = 0, 201
            with gateway.connect() as connection:
                while time.monotonic() - began < seconds or status == 201:
                    status = connection.exchange(create()).status
                    allowed += status == 201
            return allowed

        loads = [pool.submit(load, running[place]) for place in [0] * 5 + [1] * 2 + [2]]
        allowed = [future.result() for future in loads]
        due = burst + rate * (time.monotonic() - began)
        total = sum(allowed)
        assert 0.99 * due <= total <= due + 1, (allowed, due)
        assert all(count > 0 for count in allowed)
        # None was counted elsewhere.
        for gateway in running:
            assert not [record for record in gateway.log if "store" in record.get("message", "")]
    assert len(upstream.requests) == total
