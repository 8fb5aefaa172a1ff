"""An upstream that is slow, broken or gone: what callers get, what is tried again, and what never is."""

import threading
import time

import pytest

import gateways
import service
import upstreams
import wire
from checks import assert_refused
from gateways import CRM
from waiting import PATIENCE, until

UNAVAILABLE = "ServiceUnavailableException"


def create():
    return wire.signed_create(CRM, service.create_user())


def tag():
    body = b'{"ResourceARN":"' + service.user_arn("u").encode() + b'","Tags":[{"Key":"a","Value":"b"}]}'
    return wire.signed(CRM, "POST", "/tags?operation=tag-resource", body)


def read():
    return wire.signed(CRM, "GET", "/app-instances")


@pytest.fixture
def gateway(make_setup, upstream):
    """A gateway of its own for each test: a circuit that one test opens must not be seen by the next."""
    with gateways.running(retrying(make_setup)) as gateway:
        yield gateway


@pytest.fixture
def hasty_gateway(make_setup, upstream):
    """One that gives upstream little time."""
    with gateways.running(retrying(make_setup, requestTimeout="2s")) as gateway:
        yield gateway


def retrying(make_setup, **options):
    setup = make_setup()
    setup.config["upstream"] |= {"retry": {"attempts": 3, "budgetPercent": 100}, **options}
    return setup


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
@pytest.mark.parametrize("request_of", [create, read], ids=["create", "read"])
def test_request_that_may_be_repeated_is_tried_again(gateway, upstream, status, request_of):
    upstream.behaving(upstreams.error(status, "ServiceFailureException"))
    response = gateway.send(request_of())
    assert response.status in (200, 201), response
    assert len(upstream.requests) == 2
    assert {request.problem for request in upstream.requests} == {None}
    assert len({request.body for request in upstream.requests}) == 1
    assert len(gateway.setup.concluded(1)) == 1


def test_request_whose_answer_was_lost_is_tried_again(gateway, upstream):
    upstream.behaving(upstreams.Raw(b""))
    assert gateway.send(create()).status == 201
    assert len(upstream.requests) == 2


@pytest.mark.parametrize("status", [500, 503])
def test_request_without_a_token_that_changes_something_is_not_tried_again(gateway, upstream, status):
    upstream.behaving(upstreams.error(status, "ServiceFailureException"))
    response = gateway.send(tag())
    assert response.status == status
    assert len(upstream.requests) == 1


def test_lost_answer_of_a_request_without_a_token_is_not_asked_for_again(gateway, upstream):
    upstream.behaving(upstreams.Raw(b""))
    response = gateway.send(tag())
    assert_refused(response, 503, UNAVAILABLE, "ServiceUnavailable")
    assert "was sent and may have been carried out" in response.message
    assert len(upstream.requests) == 1
    record = gateway.setup.audit_record(response.get("x-gatehouse-request-id"))
    assert (record["decision"], record["outcome"]) == ("allowed", "unknown")


def test_kept_connection_that_upstream_closed_meanwhile_costs_the_caller_nothing(gateway, upstream):
    assert gateway.send(tag()).status == 204
    upstream.drop_connections()
    for _ in range(3):
        assert gateway.send(create()).status == 201


def test_attempts_are_bounded_and_the_last_answer_passes(gateway, upstream):
    upstream.handler = lambda request: upstreams.error(
        503, UNAVAILABLE, "ServiceUnavailable", "upstream says no"
    )
    response = gateway.send(create())
    assert response.status == 503
    assert len(upstream.requests) == 3


@pytest.mark.parametrize("status", [400, 403, 404, 409])
def test_answer_that_is_final_is_not_asked_for_again(gateway, upstream, status):
    upstream.behaving(upstreams.error(status, "SomeException"))
    assert gateway.send(create()).status == status
    assert len(upstream.requests) == 1


LOST = upstreams.Raw(b"")
FAILED = upstreams.error(500, "ServiceFailureException")
THROTTLED = upstreams.error(429, "ThrottledClientException")
REJECTED = upstreams.error(403, "ForbiddenException")
BUSY = upstreams.error(503, UNAVAILABLE)

