#!/usr/bin/env python3
"""Builds the fuzzer and runs its targets, one after the other, each for a while; see Fuzz/README.md.

Ends with a line for each target, and with 1 when one of them found something.
"""

import argparse
import os
import pathlib
import re
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
CORPORA = ROOT / "Fuzz/Corpora"
BUILD = ROOT / ".build-fuzz"
FINDINGS = BUILD / "findings"
TARGETS = sorted(folder.name for folder in CORPORA.iterdir())
# Inputs that stand elsewhere in the repository.
MORE_INPUTS = {"json": [ROOT / "Tests/Fixtures/json"]}
LONGEST_INPUT = {"sockets": 300, "globs": 120, "patterns": 120, "queries": 200, "forwarded": 500}
# Swift's own crash report can hang for minutes. What is held at the end is libFuzzer's corpus, no leak.
ENVIRONMENT = os.environ | {"SWIFT_BACKTRACE": "enable=no", "GATEHOUSE_FUZZ": "1", "ASAN_OPTIONS": "detect_leaks=0"}


def build():
    # lld, because gold cannot place the sanitizers' symbols.
    flags = ["-sanitize=fuzzer,address", "-use-ld=lld"]
    command = ["swift", "build", "-c", "release", "--product", "Fuzzer", "--scratch-path", BUILD]
    for flag in flags:
        command += ["-Xswiftc", flag]
    subprocess.run(command, cwd=ROOT, env=ENVIRONMENT, check=True)


def program(target):
    """The fuzzer under the target's name, by which it knows what to do."""
    link = BUILD / "programs" / target
    link.parent.mkdir(exist_ok=True)
    if not link.is_symlink():
        link.symlink_to(BUILD / "release/Fuzzer")
    return link


def command(target, seconds):
    grown = BUILD / "corpora" / target
    for folder in (grown, FINDINGS):
        folder.mkdir(parents=True, exist_ok=True)
    return [
        program(target),
        f"-max_total_time={seconds}",
        f"-max_len={LONGEST_INPUT.get(target, 1500)}",
        "-timeout=20",
        "-rss_limit_mb=2048",
        "-print_final_stats=1",
        f"-artifact_prefix={FINDINGS}/{target}-",
        grown,
        CORPORA / target,
        *MORE_INPUTS.get(target, ()),
    ]


def fuzz(target, seconds):
    """Returns what the run amounts to and where its finding is, if there is one."""
    log = BUILD / f"{target}.log"
    start = time.monotonic()
    with log.open("w") as out:
        code = subprocess.run(command(target, seconds), env=ENVIRONMENT, stdout=out, stderr=out).returncode
    took = max(time.monotonic() - start, 0.1)
    text = log.read_text(errors="replace")
    progress = re.findall(r"^#(\d+)\s.*\bcov: (\d+) ft: (\d+) corp: (\d+)", text, re.MULTILINE)
    executions, coverage, features, inputs = map(int, progress[-1]) if progress else (0, 0, 0, 0)
    written = re.search(r"Test unit written to (\S+)", text)
    summary = (
        f"{target:<12}{took:7.0f} s {executions:>12} executions {executions / took:>9.0f}/s"
        f" {coverage:>7} edges {features:>7} features {inputs:>6} inputs"
    )
    if code == 0:
        return summary + "   nothing found", False
    said = re.search(r"Fatal error: (.*)", text)
    lines = [summary + "   FOUND SOMETHING", f"  {said.group(1)}" if said else f"  see {log}"]
    if written:
        lines.append(f"  again: SWIFT_BACKTRACE=enable=no {program(target)} {written.group(1)}")
        lines.append(f"  when it is fixed, keep the input: mv {written.group(1)} {CORPORA / target}/")
    return "\n".join(lines), True


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--time", type=int, default=60, help="seconds for each target (default 60)")
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"of: {', '.join(TARGETS)} (default: all)")
    arguments = parser.parse_args()
    unknown = set(arguments.targets) - set(TARGETS)
    if unknown:
        parser.error(f"no target is named {', '.join(sorted(unknown))}; there are {', '.join(TARGETS)}")
    build()
    found = False
    for target in arguments.targets or TARGETS:
        summary, is_found = fuzz(target, arguments.time)
        found = found or is_found
        print(summary, flush=True)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
