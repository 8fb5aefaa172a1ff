#!/usr/bin/env python3
"""What one request costs, counted: instructions, mallocs, retains and releases by thread and by stage, system calls.

Compares with budget.json and fails when a number has risen. See README.md for how it is counted and how to read it.
"""

import argparse
import collections
import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import callgrind
import proxies
from load import Load
from proxies import REPOSITORY

BUDGET = pathlib.Path(__file__).parent / "budget.json"

# Threads, each told by a function that runs again and again on it and on no other.
THREADS = {
    "loop": r"Transport\.HTTPServer\.serve\(|Gateway\.Worker\.reply\(to:",
    "journal": r"AuditStore\.(JournalWriter|SegmentWriter)\.",
    "index": r"AuditIndex\.(JournalIndex|IndexFeeder)\.",
}
OTHER = "other"

# Stages of the loop, by the demangled names of the functions they begin with. A stage's costs are those of these
# functions and of what they call, down to the functions of other stages. Of two that match, the first counts. Each has
# to be found, but for those in `OFTEN_INLINED`: the optimiser may have put these into their caller, `serve`.
STAGES = {
    "read and parse": r"HTTPWire\.(RequestParser|RequestHeadReader)\.",
    "begin": r"Gateway\.Worker\.begin\(",
    "limit source": r"Gateway\.Worker\.limitSource\(",
    "identify": r"Gateway\.Worker\.identify\(",
    "authenticate": r"Gateway\.Worker\.authenticate\(",
    "confine": r"Gateway\.Worker\.confine\(",
    "admit": r"Gateway\.Worker\.admit\(",
    "validate": r"Gateway\.Worker\.validate\(",
    "decide": r"Gateway\.Worker\.decide\(",
    "join repeat": r"Gateway\.Worker\.joinRepeat\(",
    "await turn": r"Gateway\.Worker\.awaitTurn\(",
    "record intent": r"Gateway\.Worker\.recordIntent\(",
    "outbound": r"Gateway\.Worker\.outbound\(",
    "exchange": r"Transport\.UpstreamPool\.exchange\(|HTTPWire\.(ResponseParser|ResponseHeadReader)\.",
    "forward": r"Gateway\.Worker\.forward\(",
    "conclude": r"Gateway\.Worker\.conclude\(",
    "reply": r"Transport\.HTTPServer\.write\(",
    "serve": r"Gateway\.Worker\.(serve|reply)\(|Transport\.HTTPServer\.serve\(",
    "ticks": r"Transport\.EventLoop\.tick\(",
    "event loop": r"Transport\.EventLoop\.|libevent",
}
OFTEN_INLINED = {"limit source", "identify", "validate"}
# What happens now and then, however many requests there are: shown, but no request's.
TIMED = "ticks"

COUNTS = ("instructions", "mallocs", "retains", "releases")
RETAINS = {"swift_retain", "swift_retain_n", "swift_bridgeObjectRetain", "swift_bridgeObjectRetain_n"}
RELEASES = {"swift_release", "swift_release_n", "swift_bridgeObjectRelease", "swift_bridgeObjectRelease_n"}

# How much a number may be above the budget. The sizes of batches and the number of system calls depend on who is faster.
TOLERANCE = 0.03
STAGE_TOLERANCE = 0.06
THREAD_TOLERANCES = {"journal": 0.12, "index": 0.08}
CALL_TOLERANCE = 0.25
# For how long the gateway is watched doing nothing.
IDLE_SECONDS = 5
# What all threads may run within a second of doing nothing, under callgrind.
QUIET_NANOSECONDS = 20_000_000

# Below this, one more or less is no rise.
LEAST = {"instructions": 200, "mallocs": 0.3, "retains": 1, "releases": 1, "system calls": 0.3}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gatehouse", type=pathlib.Path, default=REPOSITORY / ".build/release/gatehouse")
    parser.add_argument("--tools", type=pathlib.Path, default=REPOSITORY / ".build/bench", help=argparse.SUPPRESS)
    parser.add_argument("--update", action="store_true", help="write the counts to budget.json")
    parser.add_argument("--no-compare", action="store_true", help="only print")
    parser.add_argument("--top", type=int, metavar="N", help="also print each thread's N costliest functions")
    parser.add_argument("--callers", metavar="PATTERN", help="also print who calls the functions that match, how often")
    parser.add_argument("--markdown", action="store_true", help="print the tables as Markdown")
    parser.add_argument("--requests", type=int, default=2048, help="counted under callgrind")
    parser.add_argument("--warmup", type=int, default=512, help="sent before them")
    parser.add_argument("--calls-requests", type=int, default=8000, help="for system calls; 0 for not counting these")
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--keep", type=pathlib.Path, metavar="FOLDER", help="keep callgrind's dumps there")
    return parser.parse_args()