# What upstream answers one request's attempts, and what is known of the request then.
ATTEMPTS = {
    "rejected": ([REJECTED], 403, "rejected"),
    "throttled to the end": ([THROTTLED] * 3, 429, "rejected"),
    "failed to the end": ([FAILED, BUSY, FAILED], 500, "failed"),
    "throttled, then rejected": ([THROTTLED, REJECTED], 403, "rejected"),
    "throttled, then failed to the end": ([THROTTLED, FAILED, BUSY], 503, "failed"),
    "failed, then rejected": ([FAILED, REJECTED], 403, "unknown"),
    "failed, then throttled to the end": ([FAILED, THROTTLED, THROTTLED], 429, "unknown"),
    "failed, then created": ([FAILED, upstreams.like_the_service], 201, "created"),
    "lost, then rejected": ([LOST, REJECTED], 403, "unknown"),
    "lost, then throttled to the end": ([LOST, THROTTLED, THROTTLED], 429, "unknown"),
    "lost, then failed to the end": ([LOST, FAILED, FAILED], 500, "unknown"),
    "lost, then created": ([LOST, upstreams.like_the_service], 201, "created"),
}


@pytest.mark.parametrize("case", ATTEMPTS)
def test_outcome_tells_what_all_attempts_may_have_done(gateway, upstream, case):
    answers, status, outcome = ATTEMPTS[case]
    upstream.behaving(*answers)
    response = gateway.send(create())
    assert response.status == status, "the caller gets the last attempt's answer"
    assert len(upstream.requests) == len(answers)
    record = gateway.setup.audit_record(response.get("x-gatehouse-request-id"))
    assert (record["decision"], record["outcome"]) == ("allowed", outcome)
    assert (record["status"], record["upstreamStatus"], record["attempts"]) == (status, status, len(answers))


def test_read_whose_first_answer_was_lost_leaves_nothing_behind(gateway, upstream):
    upstream.behaving(LOST, REJECTED)
    response = gateway.send(read())
    record = gateway.setup.audit_record(response.get("x-gatehouse-request-id"))
    assert (response.status, record["outcome"]) == (403, "rejected")


UNREADABLE = {
    "garbage": b"hello\r\n\r\n",
    "nothing but a status line": b"HTTP/1.1 201 Created\r\n",
    "body cut short": b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}",
    "chunks cut short": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{",
    "Content-Length with Transfer-Encoding": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    "two Content-Lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{} ",
    "Content-Length with a sign": b"HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\n{}",
    "bad chunk size": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
    "line folding": b"HTTP/1.1 200 OK\r\nX-Odd: a\r\n b\r\nContent-Length: 2\r\n\r\n{}",
    "space before the colon": b"HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\n{}",
    "bare LF": b"HTTP/1.1 200 OK\nContent-Length: 2\n\n{}",
    "NUL in a value": b"HTTP/1.1 200 OK\r\nX-Odd: a\x00b\r\nContent-Length: 2\r\n\r\n{}",
    "status of two digits": b"HTTP/1.1 20 OK\r\nContent-Length: 2\r\n\r\n{}",
    "another protocol": b"HTTP/2.0 200 OK\r\nContent-Length: 2\r\n\r\n{}",
    "an endless head": b"HTTP/1.1 200 OK\r\nX-Big: " + b"x" * 300_000,
}


@pytest.mark.parametrize("case", UNREADABLE)
def test_answer_that_cannot_be_read_is_503(gateway, upstream, case):
    upstream.behaving(upstreams.Raw(UNREADABLE[case]))
    with gateway.connect() as connection:
        response = connection.exchange(tag())
        assert_refused(response, 503, UNAVAILABLE, "ServiceUnavailable")
        assert "was sent and may have been carried out" in response.message
        record = gateway.setup.audit_record(response.get("x-gatehouse-request-id"))
        assert (record["decision"], record["outcome"]) == ("allowed", "unknown")
        assert connection.exchange(create()).status == 201


def test_bytes_behind_an_answer_are_no_answer_to_the_next_request(gateway, upstream):
    first = b"HTTP/1.1 204 No Content\r\n\r\n"
    stray = b'HTTP/1.1 201 Created\r\nContent-Length: 7\r\n\r\n"stray"'
    upstream.behaving(upstreams.Raw(first + stray, close=False))
    with gateway.connect() as connection:
        connection.exchange(tag())
        response = connection.exchange(create())
    assert b"stray" not in response.body and response.status == 201


