"""What upstream gets to see: re-signed, body and path as they came, the caller's headers sorted out."""

import json
import re

import pytest

import gateways
import service
import signing
import upstreams
import wire
from checks import assert_has_the_gateways_marks


@pytest.mark.parametrize("operation", service.OPERATIONS)
def test_operation_passes_when_the_tenant_may_call_it(client, upstream, operation):
    answer = getattr(client, service.method_name(operation))(**service.minimal(operation))
    assert upstream.only.problem is None
    assert upstream.only.operation == operation
    _, status = service.identify(upstream.only.method, upstream.only.target)
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == status


@pytest.fixture(scope="module")
def narrow_gateway(tmp_path_factory, endpoint):
    """A gateway whose tenants may each call all operations but one."""
    setup = gateways.Setup(tmp_path_factory.mktemp("narrow"), endpoint.url, upstreams.KEY)
    setup.tenants = [
        gateways.tenant(
            id=f"no-{index}",
            keys=[signing.Key(f"GHAKNARROW{index:09}", f"narrow-secret-{index}-abcdefghijkl")],
            operations=[name for name in service.OPERATIONS if name != operation],
        )
        for index, operation in enumerate(service.OPERATIONS)
    ] + [gateways.tenant(id="default", keys=[gateways.HR])]
    with gateways.running(setup) as gateway:
        yield gateway


@pytest.mark.parametrize("operation", service.OPERATIONS)
def test_operation_is_refused_when_the_tenant_may_not_call_it(narrow_gateway, upstream, operation):
    index = service.OPERATIONS.index(operation)
    client = narrow_gateway.client(
        signing.Key(f"GHAKNARROW{index:09}", f"narrow-secret-{index}-abcdefghijkl")
    )
    with pytest.raises(client.exceptions.ForbiddenException) as raised:
        getattr(client, service.method_name(operation))(**service.minimal(operation))
    assert raised.value.response["Code"] == "AccessDenied"
    assert upstream.requests == []
    request_id = raised.value.response["ResponseMetadata"]["HTTPHeaders"]["x-gatehouse-request-id"]
    record = narrow_gateway.setup.audit_record(request_id)
    assert (record["decision"], record["operation"]) == ("denied", operation)
    assert [violation["rule"] for violation in record["violations"]] == ["tenant.operation"]


def test_a_tenant_may_by_default_only_create_users(narrow_gateway, upstream):
    client = narrow_gateway.client(gateways.HR)
    client.create_app_instance_user(**service.create_user())
    with pytest.raises(client.exceptions.ForbiddenException):
        client.list_app_instances()
    assert [request.operation for request in upstream.requests] == ["CreateAppInstanceUser"]


def test_request_is_signed_anew_with_the_gateways_credentials_only(gateway, upstream):
    response = gateway.send(
        wire.signed_create(gateways.CRM, service.create_user(), content_sha256=None, host="caller.example")
    )
    assert response.status == 201
    received = upstream.only
    assert received.problem is None
    assert received.value("Host") == f"localhost:{upstream.port}"
    everything = received.head + received.body
    assert gateways.CRM.id.encode() not in everything
    assert gateways.CRM.secret.encode() not in everything
    assert b"caller.example" not in everything


def test_session_token_of_the_caller_does_not_pass(make_setup, upstream):
    setup = make_setup()
    key = signing.Key("GHAKTOKEN0000000001", "token-secret-abcdefghijklmnop", "caller-session-token")
    setup.tenants = [gateways.tenant(keys=[key])]
    with gateways.running(setup) as gateway:
        gateway.client(key).create_app_instance_user(**service.create_user())
    assert upstream.only.problem is None
    assert b"caller-session-token" not in upstream.only.head


