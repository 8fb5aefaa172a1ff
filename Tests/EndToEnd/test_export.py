"""The journal as files for other tools, read back with readers that are not ours; and `audit follow`."""

import csv
import gzip
import hashlib
import json
import os
import signal
import subprocess

import pytest

import gateways
import service
import upstreams
import wire
from gateways import CRM
from load import Load

ACCOUNT = service.ACCOUNT.split(":")[4]


def create(**changes):
    return wire.signed_create(CRM, service.create_user(**changes))


@pytest.fixture(scope="module")
def journal(tmp_path_factory, endpoint):
    setup = gateways.Setup(tmp_path_factory.mktemp("journal"), endpoint.url, upstreams.KEY)
    setup.policies["base"] = {"rules": {"name": {"forbidden": ["Mallory"]}}}
    endpoint.clear()
    with gateways.running(setup) as gateway, gateway.connect() as connection:
        connection.exchange(create(Name='=HYPERLINK("http://x"), "Bob"\nsecond line'))
        connection.exchange(create(Name="Mallory"))
        connection.exchange(wire.signed(CRM, "GET", "/app-instances"))
        connection.exchange(wire.encode("GET", "/app-instances", [("Host", gateway.address)]))
    return setup


def export(setup, form, folder, *options):
    result = setup.command("audit", "export", "--as", form, "--output", folder, *options)
    assert result.returncode == 0, result.stderr
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_csv_reads_back(journal, tmp_path):
    files = export(journal, "csv", tmp_path / "out")
    assert list(files) == ["gatehouse.csv"]
    with open(tmp_path / "out/gatehouse.csv", newline="") as file:
        rows = list(csv.DictReader(file, strict=True))
    expected = journal.audit()
    assert [row["requestId"] for row in rows] == [record["requestId"] for record in expected]
    for row, record in zip(rows, expected):
        assert json.loads(row["tags"] or "{}") == record["tags"]
        assert row["decision"] == record["decision"]
        assert row["status"] == str(record["status"])
    assert rows[0]["name"] == "'" + expected[0]["name"]


def test_cloudtrail_reads_back_and_its_digests_hold(journal, tmp_path):
    files = export(journal, "cloudtrail", tmp_path / "out")
    content = {name: gzip.decompress(data) for name, data in files.items()}
    logs = {name: json.loads(data)["Records"] for name, data in content.items() if "/CloudTrail/" in name}
    digests = [json.loads(content[name]) for name in sorted(content) if "/CloudTrail-Digest/" in name]
    assert logs and digests and len(logs) + len(digests) == len(files)
    assert all(name.startswith(f"AWSLogs/{ACCOUNT}/CloudTrail/us-east-1/") for name in logs)
    events = {event["eventID"]: event for records in logs.values() for event in records}
    assert set(events) == {record["requestId"] for record in journal.audit()}
    # CloudTrail User Guide, "CloudTrail record contents": what is not optional.
    for event in events.values():
        for field in ("eventTime", "eventVersion", "userIdentity", "eventSource", "eventName", "awsRegion",
                      "sourceIPAddress", "userAgent", "requestParameters", "responseElements", "eventID",
                      "eventType", "recipientAccountId", "eventCategory", "managementEvent", "readOnly"):
            assert field in event, field
    listed = {log["s3Object"]: log["hashValue"] for digest in digests for log in digest["logFiles"]}
    assert listed == {name: hashlib.sha256(content[name]).hexdigest() for name in logs}
    denied = next(event for event in events.values() if event["additionalEventData"]["decision"] == "denied")
    assert denied["errorCode"] == "ForbiddenException"
    assert denied["additionalEventData"]["violations"][0]["rule"] == "name.forbidden"


