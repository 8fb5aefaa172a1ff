#!/usr/bin/env python3
"""How fast a large journal is verified, indexed and searched, on one core."""

import argparse
import datetime
import json
import os
import pathlib
import statistics
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
BUILD = ROOT / ".build/release"
# About 128 MiB, as the gateway makes them by default.
RECORDS_PER_SEGMENT = 200_000
INSTANCE = "arn:aws:chime:us-east-1:123456789012:app-instance/0b7ad9a2-1c2d-4e3f-8a9b-0c1d2e3f4a5b"


def queries(tenant, user, number):
    """What is asked: `tenant` has many requests, `user` was created by the one with this number."""
    few = ["--limit", "20"]
    other = f"GHAK{100_000_001 + tenant}"
    # As JournalGenerator dates them: a hundred a second.
    moment = datetime.datetime(2026, 11, 23, 13) + datetime.timedelta(seconds=number // 100)
    start, end = (f"{moment + datetime.timedelta(seconds=more):%Y-%m-%dT%H:%M:%SZ}" for more in (0, 1))
    return {
        "nobody": ["--user-id", "nobody"],
        "--user-id": ["--user-id", user],
        "--user-arn": ["--user-arn", f"{INSTANCE}/user/{user}"],
        "--name": ["--name", f"Alice Example {number}"],
        "--actor": ["--actor", "alice@corp"],
        "--tenant": ["--tenant", f"t{tenant}", *few],
        "--access-key": ["--access-key", f"GHAK{100_000_000 + tenant}", *few],
        "--operation": ["--operation", "TagResource", *few],
        "--decision": ["--decision", "denied", *few],
        "--decision that never was": ["--decision", "throttled"],
        "--tag": ["--tag", "CostCenter=9999", *few],
        "--tag --tenant": ["--tag", "CostCenter=9999", "--tenant", f"t{tenant}", *few],
        "--tenant --operation --decision": [
            "--tenant", f"t{tenant}", "--operation", "CreateAppInstanceUser", "--decision", "denied", *few,
        ],
        "a tenant, another's key": ["--tenant", f"t{tenant}", "--access-key", other],
        "two tags that never meet": ["--tag", "CostCenter=4711", "--tag", "CostCenter=9999"],
        "--tag --operation that never meet": [
            "--tag", "Environment=production", "--operation", "TagResource",
        ],
        "--since --until, a second": ["--since", start, "--until", end],
        "--since": ["--since", start, *few],
        "--until": ["--until", start, *few],
        "--since in the future": ["--since", "2100-01-01T00:00:00Z"],
        "--limit": few,
    }  # fmt: skip


def prepare(folder):
    (folder / "tenants.json").write_text('{"tenants": []}')
    (folder / "tenants.json").chmod(0o600)
    for name in ("policies", "audit"):
        (folder / name).mkdir()
    config = {
        "listeners": [{"address": "127.0.0.1:0"}],
        "upstream": {"region": "us-east-1"},
        "tenants": "tenants.json",
        "policies": "policies",
    }
    (folder / "gatehouse.json").write_text(json.dumps(config))


def generate(audit, records, tenants):
    """Returns the journal's size in bytes."""
    command = [BUILD / "JournalGenerator", str(records), str(tenants)]
    size = written = 0
    segment = None
    with subprocess.Popen(command, stdout=subprocess.PIPE, bufsize=1 << 20) as generator:
        for line in generator.stdout:
            if written % RECORDS_PER_SEGMENT == 0:
                if segment:
                    segment.close()
                segment = (audit / f"journal-{written + 1:016}.jsonl").open("wb", buffering=1 << 20)
            segment.write(line)
            written += 1
            size += len(line)
    segment.close()
    if generator.returncode != 0 or written != records:
        raise SystemExit("the journal could not be made")
    return size


def run(folder, *arguments):
    """Wall seconds, CPU seconds, resident KiB and standard output of one command on one core."""
    command = [BUILD / "gatehouse", *arguments]
    core = min(os.sched_getaffinity(0))
    began = time.monotonic()
    process = subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        preexec_fn=lambda: os.sched_setaffinity(0, {core}),
    )  # fmt: skip
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.monotonic() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, command))} exited with {process.returncode}")
    return seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss, output


def report(what, records, seconds, cpu, resident):
    print(
        f"{what}: {seconds:.1f} s, {cpu:.1f} s of CPU, {records / cpu:,.0f} records per second of CPU,"
        f" {resident >> 10} MiB resident",
        flush=True,
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=10_000_000)
    parser.add_argument("--tenants", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=5, help="of each query")
    parser.add_argument("--directory", type=pathlib.Path, default=ROOT / ".build/bench")
    options = parser.parse_args()
    options.directory.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=options.directory) as name:
        folder = pathlib.Path(name)
        prepare(folder)
        size = generate(folder / "audit", options.records, options.tenants)
        print(f"{options.records} records, {size / 2**30:.1f} GiB, {options.tenants} tenants")

        seconds, cpu, resident, output = run(folder, "audit", "verify", "--format", "json")
        assert json.loads(output)["records"] == options.records
        report("verify", options.records, seconds, cpu, resident)

        ask = ["audit", "query", "--format", "json"]
        seconds, cpu, resident, _ = run(folder, *ask, "--limit", "1")
        report("first query, which makes the index", options.records, seconds, cpu, resident)
        index = (folder / "audit/index.sqlite").stat().st_size
        print(f"index: {index / 2**20:.0f} MiB, {index / options.records:.0f} bytes a record")

        number = options.records // 4
        created = json.loads(run(folder, *ask, "--name", f"Alice Example {number}")[3])
        asked = queries(options.tenants // 12, created["appInstanceUserId"], number)
        for label, filters in asked.items():
            rounds = [run(folder, *ask, *filters) for _ in range(options.rounds)]
            found = len(rounds[0][3].splitlines())
            wall = statistics.median(seconds for seconds, _, _, _ in rounds)
            cpu = statistics.median(cpu for _, cpu, _, _ in rounds)
            print(f"query {label:<35} {1000 * wall:6.0f} ms, {1000 * cpu:4.0f} ms of CPU, {found} found", flush=True)


if __name__ == "__main__":
    main()
