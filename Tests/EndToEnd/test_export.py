"""The journal as files for other tools, read back with readers that are not ours; and `audit follow`."""

import csv
import datetime
import gzip
import hashlib
import json
import os
import signal
import subprocess

import pytest

import gateways
import ocsf
import service
import upstreams
import wire
from gateways import CRM
from load import Load
from waiting import PATIENCE, until

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
        connection.exchange(wire.encode("PURGE", "/nothing", [("Host", gateway.address)]))
        user = service.user_arn("crm-1").replace(":", "%3A").replace("/", "%2F")
        connection.exchange(wire.signed(CRM, "DELETE", f"/app-instance-users/{user}"))
        tags = json.dumps({"ResourceARN": service.user_arn("crm-1"), "Tags": [{"Key": "T", "Value": "v"}]})
        connection.exchange(wire.signed(CRM, "POST", "/tags?operation=tag-resource", body=tags.encode()))
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


def test_ocsf_is_what_the_schema_describes(journal, tmp_path):
    files = export(journal, "ocsf", tmp_path / "out")
    events = [json.loads(line) for line in files["gatehouse.ocsf.jsonl"].splitlines()]
    assert len(events) == 7
    for event in events:
        assert ocsf.problems(event) == []
        assert event["metadata"]["version"] == "1.5.0" and event["src_endpoint"]["ip"] == "127.0.0.1"
    assert [event["status_id"] for event in events] == [1, 2, 1, 2, 2, 1, 1]
    assert [event["activity_id"] for event in events] == [1, 1, 2, 2, 99, 4, 3]


def test_ocsf_problems_are_found():
    # The comparison itself: without it the test above could not fail.
    event = {
        "activity_id": 7, "category_uid": 6, "class_uid": 6003, "type_uid": 600301, "severity_id": 1,
        "severity": "High", "time": 1, "metadata": {"version": "1.5.0", "product": {}},
        "actor": {"invoked_by": "x"}, "api": {"operation": 5}, "src_endpoint": {"port": 1},
        "cloud": {"provider": "AWS"}, "resources": {}, "invented": 1,
    }
    found = "\n".join(ocsf.problems(event))
    for problem in (
        "activity_id is 7 and none", "type_uid is 600301", "is Informational and not High", "time is 1 and",
        "product has none of", "invoked_by, which is deprecated", "operation is 5", "src_endpoint has none of",
        "resources is a list, or", "invented, which is not",
    ):
        assert problem in found, found


def digests_in(folder):
    return sorted(folder.rglob("*CloudTrail-Digest*.json.gz"))


def check_chain(folder, public_key=None):
    """All digest files of an export, oldest first; each names the one before and the log files beside it."""
    names, before = [], None
    for path in digests_in(folder):
        content = gzip.decompress(path.read_bytes())
        digest = json.loads(content)
        assert path == folder / digest["digestS3Object"]
        signature = None
        if public_key:
            # As docs/audit.md tells it, with nothing but openssl.
            (folder / "digest.json").write_bytes(content)
            result = subprocess.run(
                ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", public_key, "-rawin",
                 "-in", folder / "digest.json", "-sigfile", f"{path}.sig"], capture_output=True, text=True)
            assert result.returncode == 0, result.stdout + result.stderr
            (folder / "digest.json").unlink()
            signature = (path.parent / f"{path.name}.sig").read_bytes().hex()
            fingerprint = subprocess.run(
                ["openssl", "pkey", "-pubin", "-in", public_key, "-outform", "DER"], capture_output=True)
            assert digest["digestPublicKeyFingerprint"] == hashlib.sha256(fingerprint.stdout).hexdigest()
            assert digest["digestSignatureAlgorithm"] == "Ed25519"
        expected = before or (None, None, None)
        assert (digest["previousDigestS3Object"], digest["previousDigestHashValue"],
                digest["previousDigestSignature"]) == expected
        for log in digest["logFiles"]:
            data = gzip.decompress((folder / log["s3Object"]).read_bytes())
            assert log["hashValue"] == hashlib.sha256(data).hexdigest()
            names.append(log["s3Object"])
        before = (digest["digestS3Object"], hashlib.sha256(content).hexdigest(), signature)
    assert sorted(names) == sorted(
        str(path.relative_to(folder)) for path in folder.rglob("*_CloudTrail_*.json.gz"))
    return names


