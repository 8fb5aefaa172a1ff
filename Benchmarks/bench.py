"""CPU per request of Gatehouse's full job beside nginx and HAProxy as plain proxies, in one run.

See README.md for what is measured and how to read it.
"""

import argparse
import contextlib
import json
import os
import pathlib
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile

import proxies
from load import Load
from proxies import REPOSITORY

# The row that the cost of journalling is measured against.
UNAUDITED = "Gatehouse, no journal"


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tools", type=pathlib.Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument("--gatehouse", type=pathlib.Path, default=REPOSITORY / ".build/release/gatehouse")
    parser.add_argument(
        "--unaudited", type=pathlib.Path, default=REPOSITORY / ".build/release/UnauditedGateway",
        help="the gateway that journals nothing",
    )  # fmt: skip
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--requests", type=int, default=40_000, help="measured in each round")
    parser.add_argument("--warmup", type=int, default=4_000, help="sent before them")
    parser.add_argument("--connections", type=int, nargs="+", default=[32, 128, 256])
    parser.add_argument("--only", nargs="+", default=[], help="rows whose name begins with one of these")
    parser.add_argument(
        "--policies", type=int, nargs="+", default=[],
        help="instead of all other rows of Gatehouse: with that many policies of 20 rules, and 10 000 tenants",
    )  # fmt: skip
    parser.add_argument("--idle", type=int, default=10_000, help="idle connections to hold; 0 for none")
    parser.add_argument("--tls", action="store_true", help="callers speak TLS 1.3 with every proxy; upstream stays plain")
    parser.add_argument("--json", type=pathlib.Path, help="write all rounds to this file")
    return parser.parse_args()


def start_all(options, folder, upstream, stack):
    """Starts every row's process; each is ended when `stack` is left."""
    running = []

    certificate = proxies.Certificate(folder) if options.tls else None

    def add(proxy):
        stack.callback(proxy.stop)
        proxy.wait_until_ready()
        running.append(proxy)

    def wanted(name):
        return not options.only or any(name.lower().startswith(only.lower()) for only in options.only)

    if wanted("nginx"):
        add(proxies.start_nginx(folder / "nginx", upstream, certificate))
    if wanted("haproxy"):
        add(proxies.start_haproxy(folder / "haproxy", upstream, certificate))
    serve = [options.gatehouse, "serve", "--config"]
    for count in options.policies:
        policies = proxies.write_policies(folder / f"policies-{count}", count)
        name = f"Gatehouse, {count} policies"
        place = folder / f"with-{count}"
        people = proxies.tenants(others=9_999)
        add(proxies.Gatehouse(name, serve, place, upstream, "sync", policies, people, certificate=certificate))
    if wanted("gatehouse") and not options.policies:
        for program in (options.gatehouse, options.unaudited):
            if not program.exists():
                raise SystemExit(f"{program} is missing; `make bench` makes it")
        for durability in ("sync", "interval"):
            name = f"Gatehouse, {durability}"
            add(proxies.Gatehouse(name, serve, folder / durability, upstream, durability, certificate=certificate))
        unaudited = [options.unaudited]
        add(proxies.Gatehouse(UNAUDITED, unaudited, folder / "unaudited", upstream, "sync", certificate=certificate))
    return running


def play(options, load, running):
    """All rounds, interleaved: the order of the proxies moves on by one each time."""
    results = {}
    for number in range(options.rounds):
        for connections in options.connections:
            for index in range(len(running)):
                proxy = running[(index + number) % len(running)]
                before = synchronizations(proxy)
                result = load.measure(proxy, connections, options.requests, options.warmup)
                result["synchronizations"] = synchronizations(proxy) - before
                results.setdefault((connections, proxy.name), []).append(result)
                print(
                    f"round {number + 1}: {proxy.name:<22} {connections:>4} connections"
                    f" {result['cpuUs']:7.2f} us {result['perSecond']:9.0f}/s",
                    file=sys.stderr,
                    flush=True,
                )
    return results


def synchronizations(proxy):
    return proxy.synchronizations if isinstance(proxy, proxies.Gatehouse) else 0


def median(results, key):
    return statistics.median(result[key] for result in results)


