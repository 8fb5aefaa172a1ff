"""The account's quota, shared by weight among the tenants of several gateways that count in one store."""

import concurrent.futures
import contextlib
import re
import time

import pytest

import gateways
import service
import shares
import stores
import upstreams
import wire
from checks import assert_refused
from gateways import CRM, HR
from waiting import PATIENCE, until

SCENARIOS = shares.TRACE.read_text().split("budget ")[1:]


@pytest.fixture(scope="module", params=stores.KINDS)
def server(request):
    with stores.running(request.param) as store:
        yield store


@pytest.fixture(scope="module")
def redis():
    with stores.running("redis") as store:
        yield store


@pytest.fixture
def store(redis):
    return redis.emptied()


# The script.


def replay(connection, scenario):
    """Asks again what was asked; gives each line with what it says now."""
    first, *lines = scenario.splitlines()
    _, rate, burst, adaptive = first.split(" ")
    budget = shares.Budget(connection, float(rate), int(burst), adaptive == "1")
    for line in lines:
        question, _, told = line.partition(" = ")
        kind, now, *words = question.split(" ")
        match kind:
            case "ask":
                tenant, weight, queue = words
                turn = budget.ask(int(now), tenant, float(weight), int(queue))
            case "look":
                turn = budget.look(int(now), words[0], int(words[1]))
            case "change":
                budget.change(float(words[0]), int(words[1]), words[2] == "1")
            case "throttled":
                budget.throttled(int(now))
            case "giveBack":
                budget.give_back(int(now), words[0])
        if told:
            yield line, told, f"{turn[0]} {turn[1]}"


@pytest.mark.parametrize("number", range(len(SCENARIOS)))
def test_the_script_decides_as_the_machine_that_was_simulated(server, number):
    with server.connect() as connection:
        connection.call("FLUSHALL")
        for line, told, turn in replay(connection, SCENARIOS[number]):
            assert turn == told, line


@pytest.fixture
def connection(server):
    with server.connect() as connection:
        connection.call("FLUSHALL")
        yield connection


def test_a_request_that_another_limit_refuses_takes_no_turn(connection):
    budget = shares.Budget(connection, 0.01, 1, False)

    def decide(charge, queue):
        words = [f"r{charge}", 1_000_000_000, 1, queue, "be", "0.01 1 0", "", "", 2, 1, 2, "1 a", 0]
        return connection.call("EVALSHA", budget.digest, 3, "run", "rate", "budget", "decide", *words)[1:]

    budget.call(0, "giveBack", "0.01 1 0", "a")
    # All let it pass, and of the first is told how far it is used up.
    assert decide("e", 0) == [1, 1_000_000_000]
    # The rate refuses: the budget says what is left, and was not asked.
    assert decide("e", 0) == [0, 0, 1_000_000_000, 1_000_000_000, 3, 0, 100_000_000, 1_000_000, 0]
    # Nor is it for one that has to wait first.
    assert decide("e", 2_000_000_000)[4] == 3
    # What only warns keeps nobody from asking.
    assert decide("w", 0)[4] == 0


def test_a_request_that_the_budget_refuses_costs_nothing_else(connection):
    budget = shares.Budget(connection, 0.01, 1, False)
    budget.ask(0, "a", 1.0, 0)
    words = ["decide", "re", 1_000_000, 5, 0, "ra", 1_000_000, 5, 0, "be", budget.numbers, "", "", 3, 1, 2, 3, "1 a", 0]
    reply = connection.call("EVALSHA", budget.digest, 4, "run", "rate", "source", "budget", *words)
    assert (reply[1], reply[2], reply[5], reply[8]) == (0, 1, 1, 0)
    assert connection.call("EXISTS", "rate") == 0
    assert connection.call("EXISTS", "source") == 1