def test_session_token_of_the_gateway_is_sent_and_signed(make_setup, tmp_path):
    key = signing.Key("ASIAUPSTREAMEXAMPLE2", "temporary/secret/0123456789", "the-gateways-session-token")
    with upstreams.Upstream(key=key) as upstream:
        setup = make_setup(url=upstream.url)
        setup.config["upstream"]["credentials"] = {
            "source": "static",
            "accessKeyId": key.id,
            "secretAccessKey": key.secret,
            "sessionToken": key.token,
        }
        with gateways.running(setup) as gateway:
            gateway.client().create_app_instance_user(**service.create_user())
        assert upstream.only.problem is None
        assert upstream.only.value("X-Amz-Security-Token") == key.token


DROPPED = {
    "Connection": "keep-alive, X-Private-Hop",
    "X-Private-Hop": "hop",
    "Keep-Alive": "timeout=5",
    "Proxy-Connection": "keep-alive",
    "Proxy-Authorization": "Basic Zm9vOmJhcg==",
    "TE": "trailers",
    "Upgrade": "h2c",
    "Forwarded": "for=192.0.2.1",
    "X-Forwarded-For": "192.0.2.1",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "evil.example",
    "X-Gatehouse-Anything": "forged",
    "X-Gatehouse-Request-Id": "forged",
}

PASSED = {
    "User-Agent": "Boto3/1.43 md/Botocore#1.43 exec-env/Test",
    "Content-Type": "application/json",
    "Accept": "application/json",
    "amz-sdk-invocation-id": "5f4c2f0e-3f59-4d0e-a6d4-4a39cf60f1a9",
    "amz-sdk-request": "attempt=1; max=3",
    "X-Amzn-Trace-Id": "Root=1-5759e988-bd862e3fe1be46a994272793",
    "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    "tracestate": "vendor=value",
}


@pytest.mark.parametrize("name", DROPPED)
def test_caller_header_is_dropped(gateway, upstream, name):
    # X-Private-Hop is hop-by-hop because Connection names it.
    extra = [(name, DROPPED[name])]
    if name == "X-Private-Hop":
        extra.append(("Connection", DROPPED["Connection"]))
    response = gateway.send(wire.signed_create(gateways.CRM, service.create_user(), extra=extra))
    assert response.status == 201, response
    assert upstream.only.problem is None
    values = upstream.only.values(name)
    assert DROPPED[name] not in values, upstream.only.head


def test_caller_headers_that_matter_pass_as_they_are(gateway, upstream):
    body = json.dumps(service.create_user()).encode()
    headers = list(PASSED.items())
    fields = signing.signed_headers(
        gateways.CRM,
        "POST",
        "/app-instance-users",
        body,
        "gateway.test",
        headers=headers,
        leave_unsigned=["amz-sdk-invocation-id", "amz-sdk-request", "x-amzn-trace-id"],
    )
    fields.append(("Content-Length", str(len(body))))
    assert gateway.send(wire.encode("POST", "/app-instance-users", fields, body)).status == 201
    assert upstream.only.problem is None
    assert {name: upstream.only.values(name) for name in PASSED} == {
        name: [value] for name, value in PASSED.items()
    }


def test_body_goes_through_byte_for_byte_when_nothing_changes(gateway, upstream):
    token = service.create_user()["ClientRequestToken"]
    body = (
        b'\n{ "Name" :\t"Al\\u0069ce \\u00e9\\ud83d\\ude00 \xc3\xa9 \\/",\r\n "ClientRequestToken":"'
        + token.encode()
        + b'"  ,"AppInstanceUserId":"crm-bytes" , "AppInstanceArn":"'
        + service.APP.encode()
        + b'", "ExpirationSettings":{"ExpirationCriterion":"CREATED_TIMESTAMP","ExpirationDays":30} } \n'
    )
    response = gateway.send(wire.signed_create(gateways.CRM, body))
    assert response.status == 201, response
    assert upstream.only.body == body
    assert upstream.only.problem is None
    assert response.get("x-gatehouse-changes") is None


