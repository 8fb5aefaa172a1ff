"""Somebody else changes the journal's folder while it is written, or the machine's clock: nothing goes unnoticed."""

import json
import os
import shutil
import signal
import subprocess

import pytest

import gateways
import service
import wire
from checks import assert_refused
from gateways import CRM
from waiting import until


def create(**changes):
    return wire.signed_create(CRM, service.create_user(**changes))


def removes(segment):
    segment.unlink()


def renames(segment):
    segment.rename(segment.with_name("elsewhere"))


def replaces(segment):
    other = segment.with_name("other")
    shutil.copy(segment, other)
    os.replace(other, segment)


def empties(segment):
    os.truncate(segment, 0)


def cuts(segment):
    os.truncate(segment, segment.stat().st_size - 1)


def renames_folder(segment):
    segment.parent.rename(segment.parent.with_name("moved"))


def check_nothing_is_served(gateway, upstream):
    served = len(upstream.requests)
    for _ in range(3):
        assert_refused(gateway.send(create()), 503, "ServiceUnavailableException", "ServiceUnavailable")
    assert len(upstream.requests) == served, "nothing was forwarded"
    until(lambda: gateway.admin_request("/readyz").status == 503, "it must be unready")
    detail = gateway.admin_request("/readyz").json["checks"]["journal"]["detail"]
    assert "while it was written" in detail or "no longer in the directory" in detail
    gateway.wait_for_log(lambda line: "SIGUSR1" in line.get("event", ""), "what is wrong and the way back")


@pytest.mark.parametrize("deed", [removes, renames, replaces])
def test_segment_that_is_taken_away_stops_service_until_it_is_written_anew(make_setup, upstream, deed):
    setup = make_setup()
    with gateways.running(setup) as gateway:
        users = [gateway.send(create()).status for _ in range(5)]
        assert users == [201] * 5
        deed(setup.segments()[0])
        check_nothing_is_served(gateway, upstream)
        gateway.signal(signal.SIGUSR1)
        until(lambda: gateway.send(create()).status == 201, "SIGUSR1 is the way back")
        until(lambda: gateway.admin_request("/readyz").status == 200, "all is well again")
        gateway.wait_for_log(lambda line: "written again" in line.get("event", ""), "the end")
    code, answer = setup.verify()
    assert code == 0, answer
    created = [record for record in setup.audit() if record["outcome"] == "created"]
    assert len(created) == len(upstream.requests)


def test_segment_that_is_put_back_is_gone_on_with(make_setup, upstream):
    setup = make_setup()
    with gateways.running(setup) as gateway:
        assert gateway.send(create()).status == 201
        segment = setup.segments()[0]
        renames(segment)
        check_nothing_is_served(gateway, upstream)
        segment.with_name("elsewhere").rename(segment)
        until(lambda: gateway.admin_request("/readyz").status == 200, "without any request")
        assert gateway.send(create()).status == 201
    code, answer = setup.verify()
    assert code == 0, answer


def test_folder_that_is_renamed_stops_service_until_it_is_back(make_setup, upstream):
    setup = make_setup()
    with gateways.running(setup) as gateway:
        assert gateway.send(create()).status == 201
        folder = setup.audit_folder
        renames_folder(setup.segments()[0])
        check_nothing_is_served(gateway, upstream)
        folder.with_name("moved").rename(folder)
        until(lambda: gateway.send(create()).status == 201, "it is back")
    code, answer = setup.verify()
    assert code == 0, answer


@pytest.mark.parametrize("deed", [removes, replaces])
def test_drain_puts_the_segment_back_so_that_the_next_start_is_good(make_setup, upstream, deed):
    setup = make_setup()
    with gateways.running(setup) as gateway:
        assert gateway.send(create()).status == 201
        deed(setup.segments()[0])
        check_nothing_is_served(gateway, upstream)
    code, answer = setup.verify()
    assert code == 0, answer
    with gateways.running(setup) as gateway:
        assert gateway.send(create()).status == 201


@pytest.mark.parametrize("deed", [empties, cuts])
def test_segment_that_is_cut_stays_refused_and_the_next_start_says_what_to_do(make_setup, upstream, deed):
    setup = make_setup()
    with gateways.running(setup) as gateway:
        for _ in range(3):
            assert gateway.send(create()).status == 201
        deed(setup.segments()[0])
        check_nothing_is_served(gateway, upstream)
        gateway.signal(signal.SIGUSR1)
        check_nothing_is_served(gateway, upstream)
    result = setup.command("serve")
    assert result.returncode == 1
    assert "rename it, and the next start makes a new one" in result.stderr, result.stderr
    setup.audit_folder.rename(setup.audit_folder.with_name("evidence"))
    with gateways.running(setup) as gateway:
        assert gateway.send(create()).status == 201


CLOCK = r"""
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t clock, struct timespec *now) {
  const char *ahead = getenv("CLOCK_AHEAD");
  int result = (int)syscall(SYS_clock_gettime, clock, now);
  if (result == 0 && clock == CLOCK_REALTIME && ahead) now->tv_sec += atol(ahead);
  return result;
}
"""


@pytest.fixture
def clock_shim(tmp_path):
    source = tmp_path / "clock.c"
    source.write_text(CLOCK)
    compiler = shutil.which("cc") or shutil.which("clang")
    assert compiler, "a C compiler comes with what Swift needs to link"
    subprocess.run([compiler, "-shared", "-fPIC", "-o", tmp_path / "clock.so", source], check=True)
    return tmp_path / "clock.so"


def test_clock_that_is_ahead_for_one_start_removes_nothing(make_setup, upstream, clock_shim):
    setup = make_setup()
    with gateways.running(setup) as gateway:
        for number in range(6):
            assert gateway.send(create()).status == 201
            gateway.signal(signal.SIGUSR1)
            until(lambda: len(setup.segments()) >= number + 1, "a segment each")
            gateway.wait_for_log(
                lambda line: line["message"] == "the next record begins a new journal segment", "the rotation"
            )
    before = setup.segments()
    environment = {"LD_PRELOAD": str(clock_shim), "CLOCK_AHEAD": str(401 * 86_400)}
    with gateways.running(setup, environment=environment) as gateway:
        gateway.wait_for_log(lambda line: "clock is" in line.get("event", ""), "the clock")
        gateway.wait_for_log(lambda line: line["message"] == "ready", "the start")
    assert set(before) <= set(setup.segments())
    assert not any(json.loads(line)["record"] == "expired" for line in setup.journal_lines())
    code, answer = setup.verify()
    assert code == 0, answer


def test_removal_by_retention_is_logged(make_setup, upstream):
    setup = make_setup()
    setup.config["audit"] |= {"segmentSize": "1KiB", "retain": "1s"}
    with gateways.running(setup) as gateway:
        assert gateway.send(create()).status == 201
        gateway.wait_for_log(lambda line: "retention removed" in line.get("event", ""), "the removal")
    code, answer = setup.verify()
    assert code == 0, answer