def test_budgets_of_one_call_are_apart(connection):
    """Of two regions, in a call with requests to both; each in its own shortage."""
    budget = shares.Budget(connection, 0.01, 1, False)
    requests = [word for place in (1, 2, 1, 2, 2) for word in (1, place, "1 a", 200_000_000 if place == 1 else 0)]
    budget.set_clock(0)
    words = ["decide", "be", "0.01 1 0", "", "", "be", "0.02 2 0", "", "", *requests]
    reply = connection.call("EVALSHA", budget.digest, 3, "run", "one", "two", *words)
    assert reply[1:] == [1, 0, 1, 0, 0, 2, 100_000_000, 100_000_000, 1_000_000, 1, 1, 0] + [0, 0, 50_000_000, 100_000_000, 1_000_000, 0]
    two = shares.Budget(connection, 0.02, 2, False, "two")
    assert two.ask(0, "a", 1.0, 0)[0] == "refused"


def test_a_limit_that_warns_lets_nobody_wait_and_pays_nothing(connection):
    budget = shares.Budget(connection, 1.0, 1, False)
    assert budget.ask(0, "a", 1.0, 5_000_000, "w")[:2] == ("granted", 0)
    turn, wait, ticket = budget.ask(0, "a", 1.0, 5_000_000, "w")
    assert (turn, ticket) == ("granted", 0) and 0 < wait <= 1_000_000
    assert budget.ask(0, "a", 1.0, 0, "w")[0] == "refused"
    assert budget.ask(1_000_000, "a", 1.0, 0)[:2] == ("granted", 0)


def test_who_is_no_longer_looked_for_is_forgotten(connection):
    """Its gateway was killed. Others of its tenant do not stand behind it for ever."""
    budget = shares.Budget(connection, 1.0, 1, False)
    assert budget.ask(0, "a", 1.0, 0)[0] == "granted"
    lost = [budget.ask(0, "a", 1.0, 600_000)[0] for _ in range(3)]
    assert lost == ["refused"] * 3
    lost = [budget.ask(0, "a", 1.0, 1_000_000) for _ in range(2)]
    assert [turn for turn, _, _ in lost] == ["waiting", "refused"]
    assert budget.ask(5_000_000, "a", 1.0, 0)[0] == "granted"
    assert budget.look(9_000_000, "a", lost[0][2])[0] == "unasked"
    assert budget.look(9_000_000, "nobody", 77)[0] == "unasked"


def test_there_are_so_many_accounts_and_no_more(connection):
    budget = shares.Budget(connection, 1.0, 1, False)
    for number in range(1000):
        budget.ask(number, f"t{number}", 1.0, 0)
    assert connection.call("STRLEN", "budget") < 40_000
    # All have had their turn, or may, though each but the last ones begins anew.
    turns = [budget.ask(10_000_000 + 2_000_000 * number, f"t{number}", 1.0, 0)[0] for number in range(20)]
    assert turns.count("granted") >= 18


def test_many_may_wait_and_no_more(connection):
    budget = shares.Budget(connection, 1.0, 1, False)
    turns = [budget.ask(0, "a", 1.0, 10**12)[0] for _ in range(1100)]
    assert turns.count("waiting") == 1024
    assert set(turns[1025:]) == {"refused"}


def test_time_that_runs_backwards_gives_and_takes_nothing(connection):
    budget = shares.Budget(connection, 1.0, 2, False)
    assert [budget.ask(100_000_000, "a", 1.0, 0)[0] for _ in range(3)] == ["granted", "granted", "refused"]
    assert budget.ask(50_000_000, "a", 1.0, 0)[0] == "refused"
    assert budget.ask(51_000_000, "a", 1.0, 0)[0] == "granted"


def test_the_key_ends_soon_after_the_bucket_is_full(connection):
    budget = shares.Budget(connection, 0.5, 10, True)
    for _ in range(10):
        budget.ask(0, "a", 1.0, 0)
    assert 100_000 < connection.call("PTTL", "budget") <= 120_000