def test_upstream_that_is_too_slow_is_504(hasty_gateway, upstream):
    gateway = hasty_gateway
    release = threading.Event()
    upstream.behaving(lambda request: (release.wait(PATIENCE), upstreams.like_the_service(request))[1])
    try:
        response = gateway.send(tag())
    finally:
        release.set()
    assert_refused(response, 504, UNAVAILABLE, "ServiceUnavailable")
    assert "was sent and may have been carried out" in response.message
    record = gateway.setup.audit_record(response.get("x-gatehouse-request-id"))
    assert (record["decision"], record["outcome"], record["status"]) == ("allowed", "unknown", 504)
    assert gateway.send(create()).status == 201


def test_request_timeout_is_the_whole_exchange_retries_included(hasty_gateway, upstream):
    release = threading.Event()
    upstream.handler = lambda request: (release.wait(PATIENCE), upstreams.like_the_service(request))[1]
    began = time.monotonic()
    try:
        response = hasty_gateway.send(create())
    finally:
        release.set()
    assert response.status == 504
    assert time.monotonic() - began < 6, "one requestTimeout (2 s), not one an attempt"


def test_upstream_that_is_not_there_is_503_and_nothing_was_created(make_setup):
    setup = make_setup(url="http://127.0.0.1:9")
    with gateways.running(setup) as gateway:
        response = gateway.send(create())
        assert_refused(response, 503, UNAVAILABLE, "ServiceUnavailable")
        record = gateway.setup.audit_record(response.get("x-gatehouse-request-id"))
        assert record["outcome"] in ("failed", "notForwarded"), "nothing was sent, and that is known"


def test_upstream_name_that_does_not_resolve_is_503(make_setup):
    setup = make_setup(url="http://upstream.invalid:1")
    setup.config["upstream"]["connectTimeout"] = "500ms"
    setup.config["upstream"]["requestTimeout"] = "3s"
    with gateways.running(setup) as gateway:
        response = gateway.send(create())
        assert response.status in (503, 504)
        assert response.error_type == UNAVAILABLE


def test_circuit_opens_after_failures_in_a_row_and_closes_again(make_setup, upstream):
    setup = make_setup()
    setup.config["upstream"]["circuitBreaker"] = {"consecutiveFailures": 3, "openFor": "5s"}
    setup.config["upstream"]["retry"] = {"attempts": 1}
    with gateways.running(setup) as gateway:
        upstream.handler = lambda request: upstreams.Raw(b"")
        for _ in range(3):
            gateway.send(tag())
        seen = len(upstream.requests)
        assert seen == 3
        response = gateway.send(tag())
        assert_refused(response, 503, UNAVAILABLE, "ServiceUnavailable")
        assert response.get("Retry-After"), response.headers
        assert len(upstream.requests) == seen
        assert b"gatehouse_circuit_open 1" in gateway.admin_request("/metrics").body
        record = gateway.setup.audit_record(response.get("x-gatehouse-request-id"))
        assert (record["decision"], record["outcome"]) == ("refused", "notForwarded")

        upstream.clear()
        until(lambda: gateway.send(create()).status == 201, "the circuit stays open")
        assert b"gatehouse_circuit_open 0" in gateway.admin_request("/metrics").body


def test_repeat_of_a_create_gets_the_recorded_answer(gateway, upstream):
    user = service.create_user()
    first = gateway.send(wire.signed_create(CRM, user))
    second = gateway.send(wire.signed_create(CRM, user))
    assert (second.status, second.body) == (first.status, first.body) == (201, second.body)
    assert first.get("x-gatehouse-request-id") != second.get("x-gatehouse-request-id")
    assert len(upstream.requests) == 1
    records = {record["requestId"]: record for record in gateway.setup.concluded(2)}
    created = records[first.get("x-gatehouse-request-id")]
    repeat = records[second.get("x-gatehouse-request-id")]
    assert (created["outcome"], created["attempts"], created["upstreamStatus"]) == ("created", 1, 201)
    assert "repeatOf" not in created
    # It created nothing: who asks who created which users counts each once.
    assert repeat["repeatOf"] == created["requestId"]
    assert (repeat["decision"], repeat["outcome"], repeat["status"]) == ("allowed", "notForwarded", 201)
    assert (repeat["upstreamStatus"], repeat["upstreamRequestId"]) == (None, None)
    assert "attempts" not in repeat
    assert repeat["appInstanceUserArn"] == created["appInstanceUserArn"]