def exported_ids(folder):
    return [
        event["eventID"]
        for path in sorted(folder.rglob("*_CloudTrail_*.json.gz"))
        for event in json.loads(gzip.decompress(path.read_bytes()))["Records"]
    ]


@pytest.fixture(scope="module")
def signing_key(tmp_path_factory):
    folder = tmp_path_factory.mktemp("keys")
    result = gateways.run("audit", "keygen", "--private", folder / "key", "--public", folder / "public")
    assert result.returncode == 0, result.stderr
    return folder / "key", folder / "public"


def test_digests_are_signed_and_openssl_says_so(journal, tmp_path, signing_key):
    private, public = signing_key
    journal.config["audit"]["checkpoint"] = {"signingKey": str(private)}
    journal.write()
    try:
        export(journal, "cloudtrail", tmp_path / "out")
        assert check_chain(tmp_path / "out", public)
        other = tmp_path / "other"
        gateways.run("audit", "keygen", "--private", tmp_path / "x", "--public", other)
        with pytest.raises(AssertionError):
            check_chain(tmp_path / "out", other)
    finally:
        del journal.config["audit"]["checkpoint"]
        journal.write()
    # Without the key no signature stays behind that is not the file's.
    export(journal, "cloudtrail", tmp_path / "out")
    assert not list((tmp_path / "out").rglob("*.sig"))
    assert check_chain(tmp_path / "out")


def move_back(setup, hours):
    """Moves the records of each segment so many hours back in time and chains them anew, as if it had been then."""
    previous = hashlib.sha256(b"gatehouse audit journal, format 1").hexdigest()
    for segment, back in zip(setup.segments(), hours):
        lines = []
        for line in segment.read_text().splitlines():
            record = json.loads(line)
            then = datetime.datetime.fromisoformat(record["time"]) - datetime.timedelta(hours=back)
            moved = then.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
            line = line.replace(f'"time":"{record["time"]}"', f'"time":"{moved}"')
            line = line.replace(record["previous"], f"sha256:{previous}", 1)
            previous = hashlib.sha256(line.encode()).hexdigest()
            lines.append(line)
        segment.write_text("\n".join(lines) + "\n")
        os.utime(segment, (then.timestamp(), then.timestamp()))
    # They are about the records that were there before.
    for name in ("checkpoint.head", "checkpoints"):
        (setup.audit_folder / name).unlink()


def test_export_goes_on_after_retention(make_setup, upstream, tmp_path, signing_key):
    private, public = signing_key
    setup = make_setup()
    setup.config["audit"] |= {"checkpoint": {"signingKey": str(private)}, "segmentSize": "1KiB"}
    with gateways.running(setup) as gateway:
        sent = []

        def has_enough_segments():
            # What is written together lies in one, so their number is not that of the requests.
            sent.append(gateway.send(create(AppInstanceUserId=f"crm-{len(sent)}")))
            return len(setup.segments()) > 5

        until(has_enough_segments, "the journal stays in few segments")
    segments = setup.segments()
    # Hours apart, so that there are several digests; the last two records stay in this hour.
    hours = [*range(len(segments) + 3, 5, -1), 0, 0]
    move_back(setup, hours)
    out = tmp_path / "out"
    first = export(setup, "cloudtrail", out)
    names = check_chain(out, public)
    ids = exported_ids(out)
    assert len(ids) == len(set(ids)) == len(sent) and len(digests_in(out)) > 3
    # Retention takes one segment after the other; each time the export is what it was.
    for path, age in zip(segments[:-2], hours):
        setup.config["audit"]["retain"] = f"{60 * age - 30}m"
        with gateways.running(setup):
            until(lambda: not path.exists(), f"{path} is kept")
        assert export(setup, "cloudtrail", out) == first, path
    assert check_chain(out, public) == names
    # A folder of its own gets what is left, with a chain that begins there.
    export(setup, "cloudtrail", tmp_path / "late")
    assert check_chain(tmp_path / "late", public)
    # It does not go on from what it did not write.
    for path in digests_in(out):
        path.write_bytes(b"something else")
    result = setup.command("audit", "export", "--as", "cloudtrail", "--output", out)
    assert result.returncode == 1 and "is no digest file" in result.stderr


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
        assert process.wait(PATIENCE) == 0, process.stderr.read()


