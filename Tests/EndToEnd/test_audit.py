"""The journal: on disk before upstream sees anything, honest about what happened, and hard to falsify."""

import hashlib
import json
import shutil
import signal
import subprocess
import time

import pytest

import gateways
import service
import upstreams
import wire
from checks import assert_refused
from gateways import CRM, HR
from load import ClientLoad
from waiting import until


def create(**changes):
    return wire.signed_create(CRM, service.create_user(**changes))


def test_intent_is_on_disk_before_upstream_sees_the_request(make_setup, upstream):
    setup = make_setup()
    seen = []

    def look(request):
        seen.append(request.json["AppInstanceUserId"].encode() in setup.journal_bytes())
        return upstreams.like_the_service(request)

    upstream.handler = look
    with gateways.running(setup) as gateway:
        for _ in range(20):
            assert gateway.send(create()).status == 201
    assert seen == [True] * 20


def test_record_of_a_creation_tells_who_did_what(make_setup, upstream):
    setup = make_setup()
    setup.policies["base"] = {
        "rules": {"tags": {"required": [{"key": "Owner", "default": "crm@example.com"}]}}
    }
    user = service.create_user(
        ExpirationSettings={"ExpirationDays": 30, "ExpirationCriterion": "CREATED_TIMESTAMP"}
    )
    with gateways.running(setup) as gateway:
        response = gateway.send(
            wire.signed_create(
                CRM,
                user,
                headers=[("X-Gatehouse-Actor", "alice@corp")],
                extra=[("User-Agent", "test-agent/1.0")],
            )
        )
        assert response.status == 201
        record = gateway.setup.audit_record(response.get("x-gatehouse-request-id"))
    expected = {
        "tenant": "crm",
        "accessKeyId": CRM.id,
        "actor": "alice@corp",
        "sourceIp": "127.0.0.1",
        "userAgent": "test-agent/1.0",
        "operation": "CreateAppInstanceUser",
        "appInstanceArn": service.APP,
        "appInstanceUserId": user["AppInstanceUserId"],
        "name": user["Name"],
        "tags": {"CostCenter": "4711", "Owner": "crm@example.com"},
        "expirationDays": 30,
        "decision": "allowed",
        "violations": [],
        "warnings": [],
        "changes": [{"field": "Tags.Owner", "to": "crm@example.com"}],
        "status": 201,
        "upstreamStatus": 201,
        "upstreamRequestId": response.get("x-amzn-RequestId"),
        "appInstanceUserArn": response.json["AppInstanceUserArn"],
        "outcome": "created",
    }
    assert {name: record.get(name) for name in expected} == expected
    assert record["policyRevision"].startswith("sha256:")
    assert record["durationMs"] > 0
    assert record["time"].endswith("Z")


def test_reads_that_are_not_governed_leave_an_outcome(make_setup, upstream):
    with gateways.running(make_setup()) as gateway:
        response = gateway.send(wire.signed(CRM, "GET", "/app-instances"))
        record = gateway.setup.audit_record(response.get("x-gatehouse-request-id"))
    assert (record["operation"], record["decision"], record["outcome"]) == (
        "ListAppInstances",
        "allowed",
        "succeeded",
    )


@pytest.fixture(scope="module")
def journal(tmp_path_factory, endpoint):
    """The setup of a gateway that has run, made some records of each kind, and stopped."""
    setup = gateways.Setup(tmp_path_factory.mktemp("journal"), endpoint.url, upstreams.KEY)
    setup.tenants = [gateways.tenant(operations=service.OPERATIONS), gateways.tenant(id="hr", keys=[HR])]
    setup.policies["base"] = {"rules": {"name": {"forbidden": ["Mallory"]}}}
    endpoint.clear()
    with gateways.running(setup) as gateway, gateway.connect() as connection:
        for index in range(10):
            connection.exchange(
                create(
                    AppInstanceUserId=f"crm-user-{index}",
                    Tags=[{"Key": "Team", "Value": "blue" if index % 2 else "red"}],
                )
            )
        connection.exchange(create(AppInstanceUserId="crm-mallory", Name="Mallory"))
        connection.exchange(
            wire.signed_create(
                HR,
                service.create_user(AppInstanceUserId="hr-user"),
                headers=[("X-Gatehouse-Actor", "bob@corp")],
            )
        )
        connection.exchange(wire.signed(CRM, "GET", "/app-instances"))
        connection.exchange(wire.signed(HR, "GET", "/app-instances"))
    return setup


