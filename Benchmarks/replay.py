#!/usr/bin/env python3
"""How many records a second `gatehouse replay` reads and decides on, on one core."""

import argparse
import json
import os
import pathlib
import resource
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
BUILD = ROOT / ".build/release"

STRICT = {
    "policy": "org-baseline",
    "rules": {
        "appInstanceUserId": {"prefix": "${tenant.id}-", "maxLength": 48},
        "name": {"forbidden": ["(?i)test"], "maxLength": 80, "trimmed": True, "singleScript": True},
        "tags": {
            "required": [
                {"key": "CostCenter", "values": ["4711", "48*"]},
                {"key": "Owner", "pattern": "[^@]+@example\\.com", "default": "${tenant.labels.owner}"},
            ],
            "allowedKeys": ["CostCenter", "Owner", "Env*"],
            "set": {"CreatedVia": "gatehouse/${tenant.id}"},
        },
        "expiration": {"required": True, "maxDays": 90, "defaultDays": 30},
        "metadata": {"maxBytes": 512, "format": "json"},
    },
}


def prepare(folder, tenants):
    entries = [
        {
            "id": f"t{number}",
            "accessKeys": [],
            "appInstances": ["arn:aws:chime:*:*:app-instance/*"],
            "labels": {"owner": f"t{number}@example.com"},
        }
        for number in range(tenants)
    ]
    (folder / "tenants.json").write_text(json.dumps({"tenants": entries}))
    (folder / "tenants.json").chmod(0o600)
    (folder / "policies").mkdir()
    (folder / "policies/strict.json").write_text(json.dumps(STRICT))
    (folder / "audit").mkdir()
    config = {
        "listeners": [{"address": "127.0.0.1:0"}],
        "upstream": {"region": "us-east-1"},
        "tenants": "tenants.json",
        "policies": "policies",
    }
    (folder / "gatehouse.json").write_text(json.dumps(config))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--tenants", type=int, default=20)
    options = parser.parse_args()
    scratch = ROOT / ".build/bench"
    scratch.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=scratch) as name:
        folder = pathlib.Path(name)
        prepare(folder, options.tenants)
        journal = folder / "audit/journal-0000000000000001.jsonl"
        with journal.open("wb") as out:
            subprocess.run(
                [BUILD / "JournalGenerator", str(options.records), str(options.tenants)], stdout=out, check=True
            )
        command = [BUILD / "gatehouse", "replay", "--against", "policies", "--format", "json"]
        began = time.monotonic()
        with (folder / "out").open("wb") as out:
            subprocess.run(
                command,
                cwd=folder,
                stdout=out,
                check=True,
                preexec_fn=lambda: os.sched_setaffinity(0, {min(os.sched_getaffinity(0))}),
            )
        seconds = time.monotonic() - began
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        with (folder / "out").open("rb") as out:
            summary = json.loads(out.readlines()[-1])["summary"]
        print(
            f"replay: {options.records} records ({journal.stat().st_size >> 20} MiB, {summary['requests']} requests,"
            f" {summary['changed']} changed) in {seconds:.1f} s: {options.records / seconds:,.0f} records/s,"
            f" {usage.ru_maxrss >> 10} MiB resident"
        )


if __name__ == "__main__":
    main()