def print_table(options, results, running):
    head = f"{'':<22} {'CPU us/request':>14} {'of nginx':>9} {'requests/s':>11} {'p50 ms':>8} {'p99 ms':>8}"
    for connections in options.connections:
        print(f"\n{connections} connections, medians of {options.rounds} rounds of {options.requests} requests")
        print(head)
        nginx = results.get((connections, "nginx"))
        for proxy in running:
            rounds = results[connections, proxy.name]
            cpu = median(rounds, "cpuUs")
            ratio = f"{cpu / median(nginx, 'cpuUs'):9.2f}" if nginx else f"{'-':>9}"
            print(
                f"{proxy.name:<22} {cpu:14.2f} {ratio} {median(rounds, 'perSecond'):11.0f}"
                f" {median(rounds, 'p50us') / 1000:8.2f} {median(rounds, 'p99us') / 1000:8.2f}"
            )


def print_journalling(options, results, running):
    """What the journal adds to the CPU of a request, and how many requests share a synchronisation."""
    print()
    each = options.requests + options.warmup
    for connections in options.connections:
        without = results.get((connections, UNAUDITED))
        if without is None:
            continue
        for proxy in running:
            if not isinstance(proxy, proxies.Gatehouse) or proxy.name == UNAUDITED:
                continue
            rounds = results[connections, proxy.name]
            # Round by round, because the machine's pace changes between them.
            added = statistics.median(
                mine["cpuUs"] / other["cpuUs"] - 1 for mine, other in zip(rounds, without, strict=True)
            )
            shared = each / max(1, median(rounds, "synchronizations"))
            print(
                f"{proxy.name}, {connections} connections: the journal adds {added:.0%} to the CPU of a request;"
                f" {shared:.1f} requests per fdatasync"
            )


def print_idle(options, load, running):
    print(f"\nresident memory with {options.idle} idle keep-alive connections")
    for proxy in running:
        if proxy.name == "HAProxy":  # wants two descriptors a connection, more than many machines allow
            continue
        before = proxy.resident_bytes
        with load.idle_connections(proxy.port, options.idle) as held:
            now = proxy.resident_bytes if held else None
        text = f"{now / 2**20:.1f} MiB ({before / 2**20:.1f} before)" if held else "failed to hold them"
        print(f"{proxy.name:<22} {text}")


def check_journals(options, running, expected):
    """The full job was done if every request left its intent and its outcome in an unbroken journal."""
    sound = True
    for proxy in running:
        if not isinstance(proxy, proxies.Gatehouse) or proxy.name == UNAUDITED:
            continue
        proxy.stop()
        report = proxy.journal_report(options.gatehouse)
        records = report.get("records", 0)
        good = bool(report.get("ok")) and records >= 2 * expected
        sound = sound and good
        verdict = "unbroken" if report.get("ok") else f"broken: {report}"
        print(f"{proxy.name}: journal {verdict}, {records} records for {expected} answered requests")
    return sound


def file_system(path):
    done = subprocess.run(
        ["stat", "--file-system", "--format=%T", path], stdout=subprocess.PIPE, text=True, check=False
    )
    return done.stdout.strip()


def main():
    options = arguments()
    if {proxies.PROXY_CPU, proxies.LOAD_CPU} - os.sched_getaffinity(0):
        raise SystemExit("two CPUs are needed, 0 and 1")
    options.tools = options.tools.resolve()
    _, files = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
    load = Load(options.tools, options.tls)
    load.check_signature()
    # Below .build rather than in /tmp, which may be memory: the journal is to lie on a disk.
    folder = pathlib.Path(tempfile.mkdtemp(prefix="run-", dir=options.tools))
    try:
        with contextlib.ExitStack() as stack:
            process, upstream = proxies.start_upstream(options.tools, folder)
            stack.callback(proxies.end, process)
            running = start_all(options, folder, upstream, stack)
            results = play(options, load, running)
            print(f"{platform.release()}, {os.cpu_count()} CPUs, journal on {file_system(folder)}")
            print_table(options, results, running)
            print_journalling(options, results, running)
            if options.idle:
                print_idle(options, load, running)
            each = (options.requests + options.warmup) * options.rounds * len(options.connections)
            print()
            sound = check_journals(options, running, each)
    finally:
        shutil.rmtree(folder)
    if options.json:
        rows = [{"connections": key[0], "proxy": key[1], "rounds": rounds} for key, rounds in results.items()]
        options.json.write_text(json.dumps(rows, indent=2))
    sys.exit(0 if sound else 1)


if __name__ == "__main__":
    main()
