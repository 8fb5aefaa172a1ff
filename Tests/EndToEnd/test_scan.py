"""`gatehouse scan`: users that upstream has, held against today's policies."""

import collections
import json
import os
import pty
import signal
import subprocess
import threading
import urllib.parse

import pytest

import gateways
import service
import upstreams
import wire
from gateways import CRM, HR
from upstreams import KEY
from waiting import PATIENCE

POLICY = {
    "match": {"operations": ["*"]},
    "rules": {
        "name": {"maxLength": 20},
        "tags": {"required": [{"key": "CostCenter"}, {"key": "Owner", "default": "o"}]},
        "expiration": {"maxDays": 60, "onExcess": "clamp"},
    },
}
GOOD = {"Tags": [{"Key": "CostCenter", "Value": "1"}, {"Key": "Owner", "Value": "o"}]}


@pytest.fixture
def sandbox(tmp_path):
    process = gateways.Sandbox(tmp_path, KEY)
    yield process
    process.kill()


@pytest.fixture
def setup(tmp_path, sandbox):
    made = gateways.Setup(tmp_path / "gateway", sandbox.url, KEY)
    made.tenants = [
        gateways.tenant(operations=service.OPERATIONS),
        gateways.tenant(id="hr", keys=[HR], operations=service.OPERATIONS),
    ]
    made.policies["base"] = POLICY
    return made.write()


def create(sandbox, *users):
    client = gateways.boto3_client(sandbox.url, KEY)
    for id, changes in users:
        client.create_app_instance_user(**service.create_user(AppInstanceUserId=id, **{**GOOD, **changes}))


def scan(setup, *options):
    """(exit code, findings by user id, summary, stderr)"""
    result = setup.command("scan", "--rate", "1000", "--format", "json", *options)
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert [list(line) for line in lines[-1:]] == [["summary"]], (result.stdout, result.stderr)
    findings = {line["appInstanceUserId"]: line for line in lines[:-1]}
    assert len(findings) == len(lines) - 1
    return result.returncode, findings, lines[-1]["summary"], result.stderr


def rules(finding, kind="violations"):
    return [one["rule"] for one in finding[kind]]


EXPIRES = {"ExpirationSettings": {"ExpirationDays": 90, "ExpirationCriterion": "CREATED_TIMESTAMP"}}


def test_users_that_break_policies_are_reported_as_they_are(setup, sandbox):
    create(sandbox, ("good", {}), ("nameless", {"Name": "x" * 21}), ("bare", {"Tags": None}), ("long", EXPIRES))
    code, findings, summary, _ = scan(setup)
    assert code == 1
    assert {id: rules(found) for id, found in findings.items()} == {
        "nameless": ["name.length"],
        "bare": ["tags.required", "tags.required"],
        "long": ["expiration.maxDays"],
    }
    assert list(findings["bare"])[:2] == ["appInstanceUserArn", "appInstanceUserId"]
    assert findings["bare"]["appInstanceUserArn"] == service.user_arn("bare")
    assert findings["bare"]["warnings"] == []
    assert (summary["users"], summary["breaking"], summary["withoutTenant"], summary["failed"]) == (4, 3, 4, 0)


def test_warnings_alone_are_told_and_are_0(setup, sandbox):
    setup.policies["base"] = {**POLICY, "mode": "warn"}
    setup.write()
    create(sandbox, ("bare", {"Tags": None}))
    code, findings, summary, _ = scan(setup)
    assert code == 0 and (summary["breaking"], summary["warned"]) == (0, 1)
    assert rules(findings["bare"], "warnings") == ["tags.required", "tags.required"]
    setup.policies.clear()
    setup.write()
    assert scan(setup)[:2] == (0, {})