def test_repeat_that_joins_the_first_in_flight_is_recorded_as_one(gateway, upstream):
    release = threading.Event()
    upstream.handler = lambda request: (release.wait(PATIENCE), upstreams.like_the_service(request))[1]
    content = wire.signed_create(CRM, service.create_user())
    with gateway.connect() as first, gateway.connect() as second:
        try:
            first.send(content)
            upstream.wait_for(1)
            second.send(content)
        finally:
            release.set()
        answers = [first.read(), second.read()]
    assert [answer.status for answer in answers] == [201, 201]
    assert len(upstream.requests) == 1
    outcomes = {record["requestId"]: record["outcome"] for record in gateway.setup.concluded(2)}
    assert [outcomes[answer.get("x-gatehouse-request-id")] for answer in answers] == ["created", "notForwarded"]


def test_same_token_with_another_body_is_409(gateway, upstream):
    user = service.create_user()
    gateway.send(wire.signed_create(CRM, user))
    response = gateway.send(wire.signed_create(CRM, {**user, "Name": "Mallory"}))
    assert_refused(response, 409, "ConflictException", "Conflict")
    assert len(upstream.requests) == 1


def test_no_replay_window_forwards_every_repeat(make_setup, upstream):
    setup = make_setup(authentication={"replayWindow": "0s"})
    with gateways.running(setup) as gateway:
        user = service.create_user()
        assert [gateway.send(wire.signed_create(CRM, user)).status for _ in range(2)] == [201, 201]
    assert len(upstream.requests) == 2


def test_gateway_without_credentials_is_503(make_setup, upstream):
    setup = make_setup()
    setup.config["upstream"]["credentials"] = {"source": "environment"}
    with gateways.running(setup) as gateway:
        response = gateway.send(create())
        assert_refused(response, 503, UNAVAILABLE, "ServiceUnavailable")
        assert upstream.requests == []
        record = gateway.setup.audit_record(response.get("x-gatehouse-request-id"))
        assert (record["decision"], record["outcome"]) == ("refused", "notForwarded")
        assert gateway.admin_request("/readyz").status == 503


def test_credentials_from_the_environment(make_setup, upstream):
    setup = make_setup()
    setup.config["upstream"]["credentials"] = {"source": "environment"}
    environment = {"AWS_ACCESS_KEY_ID": upstreams.KEY.id, "AWS_SECRET_ACCESS_KEY": upstreams.KEY.secret}
    with gateways.running(setup, environment=environment) as gateway:
        assert gateway.send(create()).status == 201
    assert upstream.only.problem is None


def test_credentials_from_a_profile(make_setup, upstream, tmp_path):
    credentials = tmp_path / "credentials"
    credentials.write_text(
        "[default]\naws_access_key_id = AKIAWRONG\naws_secret_access_key = wrong\n\n"
        f"[chime]\naws_access_key_id = {upstreams.KEY.id}\naws_secret_access_key={upstreams.KEY.secret}\n"
    )
    setup = make_setup()
    setup.config["upstream"]["credentials"] = {
        "source": "profile",
        "profile": "chime",
        "file": str(credentials),
    }
    with gateways.running(setup) as gateway:
        assert gateway.send(create()).status == 201
    assert upstream.only.problem is None


@pytest.mark.parametrize("empty", ["profile", "environment", "static"])
def test_an_empty_session_token_is_none(make_setup, upstream, empty):
    setup = make_setup()
    environment = {}
    if empty == "profile":
        gateways.write_secret(
            setup.folder / "credentials",
            f"[default]\naws_access_key_id = {upstreams.KEY.id}\n"
            f"aws_secret_access_key = {upstreams.KEY.secret}\naws_session_token =\n",
        )
        setup.config["upstream"]["credentials"] = {"source": "profile", "file": "credentials"}
        environment = {"AWS_PROFILE": ""}
    elif empty == "environment":
        setup.config["upstream"]["credentials"] = {"source": "environment"}
        environment = {
            "AWS_ACCESS_KEY_ID": upstreams.KEY.id, "AWS_SECRET_ACCESS_KEY": upstreams.KEY.secret, "AWS_SESSION_TOKEN": "",
        }
    else:
        setup.config["upstream"]["credentials"]["sessionToken"] = "${ENV:TOKEN}"
        environment = {"TOKEN": ""}
    with gateways.running(setup, environment=environment) as gateway:
        assert gateway.send(create()).status == 201
    assert upstream.only.problem is None
    assert "x-amz-security-token" not in upstream.only.names
