#!/usr/bin/env python3
"""What one request costs, counted: instructions, mallocs, retains and releases by thread and by stage, system calls.

Compares with budget.json and fails when a number has risen. See README.md for how it is counted and how to read it.
"""

import argparse
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import callgrind
import counting
from counting import COUNTS
from load import Load
from proxies import REPOSITORY
from stages import OFTEN_INLINED

BUDGET = pathlib.Path(__file__).parent / "budget.json"
README = pathlib.Path(__file__).parent / "README.md"
MARKS = ("<!-- written by make budget UPDATE=1 -->", "<!-- to here -->")

# How much a number may be above the budget. The sizes of batches and the number of system calls depend on who is faster.
TOLERANCE = 0.03
TOLERANCES = {"journal": 0.05}
# Shown and not held to: how many records the index takes at a time hangs on what else the machine does.
SHOWN = {"index, beside the load"}
CALL_TOLERANCE = 0.25
# Below this, one more or less is no rise.
LEAST = {"instructions": 200, "mallocs": 0.3, "retains": 1, "releases": 1, "system calls": 0.3}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gatehouse", type=pathlib.Path, default=REPOSITORY / ".build/release/gatehouse")
    parser.add_argument("--tools", type=pathlib.Path, default=REPOSITORY / ".build/bench", help=argparse.SUPPRESS)
    parser.add_argument("--update", action="store_true", help="write the counts to budget.json and README.md")
    parser.add_argument("--no-compare", action="store_true", help="only print")
    parser.add_argument("--top", type=int, metavar="N", help="also print each thread's N costliest functions")
    parser.add_argument("--callers", metavar="PATTERN", help="also print who calls the functions that match, how often")
    parser.add_argument("--markdown", action="store_true", help="print the tables as Markdown")
    parser.add_argument("--requests", type=int, default=2048, help="counted under callgrind")
    parser.add_argument("--warmup", type=int, default=512, help="sent before them")
    parser.add_argument("--backlog", type=int, default=8192, help="of which the system calls and the index are counted")
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--store", metavar="URL", help="count limits in this Redis; nothing is compared then")
    parser.add_argument("--watchers", type=int, default=0, metavar="N", help="as many watch the live requests of the dashboard")
    parser.add_argument("--keep", type=pathlib.Path, metavar="FOLDER", help="keep callgrind's dumps there")
    return parser.parse_args()


def build_tools(folder):
    """Makes the load generator and the upstream."""
    folder.mkdir(parents=True, exist_ok=True)
    sources = REPOSITORY / "Benchmarks"
    for name, files, libraries in (("upstream", ["upstream.c"], []), ("load", ["load.c", "requests.c"], ["-lssl", "-lcrypto"])):
        program = folder / name
        inputs = [sources / file for file in files]
        if program.exists() and all(program.stat().st_mtime > file.stat().st_mtime for file in inputs):
            continue
        subprocess.run(["cc", "-O2", "-Wall", "-Wextra", "-o", program, *inputs, *libraries], check=True)


def table(counts, markdown):
    line = "| {} | {} | {} | {} | {} |" if markdown else "{:<24} {:>12} {:>8} {:>8} {:>8}"
    lines = [line.format("a request", *COUNTS)]
    if markdown:
        lines.append("| --- |" + " ---: |" * len(COUNTS))
    for name, row in [*counts.rows.items(), *counts.left_out.items()]:
        cells = (f"{row[count]:.1f}" for count in COUNTS[1:])
        lines.append(line.format(name, f"{row['instructions']:.0f}", *cells))
    return "\n".join(lines)


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
            if name.removeprefix("loop: ") not in {*OFTEN_INLINED, callgrind.REST}:
                problems.append(f"{name}: not found any more")
            continue
        for count in COUNTS if name not in SHOWN else ():
            compare(name, count, now[count], allowed[count], TOLERANCES.get(name, TOLERANCE))
    compare("all threads", "system calls", sum(calls.values()), budget["systemCalls"], CALL_TOLERANCE)
    return problems


def write_budget(rows, calls):
    budget = {
        "rows": {name: {count: round(value, 1) for count, value in counts.items()} for name, counts in rows.items()},
        "systemCalls": round(sum(calls.values()), 2),
    }
    BUDGET.write_text(json.dumps(budget, indent=2) + "\n")


def write_readme(text):
    """Puts the table into README.md, between its marks."""
    head, rest = README.read_text().split(MARKS[0])
    _, tail = rest.split(MARKS[1])
    README.write_text(f"{head}{MARKS[0]}\n\n{text}\n\n{MARKS[1]}{tail}")


def main():
    options = arguments()
    for program in ("valgrind", "callgrind_control", "strace", "cc"):
        if shutil.which(program) is None:
            raise SystemExit(f"`{program}` is missing; scripts/setup.sh budget installs it")
    options.gatehouse = options.gatehouse.resolve()
    options.tools = options.tools.resolve()
    build_tools(options.tools)
    # One for all: its requests are signed anew, and have tokens of their own.
    options.load = Load(options.tools)
    folder = (options.keep or pathlib.Path(tempfile.mkdtemp(prefix="budget-", dir=options.tools))).resolve()
    try:
        for part in ("calls", "counts"):
            (folder / part).mkdir(parents=True)
        calls, backlog = counting.count_system_calls(options, folder / "calls")
        seconds = counting.count_with_callgrind(options, folder / "counts", backlog)
        counts = counting.Counts(folder / "counts", options, seconds)
    finally:
        if not options.keep:
            shutil.rmtree(folder)
    print(table(counts, options.markdown))
    named = ", ".join(f"{name} {count:.2f}" for name, count in calls.items() if count >= 0.005)
    system = f"system calls a request: {sum(calls.values()):.2f}; {named}"
    print(f"\n{system}")
    if options.top:
        print_top(counts.load, options.top, options.requests)
    if options.callers:
        print_callers(counts.load, options.callers, options.requests)
    if options.update:
        write_budget(counts.rows, calls)
        return write_readme(f"{table(counts, markdown=True)}\n\n{system[0].upper()}{system[1:]}.")
    if options.no_compare or options.store:
        return
    problems = problems_of(counts.rows, calls, json.loads(BUDGET.read_text()))
    for problem in problems:
        print(f"over budget: {problem}", file=sys.stderr)
    if problems:
        print("make it cheaper, or accept it with `make budget UPDATE=1`", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
