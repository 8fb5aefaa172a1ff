"""The tests' own tools hold: boto3 and the AWS CLI straight to the test upstream, good and bad signatures."""

import json

import pytest

import gateways
import service
import signing
import upstreams
import wire


@pytest.fixture
def direct(upstream):
    return gateways.boto3_client(upstream.url, upstreams.KEY)


@pytest.mark.parametrize("operation", service.OPERATIONS)
def test_upstream_accepts_what_boto3_signs_and_names_the_operation(direct, upstream, operation):
    getattr(direct, service.method_name(operation))(**service.minimal(operation))
    assert upstream.only.problem is None
    assert upstream.only.operation == operation


def test_upstream_accepts_what_the_aws_cli_signs(upstream):
    arn = service.user_arn("crm-1")
    result = gateways.aws_cli(
        upstream.url, upstreams.KEY, "describe-app-instance-user", "--app-instance-user-arn", arn
    )
    assert result.returncode == 0, result.stderr
    assert upstream.only.problem is None


def test_upstream_refuses_a_wrong_secret(upstream):
    client = gateways.boto3_client(upstream.url, signing.Key(upstreams.KEY.id, "wrong"))
    with pytest.raises(client.exceptions.ClientError, match="signature does not match"):
        client.list_app_instances()


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"service": "s3"}, "credential"),
        ({"region": "eu-central-1"}, "credential"),
        ({"date": "20200101T000000Z"}, "is off"),
        ({"content_sha256": "0" * 64}, "hash of the body"),
        ({"unsigned": [("x-amz-meta", "1")]}, "not signed"),
        ({"leave_unsigned": ["host"]}, "signed headers"),
    ],
)
def test_upstream_tells_what_is_wrong_with_a_signature(upstream, options, problem):
    with wire.Connection(f"127.0.0.1:{upstream.port}") as connection:
        response = connection.exchange(wire.signed(upstreams.KEY, "GET", "/app-instances", **options))
    assert response.status == 403
    assert problem in upstream.only.problem


def test_upstream_sees_a_body_that_was_tampered_with(upstream):
    request = wire.signed_create(upstreams.KEY, service.create_user(Name="Alice"))
    with wire.Connection(f"127.0.0.1:{upstream.port}") as connection:
        assert connection.exchange(request.replace(b"Alice", b"Mallo")).status == 403


def test_raw_requests_are_signed_as_boto3_signs_them(upstream):
    body = json.dumps(service.create_user()).encode()
    with wire.Connection(f"127.0.0.1:{upstream.port}") as connection:
        for request in (
            wire.signed_create(upstreams.KEY, body),
            wire.signed(upstreams.KEY, "GET", "/app-instance-users?app-instance-arn=arn%3Aaws&max-results=5"),
            wire.signed(upstreams.KEY, "GET", "/app-instance-users/arn%3Aaws%3Achime%2Fx"),
        ):
            connection.exchange(request)
    assert [request.problem for request in upstream.requests] == [None, None, None]


def test_upstream_misbehaves_as_told(upstream, direct):
    upstream.behaving(upstreams.error(503, "ServiceUnavailableException"), upstreams.Raw(b""))
    with pytest.raises(direct.exceptions.ServiceUnavailableException):
        direct.list_app_instances()
    with pytest.raises(Exception, match="closed"):
        direct.list_app_instances()
    direct.list_app_instances()


def test_upstream_speaks_tls(tls):
    certificate = (tls / "server.pem", tls / "server.key")
    with upstreams.Upstream(tls=certificate) as server:
        gateways.boto3_client(server.url, upstreams.KEY, verify=str(tls / "ca.pem")).list_app_instances()
        assert server.only.problem is None