def test_ocsf_has_what_the_class_requires(journal, tmp_path):
    files = export(journal, "ocsf", tmp_path / "out")
    events = [json.loads(line) for line in files["gatehouse.ocsf.jsonl"].splitlines()]
    assert len(events) == 4
    for event in events:
        assert event["class_uid"] == 6003 and event["category_uid"] == 6
        assert event["type_uid"] == 600300 + event["activity_id"]
        for field in ("severity_id", "time", "metadata", "actor", "api", "src_endpoint", "cloud", "status_id"):
            assert field in event, field
        assert event["actor"]["user"]["name"] and event["src_endpoint"].get("ip")
    assert [event["status_id"] for event in events] == [1, 2, 1, 2]


@pytest.mark.parametrize("form", ["cloudtrail", "ocsf", "csv"])
def test_exporting_again_changes_nothing(journal, tmp_path, form):
    first = export(journal, form, tmp_path / "out")
    assert export(journal, form, tmp_path / "out") == first
    assert export(journal, form, tmp_path / "other") == first
    assert not any(name.endswith(".partial") for name in first)


def test_time_bounds_and_usage(journal, tmp_path):
    files = export(journal, "csv", tmp_path / "none", "--until", "2020-01-01T00:00:00Z")
    assert len(files["gatehouse.csv"].splitlines()) == 1
    assert export(journal, "cloudtrail", tmp_path / "none2", "--until", "2020-01-01T00:00:00Z") == {}
    assert journal.command("audit", "export", "--output", tmp_path / "x").returncode == 64
    assert journal.command("audit", "export", "--as", "xml", "--output", tmp_path / "x").returncode == 64
    (tmp_path / "file").write_text("")
    result = journal.command("audit", "export", "--as", "csv", "--output", tmp_path / "file" / "x")
    assert result.returncode == 1 and "file" in result.stderr


def test_hidden_values_stay_hidden(make_setup, upstream, tmp_path):
    setup = make_setup()
    setup.config["audit"]["sensitive"] = {"name": "omit", "metadata": "omit", "tagValues": "omit"}
    with gateways.running(setup) as gateway:
        gateway.send(create(Name="Secret Name", Metadata="secret metadata",
                            Tags=[{"Key": "Team", "Value": "secret-tag"}]))
    for form in ("cloudtrail", "ocsf", "csv"):
        for data in export(setup, form, tmp_path / form).values():
            text = gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
            for secret in (b"Secret Name", b"secret metadata", b"secret-tag", CRM.secret.encode()):
                assert secret not in text


def follower(setup):
    return gateways.Process("audit", "follow", "--format", "json", "--config", setup.config_file,
                            cwd=setup.folder)


def test_follow_survives_rotation_under_load(make_setup, upstream):
    setup = make_setup()
    setup.config["audit"]["segmentSize"] = "16KiB"
    setup.write()
    # It begins before there is a folder, and so shows everything.
    follow = follower(setup)
    follow.wait_for_log(lambda record: "waiting" in record["message"], "waiting")
    with gateways.running(setup) as gateway:
        load = Load(gateway)
        for _ in range(5):
            load.wait_for(40)
            gateway.signal(signal.SIGUSR1)
        load.stop()
        count = len(load.acknowledged)
        follow.wait_for_output(lambda text: text.count("\n") >= count, f"{count} requests")
    assert len(setup.segments()) > 5
    follow.signal(signal.SIGINT)
    assert follow.wait() == 0
    users = [json.loads(line)["appInstanceUserId"] for line in follow.output]
    assert sorted(users) == sorted(load.acknowledged), "each once"


def test_follow_ends_when_its_reader_does(make_setup, upstream):
    setup = make_setup()
    with gateways.running(setup) as gateway:
        gateway.send(create())
        reading, writing = os.pipe()
        process = subprocess.Popen(
            [gateways.BINARY, "audit", "follow", "--config", setup.config_file], stdout=writing,
            stderr=subprocess.PIPE, cwd=setup.folder, env=gateways.clean_environment())
        os.close(writing)
        os.read(reading, 1)
        os.close(reading)
        assert process.wait(20) == 0, process.stderr.read()
