"""Who may speak: every authentication row of the error table, by signatures that botocore made."""

import dataclasses
import hashlib
import json

import pytest

import gateways
import service
import signing
import upstreams
import wire
from checks import assert_good_request_works, assert_refused
from gateways import CRM

TARGET = "/app-instance-users"
UNKNOWN = signing.Key("GHAKUNKNOWN00000001", "whatever-secret-abcdefghijklmnop")
REVOKED = signing.Key("GHAKREVOKED00000001", "revoked-secret-abcdefghijklmnop")
EXPIRED = signing.Key("GHAKEXPIRED00000001", "expired-secret-abcdefghijklmnop")
FUTURE = signing.Key("GHAKFUTURE000000001", "future-secret-abcdefghijklmnopq")
SESSION = signing.Key("GHAKSESSION00000001", "session-secret-abcdefghijklmnop", "session-token-0123456789/+=")
ENDED = signing.Key("GHAKENDED0000000001", "ended-secret-abcdefghijklmnopqr", "ended-token-0123456789")


@pytest.fixture(scope="module")
def module_setup(tmp_path_factory, endpoint):
    setup = gateways.Setup(tmp_path_factory.mktemp("gateway"), endpoint.url, upstreams.KEY)
    keys = gateways.tenant(
        keys=[CRM, REVOKED, EXPIRED, FUTURE, SESSION, ENDED], operations=service.OPERATIONS
    )
    by_id = {key["id"]: key for key in keys["accessKeys"]}
    by_id[REVOKED.id]["status"] = "revoked"
    by_id[EXPIRED.id]["notAfter"] = "2020-01-01T00:00:00Z"
    by_id[FUTURE.id]["notAfter"] = "2099-01-01T00:00:00Z"
    by_id[ENDED.id]["notAfter"] = "2020-01-01T00:00:00Z"
    setup.tenants = [keys]
    return setup


def create(key=CRM, **options):
    return wire.signed_create(key, service.create_user(), **options)


def with_authorization(change):
    """A good request whose Authorization value went through `change`."""
    lines = create().split(b"\r\n")
    at = next(index for index, line in enumerate(lines) if line.startswith(b"Authorization: "))
    lines[at] = b"Authorization: " + change(lines[at].removeprefix(b"Authorization: "))
    return b"\r\n".join(lines)


def without(name):
    """A good request from which a field was taken after signing."""
    lines = create().split(b"\r\n")
    return b"\r\n".join(line for line in lines if not line.lower().startswith(name.lower().encode() + b":"))


def replaced(old, new):
    """A good request with bytes replaced after signing by as many others."""
    request = create()
    assert request.count(old) == 1 and len(old) == len(new)
    return request.replace(old, new)


def presigned():
    date = signing.timestamp()
    query = "&".join(
        [
            "X-Amz-Algorithm=AWS4-HMAC-SHA256",
            f"X-Amz-Credential={CRM.id}%2F{date[:8]}%2Fus-east-1%2Fchime%2Faws4_request",
            f"X-Amz-Date={date}",
            "X-Amz-Expires=300",
            "X-Amz-SignedHeaders=host",
        ]
    )
    target = f"/app-instances?{query}"
    value = signing.signature(
        "GET",
        target,
        [("Host", "gateway.test")],
        b"",
        {"host"},
        date,
        CRM.id,
        CRM.secret,
        "us-east-1",
        "chime",
    )
    return wire.encode("GET", f"{target}&X-Amz-Signature={value}", [("Host", "gateway.test")])


def body_hash_of_another_body():
    return hashlib.sha256(b"another body").hexdigest()


MISSING = "MissingAuthenticationTokenException"
INCOMPLETE = "IncompleteSignatureException"
UNRECOGNIZED = "UnrecognizedClientException"
INVALID = "InvalidSignatureException"

