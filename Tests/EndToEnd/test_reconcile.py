"""`audit reconcile`: what became of requests whose answer nobody saw, told by what upstream has now."""

import json
import threading
import time

import pytest

import gateways
import service
import upstreams
import wire
from gateways import CRM
from waiting import PATIENCE


@pytest.fixture
def sandbox(tmp_path):
    process = gateways.Sandbox(tmp_path, upstreams.KEY)
    yield process
    process.kill()


@pytest.fixture
def there(sandbox):
    """A client of the sandbox with the gateway's own key."""
    return gateways.boto3_client(sandbox.url, upstreams.KEY)


def lose(setup, upstream, *contents):
    """Sends requests that upstream takes and never answers; then the gateway is killed. Returns no answers."""
    release = threading.Event()

    def hang(_):
        release.wait(PATIENCE)
        return upstreams.Raw(b"")

    upstream.handler = hang
    gateway = gateways.Gateway(setup)
    connections = [gateway.connect() for _ in contents]
    try:
        for connection, content in zip(connections, contents):
            connection.send(content)
        upstream.wait_for(len(contents))
        gateway.kill()
    finally:
        release.set()
        for connection in connections:
            connection.close()
    upstream.clear()


def create(**changes):
    return wire.signed_create(CRM, service.create_user(**changes))


def reconcile(setup, *options, url=None):
    """Exit code, what was found by user, and standard error."""
    if url:
        setup.config["upstream"]["endpoint"] = url
    setup.write()
    result = setup.command("audit", "reconcile", "--format", "json", *options)
    found = [json.loads(line) for line in result.stdout.splitlines()]
    return result.returncode, {entry["appInstanceUserId"]: entry for entry in found}, result.stderr


def records(setup):
    return sum(path.read_bytes().count(b"\n") for path in setup.segments())


def outcomes(setup):
    return {record["appInstanceUserId"]: record["outcome"] for record in setup.audit()}


def test_created_and_failed_are_told_apart_and_recorded_once(make_setup, upstream, sandbox, there):
    setup = make_setup()
    lose(
        setup,
        upstream,
        create(AppInstanceUserId="crm-there"),
        create(AppInstanceUserId="crm-absent"),
    )
    assert outcomes(setup) == {"crm-there": "unknown", "crm-absent": "unknown"}
    there.create_app_instance_user(**service.create_user(AppInstanceUserId="crm-there"))
    before = records(setup)

    code, found, said = reconcile(setup, "--dry-run", url=sandbox.url)
    assert (code, {user: entry["outcome"] for user, entry in found.items()}) == (
        0,
        {"crm-there": "created", "crm-absent": "failed"},
    ), said
    assert records(setup) == before and "nothing was recorded" in said
    assert {entry["recorded"] for entry in found.values()} == {False}

    code, found, said = reconcile(setup)
    assert code == 0, said
    assert found["crm-there"]["appInstanceUserArn"] == service.user_arn("crm-there")
    assert found["crm-there"]["recorded"] and found["crm-absent"]["recorded"]
    assert outcomes(setup) == {"crm-there": "created", "crm-absent": "failed"}
    (created,) = setup.audit("--user-arn", service.user_arn("crm-there"))
    assert created["tenant"] == "crm" and "upstream has the user" in created["reason"]
    assert records(setup) == before + 2
    assert setup.verify()[0] == 0

    code, found, said = reconcile(setup)
    assert (code, found) == (0, {}) and "no request" in said
    assert records(setup) == before + 2
    with gateways.running(setup):
        pass
    assert setup.verify()[0] == 0


def test_empty_sandbox_has_no_user(make_setup, upstream, sandbox):
    setup = make_setup()
    lose(setup, upstream, create(AppInstanceUserId="crm-1"))
    code, found, said = reconcile(setup, url=sandbox.url)
    assert (code, found["crm-1"]["outcome"]) == (0, "failed"), said


def test_only_reads_are_sent(make_setup, upstream):
    setup = make_setup()
    lose(setup, upstream, create(AppInstanceUserId="crm-1"))
    upstream.behaving(upstreams.error(404, "NotFoundException"))
    assert reconcile(setup)[0] == 0
    request = upstream.only
    assert (request.method, request.operation, request.problem) == ("GET", "DescribeAppInstanceUser", None)


