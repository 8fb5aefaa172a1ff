"""What the store does with buckets: its script in real servers, against the rule written down once more.

The script says what time it decided by, so the rule is held to the same time.
"""

import math
import random
import struct

import pytest

import shares
import stores

LEASE, SEEN, GRACE = 10_000_000, 4_000_000, 3_000_000


class Script:
    """The script in one server."""

    def __init__(self, connection):
        self.connection = connection
        self.digest = connection.call("SCRIPT", "LOAD", shares.script())

    def decide(self, *buckets):
        """Each bucket is a key and its four arguments. Gives the time and a (allowed, wait, used) for each."""
        now, (decisions,) = self.decide_all(buckets)
        return now, decisions

    def decide_all(self, *requests):
        """The same of several requests in one call. `used` is None where it is not told."""
        places, definitions, asked = {}, [], []
        for buckets in requests:
            asked.append(len(buckets))
            for key, kind, first, second, third in buckets:
                definition = (kind, first, second, third) if kind[0] == "r" else (kind, first, "", "")
                if key not in places:
                    places[key] = (len(places) + 1, definition)
                    definitions += definition
                assert places[key][1] == definition
                asked += [places[key][0]] if kind[0] == "r" else [places[key][0], second]
        answer = self.connection.call(
            "EVALSHA", self.digest, len(places) + 1, "run", *places, "decide", *definitions, *asked
        )
        return answer[0], list(self.told(requests, answer[1:]))

    @staticmethod
    def told(requests, numbers):
        numbers = iter(numbers)
        for buckets in requests:
            if next(numbers):
                used = [next(numbers), *[None] * len(buckets)]
                yield [(1, 0, used[place]) for place in range(len(buckets))]
            else:
                yield [(next(numbers), next(numbers), next(numbers)) for _ in buckets]
        assert next(numbers, None) is None

    def beat(self, gateway, leases=()):
        words = [word for _, members in leases for word in (len(members), *members)]
        keys = ["run", "gateways", *(key for key, _ in leases)]
        return self.connection.call("EVALSHA", self.digest, len(keys), *keys, "beat", gateway, *words)


@pytest.fixture(scope="module", params=stores.KINDS)
def server(request):
    with stores.running(request.param) as store:
        yield store


@pytest.fixture
def connection(server):
    with server.connect() as connection:
        connection.call("FLUSHALL")
        yield connection


@pytest.fixture
def limits(connection):
    return Script(connection)


def rate(key, interval=1_000_000, burst=2, charge="e", queue=0):
    return (key, f"r{charge}", interval, burst, queue)


def places(key, most, lease, charge="e"):
    return (key, f"c{charge}", most, lease, 0)


def age(connection, key, microseconds):
    """Time passes for a bucket."""
    time, interval, burst = struct.unpack("<ddd", connection.call("GET", key))
    left = connection.call("PTTL", key)
    connection.call("SET", key, struct.pack("<ddd", time - microseconds, interval, burst), "PX", left)


def test_a_rate_is_a_burst_and_what_comes_with_time(limits, connection):
    assert [limits.decide(rate("k"))[1][0][0] for _ in range(3)] == [1, 1, 0]
    _, [(allowed, wait, used)] = limits.decide(rate("k"))
    assert allowed == 0
    assert 0 < wait <= 1_000_000
    assert wait + 1_000_000 == used
    age(connection, "k", 1_000_000)
    assert [limits.decide(rate("k"))[1][0][0] for _ in range(2)] == [1, 0]


def test_buckets_of_one_request_are_charged_together_or_not_at_all(limits, connection):
    refusing = rate("full", burst=1)
    limits.decide(refusing)
    _, decisions = limits.decide(
        rate("source", charge="a"), rate("tenant"), places("in", 5, "one"), rate("full", burst=1), rate("warned", charge="w")
    )
    assert [decision[0] for decision in decisions] == [1, 1, 1, 0, 1]
    found = {key.decode() for key in connection.call("KEYS", "*")}
    assert found == {"source", "full"}
    # What only warns stops nothing, and counts where it allows.
    _, decisions = limits.decide(rate("tenant"), rate("full", burst=1, charge="w"))
    assert [decision[0] for decision in decisions] == [1, 0]
    assert connection.call("EXISTS", "tenant") == 1


def test_turns_that_are_waited_for_are_taken(limits):
    waits = [limits.decide(rate("k", interval=1000_000, burst=1, queue=2_500_000))[1][0] for _ in range(4)]
    assert [wait[0] for wait in waits] == [1, 1, 1, 0]
    assert waits[0][1] == 0
    assert 0 < waits[1][1] <= 1_000_000 < waits[2][1] <= 2_000_000 < 2_500_000 < waits[3][1]


