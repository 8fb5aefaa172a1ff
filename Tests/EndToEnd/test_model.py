"""Requests that break the API model, or are no strict JSON, and calls that no operation has."""

import json

import pytest

import service
import wire
from checks import assert_good_request_works, assert_refused
from gateways import CRM


def body(**changes):
    return json.dumps(service.create_user(**changes)).encode()


def text(old, new):
    """A good body with `old` replaced by `new` in its text."""
    good = body()
    assert good.count(old) >= 1, old
    return good.replace(old, new, 1)


def inside(addition):
    """A good body with members added before its end, as text."""
    return body()[:-1] + b", " + addition + b"}"


BROKEN = {
    "no body": lambda: b"",
    "no JSON": lambda: b"hello",
    "a JSON array": lambda: b"[" + body() + b"]",
    "a JSON string": lambda: b'"x"',
    "null": lambda: b"null",
    "cut short": lambda: body()[:-1],
    "bytes after the end": lambda: body() + b"x",
    "two objects": lambda: body() + body(),
    "NUL after the end": lambda: body() + b"\x00",
    "byte order mark": lambda: b"\xef\xbb\xbf" + body(),
    "trailing comma": lambda: body()[:-1] + b",}",
    "comment": lambda: body()[:-1] + b"/* x */}",
    "single quotes": lambda: body().replace(b'"', b"'"),
    "duplicate key": lambda: inside(b'"Name": "Mallory"'),
    "duplicate key in an escape": lambda: inside(b'"N\\u0061me": "Mallory"'),
    "duplicate key deep inside": lambda: text(b'"Value": "4711"', b'"Value": "4711", "Value": "1"'),
    "invalid UTF-8": lambda: text(b"Alice", b"Ali\xff\xfe"),
    "overlong UTF-8": lambda: text(b"Alice", b"Ali\xc0\xaf"),
    "UTF-8 of a surrogate": lambda: text(b"Alice", b"Ali\xed\xa0\x80"),
    "lone surrogate": lambda: text(b"Alice", b"Ali\\ud800"),
    "surrogates in the wrong order": lambda: text(b"Alice", b"Ali\\udc00\\ud800"),
    "escaped NUL": lambda: text(b"Alice", b"Ali\\u0000ce"),
    "raw NUL": lambda: text(b"Alice", b"Ali\x00ce"),
    "raw line break in a string": lambda: text(b"Alice", b"Ali\nce"),
    "unknown escape": lambda: text(b"Alice", b"Ali\\xce"),
    "unknown member": lambda: inside(b'"Nickname": "Al"'),
    "member in other case": lambda: inside(b'"name": "Al"'),
    "unknown member deep inside": lambda: text(b'"Value": "4711"', b'"Value": "4711", "Note": "1"'),
    "AppInstanceArn missing": lambda: body(AppInstanceArn=None),
    "AppInstanceUserId missing": lambda: body(AppInstanceUserId=None),
    "Name missing": lambda: body(Name=None),
    "Name null": lambda: text(b'"Alice Example"', b"null"),
    "Name a number": lambda: body(Name=7),
    "Name a list": lambda: body(Name=["Alice"]),
    "Name empty": lambda: body(Name=""),
    "Name of blanks": lambda: body(Name="   "),
    "Name too long": lambda: body(Name="n" * 101),
    "AppInstanceUserId too long": lambda: body(AppInstanceUserId="u" * 65),
    "AppInstanceUserId with a slash": lambda: body(AppInstanceUserId="a/b"),
    "AppInstanceUserId with a blank": lambda: body(AppInstanceUserId="a b"),
    "AppInstanceUserId with a line break at its end": lambda: body(AppInstanceUserId="ab\n"),
    "AppInstanceUserId ending in a hyphen": lambda: body(AppInstanceUserId="ab-"),
    "AppInstanceArn no ARN": lambda: body(AppInstanceArn="app-instance/1"),
    "ClientRequestToken too short": lambda: body(ClientRequestToken="x"),
    "ClientRequestToken too long": lambda: body(ClientRequestToken="x" * 65),
    "ClientRequestToken with a dot": lambda: body(ClientRequestToken="a.b"),
    "Metadata too long": lambda: body(Metadata="m" * 1025),
    "Tags empty": lambda: body(Tags=[]),
    "Tags an object": lambda: body(Tags={"CostCenter": "4711"}),
    "51 tags": lambda: body(Tags=[{"Key": f"K{index}", "Value": "v"} for index in range(51)]),
    "tag without Value": lambda: body(Tags=[{"Key": "K"}]),
    "tag without Key": lambda: body(Tags=[{"Value": "v"}]),
    "tag with an empty Value": lambda: body(Tags=[{"Key": "K", "Value": ""}]),
    "tag key too long": lambda: body(Tags=[{"Key": "k" * 129, "Value": "v"}]),
    "tag value too long": lambda: body(Tags=[{"Key": "K", "Value": "v" * 257}]),
    "tag key given twice": lambda: body(Tags=[{"Key": "K", "Value": "1"}, {"Key": "K", "Value": "2"}]),
    "ExpirationDays 0": lambda: body(ExpirationSettings=expiration(0)),
    "ExpirationDays too many": lambda: body(ExpirationSettings=expiration(5476)),
    "ExpirationDays a fraction": lambda: body(ExpirationSettings=expiration(1.5)),
    "ExpirationDays a string": lambda: body(ExpirationSettings=expiration("30")),
    "ExpirationDays true": lambda: body(ExpirationSettings=expiration(True)),
    "ExpirationDays beyond 64 bits": lambda: body(ExpirationSettings=expiration(2**64 + 1)),
    "ExpirationDays with a leading zero": lambda: body(ExpirationSettings=expiration(30)).replace(
        b"30", b"030"
    ),
    "ExpirationDays NaN": lambda: body(ExpirationSettings=expiration(30)).replace(b": 30", b": NaN"),
    "ExpirationCriterion unknown": lambda: body(
        ExpirationSettings={"ExpirationDays": 30, "ExpirationCriterion": "LAST_LOGIN"}
    ),
    "ExpirationCriterion missing": lambda: body(ExpirationSettings={"ExpirationDays": 30}),
    "nested too deep": lambda: inside(b'"Deep": ' + b"[" * 5000 + b"]" * 5000),
}