@pytest.mark.parametrize(
    ("options", "count"),
    [
        ((), 14),
        (("--user-id", "crm-user-3"), 1),
        (("--user-arn", service.user_arn("crm-user-3")), 1),
        (("--tenant", "hr"), 2),
        (("--actor", "nobody"), 0),
        (("--actor", "bob@corp"), 1),
        (("--access-key", HR.id), 2),
        (("--operation", "ListAppInstances"), 2),
        (("--decision", "denied"), 2),
        (("--decision", "allowed"), 12),
        (("--tag", "Team=blue"), 5),
        (("--tag", "Team=blue", "--user-id", "crm-user-2"), 0),
        (("--limit", "3"), 3),
        (("--since", "1h"), 14),
        (("--until", "2020-01-01T00:00:00Z"), 0),
        (("--since", "2020-01-01T00:00:00Z", "--until", "2099-01-01T00:00:00Z"), 14),
    ],
)
def test_audit_query_finds(journal, options, count):
    assert len(journal.audit(*options)) == count


def test_audit_query_prints_text_by_default(journal):
    result = journal.command("audit", "query", "--user-id", "crm-user-3")
    assert result.returncode == 0
    assert "crm-user-3" in result.stdout and "crm-user-4" not in result.stdout


def test_audit_query_with_a_bad_time_is_a_usage_error(journal):
    assert journal.command("audit", "query", "--since", "yesterday-ish").returncode == 64


def test_audit_verify_of_an_untouched_journal(journal):
    code, answer = journal.verify()
    assert code == 0, answer
    assert answer["ok"] is True
    assert answer["segments"] >= 1
    # Fourteen requests leave an outcome each; eleven creations that were forwarded an intent as well.
    assert answer["records"] >= 14 + 11
    assert answer["lastSequence"] >= answer["records"] - 1
    assert answer["head"].startswith("sha256:")
    assert journal.command("audit", "verify").returncode == 0


def tampered(journal, folder, change):
    """A copy of the journal whose one segment's lines went through `change` (a list to a list)."""
    copy = gateways.Setup(folder)
    copy.config.update(journal.config)
    copy.tenants, copy.policies = journal.tenants, journal.policies
    copy.write()
    subprocess.run(["cp", "-r", journal.audit_folder, copy.audit_folder], check=True)
    segment = max(copy.segments(), key=lambda path: path.read_bytes().count(b'"crm-user-'))
    content = segment.read_bytes().rstrip(b"\x00 \n")
    rest = segment.read_bytes()[len(content) :]
    lines = content.split(b"\n")
    segment.write_bytes(b"\n".join(change(lines)) + rest)
    return copy


def index_of(lines, text):
    return next(index for index, line in enumerate(lines) if text in line)


def altered(lines):
    at = index_of(lines, b"crm-user-4")
    return [*lines[:at], lines[at].replace(b"crm-user-4", b"crm-user-x"), *lines[at + 1 :]]


def altered_last(lines):
    return [*lines[:-1], lines[-1].replace(b'"', b"'", 1)]


def dropped(lines):
    at = index_of(lines, b"crm-user-4")
    return lines[:at] + lines[at + 1 :]


def dropped_first(lines):
    return lines[1:]


def swapped(lines):
    at = index_of(lines, b"crm-user-4")
    return [*lines[:at], lines[at + 1], lines[at], *lines[at + 2 :]]


def doubled(lines):
    at = index_of(lines, b"crm-user-4")
    return [*lines[: at + 1], *lines[at:]]