def test_other_numbers_keep_the_used_part_of_the_burst(limits):
    assert limits.decide(rate("k", interval=1_000_000, burst=10))[1][0][0] == 1
    for _ in range(4):
        limits.decide(rate("k", interval=1_000_000, burst=10))
    # Half is used: of 100 at ten a second, 50 are left, which take 5 seconds.
    _, [(allowed, _, used)] = limits.decide(rate("k", interval=100_000, burst=100))
    assert allowed == 1
    assert 5_000_000 <= used <= 5_100_000 + 1
    # And back.
    _, [(_, _, used)] = limits.decide(rate("k", interval=1_000_000, burst=10))
    assert 5_900_000 <= used <= 6_200_000


def test_keys_end_soon_after_they_mean_nothing(limits, connection):
    limits.decide(rate("k", interval=5_000_000, burst=3), places("in", 2, "a"))
    limits.beat("g1", [("in", ["a"])])
    for key, most in (("k", 5_000 + 1_000), ("in", 11_000), ("run", 60_000), ("gateways", 60_000)):
        assert 0 < connection.call("PTTL", key) <= most, key


def test_a_century_is_no_trouble(limits, connection):
    slow = rate("k", interval="3150000000000000", burst=1)
    assert limits.decide(slow)[1][0][0] == 1
    _, [(allowed, wait, _)] = limits.decide(slow)
    assert allowed == 0 and wait > 3_000_000_000_000_000


def test_places_are_held_until_they_are_given_back_or_nobody_renews_them(limits, connection):
    limits.beat("g1")
    taken = [limits.decide(places("in", 2, lease))[1][0] for lease in "abc"]
    assert [decision[0] for decision in taken] == [1, 1, 0]
    assert connection.call("ZREM", "in", "a") == 1
    assert limits.decide(places("in", 2, "d"))[1][0][0] == 1
    # The end of b's time, which its gateway does not renew; the store was there all the while.
    now = limits.decide(places("in", 2, "x"))[0]
    connection.call("HSET", "run", "since", now - GRACE - 1)
    connection.call("ZADD", "in", now - 1, "b")
    assert limits.decide(places("in", 2, "e"))[1][0][0] == 1
    assert set(connection.call("ZRANGE", "in", 0, -1)) == {b"d", b"e"}


def test_places_are_not_taken_from_gateways_that_could_not_renew_them(limits, connection):
    """The store was paused for a minute: nobody could say that he lives."""
    limits.beat("g1")
    assert limits.decide(places("in", 1, "a"))[1][0][0] == 1
    now = limits.decide(places("in", 1, "x"))[0]
    connection.call("ZADD", "in", now - 1, "a")
    connection.call("HSET", "run", "since", now - 90_000_000, "last", now - 60_000_000)
    limits.beat("g2")
    assert limits.decide(places("in", 1, "b"))[1][0][0] == 0
    limits.beat("g1", [("in", ["a"])])
    connection.call("HSET", "run", "since", now - GRACE - 1)
    assert limits.decide(places("in", 1, "b"))[1][0][0] == 0


def test_gateways_are_those_seen_lately(limits, connection):
    assert [limits.beat(name) for name in ("g1", "g2", "g3", "g2")] == [1, 2, 3, 3]
    now = limits.decide()[0]
    connection.call("ZADD", "gateways", now - SEEN - 1, "g1")
    assert limits.beat("g2") == 2


def test_a_value_of_somebody_else_is_an_error(limits, connection):
    connection.call("SET", "k", "mine")
    with pytest.raises(stores.StoreError, match="none of ours"):
        limits.decide(rate("k"))
    connection.call("DEL", "k")
    connection.call("RPUSH", "k", "mine")
    with pytest.raises(stores.StoreError, match="WRONGTYPE"):
        limits.decide(rate("other"), rate("k"))
    assert connection.call("EXISTS", "other") == 0


class Bucket:
    """The rule, written down once more."""

    def __init__(self):
        self.time, self.interval, self.burst = 0, None, None

    def ahead(self, now, interval, burst):
        ahead = max(0, self.time - now)
        if ahead > 0 and (self.interval, self.burst) != (interval, burst):
            most = self.interval * self.burst
            ahead = min(ahead, most) / most * interval * burst + max(0, ahead - most) / self.interval * interval
        return ahead