def build_tools(folder):
    """Makes the load generator and the upstream."""
    folder.mkdir(parents=True, exist_ok=True)
    sources = REPOSITORY / "Benchmarks"
    for name, files, libraries in (("upstream", ["upstream.c"], []), ("load", ["load.c", "requests.c"], ["-lcrypto"])):
        program = folder / name
        inputs = [sources / file for file in files]
        if program.exists() and all(program.stat().st_mtime > file.stat().st_mtime for file in inputs):
            continue
        subprocess.run(["cc", "-O2", "-Wall", "-Wextra", "-o", program, *inputs, *libraries], check=True)


@contextlib.contextmanager
def gateway(options, folder, tracer=()):
    """A gateway with the benchmark's configuration, in front of an upstream; `tracer` runs it."""
    with contextlib.ExitStack() as stack:
        process, upstream = proxies.start_upstream(options.tools, folder, cpu=None)
        stack.callback(proxies.end, process)
        command = [*tracer, options.gatehouse, "serve", "--config"]
        # Dictionaries then have the same order each time.
        environment = {**os.environ, "SWIFT_DETERMINISTIC_HASHING": "1", "SWIFT_BACKTRACE": "enable=no"}
        running = proxies.Gatehouse(
            "Gatehouse", command, folder / "gateway", upstream, "sync", cpu=None, env=environment, cwd=folder
        )
        stack.callback(running.stop)
        running.wait_until_ready(120)
        raise_background(running.pid)
        yield running


@contextlib.contextmanager
def warm_load(options, proxy, requests, *more):
    """A load that has sent its warm-up; the function given plays the rest."""
    command = Load(options.tools).command(
        proxy.port, "--connections", options.connections, "--requests", requests, "--warmup", options.warmup,
        "--steps", *more,
    )  # fmt: skip
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        if not process.stdout.readline():
            raise SystemExit("the load failed")

        def play():
            out, _ = process.communicate("go\n", timeout=600)
            if process.returncode != 0 or not out:
                raise SystemExit("the load failed")

        yield play
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def tasks(pid):
    return list(pathlib.Path(f"/proc/{pid}/task").iterdir())


def raise_background(pid):
    """Lets the index's thread run like the others: on a busy machine its priority would have it wait for ever."""
    for task in tasks(pid):
        with contextlib.suppress(PermissionError, ProcessLookupError):
            os.setpriority(os.PRIO_PROCESS, int(task.name), 0)


def wait_until_quiet(pid):
    """Returns when what the requests left to do is done, the index's part, too: nothing but ticks for three seconds."""

    def spent():
        total = 0
        for task in tasks(pid):
            with contextlib.suppress(FileNotFoundError):
                total += int((task / "schedstat").read_text().split()[0])
        return total

    deadline = time.monotonic() + 300
    quiet = 0
    before = spent()
    while quiet < 3:
        if time.monotonic() > deadline:
            raise SystemExit("the gateway does not come to rest")
        time.sleep(1)
        now = spent()
        quiet = quiet + 1 if now - before < QUIET_NANOSECONDS else 0
        before = now


