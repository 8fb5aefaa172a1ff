"""What readers of the journal do when somebody has altered it: they say so, and take nothing for good that is not."""

import gzip
import hashlib
import json
import shutil
import signal

import pytest

import gateways
import service
import upstreams
import wire
from gateways import CRM
from load import Load
from waiting import until

USERS = [f"crm-{number}" for number in range(1, 7)]


@pytest.fixture(scope="module")
def written(tmp_path_factory, endpoint):
    """A journal of six creations in two segments, whose gateway has stopped."""
    setup = gateways.Setup(tmp_path_factory.mktemp("written"), endpoint.url, upstreams.KEY)
    endpoint.clear()
    with gateways.running(setup) as gateway:
        for user in USERS:
            with gateway.connect() as connection:
                connection.exchange(wire.signed_create(CRM, service.create_user(AppInstanceUserId=user)))
            if user == USERS[2]:
                setup.concluded(3)
                gateway.signal(signal.SIGUSR1)
    assert setup.verify()[1]["segments"] == 2
    return setup


@pytest.fixture
def journal(written, tmp_path):
    """A copy of it to be altered; with the index or without."""
    folder = tmp_path / "copy"
    shutil.copytree(written.folder, folder)
    setup = gateways.Setup(folder, written.config["upstream"]["endpoint"], upstreams.KEY)
    setup.config = written.config
    return setup


def segments(setup):
    return sorted(setup.audit_folder.glob("journal-*.jsonl"))


def records(setup):
    """Each record with the segment, and where its line begins there."""
    found = []
    for path in segments(setup):
        offset = 0
        for line in path.read_bytes().splitlines(keepends=True):
            found.append((path, offset, json.loads(line)))
            offset += len(line)
    return found


def alter(setup, is_meant, old, new):
    """Replaces `old` by `new` in the first record that is meant; returns that record's number and segment."""
    path, offset, record = next(entry for entry in records(setup) if is_meant(entry[2]))
    content = path.read_bytes()
    at = content.index(old, offset)
    assert b"\n" not in content[offset:at]
    path.write_bytes(content[:at] + new + content[at + len(old):])
    return record["sequence"], path.name


def is_record(kind, user):
    known = {}

    def look(record):
        if "appInstanceUserId" in record:
            known[record["requestId"]] = record["appInstanceUserId"]
        return record["record"] == kind and known.get(record.get("requestId")) == user

    return look


def query(setup, *options, form="json"):
    result = setup.command("audit", "query", "--format", form, *options)
    return result.returncode, result.stdout, result.stderr


def append(setup, body):
    """A record behind the last, chained as the gateway does it."""
    path = segments(setup)[-1]
    last = path.read_bytes().splitlines()[-1]
    head = {"sequence": json.loads(last)["sequence"] + 1, "previous": "sha256:" + hashlib.sha256(last).hexdigest()}
    line = json.dumps({**head, "recordVersion": 1, **body}, separators=(",", ":"))
    path.write_bytes(path.read_bytes() + line.encode() + b"\n")


# Export.


@pytest.mark.parametrize("form", ["csv", "ocsf", "cloudtrail"])
@pytest.mark.parametrize("options", [(), ("--since", "1h"), ("--until", "2020-01-01T00:00:00Z")])
@pytest.mark.parametrize("names_folder", [False, True])
def test_export_stops_at_the_first_record_that_does_not_hold(journal, tmp_path, form, options, names_folder):
    sequence, segment = alter(journal, is_record("intent", USERS[3]), b'"Alice Example"', b'"Malik Example"')
    if names_folder:
        options = (*options, "--directory", journal.audit_folder)
    out = tmp_path / "out"
    result = journal.command("audit", "export", "--as", form, "--output", out, *options)
    assert result.returncode == 1 and result.stdout == ""
    assert segment in result.stderr and f"record {sequence} was altered" in result.stderr
    files = [path for path in out.rglob("*") if path.is_file()]
    assert not any("Digest" in path.name or path.name.endswith((".csv", ".jsonl", ".sig")) for path in files)
    assert not any(b"Malik" in gzip.decompress(path.read_bytes()) for path in files)


@pytest.mark.parametrize(
    "kind,old,new",
    [("outcome", b'"outcome":"created"', b'"outcome":"deleted"'), ("outcome", b'"status":201', b'"status":200'),
     ("intent", b'"sourceIp":"127.0.0.1"', b'"sourceIp":"10.200.30.4"'), ("intent", b'{"sequence"', b'["sequence"')],
)
def test_export_finds_any_change(journal, tmp_path, kind, old, new):
    sequence, segment = alter(journal, is_record(kind, USERS[1]), old, new)
    result = journal.command("audit", "export", "--as", "csv", "--output", tmp_path / "out")
    assert result.returncode == 1 and segment in result.stderr and f"record {sequence}" in result.stderr
    assert list((tmp_path / "out").iterdir()) == []