def test_missing_client_request_token_is_filled_in(gateway, upstream):
    user = service.create_user(ClientRequestToken=None)
    response = gateway.send(wire.signed_create(gateways.CRM, user))
    assert response.status == 201, response
    assert response.get("x-gatehouse-changes") == "ClientRequestToken"
    sent = upstream.only.json
    token = sent.pop("ClientRequestToken")
    assert re.fullmatch(r"[-_a-zA-Z0-9]{2,64}", token)
    assert sent == user
    record = gateway.setup.audit_record(response.get("x-gatehouse-request-id"))
    assert [change["field"] for change in record["changes"]] == ["ClientRequestToken"]


def test_arns_in_the_path_reach_upstream_as_sent(client, upstream):
    arn = service.user_arn("crm-al:i_c.e@x-1")
    client.describe_app_instance_user(AppInstanceUserArn=arn)
    assert upstream.only.problem is None
    assert upstream.only.target == "/app-instance-users/" + arn.replace(":", "%3A").replace(
        "/", "%2F"
    ).replace("@", "%40")


def test_arns_in_the_path_may_stand_with_plain_colons(gateway, upstream):
    arn = service.user_arn("crm-1").replace("/", "%2F")
    response = gateway.send(wire.signed(gateways.CRM, "GET", f"/app-instance-users/{arn}"))
    assert response.status == 200, response
    assert upstream.only.problem is None
    assert upstream.only.operation == "DescribeAppInstanceUser"


def test_query_is_written_anew_in_canonical_form(gateway, upstream):
    arn = service.APP.replace(":", "%3A").replace("/", "%2F")
    canonical = f"/app-instance-users?app-instance-arn={arn}&max-results=5&next-token=a%20b"
    given = f"/app-instance-users?next-token=a%20b&max-results=5&app-instance-arn={arn}"
    fields = signing.signed_headers(gateways.CRM, "GET", canonical, b"", "gateway.test")
    response = gateway.send(wire.encode("GET", given, fields))
    assert response.status == 200, response
    assert upstream.only.target == canonical
    assert upstream.only.problem is None


def test_lower_case_percent_encoding_in_the_query_is_written_in_capitals(gateway, upstream):
    arn = service.APP.replace(":", "%3a").replace("/", "%2f")
    canonical = arn.replace("%3a", "%3A").replace("%2f", "%2F")
    fields = signing.signed_headers(
        gateways.CRM, "GET", f"/app-instance-users?app-instance-arn={canonical}", b"", "gateway.test"
    )
    response = gateway.send(wire.encode("GET", f"/app-instance-users?app-instance-arn={arn}", fields))
    assert response.status == 200, response
    assert upstream.only.target == f"/app-instance-users?app-instance-arn={canonical}"
    assert upstream.only.problem is None


@pytest.mark.parametrize(
    "query",
    [
        "max-results=5&&next-token=a",
        "max-results=5;next-token=a",
        "next-token=a+b",
        "&max-results=5",
        "next-token=%zz",
    ],
)
def test_query_that_can_be_read_in_two_ways_is_refused(gateway, upstream, query):
    response = gateway.send(wire.signed(gateways.CRM, "GET", f"/app-instances?{query}"))
    assert (response.status, response.error_type) == (400, "BadRequestException")
    assert upstream.requests == []


def test_chunked_request_body_is_forwarded_whole(gateway, upstream):
    body = json.dumps(service.create_user()).encode()
    fields = signing.signed_headers(gateways.CRM, "POST", "/app-instance-users", body, "gateway.test")
    head = wire.encode("POST", "/app-instance-users", [*fields, ("Transfer-Encoding", "chunked")])
    assert gateway.send(head + wire.chunked(body)).status == 201
    assert upstream.only.body == body
    assert upstream.only.value("Content-Length") == str(len(body))
    assert "transfer-encoding" not in upstream.only.names