def test_follow_survives_the_gateways_death_and_retention(make_setup, upstream):
    setup = make_setup()
    # So long that nothing goes before it was read; what is to go is made old below.
    setup.config["audit"] |= {"segmentSize": "1KiB", "retain": "1h"}
    setup.write()
    follow = follower(setup)
    follow.wait_for_log(lambda record: "waiting" in record["message"], "waiting")
    users = []
    for round in range(4):
        gateway = gateways.Gateway(setup)
        for number in range(5):
            users.append(f"crm-{round}-{number}")
            assert gateway.send(create(AppInstanceUserId=users[-1])).status == 201
        # All is told while the gateway runs and idles, and nothing is told again after it was killed.
        follow.wait_for_output(lambda text: users[-1] in text, users[-1])
        gateway.kill()
        # Old enough for the next start to remove.
        for path in setup.segments()[:-1]:
            os.utime(path, (0, 0))
    follow.signal(signal.SIGTERM)
    assert follow.wait() == 0
    assert [json.loads(line)["appInstanceUserId"] for line in follow.output] == users
    assert "journal-0000000000000001.jsonl" not in {path.name for path in setup.segments()}


def test_export_says_what_it_wrote_and_where_it_could_not(journal, tmp_path):
    result = journal.command("audit", "export", "--as", "csv", "--output", tmp_path / "out")
    assert (result.stdout, f"7 requests in {tmp_path}/out/gatehouse.csv" in result.stderr) == ("", True)
    result = journal.command("audit", "export", "--as", "cloudtrail", "--output", tmp_path / "out")
    assert "files below" in result.stderr
    (tmp_path / "file").write_text("kept")
    result = journal.command("audit", "export", "--as", "csv", "--output", tmp_path / "file")
    assert result.returncode == 1 and f"{tmp_path}/file: not a directory" in result.stderr
    assert (tmp_path / "file").read_text() == "kept"
    (tmp_path / "taken/gatehouse.csv").mkdir(parents=True)
    result = journal.command("audit", "export", "--as", "csv", "--output", tmp_path / "taken")
    assert result.returncode == 1 and "gatehouse.csv" in result.stderr
    assert [path.name for path in (tmp_path / "taken").iterdir()] == ["gatehouse.csv"], "nothing is left behind"


@pytest.mark.parametrize("form", ["csv", "ocsf", "cloudtrail"])
def test_export_follows_no_link_and_clobbers_nothing(journal, tmp_path, form):
    """Whatever others planted in the folder: the names of files, of folders, of the folder itself."""
    others = tmp_path / "others"
    others.mkdir()
    (others / "precious").write_text("kept")
    good = export(journal, form, tmp_path / "good")
    for name in {*good, *(part for part in ("AWSLogs",) if form == "cloudtrail")}:
        for target in (others / "precious", others / "new", others):
            out = tmp_path / f"out-{len(list(tmp_path.iterdir()))}"
            (out / name).parent.mkdir(parents=True)
            (out / name).symlink_to(target)
            result = journal.command("audit", "export", "--as", form, "--output", out)
            assert result.returncode == 1 and f"{out}/{name}: a symbolic link" in result.stderr
            assert not [path for path in out.rglob("*") if path.name.endswith(".partial")]
    (tmp_path / "link").symlink_to(others)
    for named in ("link", "link/"):
        result = journal.command("audit", "export", "--as", form, "--output", f"{tmp_path}/{named}")
        assert result.returncode == 1 and "symbolic link" in result.stderr
    assert [path.name for path in others.iterdir()] == ["precious"]
    assert (others / "precious").read_text() == "kept"
    for path in (tmp_path / "good").rglob("*"):
        assert path.stat().st_mode & 0o7777 == (0o700 if path.is_dir() else 0o600)
