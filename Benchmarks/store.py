#!/usr/bin/env python3
"""What limits cost that are counted in Redis, beside those that are counted in the gateway itself, in one run.

See README.md. The gateway has one CPU, as in bench.py; load, upstream and Redis share the other one.
"""

import argparse
import contextlib
import pathlib
import shutil
import socket
import statistics
import sys
import tempfile
import time

import budget
import proxies
from load import Load
from proxies import REPOSITORY

LOCAL, SHARED = "local", "redis"
# What is promised: CPU of a request at so many connections, median latency at so many, decisions a write under load.
CPU_AT, LATENCY_AT = 128, 32
MOST_CPU, MOST_ADDED_MS, LEAST_BATCH = 1.25, 0.3, 32


class Redis:
    """A server on the CPU that the gateway has not."""

    def __init__(self, folder):
        folder.mkdir()
        self.port = proxies.free_port()
        command = ["redis-server", "--port", self.port, "--bind", "127.0.0.1", "--save", "", "--dir", folder]
        self.process = proxies.start(command, proxies.LOAD_CPU, folder / "log")
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError):
                self.reads()
                return
            time.sleep(0.05)
        raise SystemExit(f"redis-server does not answer:\n{(folder / 'log').read_text()}")

    def reads(self):
        """Of sockets, that brought something."""
        with socket.create_connection(("127.0.0.1", self.port), 5) as connection:
            connection.sendall(b"INFO stats\r\nQUIT\r\n")
            text = b"".join(iter(lambda: connection.recv(1 << 16), b"")).decode()
        lines = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
        return int(lines["total_reads_processed"])


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gatehouse", type=pathlib.Path, default=REPOSITORY / ".build/release/gatehouse")
    parser.add_argument("--tools", type=pathlib.Path, default=REPOSITORY / ".build/bench", help=argparse.SUPPRESS)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--requests", type=int, default=20_000, help="measured in each round")
    parser.add_argument("--warmup", type=int, default=4_000, help="sent before them")
    parser.add_argument("--connections", type=int, nargs="+", default=[LATENCY_AT, CPU_AT, 512])
    return parser.parse_args()


def play(options, load, running, redis):
    results = {}
    for number in range(options.rounds):
        for connections in options.connections:
            for proxy in running if number % 2 == 0 else running[::-1]:
                before = redis.reads()
                result = load.measure(proxy, connections, options.requests, options.warmup)
                # The question itself is a read, too. Each request is one decision.
                reads = redis.reads() - before - 1
                result["batch"] = (options.requests + options.warmup) / max(1, reads)
                results.setdefault((connections, proxy.name), []).append(result)
    return results


def median(rounds, key):
    return statistics.median(one[key] for one in rounds)


def print_table(options, results):
    print(f"medians of {options.rounds} rounds of {options.requests} requests; CPU of the gateway alone")
    print(f"{'connections':>11} {'limits':>7} {'CPU us':>8} {'of local':>9} {'p50 ms':>8} {'p99 ms':>8} {'per s':>8} {'a write':>8}")
    for connections in options.connections:
        local = results[connections, LOCAL]
        for name in (LOCAL, SHARED):
            rounds = results[connections, name]
            cpu = median(rounds, "cpuUs")
            batch = f"{median(rounds, 'batch'):8.1f}" if name == SHARED else f"{'-':>8}"
            print(
                f"{connections:>11} {name:>7} {cpu:8.2f} {cpu / median(local, 'cpuUs'):9.2f}"
                f" {median(rounds, 'p50us') / 1000:8.2f} {median(rounds, 'p99us') / 1000:8.2f}"
                f" {median(rounds, 'perSecond'):8.0f} {batch}"
            )


def promises(options, results):
    """Each with whether it is kept."""
    if CPU_AT in options.connections:
        ratio = statistics.median(
            mine["cpuUs"] / other["cpuUs"]
            for mine, other in zip(results[CPU_AT, SHARED], results[CPU_AT, LOCAL], strict=True)
        )
        yield f"CPU at {CPU_AT} connections {ratio:.2f} times that of local limits (at most {MOST_CPU})", ratio <= MOST_CPU
    if LATENCY_AT in options.connections:
        added = (median(results[LATENCY_AT, SHARED], "p50us") - median(results[LATENCY_AT, LOCAL], "p50us")) / 1000
        yield f"p50 at {LATENCY_AT} connections {added:+.2f} ms (below {MOST_ADDED_MS})", added < MOST_ADDED_MS
    most = max(options.connections)
    batch = median(results[most, SHARED], "batch")
    yield f"{batch:.1f} decisions a write at {most} connections (at least {LEAST_BATCH})", batch >= LEAST_BATCH


def main():
    options = arguments()
    options.tools = options.tools.resolve()
    budget.build_tools(options.tools)
    load = Load(options.tools)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="store-", dir=options.tools))
    try:
        with contextlib.ExitStack() as stack:
            process, upstream = proxies.start_upstream(options.tools, folder)
            stack.callback(proxies.end, process)
            redis = Redis(folder / "redis")
            stack.callback(proxies.end, redis.process)
            running = []
            for name, store in ((LOCAL, None), (SHARED, {"type": "redis", "url": f"redis://127.0.0.1:{redis.port}"})):
                command = [options.gatehouse, "serve", "--config"]
                proxy = proxies.Gatehouse(name, command, folder / f"gateway-{name}", upstream, "sync", store=store)
                stack.callback(proxy.stop)
                proxy.wait_until_ready()
                running.append(proxy)
            results = play(options, load, running, redis)
    finally:
        shutil.rmtree(folder)
    print_table(options, results)
    kept = True
    for text, is_kept in promises(options, results):
        print(f"{'kept' if is_kept else 'MISSED'}: {text}")
        kept = kept and is_kept
    sys.exit(0 if kept else 1)


if __name__ == "__main__":
    main()
