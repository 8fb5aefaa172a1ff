#!/usr/bin/env python3
"""Runs the release binary for minutes under everything at once, and then checks that nothing was lost.

Several tenants call in every way that the gateway answers differently; upstream fails, throttles, resets and is slow; the
configuration is reloaded, now and then with a mistake in it; the journal's disk fills and empties. Memory and descriptors
are looked at all the while. See docs/architecture.md, "Tests that take longer".
"""

import argparse
import collections
import contextlib
import json
import pathlib
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "EndToEnd"))

import callers
import disks
import faults
import gateways
import measures
import stores
from waiting import until

PAUSE = 2
"""Seconds between two looks at the process, and between two decisions about what to disturb."""


def configure(folder, disk, upstream, store):
    setup = gateways.Setup(folder, upstream.url, upstream.key)
    setup.config["audit"] = {"directory": str(disk.folder / "audit"), "segmentSize": "16MiB", "minimumFreeSpace": "1MiB"}
    # What is remembered of repeats is at its full size after this time, and memory flat from then on.
    setup.config["authentication"] = {"replayWindow": "30s"}
    setup.config["upstream"]["requestTimeout"] = "5s"
    setup.config["upstream"]["circuitBreaker"] = {"consecutiveFailures": 5, "openFor": "1s"}
    if store:
        setup.config["rateLimit"]["store"] = {"type": "redis", "url": store.url()}
    setup.tenants = callers.tenants()
    setup.policies = callers.policies()
    return setup


def soak(gateway, crowd, disturbance, seconds, tell):
    """Returns what was seen of the process, one sample every `PAUSE`."""
    samples = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(PAUSE)
        assert gateway.process.poll() is None, f"it ended: {''.join(gateway.log_text[-20:])}"
        samples.append(measures.Sample.of(gateway.process.pid))
        said = disturbance.step()
        if said or len(samples) % 30 == 0:
            tell(f"{said or 'on and on'}; {crowd.summary()}; {samples[-1]}")
    disturbance.calm()
    return samples


def wait_until_well(gateway, crowd):
    """Until it is ready and serves, with nobody but us calling."""
    crowd.stop()
    until(lambda: gateway.admin_request("/readyz").status == 200, "it does not get ready again")
    until(lambda: crowd.one_more(gateway).status == 201, "it does not serve again")


def check_records(setup, crowd, upstream):
    """Every answer has its record, which says what the caller was told; every forwarded request has its intent."""
    code, verdict = setup.verify()
    assert code == 0 and verdict["ok"], verdict
    records = {record["requestId"]: record for record in setup.audit("--limit", "100000000")}
    lines = [json.loads(line) for line in setup.journal_lines()]
    kinds = collections.Counter(line["record"] for line in lines)
    # Beyond `audit.refusals`, and while the disk is nearly full, what was not forwarded is told by number; so are repeats
    # that were answered with what the first one got. That each forwarded one is there, is looked at below.
    suppressed = sum(line["count"] for line in lines if line["record"] == "suppressed")
    unrecorded = [answer for request, answer in crowd.answers.items() if request not in records]
    # While the disk is full a refusal's record has nowhere to go; a forwarded request's has.
    told = [answer for answer in unrecorded if answer.status != 503]
    assert len(told) <= suppressed, f"{len(told)} answers without a record, {suppressed} suppressed ones"
    differing = []
    unfinished = 0
    for request, answer in crowd.answers.items():
        record = records.get(request)
        if record is None:
            continue
        if record["status"] is None:
            unfinished += 1
        elif (record["status"], record.get("tenant")) != (answer.status, answer.tenant):
            differing.append((request, answer, record))
    assert not differing, differing[:3]
    created = {record["appInstanceUserId"] for record in records.values() if record["outcome"] == "created"}
    lost = crowd.created - created - {
        record["appInstanceUserId"] for record in records.values() if record["status"] is None
    }
    assert not lost, f"{len(lost)} users of whom callers were told are not recorded as created: {sorted(lost)[:5]}"
    unknown = upstream.users - {record["appInstanceUserId"] for record in records.values()}
    assert not unknown, f"reached upstream without a record: {sorted(unknown)[:5]}"
    return records, kinds, len(unrecorded), unfinished


def check_counts(setup, crowd, records, unrecorded):
    """Queries by tenant and decision add up to the records, and the records to what callers saw."""
    listed = collections.Counter((record.get("tenant"), record["decision"]) for record in records.values())
    for tenant, decision in listed:
        filters = ("--decision", decision, *(("--tenant", tenant) if tenant else ()))
        found = sum(record.get("tenant") == tenant for record in setup.audit(*filters, "--limit", "100000000"))
        assert found == listed[tenant, decision], (tenant, decision, found, listed[tenant, decision])
    # Whoever was cut off while the load was stopped has a record and no answer that we saw.
    surplus = len(records) - (len(crowd.answers) - unrecorded)
    assert 0 <= surplus <= crowd.unanswered, f"{surplus} records too many, {crowd.unanswered} calls unanswered"
    return listed


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--rate", type=float, default=150, help="requests a second, all callers together")
    parser.add_argument("--store", action="store_true", help="count limits in a Redis, which fails as well")
    arguments = parser.parse_args()
    disks.have_mounts()
    begin = time.monotonic()

    def tell(text):
        print(f"{time.monotonic() - begin:7.0f} s  {text}", flush=True)

    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
        upstream = stack.enter_context(faults.Upstream())
        store = stack.enter_context(stores.running()) if arguments.store else None
        with disks.SmallDisk(folder / "disk") as disk:
            setup = configure(folder / "gateway", disk, upstream, store)
            with gateways.running(setup) as gateway:
                crowd = callers.Crowd(gateway.address, arguments.rate)
                disturbance = faults.Disturbance(gateway, upstream, disk, store)
                samples = soak(gateway, crowd, disturbance, arguments.minutes * 60, tell)
                wait_until_well(gateway, crowd)
            records, kinds, unrecorded, unfinished = check_records(setup, crowd, upstream)
            counted = check_counts(setup, crowd, records, unrecorded)
            memory, descriptors = measures.check(samples)
    tell(f"answers: {crowd.summary()}; unanswered {crowd.unanswered}")
    tell(f"disturbances: {disturbance.summary()}; upstream's answers: {upstream.summary()}")
    tell(f"records: {dict(kinds)}; answers without record (503, full disk): {unrecorded}; unfinished: {unfinished}")
    tell(f"counts: { {f'{tenant}/{decision}': count for (tenant, decision), count in sorted(counted.items(), key=str)} }")
    tell(f"memory: {memory}")
    tell(f"descriptors: {descriptors}")
    tell("nothing lost, nothing grown")


if __name__ == "__main__":
    main()