def test_chunk_extensions_and_trailers_do_not_reach_upstream(gateway, upstream):
    body = json.dumps(service.create_user()).encode()
    fields = signing.signed_headers(gateways.CRM, "POST", "/app-instance-users", body, "gateway.test")
    head = wire.encode("POST", "/app-instance-users", [*fields, ("Transfer-Encoding", "chunked")])
    chunks = b"%X;name=value\r\n%s\r\n0\r\nX-Trailer: here\r\n\r\n" % (len(body), body)
    with gateway.connect() as connection:
        response = connection.exchange(head + chunks)
        # A trailer may be refused, but never passed on or left in the connection.
        if response.status == 201:
            assert upstream.only.body == body
            assert b"X-Trailer" not in upstream.only.head
        else:
            assert response.status == 400 and upstream.requests == []


def test_expect_100_continue_is_answered_before_the_body(gateway, upstream):
    request = wire.signed_create(gateways.CRM, service.create_user(), extra=[("Expect", "100-continue")])
    head, _, body = request.partition(b"\r\n\r\n")
    with gateway.connect() as connection:
        connection.send(head + b"\r\n\r\n")
        interim = connection._stream.readline()
        assert interim.startswith(b"HTTP/1.1 100"), interim
        assert connection._stream.readline() == b"\r\n"
        assert connection.exchange(body).status == 201
    assert "expect" not in upstream.only.names


def test_http_1_0_request_is_served_and_the_connection_closed(gateway, upstream):
    request = wire.signed_create(gateways.CRM, service.create_user()).replace(b"HTTP/1.1", b"HTTP/1.0", 1)
    with gateway.connect() as connection:
        assert connection.exchange(request).status == 201
        assert connection.is_closed()
    assert upstream.only.head.startswith(b"POST /app-instance-users HTTP/1.1\r\n")


def test_connection_close_from_the_caller_is_honoured(gateway):
    with gateway.connect() as connection:
        response = connection.exchange(
            wire.signed_create(gateways.CRM, service.create_user(), extra=[("Connection", "close")])
        )
        assert response.status == 201
        assert connection.is_closed()


def test_pipelined_requests_are_answered_in_order(gateway, upstream):
    names = [f"crm-pipe-{index}" for index in range(5)]
    users = [service.create_user(AppInstanceUserId=name) for name in names]
    with gateway.connect() as connection:
        connection.send(b"".join(wire.signed_create(gateways.CRM, user) for user in users))
        answers = [connection.read() for _ in users]
    assert [answer.json["AppInstanceUserArn"].rsplit("/")[-1] for answer in answers] == names


def test_many_requests_on_one_connection(gateway, upstream):
    with gateway.connect() as connection:
        for _ in range(50):
            assert connection.exchange(wire.signed_create(gateways.CRM, service.create_user())).status == 201
    assert len(upstream.requests) == 50
    assert {request.problem for request in upstream.requests} == {None}


def test_upstream_connections_are_kept_and_used_again(gateway, upstream):
    before = upstream.connections
    with gateway.connect() as connection:
        for _ in range(20):
            connection.exchange(wire.signed_create(gateways.CRM, service.create_user()))
    assert upstream.connections - before <= 1


def test_answer_of_upstream_passes_with_status_body_and_amzn_headers(gateway, upstream):
    body = b'{"AppInstanceUserArn" : "arn:aws:chime:odd-bytes"}\n'
    upstream.behaving(upstreams.Answer(201, body, (("x-amzn-Extra", "kept"),)))
    response = gateway.send(wire.signed_create(gateways.CRM, service.create_user()))
    assert (response.status, response.body) == (201, body)
    assert response.get("x-amzn-Extra") == "kept"
    assert response.get("x-amzn-RequestId").startswith("upstream-")
    assert_has_the_gateways_marks(response)