def test_export_of_before_stays(journal, tmp_path):
    assert journal.command("audit", "export", "--as", "csv", "--output", tmp_path).returncode == 0
    before = (tmp_path / "gatehouse.csv").read_bytes()
    alter(journal, is_record("intent", USERS[3]), b"Alice", b"Malik")
    assert journal.command("audit", "export", "--as", "csv", "--output", tmp_path).returncode == 1
    assert (tmp_path / "gatehouse.csv").read_bytes() == before


def test_export_notices_what_is_cut_off(journal, tmp_path):
    path = segments(journal)[-1]
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:-1]))
    result = journal.command("audit", "export", "--as", "ocsf", "--output", tmp_path / "out")
    assert result.returncode == 1 and "it was longer" in result.stderr


def test_export_takes_a_torn_line_for_the_end(journal, tmp_path):
    # What a crash leaves is no forgery: it was never acknowledged.
    path = segments(journal)[-1]
    path.write_bytes(path.read_bytes() + b'{"sequence":99')
    result = journal.command("audit", "export", "--as", "csv", "--output", tmp_path / "out")
    assert result.returncode == 0, result.stderr
    assert "being written when the gateway stopped" in result.stderr


def test_export_by_folder_alone(journal, tmp_path):
    result = gateways.run(
        "audit", "export", "--directory", journal.audit_folder, "--as", "cloudtrail", "--output", tmp_path / "out",
        cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    account = service.ACCOUNT.split(":")[4]
    assert list((tmp_path / f"out/AWSLogs/{account}/CloudTrail-Digest/us-east-1").rglob("*.json.gz"))


# Query.


@pytest.mark.parametrize("kind,old,new", [
    ("intent", b"Alice", b"Malik"), ("outcome", b'"status":201', b'"status":200'),
    ("intent", b'"accessKeyId"', b'"xccessKeyId"'), ("outcome", b"}\n", b" \n")])
@pytest.mark.parametrize("has_index", [True, False])
@pytest.mark.parametrize("user", [USERS[0], USERS[2], USERS[5]])
def test_query_marks_what_was_altered(journal, kind, old, new, has_index, user):
    # The last record of a segment and of the journal are among these.
    assert query(journal)[0] == 0
    if not has_index:
        for path in journal.audit_folder.glob("index.sqlite*"):
            path.unlink()
    sequence, _ = alter(journal, is_record(kind, user), old, new)
    if old == b"}\n":
        return assert_is_said(journal)
    code, out, err = query(journal)
    found = [json.loads(line) for line in out.splitlines()]
    assert code == 1 and f"record {sequence} was altered" in err
    assert {entry["appInstanceUserId"]: entry.get("integrity") for entry in found} == {
        each: "altered" if each == user else None for each in USERS}
    code, out, err = query(journal, "--user-id", user, "--limit", "1", form="text")
    assert code == 1 and out.splitlines()[1].startswith("ALTERED ") and f"record {sequence}" in err
    assert query(journal, "--user-id", next(each for each in USERS if each != user))[::2] == (0, "")
    code, out, _ = query(journal, "--user-id", user, form="csv")
    assert code == 1 and out.splitlines()[0].endswith(",integrity") and out.splitlines()[1].endswith(",altered")


def assert_is_said(journal):
    code, _, err = query(journal)
    assert code == 1 and "verify" in err


def test_query_by_folder_alone(journal, tmp_path):
    result = gateways.run(
        "audit", "query", "--directory", journal.audit_folder, "--format", "json", "--user-id", USERS[1], cwd=tmp_path)
    assert result.returncode == 0 and json.loads(result.stdout)["appInstanceUserId"] == USERS[1]
    result = gateways.run("audit", "query", "--directory", "x", "--from", "postgres", cwd=tmp_path)
    assert result.returncode == 64 and "one of them" in result.stderr


def test_query_says_when_nothing_vouches_for_a_record(journal):
    path = segments(journal)[-1]
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:-1]))
    code, out, err = query(journal)
    assert code == 1 and "cut or moved" in err
    assert json.loads(out.splitlines()[-1])["integrity"] == "unproven"