def expiration(days):
    return {"ExpirationDays": days, "ExpirationCriterion": "CREATED_TIMESTAMP"}


@pytest.mark.parametrize("case", BROKEN)
def test_create_user_is_refused_for(gateway, upstream, case):
    with gateway.connect() as connection:
        response = connection.exchange(wire.signed_create(CRM, BROKEN[case]()))
        assert_refused(response, 400, "BadRequestException", "BadRequest")
        assert upstream.requests == []
        record = gateway.setup.audit_record(response.get("x-gatehouse-request-id"))
        assert (record["decision"], record["outcome"]) == ("invalid", "notForwarded")
        assert_good_request_works(gateway, connection)


FINE = {
    "the longest values": lambda: body(
        Name="n" * 100,
        AppInstanceUserId="u" * 64,
        Metadata="m" * 1024,
        ClientRequestToken="t" * 64,
        Tags=[{"Key": f"{index:02}" + "k" * 126, "Value": "v" * 256} for index in range(50)],
        ExpirationSettings=expiration(5475),
    ),
    "the shortest values": lambda: body(
        Name="n", AppInstanceUserId="u", Metadata="", ClientRequestToken="t2", Tags=None
    ),
    "100 characters beyond the first plane": lambda: body(Name="\U0001f600" * 100),
    "all the characters an id may have": lambda: body(AppInstanceUserId="aZ0:-_.@9"),
    "metadata with line breaks": lambda: body(Metadata='{\n  "a": 1\r\n}'),
}


@pytest.mark.parametrize("case", FINE)
def test_create_user_is_forwarded_with(gateway, upstream, case):
    content = FINE[case]()
    response = gateway.send(wire.signed_create(CRM, content))
    assert response.status == 201, response
    assert upstream.only.body == content


