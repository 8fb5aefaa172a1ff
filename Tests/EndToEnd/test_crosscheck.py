"""`gatehouse audit crosscheck`: the journal against CloudTrail's files."""

import datetime
import gzip
import json

import pytest

import gateways
import service
import upstreams
import wire
from gateways import CRM


def event(time, request_id, user="crm-x", name="CreateAppInstanceUser", error=None, **more):
    """A record in CloudTrail's form."""
    return {
        "eventVersion": "1.08",
        "userIdentity": {"type": "AssumedRole", "arn": "arn:aws:sts::123456789012:assumed-role/someone/s"},
        "eventTime": time,
        "eventSource": "chime.amazonaws.com",
        "eventName": name,
        "awsRegion": "us-east-1",
        "sourceIPAddress": "198.51.100.7",
        "userAgent": "aws-cli/2.0",
        "requestParameters": {"appInstanceArn": service.APP, "appInstanceUserId": user},
        "responseElements": None if error else {"appInstanceUserArn": f"{service.APP}/user/{user}"},
        "requestID": request_id,
        "eventID": f"event-{request_id}",
        **({"errorCode": error} if error else {}),
        **more,
    }


@pytest.fixture
def journal(make_setup):
    """A setup whose journal has three creations, and these as `audit query` prints them."""
    setup = make_setup()
    with gateways.running(setup) as gateway:
        for number in range(3):
            body = service.create_user(AppInstanceUserId=f"crm-{number}")
            assert gateway.send(wire.signed_create(CRM, body)).status == 201
        denied = service.create_user(AppInstanceUserId="crm-denied", Name="")
        assert gateway.send(wire.signed_create(CRM, denied)).status == 400
    return setup, sorted(setup.audit(), key=lambda record: record["time"])


def seconds(time):
    return time[:19] + "Z"


def write(folder, name, records):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    content = json.dumps({"Records": records}).encode()
    path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)


def crosscheck(setup, folder, *options):
    result = setup.command("audit", "crosscheck", "--cloudtrail", folder, "--format", "json", *options)
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    return result, lines[:-1], lines[-1]["summary"] if lines else None


def around(requests):
    """Events that come before and after all requests, so that the files cover their time."""
    first = datetime.datetime.fromisoformat(requests[0]["time"].replace("Z", "+00:00"))
    shift = datetime.timedelta(seconds=5)
    return [
        event(f"{(first + offset):%Y-%m-%dT%H:%M:%SZ}", f"refused-{index}", error="ThrottlingException")
        for index, offset in enumerate([-shift, shift * 12])
    ]


def test_what_came_through_the_gateway_is_not_told(journal, tmp_path):
    setup, requests = journal
    created = [request for request in requests if request["outcome"] == "created"]
    events = [event(seconds(request["time"]), request["upstreamRequestId"]) for request in created]
    write(tmp_path / "trail", "2026/11/29/log.json.gz", events[:2] + around(requests))
    write(tmp_path / "trail", "2026/11/29/more/log.json", events[2:])
    result, findings, summary = crosscheck(setup, tmp_path / "trail")
    assert result.returncode == 0 and findings == [], result.stdout + result.stderr
    assert summary == {
        "events": 5,
        "refusedByService": 2,
        "requests": 3,
        "notThroughGateway": 0,
        "notInCloudTrail": 0,
    }


def test_who_went_round_and_what_is_missing_is_told(journal, tmp_path):
    setup, requests = journal
    created = [request for request in requests if request["outcome"] == "created"]
    events = [event(seconds(request["time"]), request["upstreamRequestId"]) for request in created[1:]]
    round_it = event(seconds(created[0]["time"]), "another-id", user="crm-smuggled")
    others = [
        event(seconds(created[0]["time"]), "s3", eventSource="s3.amazonaws.com"),
        event(seconds(created[0]["time"]), "other", name="CreateMeeting"),
    ]
    write(tmp_path / "trail", "log.json", events + [round_it, *others] + around(requests))
    write(tmp_path / "trail", "digest.json", [])
    (tmp_path / "trail" / "digest.json").write_text('{"awsAccountId": "1"}')
    result, findings, summary = crosscheck(setup, tmp_path / "trail")
    assert result.returncode == 1
    assert "digest.json is no log file of CloudTrail" in result.stderr
    outside, unseen = findings
    assert outside["finding"] == "notThroughGateway"
    assert outside["appInstanceUserArn"] == f"{service.APP}/user/crm-smuggled"
    assert outside["userIdentity"].endswith("someone/s") and outside["eventId"] == "event-another-id"
    assert unseen["finding"] == "notInCloudTrail"
    assert unseen["requestId"] == created[0]["requestId"] and unseen["tenant"] == "crm"
    assert (summary["notThroughGateway"], summary["notInCloudTrail"]) == (1, 1)

    text = setup.command("audit", "crosscheck", "--cloudtrail", tmp_path / "trail")
    assert text.returncode == 1
    assert text.stdout.startswith("not through the gateway: ") and "crm-smuggled by arn:aws:sts" in text.stdout


def test_an_attempt_before_the_one_that_was_answered_is_the_gateways_own(make_setup, upstream, tmp_path):
    setup = make_setup()
    answers = iter([upstreams.error(500, "ServiceFailureException")])
    upstream.handler = lambda request: next(answers, None) or upstreams.like_the_service(request)
    with gateways.running(setup) as gateway:
        body = service.create_user(AppInstanceUserId="crm-twice")
        assert gateway.send(wire.signed_create(CRM, body)).status == 201
    (request,) = setup.audit()
    time = seconds(request["time"])
    both = [event(time, "first", user="crm-twice"), event(time, request["upstreamRequestId"], user="crm-twice")]
    write(tmp_path / "trail", "log.json", both)
    result, findings, _ = crosscheck(setup, tmp_path / "trail")
    assert result.returncode == 0 and findings == [], result.stdout
    write(tmp_path / "trail", "log.json", [*both, event(time, "third", user="crm-other")])
    _, findings, _ = crosscheck(setup, tmp_path / "trail")
    assert [finding["upstreamRequestId"] for finding in findings] == ["third"]


def test_what_is_wrong_with_the_folder_is_said(journal, tmp_path):
    setup, _ = journal
    missing, _, _ = crosscheck(setup, tmp_path / "none")
    assert missing.returncode == 1 and "no such file or directory" in missing.stderr
    (tmp_path / "empty").mkdir()
    empty, _, _ = crosscheck(setup, tmp_path / "empty")
    assert empty.returncode == 1 and "no event of the identity API" in empty.stderr