def control(pid, *command):
    done = subprocess.run(
        ["callgrind_control", *command, str(pid)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        check=False,
    )  # fmt: skip
    if done.returncode != 0 or "OK" not in done.stdout:
        raise SystemExit(f"callgrind_control {' '.join(command)}: {done.stdout}")


def count_with_callgrind(options, folder):
    """The counts of each thread, and what each kind of thread does in a second of rest."""
    tracer = [
        "valgrind", "--tool=callgrind", "--separate-threads=yes", "--instr-atstart=no", "--fair-sched=yes",
        "--dump-line=no", f"--callgrind-out-file={folder}/out", "-q",
    ]  # fmt: skip
    with gateway(options, folder, tracer) as proxy:
        with warm_load(options, proxy, options.requests, "--waves") as play:
            wait_until_quiet(proxy.pid)
            control(proxy.pid, "--instr=on")
            began = time.monotonic()
            play()
            wait_until_quiet(proxy.pid)
            control(proxy.pid, "--dump=load")
            seconds = time.monotonic() - began
            time.sleep(IDLE_SECONDS)
            control(proxy.pid, "--dump=idle")
    return read_threads(folder, options.requests, seconds)


class Thread:
    """What one kind of thread spent on a request, by stage."""

    def __init__(self, functions, stages):
        self.attribution = callgrind.Attribution(functions, lambda function: stage_of(function, stages))
        sums = {
            "instructions": self.attribution.instructions(),
            "mallocs": self.attribution.calls(lambda f: f.name in callgrind.ALLOCATIONS),
            "retains": self.attribution.calls(lambda f: f.name in RETAINS),
            "releases": self.attribution.calls(lambda f: f.name in RELEASES),
        }
        self.stages = {
            stage: {count: sums[count].get(stage, 0.0) for count in COUNTS} for stage in sums["instructions"]
        }
        self.libcrypto = self.stages.pop(callgrind.CRYPTO, None)
        self.timed = self.stages.pop(TIMED, None)

    def total(self):
        return {count: sum(stage[count] for stage in self.stages.values()) for count in COUNTS}


def read_threads(folder, requests, seconds):
    """The threads in the dumps of `folder`, by kind, their counts those of one request."""
    threads = {}
    for path in sorted(folder.glob("out.1-*")):
        functions = read_dump(path)
        kind = next((k for k, pattern in THREADS.items() if any(re.search(pattern, f.name) for f in functions)), OTHER)
        thread = Thread(functions, STAGES if kind == "loop" else {})
        if kind in threads:
            if kind != OTHER:
                raise SystemExit(f"two threads look like the one of the {kind}; mend THREADS in {__file__}")
            kind = f"{OTHER} {len(threads)}"
        threads[kind] = thread
        idle = folder / path.name.replace("out.1-", "out.2-")
        # The loop's own ticks are a stage, and left out.
        share = seconds / IDLE_SECONDS if kind != "loop" and idle.exists() else 0
        rest = Thread(read_dump(idle), {}).total() if share else None
        for stage in thread.stages.values():
            for count in COUNTS:
                # Threads other than the loop's have one stage.
                stage[count] = max(0.0, stage[count] - (rest[count] * share if rest else 0)) / requests
        for left_out in (thread.libcrypto, thread.timed):
            for count in left_out or ():
                left_out[count] /= requests
    missing = sorted(THREADS.keys() - threads.keys())
    if missing:
        raise SystemExit(f"no thread does what THREADS in {__file__} says of: {', '.join(missing)}")
    missing = [stage for stage in STAGES if stage not in threads["loop"].stages and stage not in {*OFTEN_INLINED, TIMED}]
    if missing:
        raise SystemExit(f"no function on the loop matches these stages; mend STAGES in {__file__}: {', '.join(missing)}")
    return threads


def read_dump(path):
    functions = callgrind.read(path)
    names = callgrind.demangle({function.name for function in functions})
    for function in functions:
        # Without the marks of private declarations.
        function.name = re.sub(r"\((\w+) in _[0-9A-F]{32}\)", r"\1", names.get(function.name, function.name))
    return functions


def stage_of(function, stages):
    described = function.library if function.library.startswith("libevent") else function.name
    return next((stage for stage, pattern in stages.items() if re.search(pattern, described)), None)


def count_system_calls(options, folder):
    """The system calls of one request by name, at full speed."""
    requests = options.calls_requests
    table = folder / "strace"
    with gateway(options, folder) as proxy:
        with warm_load(options, proxy, requests) as play:
            wait_until_quiet(proxy.pid)
            strace = subprocess.Popen(
                ["strace", "-f", "-c", "-o", table, "-p", str(proxy.pid)],
                stderr=subprocess.PIPE, text=True,
            )  # fmt: skip
            while not all("TracerPid:\t0" not in (task / "status").read_text() for task in tasks(proxy.pid)):
                if strace.poll() is not None:
                    raise SystemExit(f"strace failed: {strace.stderr.read()}")
                time.sleep(0.05)
            play()
            wait_until_quiet(proxy.pid)
            strace.send_signal(signal.SIGINT)
            strace.communicate()
    calls = collections.Counter()
    for line in table.read_text().splitlines():
        fields = line.split()
        if len(fields) in (5, 6) and fields[3].isdigit() and fields[-1] != "total":
            calls[fields[-1]] += int(fields[3])
    return {name: count / requests for name, count in calls.most_common()}


def rows_of(threads):
    """What is compared: counts by row of the table."""
    rows = {}
    for kind in THREADS:
        rows[kind] = threads[kind].total()
    rows["all threads"] = {count: sum(thread.total()[count] for thread in threads.values()) for count in COUNTS}
    for stage in [*STAGES, callgrind.REST]:
        if stage in threads["loop"].stages:
            rows[f"loop: {stage}"] = threads["loop"].stages[stage]
    return rows


def print_table(rows, threads, markdown):
    line = "| {:<22} | {:>12} | {:>8} | {:>8} | {:>8} |" if markdown else "{:<24} {:>12} {:>8} {:>8} {:>8}"
    print(line.format("a request", *COUNTS))
    if markdown:
        print("| --- |" + " ---: |" * len(COUNTS))

    def show(name, counts):
        print(line.format(name, f"{counts['instructions']:.0f}", *(f"{counts[count]:.1f}" for count in COUNTS[1:])))

    for name, counts in rows.items():
        show(name, counts)
    for kind, thread in threads.items():
        if thread.libcrypto:
            show(f"({kind}: libcrypto)", thread.libcrypto)
        if thread.timed:
            show(f"({kind}: ticks)", thread.timed)


def print_top(threads, number, requests):
    for kind, thread in threads.items():
        functions = thread.attribution.functions
        below = callgrind.inclusive(functions)
        own = {function: thread.attribution.own(function) for function in functions}
        for title, costs in (("self", own), ("inclusive", below)):
            print(f"\n{kind}, {title}, instructions a request (libcrypto left out), calls")
            for function in sorted(functions, key=lambda f: -costs[f])[:number]:
                calls = sum(edge[0] for edge in function.callers.values())
                print(f"{costs[function] / requests:10.0f} {calls / requests:8.2f}  {function.name[:200]}")


def print_callers(threads, pattern, requests):
    for kind, thread in threads.items():
        for function in thread.attribution.functions:
            if not re.search(pattern, function.name):
                continue
            print(f"\n{kind}: callers of {function.name[:160]}; calls, instructions a request")
            for caller, edge in sorted(function.callers.items(), key=lambda item: -item[1][0])[:40]:
                print(f"{edge[0] / requests:8.2f} {edge[1] / requests:10.0f}  {caller.name[:200]}")


def problems_of(rows, calls, budget):
    """What is above the budget, in words."""
    problems = []

    def compare(name, count, now, allowed, tolerance):
        if now > allowed * (1 + tolerance) and now > allowed + LEAST[count]:
            problems.append(f"{name}: {count} {now:.1f}, budget {allowed:.1f}")

    for name, allowed in budget["rows"].items():
        now = rows.get(name)
        if now is None:
            if name.removeprefix("loop: ") not in OFTEN_INLINED:
                problems.append(f"{name}: not found any more")
            continue
        tolerance = STAGE_TOLERANCE if name.startswith("loop: ") else THREAD_TOLERANCES.get(name, TOLERANCE)
        for count in COUNTS:
            compare(name, count, now[count], allowed[count], tolerance)
    if calls is not None and "systemCalls" in budget:
        compare("all threads", "system calls", sum(calls.values()), budget["systemCalls"], CALL_TOLERANCE)
    return problems


def write_budget(rows, calls, old):
    budget = {
        "rows": {name: {count: round(value, 1) for count, value in counts.items()} for name, counts in rows.items()}
    }
    if calls is not None:
        budget["systemCalls"] = round(sum(calls.values()), 2)
    elif "systemCalls" in old:
        budget["systemCalls"] = old["systemCalls"]
    BUDGET.write_text(json.dumps(budget, indent=2) + "\n")


def main():
    options = arguments()
    for program in ("valgrind", "callgrind_control", "strace", "cc"):
        if shutil.which(program) is None:
            raise SystemExit(f"`{program}` is missing; scripts/setup.sh budget installs it")
    options.gatehouse = options.gatehouse.resolve()
    options.tools = options.tools.resolve()
    build_tools(options.tools)
    folder = options.keep or pathlib.Path(tempfile.mkdtemp(prefix="budget-", dir=options.tools))
    folder = folder.resolve()
    try:
        for part in ("calls", "counts"):
            (folder / part).mkdir(parents=True)
        calls = count_system_calls(options, folder / "calls") if options.calls_requests else None
        threads = count_with_callgrind(options, folder / "counts")
    finally:
        if not options.keep:
            shutil.rmtree(folder)
    rows = rows_of(threads)
    print_table(rows, threads, options.markdown)
    if calls is not None:
        named = ", ".join(f"{name} {count:.2f}" for name, count in calls.items() if count >= 0.005)
        print(f"\nsystem calls a request: {sum(calls.values()):.2f}; {named}")
    if options.top:
        print_top(threads, options.top, options.requests)
    if options.callers:
        print_callers(threads, options.callers, options.requests)
    old = json.loads(BUDGET.read_text()) if BUDGET.exists() else {}
    if options.update:
        write_budget(rows, calls, old)
        return
    if options.no_compare or not old:
        return
    problems = problems_of(rows, calls, old)
    for problem in problems:
        print(f"over budget: {problem}", file=sys.stderr)
    if problems:
        print("make it cheaper, or accept it with `make budget UPDATE=1`", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