def test_query_marks_nothing_while_a_gateway_writes(make_setup, upstream):
    setup = make_setup()
    setup.config["audit"].update(segmentSize="64KiB")
    with gateways.running(setup) as gateway:
        load = Load(gateway, threads=4)
        for _ in range(12):
            load.wait_for(40)
            for options in ((), ("--limit", "3")):
                code, out, err = query(setup, *options)
                assert (code, "integrity" in out) == (0, False), err
        load.stop()


# The others.


def test_follow_marks_what_was_altered(journal, tmp_path):
    sequence, _ = alter(journal, is_record("intent", USERS[3]), b"Alice", b"Malik")
    target = tmp_path / "later"
    follow = gateways.Process("audit", "follow", "--directory", target, "--format", "json", cwd=tmp_path)
    follow.wait_for_log(lambda record: "waiting" in record["message"], "waiting")
    shutil.move(journal.audit_folder, target)
    follow.wait_for_output(lambda text: text.count("\n") == len(USERS), "all requests")
    follow.signal(signal.SIGTERM)
    assert follow.wait() == 1
    marked = [entry["appInstanceUserId"] for entry in map(json.loads, follow.output) if "integrity" in entry]
    assert marked == [USERS[3]]
    assert any(f"record {sequence} was altered" in line for line in follow.log_text)


def test_follow_says_when_records_are_missing(journal, tmp_path):
    path = segments(journal)[-1]
    lines = path.read_bytes().splitlines(keepends=True)
    gone = json.loads(lines[2])["sequence"]
    path.write_bytes(b"".join(lines[:2] + lines[3:]))
    target = tmp_path / "later"
    follow = gateways.Process("audit", "follow", "--directory", target, "--format", "json", cwd=tmp_path)
    follow.wait_for_log(lambda record: "waiting" in record["message"], "waiting")
    shutil.move(journal.audit_folder, target)
    follow.wait_for_log(lambda record: f"follow record {gone - 1} is missing" in record["message"], "what is missing")
    follow.signal(signal.SIGTERM)
    assert follow.wait() == 1


def test_replay_stops(journal):
    sequence, segment = alter(journal, is_record("intent", USERS[3]), b"Alice", b"Malik")
    result = journal.command("replay", "--against", "policies", "--format", "json")
    assert result.returncode == 1 and segment in result.stderr and f"record {sequence} was altered" in result.stderr
    assert json.loads(result.stdout.splitlines()[-1])["summary"]["requests"] == 3


def test_reconcile_leaves_alone_what_may_be_forged(journal, endpoint):
    alter(journal, is_record("outcome", USERS[3]), b'"outcome":"created"', b'"outcome":"unknown"')
    before = len(endpoint.requests)
    sizes = [path.stat().st_size for path in segments(journal)]
    result = journal.command("audit", "reconcile", "--dry-run")
    assert result.returncode == 1 and "left alone" in result.stderr and "no other request" in result.stderr
    assert len(endpoint.requests) == before and [path.stat().st_size for path in segments(journal)] == sizes


# Kinds of records.


@pytest.mark.parametrize(
    "body",
    [
        {"record": "suppressed", "time": "2026-11-29T00:00:00.000Z", "count": 5321, "bytes": 70000,
         "since": "2026-11-28T23:59:59.000Z", "byDecision": {"unauthenticated": 5321},
         "sources": [{"address": "10.0.0.1", "count": 5321}]},
        {"record": "fromLater", "time": "2026-11-29T00:00:00.000Z", "requestId": "x", "what": [1, {}]},
    ],
)
def test_records_of_no_request_are_part_of_the_chain(journal, tmp_path, body):
    append(journal, body)
    append(journal, {"record": "expired", "time": "2026-11-29T00:00:01.000Z"})
    code, found = journal.verify()
    assert code == 0 and found["records"] == 2 * len(USERS) + 2
    said = journal.command("audit", "verify").stderr
    assert ("5321 refused requests are not recorded one by one" in said) == (body["record"] == "suppressed")
    assert [record["appInstanceUserId"] for record in journal.audit()] == USERS
    for form in ("csv", "ocsf", "cloudtrail"):
        result = journal.command("audit", "export", "--as", form, "--output", tmp_path / form)
        assert result.returncode == 0, result.stderr
    result = journal.command("replay", "--against", "policies")
    assert result.returncode == 0, result.stderr
    assert journal.command("audit", "reconcile", "--dry-run").returncode == 0
    with gateways.running(journal) as gateway:
        gateway.send(wire.signed_create(CRM, service.create_user(AppInstanceUserId="crm-7")))
        until(lambda: len(journal.audit()) == len(USERS) + 1, lambda: journal.audit())
    assert journal.verify()[0] == 0
