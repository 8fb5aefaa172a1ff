"""Requests of several tenants to one budget, and what the store's script says to each.

`python Tests/EndToEnd/shares.py FILE` writes some to a file, which the tests hold against the gateway's own machine
(`SharingTraceTests.swift`) and against the script in each kind of server (`test_store_shares.py`).
"""

import heapq
import pathlib
import random
import re
import sys

import stores

ROOT = pathlib.Path(__file__).resolve().parents[2]
TRACE = ROOT / "Tests/Fixtures/limits/shares.txt"
TURNS = ["refused", "granted", "waiting", "unasked"]
EPOCH = 1_700_000_000


def script():
    """As the gateway sends it."""

    def part(file, name):
        source = (ROOT / "Sources/SharedLimits" / file).read_text()
        text = re.search(rf'let {name} = """\n(.*?)\n    """', source, re.S).group(1)
        return "\n".join(line.removeprefix("    ") for line in text.split("\n"))

    return "\n".join([part("LimitScript.swift", "clock"), part("BudgetScript.swift", "text"), part("LimitScript.swift", "buckets")])


# The server's clock says what the key `clock` does.
CLOCK = """
local server = redis
local redis = {
  error_reply = server.error_reply,
  call = function(name, ...)
    if name == 'TIME' then return server.call('HMGET', 'clock', 'seconds', 'microseconds') end
    return server.call(name, ...)
  end,
}
"""


class Budget:
    """One budget in a server, at whatever time it is told."""

    def __init__(self, connection, rate, burst, adaptive, key="budget"):
        self.connection = connection
        self.digest = connection.call("SCRIPT", "LOAD", CLOCK + script())
        self.numbers = f"{rate!r} {burst} {int(adaptive)}"
        self.key = key

    def change(self, rate, burst, adaptive):
        self.numbers = f"{rate!r} {burst} {int(adaptive)}"

    def set_clock(self, now):
        self.connection.call("HSET", "clock", "seconds", EPOCH + now // 1_000_000, "microseconds", now % 1_000_000)

    def call(self, now, wanted, *words):
        self.set_clock(now)
        return self.connection.call("EVALSHA", self.digest, 2, "run", self.key, wanted, *words)

    def ask(self, now, tenant, weight, queue, charge="e"):
        """The turn, microseconds to wait, and the ticket."""
        request = [1, 1, f"{weight!r} {tenant}", queue]
        _, is_plain, *numbers = self.call(now, "decide", f"b{charge}", self.numbers, "", "", *request)
        if is_plain:
            assert numbers == [0]
            return "granted", 0, 0
        return self.turn(numbers)

    def look(self, now, tenant, ticket):
        return self.turn(self.call(now, "look", self.numbers, tenant, ticket)[1:])

    def give_back(self, now, tenant):
        self.call(now, "giveBack", self.numbers, tenant)

    def throttled(self, now):
        self.call(now, "throttled", self.numbers)

    @staticmethod
    def turn(numbers):
        turn, wait, used, factor, ticket = numbers
        assert wait >= 0 and used >= 0 and 0 < factor <= 1_000_000
        return TURNS[turn], wait, ticket


def arrivals(chance, rate, seconds):
    """Microseconds at which a tenant asks: like a clock, by chance, or several at once."""
    kind, now, times = chance.randrange(3), chance.random() / rate, []
    while now < seconds:
        count = chance.randint(1, 4) if kind == 2 else 1
        times += [int(now * 1e6)] * count
        now += count / rate if kind == 0 else chance.expovariate(rate / count)
    return times


def play(connection, seed):
    """Lines of one scenario: some are short and busy, some so long that tenants are forgotten."""
    chance = random.Random(seed)
    connection.call("FLUSHALL")
    tenants = chance.randint(2, 6)
    seconds, fast = chance.choice([(4, 1), (4, 1), (250, 0.02)])
    rate = round(chance.uniform(5, 40) * fast, 3)
    burst, adaptive = chance.randint(1, 6 * tenants), chance.random() < 0.5
    weights = [round(chance.uniform(1, 5), 2) for _ in range(tenants)]
    queue = int(chance.choice([0, 300_000, 1_500_000]) / fast)
    budget = Budget(connection, rate, burst, adaptive)
    coming = []
    for tenant, weight in enumerate(weights):
        load = rate * weight / sum(weights) * chance.uniform(0.3, 4)
        coming += [(time, tenant, None, queue and chance.choice([queue, queue // 2])) for time in arrivals(chance, load, seconds)]
    heapq.heapify(coming)
    yield f"budget {coming[0][0]} {rate!r} {burst} {int(adaptive)}"
    while coming:
        now, tenant, ticket, queued = heapq.heappop(coming)
        if chance.random() < 0.01:
            rate, burst, adaptive = round(rate * chance.uniform(0.5, 1.5), 3), chance.randint(1, 6 * tenants), chance.random() < 0.5
            budget.change(rate, burst, adaptive)
            yield f"change {now} {rate!r} {burst} {int(adaptive)}"
        if ticket is None:
            turn, wait, number = budget.ask(now, f"t{tenant}", weights[tenant], queued)
            yield f"ask {now} t{tenant} {weights[tenant]!r} {queued} = {turn} {wait}"
        else:
            number = ticket
            turn, wait, _ = budget.look(now, f"t{tenant}", ticket)
            yield f"look {now} t{tenant} {ticket} = {turn} {wait}"
        if turn == "waiting":
            heapq.heappush(coming, (now + max(1000, min(wait, 25_000 if chance.random() < 0.1 else 10**9)), tenant, number, 0))
        if turn == "granted" and chance.random() < 0.03:
            budget.give_back(now, f"t{tenant}")
            yield f"giveBack {now} t{tenant}"
        if chance.random() < 0.01:
            budget.throttled(now)
            yield f"throttled {now}"


def main():
    with stores.running("redis") as store, store.connect() as connection:
        lines = [line for seed in range(20) for line in play(connection, seed)]
    pathlib.Path(sys.argv[1]).write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