def test_whose_a_user_is_comes_from_the_journal(setup, sandbox):
    setup.policies["own"] = {"mode": "warn", "rules": {"appInstanceUserId": {"prefix": "${tenant.id}-"}}}
    setup.policies["base"] = {"match": {"tenants": ["hr"]}, "rules": {"name": {"maxLength": 3}}}
    with gateways.running(setup) as gateway:
        for key, id in ((CRM, "crm-1"), (CRM, "wrong"), (HR, "hr-1")):
            answer = gateway.send(wire.signed_create(key, service.create_user(AppInstanceUserId=id, Name="Al")))
            assert answer.status == 201
        setup.concluded(3)
    create(sandbox, ("elsewhere", {"Name": "Alice"}))
    code, findings, summary, _ = scan(setup)
    assert code == 0 and summary["withoutTenant"] == 1
    assert {id: (found["tenant"], rules(found, "warnings")) for id, found in findings.items()} == {
        "wrong": ("crm", ["appInstanceUserId.prefix"])
    }
    code, findings, summary, _ = scan(setup, "--as-tenant", "hr")
    assert code == 1 and summary["withoutTenant"] == 0
    assert rules(findings["elsewhere"]) == ["name.length"]
    wrong = setup.command("scan", "--as-tenant", "hrr")
    assert wrong.returncode == 1 and "did you mean `hr`?" in wrong.stderr


def test_all_pages_of_all_app_instances_or_those_that_are_named(setup, sandbox):
    create(sandbox, *((f"user-{number}", {"Tags": None} if number % 40 == 0 else {}) for number in range(120)))
    client = gateways.boto3_client(sandbox.url, KEY)
    other = client.create_app_instance(Name="other", ClientRequestToken="t1")["AppInstanceArn"]
    client.create_app_instance_user(**service.create_user(AppInstanceArn=other, AppInstanceUserId="there", Tags=None))
    code, findings, summary, _ = scan(setup)
    assert (code, summary["users"], sorted(findings)) == (1, 121, ["there", "user-0", "user-40", "user-80"])
    assert scan(setup, "--app-instance", other)[2]["users"] == 1
    assert scan(setup, "--app-instance", other, "--app-instance", service.APP)[2]["users"] == 121
    assert setup.command("scan", "--app-instance", "nonsense").returncode == 64


def test_text_is_what_a_ticket_needs(setup, sandbox):
    create(sandbox, ("bare", {"Tags": None}), ("good", {}))
    result = setup.command("scan", "--rate", "1000")
    lines = result.stdout.splitlines()
    assert lines[0] == service.user_arn("bare")
    assert lines[1].startswith("  violation: base: tags.required: Tags.CostCenter: the tag is missing; accepted: ")
    assert "base: tags.required: 1 user" in lines
    assert lines[-1].startswith("2 users scanned: 1 break what is enforced")


# What upstream does.


class Directory:
    """Answers like an upstream with one AppInstance of some users; a test can make it fail."""

    def __init__(self, count):
        self.users = [f"u{number}" for number in range(count)]
        self.calls = collections.Counter()
        self.first = collections.defaultdict(list)
        """What is answered first, by path."""
        self.problems = []

    def __call__(self, request):
        self.problems += [request.problem] if request.problem else []
        path, _, query = urllib.parse.unquote(request.target).partition("?")
        self.calls[path] += 1
        if self.first[path]:
            return self.first[path].pop(0)
        if path == "/app-instances":
            return upstreams.Answer(body={"AppInstances": [{"AppInstanceArn": service.APP}]})
        if path == "/app-instance-users":
            return upstreams.Answer(
                body={"AppInstanceUsers": [{"AppInstanceUserArn": service.user_arn(id)} for id in self.users]}
            )
        if path == "/tags":
            return upstreams.Answer(body={"Tags": []})
        arn = path.removeprefix("/app-instance-users/")
        return upstreams.Answer(body={"AppInstanceUser": {"AppInstanceUserArn": arn, "Name": "Alice Example"}})


def described(id):
    return f"/app-instance-users/{service.user_arn(id)}"


@pytest.fixture
def fake(make_setup, upstream):
    """A setup whose policy every user of a `Directory` breaks, and that directory."""
    directory = Directory(4)
    upstream.handler = directory
    setup = make_setup()
    setup.policies["short"] = {"rules": {"name": {"maxLength": 3}}}
    yield setup.write(), directory
    assert directory.problems == [], "signed with the gateway's credentials"


def test_throttling_is_waited_for(fake):
    setup, directory = fake
    throttled = upstreams.error(429, "ThrottledClientException", "Throttled")
    directory.first["/app-instances"] = [throttled]
    directory.first[described("u1")] = [throttled, upstreams.error(503, "ServiceUnavailableException"), throttled]
    code, findings, summary, _ = scan(setup)
    assert code == 1 and sorted(findings) == ["u0", "u1", "u2", "u3"] and summary["failed"] == 0
    assert directory.calls[described("u1")] == 4 and directory.calls["/app-instances"] == 2