@pytest.mark.parametrize(
    ("status", "error_type", "code"),
    [
        (400, "BadRequestException", "BadRequest"),
        (400, "ResourceLimitExceededException", "ResourceLimitExceeded"),
        (401, "UnauthorizedClientException", "Unauthorized"),
        (403, "ForbiddenException", "Forbidden"),
        (404, "NotFoundException", "NotFound"),
        (409, "ConflictException", "Conflict"),
    ],
)
def test_error_of_upstream_passes_as_it_is(gateway, client, upstream, status, error_type, code):
    upstream.behaving(upstreams.error(status, error_type, code))
    with pytest.raises(client.exceptions.ClientError) as raised:
        client.describe_app_instance_user(AppInstanceUserArn=service.user_arn("crm-1"))
    assert raised.value.response["Error"]["Code"] == error_type
    assert raised.value.response["Error"]["Message"] == "as told by the test"
    metadata = raised.value.response["ResponseMetadata"]
    assert metadata["HTTPStatusCode"] == status
    record = gateway.setup.audit_record(metadata["HTTPHeaders"]["x-gatehouse-request-id"])
    assert (record["decision"], record["outcome"], record["upstreamStatus"]) == (
        "allowed",
        "rejected",
        status,
    )


def test_chunked_answer_of_upstream_passes(gateway, upstream):
    body = b'{"AppInstanceUserArn":"arn:aws:chime:chunked"}'
    head = b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    upstream.behaving(upstreams.Raw(head + wire.chunked(body), close=False))
    response = gateway.send(wire.signed_create(gateways.CRM, service.create_user()))
    assert (response.status, response.body) == (201, body)


def test_answer_of_upstream_that_ends_with_the_connection_passes(gateway, upstream):
    body = b'{"AppInstanceUserArn":"arn:aws:chime:until-close"}'
    upstream.behaving(upstreams.Raw(b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\n\r\n" + body))
    with gateway.connect() as connection:
        response = connection.exchange(wire.signed_create(gateways.CRM, service.create_user()))
        # A length that nothing vouches for may be refused as ambiguous; it must not be passed on open-ended.
        if response.status == 201:
            assert response.body == body
        else:
            assert (response.status, response.error_type) == (503, "ServiceUnavailableException")
        assert connection.exchange(wire.signed(gateways.CRM, "GET", "/app-instances")).status == 200


def test_interim_answer_of_upstream_is_left_out(gateway, upstream):
    answer = (
        b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
    )
    upstream.behaving(upstreams.Raw(answer, close=False))
    response = gateway.send(wire.signed(gateways.CRM, "GET", "/app-instances"))
    assert (response.status, response.body) == (200, b"{}")


def test_204_of_upstream_passes_without_a_body(gateway, client, upstream):
    answer = client.delete_app_instance_user(AppInstanceUserArn=service.user_arn("crm-1"))
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 204
    with gateway.connect() as connection:
        target = "/app-instance-users/" + service.user_arn("crm-2").replace(":", "%3A").replace("/", "%2F")
        response = connection.exchange(wire.signed(gateways.CRM, "DELETE", target))
        assert (response.status, response.body) == (204, b"")
        assert connection.exchange(wire.signed(gateways.CRM, "GET", "/app-instances")).status == 200


def test_hop_by_hop_headers_of_upstream_do_not_pass(gateway, upstream):
    upstream.behaving(
        upstreams.Answer(200, {}, (("Keep-Alive", "timeout=5"), ("Connection", "X-Hop"), ("X-Hop", "1")))
    )
    response = gateway.send(wire.signed(gateways.CRM, "GET", "/app-instances"))
    assert response.values("Keep-Alive") == [] and response.values("X-Hop") == []


def test_gateway_marks_of_upstream_cannot_be_forged(gateway, upstream):
    upstream.behaving(
        upstreams.Answer(200, {}, (("x-gatehouse-request-id", "forged"), ("x-gatehouse-warnings", "forged")))
    )
    response = gateway.send(wire.signed(gateways.CRM, "GET", "/app-instances"))
    assert response.get("x-gatehouse-request-id") != "forged"
    assert response.values("x-gatehouse-warnings") == []
