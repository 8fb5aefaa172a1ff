"""A disk that takes what is written and never says that it is there: requests and drain do not wait for it."""

import json
import shutil
import subprocess

import pytest

import gateways
import service
import wire
from checks import assert_refused
from gateways import CRM
from waiting import until

# Hangs in fdatasync of a segment while the file named by $SILENT_DISK is there. In that of the mark beside the segments
# it does not: then no intent would be under way, and which one comes first is chance.
SHIM = r"""
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int is_segment(int file) {
  char link[64], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  ssize_t count = readlink(link, path, sizeof path - 1);
  path[count < 0 ? 0 : count] = 0;
  return strstr(path, ".jsonl") != NULL;
}

int fdatasync(int file) {
  const char *mark = getenv("SILENT_DISK");
  while (mark && is_segment(file) && access(mark, F_OK) == 0) usleep(10000);
  return (int)syscall(SYS_fdatasync, file);
}
"""


@pytest.fixture(scope="module")
def shim(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shim")
    source = folder / "shim.c"
    source.write_text(SHIM)
    compiler = shutil.which("cc") or shutil.which("clang")
    assert compiler, "a C compiler comes with what Swift needs to link"
    subprocess.run([compiler, "-shared", "-fPIC", "-o", folder / "shim.so", source], check=True)
    return folder / "shim.so"


@pytest.fixture
def silence(tmp_path):
    """The file that silences the disk; whatever a test does, it goes at the end."""
    path = tmp_path / "silence"
    yield path
    path.unlink(missing_ok=True)


def start(make_setup, shim, silence, **config):
    setup = make_setup(**config)
    # Time enough for a good disk of a busy machine.
    setup.config["upstream"]["requestTimeout"] = "3s"
    return gateways.Gateway(setup, environment={"LD_PRELOAD": str(shim), "SILENT_DISK": str(silence)})


def create(user):
    return wire.signed_create(CRM, service.create_user(AppInstanceUserId=user))


def wait_until_ready(gateway, expected):
    until(lambda: gateway.admin_request("/readyz").status == expected, "readiness does not change")
    return gateway.admin_request("/readyz")


def wait_until_written(gateway, records):
    """Until the writer has nothing under way: otherwise the disk may hang in an outcome, and no intent is begun."""
    line = f"gatehouse_audit_records_total {records}\n"
    until(lambda: line in gateway.admin_request("/metrics").body.decode(), f"not {records} records written")


def test_requests_are_refused_until_the_disk_answers(make_setup, upstream, shim, silence):
    gateway = start(make_setup, shim, silence)
    assert gateway.send(create("crm-before")).status == 201
    wait_until_written(gateway, 2)
    upstream.clear()
    silence.touch()
    with gateway.connect() as first, gateway.connect() as second:
        first.send(create("crm-first"))
        # It is written, and the disk does not say so.
        until(lambda: b"crm-first" in gateway.setup.journal_bytes(), "no intent was begun")
        second.send(create("crm-second"))
        answers = [first.read(), second.read()]
    answers.append(gateway.send(create("crm-third")))
    for answer in answers:
        assert_refused(answer, 503, "ServiceUnavailableException", "ServiceUnavailable")
        assert "nothing was forwarded" in answer.message
    readiness = wait_until_ready(gateway, 503)
    assert "the disk does not answer" in readiness.body.decode()

    silence.unlink()
    wait_until_ready(gateway, 200)
    assert gateway.send(create("crm-after")).status == 201
    gateway.stop()
    assert [request.json["AppInstanceUserId"] for request in upstream.requests] == ["crm-after"]
    records = gateway.setup.audit()
    outcomes = {record["appInstanceUserId"]: (record["decision"], record["outcome"]) for record in records}
    refused = ("refused", "notForwarded")
    assert len(records) == 5 and outcomes == {
        "crm-before": ("allowed", "created"),
        "crm-first": refused,
        "crm-second": refused,
        "crm-third": refused,
        "crm-after": ("allowed", "created"),
    }
    lines = [json.loads(line) for line in gateway.setup.journal_lines()]
    late = [line for line in lines if line["record"] == "intent" and line["appInstanceUserId"] == "crm-first"]
    assert len(late) == 1, "it came to disk after all"
    assert gateway.setup.verify()[0] == 0


def test_drain_does_not_wait_for_the_disk(make_setup, upstream, shim, silence):
    gateway = start(make_setup, shim, silence, drainTimeout="2s")
    silence.touch()
    with gateway.connect() as connection:
        connection.send(create("crm-first"))
        assert connection.read().status == 503
    gateway.stop()
    assert any("does not answer" in record.get("message", "") for record in gateway.log)
    assert upstream.requests == []
    # What is not told is not lost: the intent came to the file, and nothing was made of it.
    assert gateway.setup.verify()[0] == 0