def test_users_that_cannot_be_read_are_counted(fake):
    setup, directory = fake
    setup.policies.clear()
    setup.write()
    directory.first[described("u0")] = [upstreams.error(403, "ForbiddenException")]
    directory.first[described("u1")] = [upstreams.error(404, "NotFoundException")]
    code, findings, summary, stderr = scan(setup)
    assert code == 1 and findings == {}
    assert (summary["users"], summary["failed"], summary["complete"]) == (2, 1, True)
    assert f"{service.user_arn('u0')} cannot be read: 403 ForbiddenException" in stderr


def test_a_list_that_upstream_refuses_is_no_clean_scan(fake):
    setup, directory = fake
    directory.first["/app-instances"] = [upstreams.error(403, "ForbiddenException")]
    result = setup.command("scan")
    assert result.returncode == 1 and "ForbiddenException" in result.stderr
    directory.first["/app-instance-users"] = [upstreams.error(403, "ForbiddenException")]
    code, _, summary, _ = scan(setup)
    assert code == 1 and summary["unlistedAppInstances"] == 1


def hanging(directory, id):
    """What is set when upstream is asked about a user, what it waits for then, and the handler that does it."""
    reached, go_on = threading.Event(), threading.Event()

    def handler(request):
        if urllib.parse.unquote(request.target) == described(id):
            reached.set()
            go_on.wait(PATIENCE)
        return directory(request)

    return reached, go_on, handler


def test_an_interrupted_scan_goes_on_where_it_was(fake, upstream, tmp_path):
    setup, directory = fake
    place = tmp_path / "scan.place"
    reached, go_on, handler = hanging(directory, "u2")
    upstream.handler = handler
    process = subprocess.Popen(
        [gateways.BINARY, "scan", "--rate", "1000", "--format", "json", "--resume", place, "--config", setup.config_file],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=gateways.clean_environment(),
    )  # fmt: skip
    assert reached.wait(PATIENCE)
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=PATIENCE)
    go_on.set()
    lines = [json.loads(line) for line in stdout.splitlines()]
    assert process.returncode == 1 and "interrupted" in stderr and str(place) in stderr
    assert [line.get("appInstanceUserId") for line in lines[:-1]] == ["u0", "u1"]
    assert (lines[-1]["summary"]["users"], lines[-1]["summary"]["complete"]) == (2, False)
    assert json.loads(place.read_text())["tally"]["users"] == 2
    assert place.stat().st_mode & 0o777 == 0o600 and list(tmp_path.glob(".*partial")) == []

    upstream.handler = directory
    other = setup.command("scan", "--resume", place, "--app-instance", service.OTHER_APP)
    assert other.returncode == 1 and "other AppInstances" in other.stderr
    directory.calls.clear()
    code, findings, summary, _ = scan(setup, "--resume", place)
    assert code == 1 and sorted(findings) == ["u2", "u3"]
    assert (summary["users"], summary["breaking"], summary["complete"]) == (4, 4, True)
    assert directory.calls[described("u0")] == directory.calls[described("u1")] == 0
    assert not place.exists(), "the scan is complete"


def test_a_file_that_is_no_place_is_left_alone(fake, tmp_path):
    setup, directory = fake
    place = tmp_path / "notes.txt"
    place.write_text("mine")
    result = setup.command("scan", "--resume", place)
    assert result.returncode == 1 and "no place of a scan" in result.stderr
    assert place.read_text() == "mine" and directory.calls == {}


def test_a_terminal_has_a_progress_bar(fake):
    setup, _ = fake
    ours, theirs = pty.openpty()
    result = subprocess.run(
        [gateways.BINARY, "scan", "--rate", "1000", "--config", setup.config_file],
        stdout=subprocess.PIPE, stderr=theirs, env=gateways.clean_environment(), timeout=PATIENCE,
    )  # fmt: skip
    os.close(theirs)
    shown = os.read(ours, 1 << 16).decode()
    os.close(ours)
    assert result.returncode == 1 and "4 users scanned" in shown and "\x1b[K" in shown


@pytest.mark.parametrize("rate", ["0", "-1", "1001", "x"])
def test_a_rate_that_is_none_is_wrong_usage(fake, rate):
    assert fake[0].command("scan", f"--rate={rate}").returncode == 64