def test_lost_answer_of_a_running_gateway_is_resolved_too(make_setup, upstream):
    setup = make_setup()
    upstream.handler = lambda _: upstreams.Raw(b"")
    with gateways.running(setup) as gateway:
        status = gateway.send(create(AppInstanceUserId="crm-1")).status
        assert status in (503, 504)
    (before,) = setup.audit()
    assert (before["outcome"], before["status"]) == ("unknown", status) and before["durationMs"] > 0
    upstream.handler = lambda _: upstreams.Answer(
        200, {"AppInstanceUser": {"Name": "Alice Example", "CreatedTimestamp": time.time()}}
    )
    code, found, said = reconcile(setup)
    assert code == 0, said
    # What the caller got stays to be seen beside what became of it: through the index, a new index, and without.
    for _ in range(2):
        (after,) = setup.audit()
        changed = {key: value for key, value in after.items() if before.get(key) != value}
        assert changed.pop("reconciledAt") > before["time"]
        assert changed == {
            "outcome": "created",
            "appInstanceUserArn": service.user_arn("crm-1"),
            "reason": "reconciled: upstream has the user",
        }
        (setup.audit_folder / "index.sqlite").unlink()
    (setup.audit_folder / "index.sqlite").mkdir()
    assert setup.audit() == [after]


def test_answer_after_a_lost_one_does_not_hide_the_user(make_setup, upstream):
    setup = make_setup()
    setup.config["upstream"]["retry"] = {"attempts": 2, "budgetPercent": 100}
    upstream.behaving(upstreams.Raw(b""), upstreams.error(403, "ForbiddenException"))
    with gateways.running(setup) as gateway:
        assert gateway.send(create(AppInstanceUserId="crm-1")).status == 403
    assert outcomes(setup) == {"crm-1": "unknown"}
    upstream.handler = lambda _: upstreams.Answer(200, {"AppInstanceUser": {"CreatedTimestamp": time.time()}})
    code, found, said = reconcile(setup)
    assert code == 0, said
    (record,) = setup.audit("--user-arn", service.user_arn("crm-1"))
    assert (record["outcome"], record["tenant"]) == ("created", "crm")


@pytest.mark.parametrize("days", [-30, 30])
def test_user_of_another_request_was_not_created_by_this_one(make_setup, upstream, days):
    setup = make_setup()
    lose(setup, upstream, create(AppInstanceUserId="crm-1"))
    created = time.time() + days * 86_400
    upstream.handler = lambda _: upstreams.Answer(200, {"AppInstanceUser": {"CreatedTimestamp": created}})
    code, found, said = reconcile(setup)
    assert (code, found["crm-1"]["outcome"]) == (0, "failed"), said
    assert "since" in found["crm-1"]["reason"]


def forbidding(listed, refuses_list=False):
    """Describe is refused, whoever asks; the list has two pages."""

    def answer(request):
        assert request.problem is None, request.problem
        if request.operation == "DescribeAppInstanceUser" or refuses_list:
            return upstreams.error(403, "ForbiddenException")
        assert request.operation == "ListAppInstanceUsers", request.target
        users = [{"AppInstanceUserArn": service.user_arn(user)} for user in listed]
        if "next-token=page%2F2" in request.target:
            return upstreams.Answer(200, {"AppInstanceUsers": users})
        return upstreams.Answer(
            200,
            {"AppInstanceUsers": [{"AppInstanceUserArn": service.user_arn("x")}], "NextToken": "page/2"},
        )

    return answer


def test_list_tells_where_describe_is_refused(make_setup, upstream):
    setup = make_setup()
    lose(setup, upstream, create(AppInstanceUserId="crm-1"), create(AppInstanceUserId="crm-2"))
    upstream.handler = forbidding([], refuses_list=True)
    code, found, said = reconcile(setup)
    assert (code, found["crm-1"]["outcome"]) == (1, "unknown")
    assert "ForbiddenException" in found["crm-1"]["reason"] and "2 left unknown" in said
    upstream.handler = forbidding(["crm-1"])
    code, found, said = reconcile(setup)
    assert code == 0, said
    assert outcomes(setup) == {"crm-1": "created", "crm-2": "failed"}


def test_upstream_that_does_not_answer_leaves_everything_as_it_is(make_setup, upstream):
    setup = make_setup()
    users = [f"crm-{number}" for number in range(5)]
    lose(setup, upstream, *(create(AppInstanceUserId=user) for user in users))
    before = records(setup)
    for answer, asked in ((upstreams.Answer(503), 9), (upstreams.error(429, "ThrottledClientException"), 9)):
        upstream.clear()
        upstream.handler = lambda _, answer=answer: answer
        code, found, said = reconcile(setup)
        assert (code, set(found)) == (1, set(users))
        assert {entry["outcome"] for entry in found.values()} == {"unknown"}
        assert "5 left" in said
        assert len(upstream.requests) == asked, "three questions, three times each, and no more"
    code, found, said = reconcile(setup, url="http://127.0.0.1:9")
    assert code == 1 and "5 left" in said
    assert records(setup) == before
    assert setup.verify()[0] == 0