def cut_inside_the_last_record(lines):
    return [*lines[:-1], lines[-1][: len(lines[-1]) // 2]]


def blank_line(lines):
    at = index_of(lines, b"crm-user-4")
    return [*lines[:at], b"", *lines[at:]]


@pytest.mark.parametrize(
    "change",
    [altered, altered_last, dropped, dropped_first, swapped, doubled, cut_inside_the_last_record, blank_line],
)
def test_audit_verify_finds_a_journal_that_was(journal, tmp_path, change):
    code, answer = tampered(journal, tmp_path / "copy", change).verify()
    assert code == 1, answer
    assert answer["ok"] is False
    assert answer["problem"]
    assert "segment" in answer and "sequence" in answer


def test_audit_verify_names_the_first_bad_record(journal, tmp_path):
    copy = tampered(journal, tmp_path / "copy", altered)
    result = copy.command("audit", "verify")
    assert result.returncode == 1
    _, answer = copy.verify()
    lines = [json.loads(line) for line in journal.segments()[0].read_bytes().rstrip(b"\x00 \n").splitlines()]
    suspect = next(line for line in lines if "crm-user-4" in json.dumps(line))
    sequences = [value for key, value in suspect.items() if key in ("sequence", "seq")]
    if sequences:
        assert answer["sequence"] in (sequences[0], sequences[0] + 1)


def test_audit_verify_finds_a_segment_that_is_missing(make_setup, tmp_path, upstream):
    setup = make_setup()
    with gateways.running(setup) as gateway:
        for _ in range(3):
            gateway.send(create())
            count = len(setup.segments())
            gateway.signal(signal.SIGUSR1)
            assert gateway.send(create()).status == 201
            wait_for_segments(gateway, setup, count + 1)
    assert setup.verify()[0] == 0
    setup.segments()[1].unlink()
    code, answer = setup.verify()
    assert (code, answer["ok"]) == (1, False)


def wait_for_segments(gateway, setup, count):
    """SIGUSR1 starts a segment with the next record; each request gives it the chance."""

    def has_another():
        gateway.send(create())
        return len(setup.segments()) >= count

    until(has_another, lambda: f"no new segment after SIGUSR1: {setup.segments()}")


def test_audit_follow_prints_records_as_they_come(make_setup, upstream):
    setup = make_setup()
    with gateways.running(setup) as gateway:
        gateway.send(create(AppInstanceUserId="crm-before"))
        follower = gateways.Process(
            "audit", "follow", "--format", "json", "--config", setup.config_file, cwd=setup.folder
        )

        def followed(text):
            complete = text[: text.rfind("\n") + 1].splitlines()
            return [r for r in map(json.loads, complete) if r.get("appInstanceUserId") == "crm-followed"]

        try:

            def comes():
                gateway.send(create(AppInstanceUserId="crm-followed"))
                return followed("".join(follower.output))

            # Which of the first ones it still sees depends on when it began; one of the later ones must come.
            until(comes, "no record")
            assert followed("".join(follower.output))[0]["operation"] == "CreateAppInstanceUser"
        finally:
            follower.signal(signal.SIGINT)
            follower.wait()


def test_second_serve_on_the_same_journal_is_refused(make_setup, upstream):
    setup = make_setup()
    with gateways.running(setup) as gateway:
        second = setup.command("serve")
        assert second.returncode not in (0, None)
        assert str(gateway.process.pid) in second.stderr, "the lock says who holds it"
        assert gateway.send(create()).status == 201


def test_journal_goes_on_over_restarts(make_setup, upstream):
    setup = make_setup()
    heads = []
    for _ in range(3):
        with gateways.running(setup) as gateway:
            assert gateway.send(create()).status == 201
        code, answer = setup.verify()
        assert code == 0, answer
        heads.append((answer["records"], answer["head"]))
    assert len(set(heads)) == 3 and sorted(heads) == heads
    assert len(setup.audit()) == 3


def test_index_may_be_deleted(make_setup, upstream):
    setup = make_setup()
    with gateways.running(setup) as gateway:
        gateway.send(create())
    setup.audit()
    for path in setup.audit_folder.rglob("*"):
        if path.is_file() and path not in setup.segments() and "checkpoint" not in path.name:
            path.unlink()
    assert len(setup.audit()) == 1


def test_journal_is_not_readable_by_others(make_setup, upstream):
    setup = make_setup()
    with gateways.running(setup) as gateway:
        gateway.send(create())
    for path in setup.segments():
        assert path.stat().st_mode & 0o077 == 0, oct(path.stat().st_mode)


def test_sensitive_values_are_omitted_or_hashed(make_setup, upstream, tmp_path):
    key_file = gateways.write_secret(tmp_path / "audit.key", bytes(range(32)))
    setup = make_setup()
    setup.config["audit"]["sensitive"] = {
        "name": "hash",
        "metadata": "omit",
        "tagValues": "omit",
        "keyFile": str(key_file),
    }
    with gateways.running(setup) as gateway:
        gateway.send(
            create(
                Name="Secret Name", Metadata="secret metadata", Tags=[{"Key": "Team", "Value": "secret-tag"}]
            )
        )
        assert upstream.only.json["Name"] == "Secret Name"
    content = setup.journal_bytes()
    for secret in (b"Secret Name", b"secret metadata", b"secret-tag"):
        assert secret not in content
    assert setup.audit()[0]["name"].startswith("hmac-sha256:")


def test_reload_takes_another_key_of_hashes_and_another_treatment(make_setup, upstream, tmp_path):
    key_file = gateways.write_secret(tmp_path / "audit.key", "k" * 32)
    setup = make_setup()
    setup.config["audit"]["sensitive"] = {"name": "hash", "keyFile": str(key_file)}
    with gateways.running(setup) as gateway:

        def recorded():
            answer = gateway.send(create(Name="Secret Name"))
            return setup.audit_record(answer.get("x-gatehouse-request-id"))["name"]

        first = recorded()
        assert first == recorded()
        key_file.write_text("K" * 32)
        gateway.reload()
        second = recorded()
        assert second.startswith("hmac-sha256:") and second != first
        setup.config["audit"]["sensitive"]["name"] = "plain"
        setup.write()
        gateway.reload()
        assert recorded() == "Secret Name"
    assert setup.verify()[0] == 0


def test_reload_takes_another_key_of_checkpoints(make_setup, upstream):
    setup = make_setup()
    setup.folder.mkdir(exist_ok=True)
    for name in ("one", "two"):
        made = gateways.run("audit", "keygen", "--private", f"{name}.key", "--public", f"{name}.pub", cwd=setup.folder)
        assert made.returncode == 0, made.stderr
    key = gateways.write_secret(setup.folder / "signing.key", (setup.folder / "one.key").read_text())
    setup.config["audit"]["checkpoint"] = {"every": "50ms", "signingKey": "signing.key"}

    def verifies(*names):
        keys = [word for name in names for word in ("--public-key", setup.folder / f"{name}.pub")]
        return setup.command("audit", "verify", *keys).returncode == 0

    with gateways.running(setup) as gateway:
        gateway.send(create())
        until(lambda: (setup.audit_folder / "checkpoints").exists() and verifies("one"), "no checkpoint by the first key")
        key.write_text((setup.folder / "two.key").read_text())
        gateway.reload()
        gateway.send(create())
        until(lambda: not verifies("one"), "no checkpoint by the second key")
    assert verifies("one", "two") and not verifies("two")


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 4 MiB; skipped where this machine does not let us mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m,mode=0700", "tmpfs", folder], capture_output=True, text=True
    )
    if mounted.returncode != 0:
        pytest.skip(f"cannot mount a tmpfs here: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def fill(folder):
    """Takes what space is left; returns the file that does."""
    filler = folder / "filler"
    with open(filler, "wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 4096)
        except OSError:
            pass
    return filler


def test_full_disk_refuses_requests_and_forwards_none_of_them(make_setup, upstream, small_disk):
    setup = make_setup()
    setup.config["audit"] = {"directory": str(small_disk / "audit"), "segmentSize": "256KiB"}
    with gateways.running(setup) as gateway, gateway.connect() as connection:
        assert connection.exchange(create()).status == 201
        filler = fill(small_disk)
        served = 1
        while (response := connection.exchange(create())).status == 201:
            served += 1
        assert_refused(response, 503, "ServiceUnavailableException", "ServiceUnavailable")
        for _ in range(3):
            assert connection.exchange(create()).status == 503
        assert len(upstream.requests) == served, "nothing was forwarded without its intent"
        assert gateway.admin_request("/readyz").status == 503
        filler.unlink()
        until(lambda: connection.exchange(create()).status == 201, "space came back, and so must service")
        assert gateway.admin_request("/readyz").status == 200
    result = setup.command("audit", "verify")
    assert result.returncode == 0, result.stdout + result.stderr


def test_full_disk_with_on_failure_continue_still_serves(make_setup, upstream, small_disk):
    setup = make_setup()
    setup.config["audit"] = {
        "directory": str(small_disk / "audit"),
        "segmentSize": "256KiB",
        "onFailure": "continue",
    }
    with gateways.running(setup) as gateway, gateway.connect() as connection:
        fill(small_disk)
        statuses = {connection.exchange(create()).status for _ in range(1500)}
        assert statuses == {201}


def test_audit_folder_that_cannot_be_made_stops_the_start(make_setup, tmp_path):
    (tmp_path / "file").write_text("")
    setup = make_setup(audit={"directory": str(tmp_path / "file" / "audit")}).write()
    result = setup.command("serve")
    assert result.returncode not in (0, None)
    assert "audit" in result.stderr


def intents(setup):
    """The user ids of all intent records in the segments."""
    lines = (line for path in setup.segments() for line in path.read_bytes().splitlines())
    records = map(json.loads, lines)
    return {record["appInstanceUserId"] for record in records if record["record"] == "intent"}


def check_promise(setup, load, upstream):
    """What the journal of a stopped gateway must hold after whatever happened under a `ClientLoad`."""
    code, answer = setup.verify()
    assert code == 0, answer
    seen = {request.json["AppInstanceUserId"] for request in upstream.requests}
    recorded = intents(setup)
    assert load.others == set(), "boto3 was told something else than created or 503"
    assert seen - recorded == set(), "upstream saw creations without an intent"
    assert load.created - recorded == set(), "boto3 was told of creations without an intent"
    assert load.created - seen == set()
    assert load.refused & seen == set(), "boto3 was told 503, and the request had been forwarded"
    outcomes = {record["appInstanceUserId"]: record["outcome"] for record in setup.audit()}
    assert {outcomes[user] for user in seen} <= {"created", "unknown"}
    assert {outcomes[user] for user in load.unanswered & seen} <= {"created", "unknown"}


def test_checkpoint_that_cannot_be_written_is_said_and_stops_nothing(make_setup, upstream):
    setup = make_setup()
    setup.config["audit"]["checkpoint"] = {"every": "50ms"}

    def journal_check(gateway):
        answer = gateway.admin_request("/readyz")
        return answer.status, answer.json["checks"]["journal"]["detail"]

    def metric(gateway, name):
        lines = gateway.admin_request("/metrics").body.decode().splitlines()
        return next(float(line.split()[1]) for line in lines if line.startswith(name + " "))

    with gateways.running(setup) as gateway, gateway.connect() as connection:
        assert connection.exchange(create()).status == 201
        checkpoints = setup.audit_folder / "checkpoints"
        kept = checkpoints.rename(setup.folder / "kept")
        checkpoints.mkdir()

        def check_after_another():
            assert connection.exchange(create()).status == 201
            return journal_check(gateway)

        until(lambda: "degraded" in check_after_another()[1], "it is never said")
        status, detail = journal_check(gateway)
        assert status == 200, "requests are served, so it is ready"
        assert detail.startswith("degraded: the last checkpoint could not be written: open checkpoints: ")
        assert metric(gateway, "gatehouse_audit_checkpoint_failures_total") >= 1
        assert metric(gateway, "gatehouse_audit_last_checkpoint_timestamp_seconds") > 1_600_000_000
        checkpoints.rmdir()
        kept.rename(checkpoints)
        until(lambda: "degraded" not in check_after_another()[1], "it is said for ever")
    assert setup.verify()[0] == 0


def test_kill_under_boto3_load_loses_no_intent(make_setup, upstream):
    setup = make_setup()
    setup.config["audit"]["segmentSize"] = "64KiB"
    load = ClientLoad()
    try:
        for _ in range(4):
            gateway = gateways.Gateway(setup)
            load.send_to(gateway)
            load.wait_for_more(load.created, 60)
            gateway.kill()
            load.send_to(None)
        with gateways.running(setup) as gateway:
            load.send_to(gateway)
            load.wait_for_more(load.created, 20)
            load.stop()
    finally:
        load.stop()
    assert len(load.created) >= 260
    assert load.unanswered, "no request was under way when the gateway was killed"
    check_promise(setup, load, upstream)


def test_kill_on_a_full_disk_under_boto3_load_keeps_every_promise(make_setup, upstream, small_disk):
    setup = make_setup()
    setup.config["audit"] = {"directory": str(small_disk / "audit"), "segmentSize": "64KiB"}
    load = ClientLoad()
    try:
        for _ in range(3):
            gateway = gateways.Gateway(setup)
            load.send_to(gateway)
            load.wait_for_more(load.created, 20)
            filler = fill(small_disk)
            load.wait_for_more(load.refused, 20)
            gateway.kill()
            load.send_to(None)
            filler.unlink()
        with gateways.running(setup) as gateway:
            load.send_to(gateway)
            load.wait_for_more(load.created, 20)
            load.stop()
    finally:
        load.stop()
    assert len(load.refused) >= 60
    check_promise(setup, load, upstream)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--operation", "CreateAppInstanceUsers"), "did you mean `CreateAppInstanceUser`"),
        (("--operation", "createappinstanceuser"), "unknown operation"),
        (("--decision", "denyed"), "denied"),
        (("--tag", "Team"), "KEY=VALUE"),
        (("--tag", "=red"), "KEY=VALUE"),
        (("--limit", "0"), "at least 1"),
        (("--limit", "-1"), "at least 1"),
        (("--since", "2026-02-30T00:00:00Z"), "RFC 3339"),
        (("--until", "1.5h"), "RFC 3339"),
    ],
)
def test_audit_query_refuses_what_can_match_nothing(journal, options, said):
    result = journal.command("audit", "query", *options)
    assert (result.returncode, result.stdout) == (64, ""), result
    assert said in result.stderr


def test_commands_on_a_journal_that_is_not_there(make_setup, tmp_path):
    setup = make_setup().write()
    for command in (("query",), ("verify",), ("export", "--as", "csv", "--output", tmp_path / "out")):
        result = setup.command("audit", *command)
        assert (result.returncode, result.stdout) == (1, ""), command
        assert f"there is no audit journal in {setup.audit_folder}: no gateway has written one" in result.stderr
    code, found = setup.verify()
    assert code == 1 and found.pop("problem") and found == {"ok": False, "segment": None, "sequence": None}
    assert not (tmp_path / "out").exists()
    # A folder in which a gateway never wrote is no good journal either.
    setup.audit_folder.mkdir()
    assert setup.verify() == (1, setup.verify()[1]) and not setup.verify()[1]["ok"]


@pytest.mark.parametrize("removes", [True, False])
def test_audit_verify_says_that_the_head_mark_is_gone(journal, tmp_path, removes):
    folder = tmp_path / "audit"
    shutil.copytree(journal.audit_folder, folder)
    mark = folder / "checkpoint.head"
    if removes:
        mark.unlink()
    else:
        mark.write_text("garbage")
    result = gateways.run("audit", "verify", "--directory", folder, "--format", "json")
    assert (result.returncode, json.loads(result.stdout)["ok"]) == (0, True)
    assert "checkpoint.head" in result.stderr and "would not be noticed" in result.stderr