REFUSED = {
    "no Authorization": (lambda: without("Authorization"), MISSING),
    "presigned query": (presigned, MISSING),
    "Authorization of another scheme": (lambda: with_authorization(lambda _: b"Bearer abc"), INCOMPLETE),
    "Authorization of another algorithm": (
        lambda: with_authorization(lambda v: v.replace(b"AWS4-HMAC-SHA256", b"AWS4-HMAC-SHA1")),
        INCOMPLETE,
    ),
    "empty Authorization": (lambda: with_authorization(lambda _: b""), INCOMPLETE),
    "Authorization without parameters": (
        lambda: with_authorization(lambda _: b"AWS4-HMAC-SHA256"),
        INCOMPLETE,
    ),
    "Authorization without Signature": (
        lambda: with_authorization(lambda v: v[: v.index(b", Signature=")]),
        INCOMPLETE,
    ),
    "Authorization without SignedHeaders": (
        lambda: with_authorization(lambda v: v[: v.index(b" SignedHeaders=")] + v[v.index(b" Signature=") :]),
        INCOMPLETE,
    ),
    "Authorization without Credential": (
        lambda: with_authorization(lambda v: b"AWS4-HMAC-SHA256" + v[v.index(b" SignedHeaders=") :]),
        INCOMPLETE,
    ),
    "Authorization with Signature twice": (
        lambda: with_authorization(lambda v: v + b", Signature=" + b"0" * 64),
        INCOMPLETE,
    ),
    "credential scope cut short": (
        lambda: with_authorization(lambda v: v.replace(b"/chime/aws4_request", b"")),
        INCOMPLETE,
    ),
    "Authorization given twice": (
        lambda: create(unsigned=[("Authorization", "AWS4-HMAC-SHA256 Credential=x")]),
        INCOMPLETE,
    ),
    "X-Amz-Date missing": (lambda: without("X-Amz-Date"), INCOMPLETE),
    "X-Amz-Date missing, Date there": (
        lambda: without("X-Amz-Date").replace(
            b"Content-Type:", b"Date: Mon, 23 Nov 2026 10:00:00 GMT\r\nContent-Type:", 1
        ),
        INCOMPLETE,
    ),
    "X-Amz-Date malformed": (lambda: create(date="2026-11-23T13:00:00Z"), INCOMPLETE),
    "X-Amz-Date of no calendar": (lambda: create(date="20261341T256199Z"), INCOMPLETE),
    "Host not signed": (lambda: create(leave_unsigned=["host"]), INCOMPLETE),
    "a listed header absent": (lambda: without("Content-Type"), INCOMPLETE),
    "unknown key": (lambda: create(UNKNOWN), UNRECOGNIZED),
    "revoked key": (lambda: create(REVOKED), UNRECOGNIZED),
    "expired key": (lambda: create(EXPIRED), UNRECOGNIZED),
    "key in other case": (
        lambda: create(dataclasses.replace(CRM, id=CRM.id.lower())),
        UNRECOGNIZED,
    ),
    "session token on a key without one": (
        lambda: create(dataclasses.replace(CRM, token="a-token")),
        UNRECOGNIZED,
    ),
    "session key past its end": (lambda: create(ENDED), "ExpiredTokenException"),
    "wrong secret": (lambda: create(dataclasses.replace(CRM, secret="wrong")), INVALID),
    "clock 6 minutes behind": (lambda: create(date=signing.timestamp(-360)), INVALID),
    "clock 6 minutes ahead": (lambda: create(date=signing.timestamp(360)), INVALID),
    "clock a year behind": (lambda: create(date=signing.timestamp(-365 * 86400)), INVALID),
    "scope of another day": (lambda: create(scope_date="20200101"), INVALID),
    "another region": (lambda: create(region="eu-central-1"), INVALID),
    "another service": (lambda: create(service="s3"), INVALID),
    "another terminator": (
        lambda: with_authorization(lambda v: v.replace(b"aws4_request", b"aws5_request")),
        INVALID,
    ),
    "body tampered with": (lambda: replaced(b"Alice Example", b"Alice Example".swapcase()), INVALID),
    "path tampered with": (
        lambda: wire.signed(
            CRM, "GET", "/app-instance-users/" + service.user_arn("a").replace("/", "%2F")
        ).replace(b"user%2Fa", b"user%2Fb"),
        INVALID,
    ),
    "query tampered with": (
        lambda: wire.signed(CRM, "GET", "/app-instances?max-results=5").replace(b"=5", b"=6"),
        INVALID,
    ),
    "query added": (
        lambda: wire.signed(CRM, "GET", "/app-instances").replace(b"instances ", b"instances?max-results=5 "),
        INVALID,
    ),
    "method tampered with": (
        lambda: wire.signed(
            CRM, "GET", "/app-instance-users/" + service.user_arn("a").replace("/", "%2F")
        ).replace(b"GET", b"DELETE", 1),
        INVALID,
    ),
    "signed header tampered with": (lambda: replaced(b"application/json", b"application/jso_"), INVALID),
    "host tampered with": (lambda: replaced(b"gateway.test", b"gateway.tess"), INVALID),
    "x-amz header not signed": (lambda: create(unsigned=[("X-Amz-Meta", "1")]), INVALID),
    "second value of a signed x-amz header": (
        lambda: create(headers=[("X-Amz-Meta", "1")], unsigned=[("X-Amz-Meta", "2")]),
        INVALID,
    ),
    "x-amz-content-sha256 not signed": (
        lambda: create(unsigned=[("X-Amz-Content-Sha256", body_hash_of_another_body())]),
        INVALID,
    ),
    "x-amz-content-sha256 of another body": (
        lambda: create(content_sha256=body_hash_of_another_body()),
        INVALID,
    ),
    "x-amz-content-sha256 UNSIGNED-PAYLOAD": (lambda: create(content_sha256="UNSIGNED-PAYLOAD"), INVALID),
    "x-amz-content-sha256 streaming": (
        lambda: create(content_sha256="STREAMING-AWS4-HMAC-SHA256-PAYLOAD"),
        INVALID,
    ),
    "signature cut short": (lambda: with_authorization(lambda v: v[:-1]), None),
    "signature one digit off": (
        lambda: with_authorization(lambda v: v[:-1] + (b"0" if v[-1:] != b"0" else b"1")),
        INVALID,
    ),
    "signature of nothing": (
        lambda: with_authorization(lambda v: v[: v.index(b"Signature=")] + b"Signature="),
        INCOMPLETE,
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_caller_is_refused_for(gateway, upstream, case):
    build, error_type = REFUSED[case]
    with gateway.connect() as connection:
        response = connection.exchange(build())
        if error_type is None:
            assert response.error_type in (INCOMPLETE, INVALID)
            error_type = response.error_type
        assert_refused(response, 403, error_type)
        assert upstream.requests == []
        record = gateway.setup.audit_record(response.get("x-gatehouse-request-id"))
        assert (record["decision"], record["outcome"], record["status"]) == (
            "unauthenticated",
            "notForwarded",
            403,
        )
        assert not response.says_close
        assert_good_request_works(gateway, connection)


@pytest.mark.parametrize("token", [None, "another-token", SESSION.token + "x"])
def test_session_key_without_its_own_token_is_refused(gateway, upstream, token):
    response = gateway.send(create(dataclasses.replace(SESSION, token=token)))
    assert response.status == 403
    assert response.error_type in (UNRECOGNIZED, INVALID, INCOMPLETE)
    assert upstream.requests == []


def test_session_token_that_is_not_signed_is_refused(gateway, upstream):
    key = dataclasses.replace(SESSION, token=None)
    response = gateway.send(create(key, unsigned=[("X-Amz-Security-Token", SESSION.token)]))
    assert response.status == 403
    assert upstream.requests == []


ACCEPTED = {
    "clock 4 minutes behind": lambda: create(date=signing.timestamp(-240)),
    "clock 4 minutes ahead": lambda: create(date=signing.timestamp(240)),
    "key with an end to come": lambda: create(FUTURE),
    "session key with its token": lambda: create(SESSION),
    "x-amz-content-sha256 of the body": None,
    "signed x-amz header with several values": lambda: create(
        headers=[("X-Amz-Meta", "b"), ("X-Amz-Meta", "a")]
    ),
    "signed header with runs of spaces": lambda: create(headers=[("X-Amz-Meta", "  a   b  ")]),
    "Authorization without spaces after commas": lambda: with_authorization(lambda v: v.replace(b", ", b",")),
    "header names in capitals": lambda: (
        create().replace(b"X-Amz-Date:", b"X-AMZ-DATE:").replace(b"Content-Type:", b"CONTENT-TYPE:")
    ),
    "content-length signed": None,
}


@pytest.mark.parametrize("case", ACCEPTED)
def test_caller_is_accepted_with(gateway, upstream, case):
    if case == "x-amz-content-sha256 of the body":
        body = json.dumps(service.create_user()).encode()
        request = wire.signed_create(CRM, body, content_sha256=hashlib.sha256(body).hexdigest())
    elif case == "content-length signed":
        body = json.dumps(service.create_user()).encode()
        date = signing.timestamp()
        fields = [("Host", "gateway.test"), ("X-Amz-Date", date), ("Content-Length", str(len(body)))]
        names = {"host", "x-amz-date", "content-length"}
        value = signing.signature(
            "POST", TARGET, fields, body, names, date, CRM.id, CRM.secret, "us-east-1", "chime"
        )
        authorization = (
            f"AWS4-HMAC-SHA256 Credential={CRM.id}/{date[:8]}/us-east-1/chime/aws4_request, "
            f"SignedHeaders=content-length;host;x-amz-date, Signature={value}"
        )
        request = wire.encode("POST", TARGET, [*fields, ("Authorization", authorization)], body)
    else:
        request = ACCEPTED[case]()
    response = gateway.send(request)
    assert response.status == 201, response
    assert upstream.only.problem is None


@pytest.mark.parametrize(
    ("key", "error_type"),
    [
        (dataclasses.replace(CRM, secret="wrong"), INVALID),
        (UNKNOWN, UNRECOGNIZED),
        (REVOKED, UNRECOGNIZED),
        (dataclasses.replace(CRM, token="stray"), UNRECOGNIZED),
    ],
)
def test_boto3_raises_the_error_code(gateway, upstream, key, error_type):
    client = gateway.client(key)
    with pytest.raises(client.exceptions.ClientError) as raised:
        client.list_app_instances()
    assert raised.value.response["Error"]["Code"] == error_type
    assert raised.value.response["Error"]["Message"]
    assert upstream.requests == []


def test_actor_is_recorded_when_signed_and_only_then(gateway, upstream):
    signed = gateway.send(create(headers=[("X-Gatehouse-Actor", "alice@corp")]))
    loose = gateway.send(create(unsigned=[("X-Gatehouse-Actor", "mallory@corp")]))
    record = gateway.setup.audit_record(signed.get("x-gatehouse-request-id"))
    assert record["actor"] == "alice@corp"
    assert gateway.setup.audit_record(loose.get("x-gatehouse-request-id")).get("actor") is None
    assert "x-gatehouse-actor" not in upstream.requests[0].names


@pytest.mark.parametrize("is_signed", [True, False])
@pytest.mark.parametrize("name", ["X-Gatehouse-Actor", "Content-Type"])
def test_a_field_of_one_value_that_is_given_twice_is_400(gateway, upstream, name, is_signed):
    """For whom it is, and what the body is, must not hang on which of two lines is read."""
    fields = [(name, "application/json"), (name.lower(), "application/json")]
    if name == "Content-Type":
        content = create(unsigned=fields[1:]) if not is_signed else create(headers=fields[1:])
    else:
        content = create(headers=fields) if is_signed else create(unsigned=fields)
    response = gateway.send(content)
    assert_refused(response, 400, "BadRequestException", "BadRequest")
    assert "given twice" in response.message
    assert upstream.requests == []
    record = gateway.setup.audit_record(response.get("x-gatehouse-request-id"))
    assert (record["decision"], record["outcome"]) == ("invalid", "notForwarded")


def test_no_secret_and_no_signature_is_left_anywhere(gateway, upstream):
    """After everything above: not in the journal, the log, the metrics or an answer."""
    request = create(SESSION)
    signature = request.split(b"Signature=")[1].split(b"\r\n")[0]
    gateway.send(request)
    refused = gateway.send(create(dataclasses.replace(CRM, secret="wrong")))
    outgoing = upstream.only.value("Authorization").split("Signature=")[1].encode()
    metrics = gateway.admin_request("/metrics").body
    places = {
        "journal": gateway.setup.journal_bytes(),
        "log": "".join(gateway.log_text).encode(),
        "metrics": metrics,
        "answer": refused.body,
    }
    secrets = [
        CRM.secret.encode(),
        REVOKED.secret.encode(),
        SESSION.secret.encode(),
        SESSION.token.encode(),
        ENDED.token.encode(),
        upstreams.KEY.secret.encode(),
        signature,
        outgoing,
    ]
    for place, content in places.items():
        for secret in secrets:
            assert secret not in content, f"{secret} stands in the {place}"