def test_a_value_of_somebody_else_is_an_error(connection):
    budget = shares.Budget(connection, 1.0, 1, False)
    for value in ("mine", b"\x81\xa1v\x01", b"\xc1", ""):
        connection.call("SET", "budget", value)
        with pytest.raises(stores.StoreError, match="none of ours"):
            budget.ask(0, "a", 1.0, 0)
    connection.call("DEL", "budget")
    connection.call("RPUSH", "budget", "mine")
    with pytest.raises(stores.StoreError, match="WRONGTYPE"):
        budget.ask(0, "a", 1.0, 0)


# Gateways.


def create(key=CRM):
    return wire.signed_create(key, service.create_user())


RATES = {"crm": 30_000, "hr": 10_000}


@contextlib.contextmanager
def several(make_setup, count, store, budget, upstream=(), **rate_limit):
    with contextlib.ExitStack() as stack:
        running = []
        for number in range(count):
            setup = make_setup(f"gateway{number}")
            setup.tenants = [
                gateways.tenant(
                    id=id, keys=[key], operations=service.OPERATIONS, rateLimit={"requestsPerSecond": RATES[id], "burst": 99_999}
                )
                for id, key in (("crm", CRM), ("hr", HR))
            ]
            setup.config["workers"] = 2
            setup.config["upstream"].update(upstream)
            settings = {"type": "redis", "url": store.url(), "timeout": "2s"}
            wide = {"requestsPerSecond": 100_000, "burst": 100_000}
            setup.config["rateLimit"] |= {"store": settings, "perSourceAddress": wide, "upstreamBudget": budget, **rate_limit}
            running.append(stack.enter_context(gateways.running(setup)))
        for gateway in running:
            until(lambda: up(gateway), "the store is never up")
        yield running


def up(gateway):
    text = gateway.admin_request("/metrics").body.decode()
    return re.search(r"^gatehouse_rate_limit_store_up (\S+)$", text, re.M).group(1) == "1"


def budget_key(store):
    (key,) = [key for key in store.keys() if ":budget:" in key]
    return key


def policy(response):
    """`q` and `w` of the account's quota, as a response tells them."""
    match = re.search(r'"upstream";q=(\d+);w=(\d+)', response.get("RateLimit-Policy"))
    return int(match.group(1)), int(match.group(2))


def test_the_quota_is_shared_by_weight_wherever_requests_come_in(make_setup, upstream, store):
    """crm asks one gateway, hr the other two, all without a pause; three to one is what comes out."""
    budget = {"requestsPerSecond": 20, "burst": 16, "adaptive": False}
    seconds = 10
    with several(make_setup, 3, store, budget) as running, concurrent.futures.ThreadPoolExecutor() as pool:
        began = time.monotonic()

        def load(gateway, key):
            times = []
            with gateway.connect() as connection:
                while time.monotonic() - began < seconds:
                    if connection.exchange(create(key)).status == 201:
                        times.append(time.monotonic() - began)
            return times

        crm = pool.submit(load, running[0], CRM)
        hr = [pool.submit(load, gateway, HR) for gateway in running for _ in range(2)]
        # What the first burst went to is not shared yet.
        count = len([at for at in crm.result() if at > 2])
        others = sum(len([at for at in future.result() if at > 2]) for future in hr)
    assert 2.5 <= count / others <= 3.5, (count, others)
    assert len(upstream.requests) <= 16 + 20 * (time.monotonic() - began) + 1


def test_who_may_wait_has_its_turn(make_setup, upstream, store):
    budget = {"requestsPerSecond": 10, "burst": 1, "adaptive": False, "queueFor": "20s"}
    with several(make_setup, 2, store, budget) as running, concurrent.futures.ThreadPoolExecutor(16) as pool:
        began = time.monotonic()
        calls = [pool.submit(running[number % 2].send, create(CRM if number % 4 else HR)) for number in range(16)]
        assert {call.result().status for call in calls} == {201}
        assert time.monotonic() - began >= 1.5
    assert len(upstream.requests) == 16