def test_boto3_raises_bad_request(gateway, upstream):
    client = gateway.client()
    with pytest.raises(client.exceptions.BadRequestException) as raised:
        client.create_app_instance_user(**service.create_user(AppInstanceUserId="a b"))
    assert raised.value.response["Code"] == "BadRequest"
    assert "AppInstanceUserId" in raised.value.response["Error"]["Message"]
    assert upstream.requests == []


@pytest.mark.parametrize(
    "target",
    [
        "/app-instances?max-results=0",
        "/app-instances?max-results=51",
        "/app-instances?max-results=abc",
        "/app-instances?max-results=5&max-results=6",
        "/app-instance-users",
        "/app-instance-users?app-instance-arn=x",
        "/tags",
    ],
)
def test_query_that_breaks_the_model_is_refused(gateway, upstream, target):
    response = gateway.send(wire.signed(CRM, "GET", target))
    assert_refused(response, 400, "BadRequestException", "BadRequest")
    assert upstream.requests == []


def test_path_parameter_that_breaks_the_model_is_refused(gateway, upstream):
    response = gateway.send(wire.signed(CRM, "GET", "/app-instance-users/not-an-arn"))
    assert response.status in (400, 403) and upstream.requests == []


@pytest.mark.parametrize("operation", ["UpdateAppInstanceUser", "TagResource", "CreateAppInstance"])
def test_other_operations_are_held_to_the_model_too(gateway, upstream, operation):
    body_of = {
        "UpdateAppInstanceUser": (
            "PUT",
            "/app-instance-users/" + service.user_arn("crm-1").replace(":", "%3A").replace("/", "%2F"),
            {"Name": "n" * 101, "Metadata": ""},
        ),
        "TagResource": (
            "POST",
            "/tags?operation=tag-resource",
            {"ResourceARN": service.user_arn("crm-1"), "Tags": []},
        ),
        "CreateAppInstance": ("POST", "/app-instances", {"Name": "", "ClientRequestToken": "abc"}),
    }
    method, target, content = body_of[operation]
    response = gateway.send(wire.signed(CRM, method, target, json.dumps(content).encode()))
    assert_refused(response, 400, "BadRequestException", "BadRequest")
    assert upstream.requests == []


UNKNOWN = [
    ("GET", "/"),
    ("GET", "/nothing"),
    ("GET", "/app-instances/"),
    ("GET", "/App-Instances"),
    ("GET", "/app-instance-users/x/unknown"),
    ("PATCH", "/app-instance-users"),
    ("HEAD", "/app-instances"),
    ("OPTIONS", "/app-instances"),
    ("get", "/app-instances"),
    ("DELETE", "/app-instances"),
    ("POST", "/tags"),
    ("POST", "/tags?operation=steal-resource"),
    ("PUT", "/tags?operation=tag-resource"),
    ("GET", "/channels"),
    ("POST", "/app-instances/x/admins/y"),
]


@pytest.mark.parametrize(("method", "target"), UNKNOWN)
def test_call_that_no_operation_has_is_refused(gateway, upstream, method, target):
    content = b"{}" if method in ("POST", "PUT", "PATCH") else b""
    with gateway.connect() as connection:
        connection.send(wire.signed(CRM, method, target, content))
        response = connection.read(head_request=method == "HEAD")
        if method == "HEAD":
            assert (response.status, response.error_type) == (404, "UnknownOperationException")
        else:
            assert_refused(response, 404, "UnknownOperationException")
        assert_good_request_works(gateway, connection)
    assert [request.operation for request in upstream.requests] == ["CreateAppInstanceUser"]
    record = gateway.setup.audit_record(response.get("x-gatehouse-request-id"))
    assert (record["decision"], record["outcome"], record["status"]) == ("invalid", "notForwarded", 404)


def test_call_with_both_tag_operations_is_refused(gateway, upstream):
    content = json.dumps(
        {"ResourceARN": service.user_arn("u"), "Tags": [{"Key": "a", "Value": "b"}]}
    ).encode()
    response = gateway.send(
        wire.signed(CRM, "POST", "/tags?operation=tag-resource&operation=untag-resource", content)
    )
    assert response.status in (400, 404)
    assert upstream.requests == []