@pytest.mark.parametrize("seed", range(8))
def test_the_rule_holds_for_any_requests(limits, connection, seed):
    """Several buckets under changing numbers, each decision against the rule at the store's own time."""
    chance = random.Random(seed)
    rates = {name: Bucket() for name in ("r1", "r2", "r3")}
    held = {"c1": set(), "c2": set()}
    for number in range(300):
        asked = []
        for name in chance.sample(sorted(rates), chance.randint(0, 3)):
            interval = chance.choice([500, 2000, 333.333, 20_000])
            asked.append(rate(name, interval, chance.choice([1, 3, 10]), chance.choice("eeaw"), chance.choice([0, 3000])))
        for name in chance.sample(sorted(held), chance.randint(0, 2)):
            asked.append(places(name, 3, f"lease{number}", chance.choice("eew")))
        now, decisions = limits.decide(*asked)
        wanted = []
        for key, kind, first, second, third in asked:
            if kind[0] == "c":
                ok = len(held[key]) < first
                wanted.append((ok, 0, len(held[key]) + ok))
                continue
            ahead = rates[key].ahead(now, first, second)
            wait = max(0, ahead + first - first * second)
            ok = wait <= third
            wanted.append((ok, wait, ahead + first if ok else ahead))
        refused = any(not ok and kind[1] != "w" for (ok, _, _), (_, kind, *_) in zip(wanted, asked))
        for (ok, wait, used), (allowed, told_wait, told_used) in zip(wanted, decisions):
            assert allowed == ok
            # Times are told in whole microseconds, and kept in thousandths.
            assert abs(told_wait - math.ceil(wait)) <= 1
            assert told_used is None or abs(told_used - math.ceil(used)) <= 1
        for (ok, _, used), (key, kind, first, second, _) in zip(wanted, asked):
            if not ok or (refused and kind[1] != "a"):
                continue
            if kind[0] == "c":
                held[key].add(f"lease{number}")
            else:
                bucket = rates[key]
                bucket.time, bucket.interval, bucket.burst = now + used, first, second
        for key, leases in held.items():
            while leases and chance.random() < 0.3:
                connection.call("ZREM", key, leases.pop())


def test_requests_of_one_call_are_decided_one_after_the_other(limits, connection):
    """As if each had come by itself: the third finds no room, the fourth no place, and neither costs the others anything."""
    limits.beat("g1")
    requests = [
        (rate("source", burst=9, charge="a"), rate("t", burst=2)),
        (rate("source", burst=9, charge="a"), rate("t", burst=2), places("in", 1, "one")),
        (rate("source", burst=9, charge="a"), rate("t", burst=2), rate("other")),
        (rate("source", burst=9, charge="a"), places("in", 1, "two")),
        (),
        (rate("other"), rate("other2")),
        (rate("other"),),
    ]
    now, decisions = limits.decide_all(*requests)
    assert [[decision[0] for decision in one] for one in decisions] == [[1, 1], [1, 1, 1], [1, 0, 1], [1, 0], [], [1, 1], [1]]
    time, _, _ = struct.unpack("<ddd", connection.call("GET", "source"))
    assert time == now + 4 * 1_000_000
    assert connection.call("ZRANGE", "in", 0, -1) == [b"one"]
    assert limits.decide(rate("other"))[1][0][0] == 0


def test_nothing_of_a_call_counts_where_one_of_its_values_is_somebody_elses(limits, connection):
    connection.call("SET", "bad", "mine")
    with pytest.raises(stores.StoreError, match="none of ours"):
        limits.decide_all((rate("good"),), (rate("bad"),))
    assert connection.call("EXISTS", "good") == 0


@pytest.mark.parametrize("seed", range(4))
def test_a_call_about_many_says_what_calls_about_each_would(limits, connection, seed):
    """Times apart: under rates so slow that the moments between the calls bring nothing."""
    chance = random.Random(seed)
    slow = {name: 10**12 + chance.randint(1, 1000) for name in ("r1", "r2", "r3")}
    charges = {name: chance.choice("eaw") for name in slow}
    requests = []
    for number in range(40):
        buckets = [rate(name, slow[name], 12, charges[name]) for name in chance.sample(sorted(slow), chance.randint(0, 3))]
        if chance.random() < 0.6:
            buckets.append(places("in", 15, f"lease{number}"))
        requests.append(tuple(buckets))
    _, together = limits.decide_all(*requests)
    held = connection.call("ZRANGE", "in", 0, -1)
    connection.call("FLUSHALL")
    apart = [limits.decide(*request)[1] for request in requests]
    assert [[one[0] for one in decision] for decision in together] == [[one[0] for one in decision] for decision in apart]
    assert set(connection.call("ZRANGE", "in", 0, -1)) == set(held)