def test_refused_while_a_gateway_serves(make_setup, upstream):
    setup = make_setup()
    lose(setup, upstream, create(AppInstanceUserId="crm-1"))
    with gateways.running(setup) as gateway:
        for options in ((), ("--dry-run",)):
            result = setup.command("audit", "reconcile", *options)
            assert (result.returncode, result.stdout) == (1, "")
            assert "held by" in result.stderr
        assert f"pid {gateway.process.pid}" in setup.command("audit", "reconcile").stderr
    assert upstream.requests == []


def test_journal_that_is_not_there_is_not_made(make_setup):
    setup = make_setup()
    code, found, said = reconcile(setup)
    assert (code, found) == (1, {}) and "audit" in said
    assert not setup.audit_folder.exists()


def test_other_changes_are_told_by_the_state_they_wanted(make_setup, upstream, sandbox, there):
    setup = make_setup()
    setup.config["audit"]["sensitive"] = {"metadata": "plain"}
    arn = there.create_app_instance_user(**service.create_user(AppInstanceUserId="crm-1"))[
        "AppInstanceUserArn"
    ]
    path = f"/app-instance-users/{arn.replace(':', '%3A').replace('/', '%2F')}"

    def call(method, target, body=None):
        return wire.signed(CRM, method, target, body=json.dumps(body).encode() if body else b"")

    def tag(value):
        return call("POST", "/tags?operation=tag-resource", {"ResourceARN": arn, "Tags": [{"Key": "T", "Value": value}]})

    contents = {
        "update done": call("PUT", path, {"Name": "Bob", "Metadata": "m"}),
        "update not": call("PUT", path, {"Name": "Carol", "Metadata": "m"}),
        "tag done": tag("new"),
        "tag not": tag("other"),
        "untag done": call("POST", "/tags?operation=untag-resource", {"ResourceARN": arn, "TagKeys": ["Gone"]}),
        "untag not": call("POST", "/tags?operation=untag-resource", {"ResourceARN": arn, "TagKeys": ["T"]}),
        "delete not": call("DELETE", path),
        "expiration not": call(
            "PUT",
            f"{path}/expiration-settings",
            {"ExpirationSettings": {"ExpirationDays": 9, "ExpirationCriterion": "CREATED_TIMESTAMP"}},
        ),
    }
    for content in contents.values():
        lose(setup, upstream, content)
    there.update_app_instance_user(AppInstanceUserArn=arn, Name="Bob", Metadata="m")
    there.tag_resource(ResourceARN=arn, Tags=[{"Key": "T", "Value": "new"}])

    setup.config["upstream"]["endpoint"] = sandbox.url
    result = setup.write().command("audit", "reconcile", "--format", "json")
    found = [json.loads(line)["outcome"] for line in result.stdout.splitlines()]
    expected = ["succeeded" if name.endswith("done") else "failed" for name in contents]
    assert (result.returncode, dict(zip(contents, found))) == (0, dict(zip(contents, expected))), result.stderr
    assert setup.verify()[0] == 0


def test_hidden_values_stay_unknown_and_hashes_decide(make_setup, upstream, sandbox, there, tmp_path):
    key = gateways.write_secret(tmp_path / "audit.key", bytes(range(32)))
    arn = there.create_app_instance_user(**service.create_user(AppInstanceUserId="crm-1"))[
        "AppInstanceUserArn"
    ]
    path = f"/app-instance-users/{arn.replace(':', '%3A').replace('/', '%2F')}"
    body = json.dumps({"Name": "Bob", "Metadata": "m"}).encode()
    there.update_app_instance_user(AppInstanceUserArn=arn, Name="Bob", Metadata="m")
    for treatment, expected in (("omit", (1, "unknown")), ("hash", (0, "succeeded"))):
        setup = make_setup(treatment)
        setup.config["audit"]["sensitive"] = {"name": treatment, "metadata": treatment, "keyFile": str(key)}
        lose(setup, upstream, wire.signed(CRM, "PUT", path, body=body))
        code, found, said = reconcile(setup, url=sandbox.url)
        assert (code, found["crm-1"]["outcome"]) == expected, (treatment, found, said)


def test_text_is_one_line_a_request(make_setup, upstream):
    setup = make_setup()
    lose(setup, upstream, create(AppInstanceUserId="crm-1"))
    upstream.handler = lambda _: upstreams.error(404, "NotFoundException")
    result = setup.command("audit", "reconcile")
    (line,) = result.stdout.splitlines()
    assert "CreateAppInstanceUser  crm-1  failed: upstream has no such user" in line
    assert "1 failed" in result.stderr