def test_who_cannot_have_a_turn_in_time_is_told_when_to_come(make_setup, upstream, store):
    budget = {"requestsPerSecond": 0.05, "burst": 2, "adaptive": False, "queueFor": "1s"}
    with several(make_setup, 2, store, budget) as running:
        assert [gateway.send(create()).status for gateway in running] == [201, 201]
        refused = running[0].send(create())
        assert_refused(refused, 429, "ThrottledClientException", "Throttled")
        assert policy(refused) == (2, 40)
        assert 1 <= int(refused.get("Retry-After")) <= 20
        assert b"upstreamBudget" in refused.body
        record = running[0].setup.audit_record(refused.get("x-gatehouse-request-id"))
        assert (record["decision"], record["tenant"]) == ("throttled", "crm")


def test_a_throttle_that_one_gateway_sees_lowers_the_rate_of_all(make_setup, upstream, store):
    budget = {"requestsPerSecond": 0.05, "burst": 3, "adaptive": True}
    with several(make_setup, 2, store, budget) as (seeing, other):
        upstream.handler = lambda _: upstreams.Answer(429, {}, (("x-amzn-ErrorType", "ThrottledClientException"),))
        assert seeing.send(create()).status == 429
        while (answer := other.send(create(HR))).get("RateLimit-Policy") is None:
            assert answer.status == 429
        # Less than three in sixty seconds for a while.
        assert policy(answer)[0] == 3
        assert policy(answer)[1] > 60
        until(lambda: policy(other.send(create()))[1] == 60, "the rate never climbs back")


def test_a_turn_that_was_not_used_is_given_back(make_setup, upstream, store):
    """The circuit is open: what was asked for in the store goes back there."""
    budget = {"requestsPerSecond": 0.01, "burst": 4, "adaptive": False}
    trouble = {"retry": {"attempts": 1}, "circuitBreaker": {"consecutiveFailures": 1, "openFor": "60s"}}
    with several(make_setup, 1, store, budget, trouble) as (gateway,):
        upstream.handler = lambda _: upstreams.Answer(503)
        assert [gateway.send(create()).status for _ in range(10)] == [503] * 10
        assert len(upstream.requests) == 1
        with store.connect() as connection:
            left = shares.Budget(connection, 0.01, 4, False, budget_key(store))
            now = int((time.time() - shares.EPOCH) * 1e6)
            assert [left.ask(now, "x", 1.0, 0)[0] for _ in range(4)] == ["granted"] * 3 + ["refused"]


def test_limits_that_only_warn_let_nobody_wait(make_setup, upstream, store):
    budget = {"requestsPerSecond": 0.01, "burst": 1, "adaptive": False, "queueFor": "30s"}
    with several(make_setup, 1, store, budget, mode="warn") as (gateway,):
        answers = [gateway.send(create()) for _ in range(3)]
        assert [answer.status for answer in answers] == [201] * 3
        assert answers[1].get("x-gatehouse-warnings") == "rateLimit.upstream"


@pytest.mark.parametrize("policy, status", [("local", 201), ("allow", 201), ("deny", 503)])
def test_who_waits_when_the_store_dies_is_served_as_the_policy_says(make_setup, upstream, store, policy, status):
    budget = {"requestsPerSecond": 0.2, "burst": 1, "adaptive": False, "queueFor": "30s"}
    with several(make_setup, 1, store, budget, onStoreFailure=policy) as (gateway,):
        assert gateway.send(create()).status == 201
        with concurrent.futures.ThreadPoolExecutor() as pool:
            waiting = pool.submit(gateway.send, create())
            # A list of two: a ticket and until when it waits.
            until(lambda: b"queue\x92" in store.call("GET", budget_key(store)), "nobody waits")
            store.kill()
            assert waiting.result(PATIENCE).status == status
