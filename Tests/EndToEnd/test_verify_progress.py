"""`audit verify` over a journal that takes a moment: what a person sees meanwhile."""

import hashlib
import os
import pty
import subprocess

import pytest

import gateways
from waiting import PATIENCE

RECORDS = 20_000


def digest(content):
    return "sha256:" + hashlib.sha256(content).hexdigest()


@pytest.fixture(scope="module")
def journal(tmp_path_factory):
    """A journal as the gateway would have written it, with its mark."""
    folder = tmp_path_factory.mktemp("journal")
    genesis = previous = digest(b"gatehouse audit journal, format 1")
    with (folder / "journal-0000000000000001.jsonl").open("wb") as segment:
        for sequence in range(1, RECORDS + 1):
            line = (
                f'{{"sequence":{sequence},"previous":"{previous}","recordVersion":1,"record":"outcome",'
                f'"requestId":"00000000-0000-4000-8000-{sequence:012}","time":"2026-11-23T13:00:00.123Z",'
                '"decision":"denied","outcome":"notForwarded"}'
            ).encode()
            segment.write(line + b"\n")
            previous = digest(line)
    mark = (
        f"gatehouse audit journal, format 1\nhead {RECORDS:016} {previous}\nbase {0:016} {genesis}\n"
    ).encode()
    (folder / "checkpoint.head").write_bytes(mark + f"check {digest(mark)}\n".encode())
    return folder


def verify(journal, **options):
    command = [gateways.BINARY, "audit", "verify", "--directory", journal]
    return subprocess.run(command, stdout=subprocess.PIPE, timeout=PATIENCE, check=False, **options)


def test_terminal_shows_a_bar_that_goes_away(journal):
    terminal, end = pty.openpty()
    done = verify(journal, stderr=end)
    os.close(end)
    shown = b""
    while True:
        try:
            shown += os.read(terminal, 65536)
        except OSError:  # the other end is closed and everything is read
            break
    os.close(terminal)
    assert done.returncode == 0 and b"good: 20000 records" in done.stdout
    assert b"40 % 8192 records checked" in shown and b"81 % 16384 records checked" in shown
    assert b"[" + b"#" * 24 + b" " * 6 + b"]" in shown
    assert shown.endswith(b"\r\x1b[K"), "the bar is taken away"


def test_without_a_terminal_there_is_none(journal):
    done = verify(journal, stderr=subprocess.PIPE)
    assert done.returncode == 0 and done.stderr == b""
