#!/usr/bin/env python3
"""Writes chime.json beside this file: requests to the Amazon Chime SDK Identity API signed by botocore.

The client cases are built by botocore's own client from the service model and caught just before
they would be sent; the rest are signed directly, for headers that the client does not make.
Canonical request, string to sign and signature are recorded from inside botocore's signer.

    python3 Tests/Fixtures/sigv4/make_vectors.py
"""
import base64
import datetime
import json
import pathlib
from unittest import mock
from urllib.parse import urlsplit

import botocore
import botocore.auth
import botocore.session
from botocore.awsrequest import AWSRequest, AWSResponse
from botocore.config import Config
from botocore.credentials import Credentials

REGION = "us-east-1"
ENDPOINT = "https://identity-chime.us-east-1.amazonaws.com"
KEY = "GHAKCRM00000000001"
SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
TOKEN = "IQoJb3JpZ2luX2VjEXAMPLE//////////wEaCXVzLWVhc3QtMSJHMEUCIQD+/=="
INSTANCE = "arn:aws:chime:us-east-1:123456789012:app-instance/0b5e5fd4-1f7c-4c5a-9d3b-1a2b3c4d5e6f"
TIME = datetime.datetime(2026, 11, 23, 13, 0, 0, tzinfo=datetime.timezone.utc)

recorded = {}


def recording(name):
    original = getattr(botocore.auth.SigV4Auth, name)

    def wrapper(self, *args):
        recorded[name] = original(self, *args)
        return recorded[name]

    return mock.patch.object(botocore.auth.SigV4Auth, name, wrapper)


def text(value):
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def vector(name, method, url, headers, body, token, time, region=REGION):
    parts = urlsplit(url)
    target = parts.path + ("?" + parts.query if parts.query else "")
    lines = [[key, text(value)] for key, value in headers]
    if not any(key.lower() == "host" for key, _ in lines):
        lines.insert(0, ["Host", parts.netloc])
    return {
        "name": name,
        "region": region,
        "accessKeyId": KEY,
        "secret": SECRET,
        "sessionToken": token,
        "time": time.strftime("%Y%m%dT%H%M%SZ"),
        "method": method,
        "target": target,
        "headers": lines,
        "body": base64.b64encode(body or b"").decode(),
        "canonicalRequest": recorded["canonical_request"],
        "stringToSign": recorded["string_to_sign"],
        "signature": recorded["signature"],
    }


def at(time):
    return mock.patch.object(botocore.auth, "get_current_datetime", lambda: time)


def client_case(name, operation, token=None, time=TIME, region=REGION, **members):
    caught = {}

    def before_send(request, **_):
        caught["request"] = request
        return AWSResponse(request.url, 200, {}, mock.Mock(read=lambda *a, **k: b"", stream=lambda *a, **k: []))

    session = botocore.session.Session()
    session.set_credentials(KEY, SECRET, token)
    client = session.create_client(
        "chime-sdk-identity",
        region_name=region,
        endpoint_url=ENDPOINT.replace(REGION, region),
        config=Config(retries={"mode": "standard", "total_max_attempts": 1}),
    )
    client.meta.events.register("before-send", before_send)
    # The invocation id and the user agent are not the same on every run or machine; these are.
    fixed = mock.patch("uuid.uuid4", lambda: "11111111-2222-4333-8444-555555555555")

    def user_agent(request, **_):
        request.headers["User-Agent"] = "Boto3/1 md/Botocore#1 ua/2.1"

    client.meta.events.register("before-sign", user_agent)
    with at(time), fixed:
        try:
            getattr(client, operation)(**members)
        except Exception as error:  # the empty answer parses for some operations only
            if "request" not in caught:
                raise error
    request = caught["request"]
    headers = sorted((k, v) for k, v in request.headers.items() if k.lower() != "user-agent")
    body = request.body.encode() if isinstance(request.body, str) else request.body
    return vector(name, request.method, request.url, headers, body, token, time, region)


def direct_case(name, method, path, headers, body=b"", token=None, time=TIME):
    request = AWSRequest(method=method, url=ENDPOINT + path, data=body)
    for key, value in headers:
        request.headers.add_header(key, value)
    with at(time):
        botocore.auth.SigV4Auth(Credentials(KEY, SECRET, token), "chime", REGION).add_auth(request)
    return vector(name, method, request.url, list(request.headers.items()), body, token, time)


def cases():
    user = INSTANCE + "/user/crm-alice"
    create = {
        "AppInstanceArn": INSTANCE,
        "AppInstanceUserId": "crm-alice",
        "Name": "Alice",
        "ClientRequestToken": "token-1",
    }
    yield client_case("post with a body", "create_app_instance_user", **create)
    yield client_case(
        "body in UTF-8", "create_app_instance_user",
        **{**create, "Name": "Zoë Ωmega 山田 🚪", "Metadata": '{"note": "a\\nb"}'},
        Tags=[{"Key": "CostCenter", "Value": "4711"}])
    yield client_case("session token", "create_app_instance_user", token=TOKEN, **create)
    yield client_case("arn in the path", "describe_app_instance_user", AppInstanceUserArn=user)
    yield client_case("arn in the path with a body", "update_app_instance_user",
                      AppInstanceUserArn=user, Name="A", Metadata="m")
    yield client_case("delete", "delete_app_instance_user", AppInstanceUserArn=user)
    yield client_case("odd characters in the path", "describe_app_instance_user",
                      AppInstanceUserArn=INSTANCE + "/user/a~b_c-d.e %+&=;é")
    yield client_case("arn in the query", "list_tags_for_resource", ResourceARN=user)
    yield client_case("several query members", "list_app_instance_users", AppInstanceArn=INSTANCE,
                      MaxResults=50, NextToken="a+b/c==&d;e f~é山%2F")
    yield client_case("fixed query and body", "tag_resource", ResourceARN=user,
                      Tags=[{"Key": "Owner", "Value": "a b"}])
    yield client_case("another region and day", "list_app_instances", region="eu-central-1",
                      time=datetime.datetime(2027, 1, 1, 0, 0, 0, tzinfo=datetime.timezone.utc))

    yield direct_case("a field given twice", "GET", "/app-instances",
                      [("X-Amz-Meta", "b"), ("X-Amz-Meta", "a"), ("X-Gatehouse-Actor", "alice")])
    yield direct_case("spaces in values", "GET", "/app-instances",
                      [("X-Gatehouse-Actor", "  alice   of \t the  corp "), ("Accept", " a , b ")])
    yield direct_case("an empty value", "GET", "/app-instances", [("X-Empty", "")])
    yield direct_case("query to be sorted", "GET", "/app-instances?b=2&a=%20&a=&a-b=1&B=3&aa=~1", [])
    yield direct_case("names that are prefixes", "GET", "/app-instances",
                      [("X-A", "1"), ("X-A-B", "2"), ("X-Ab", "3"), ("X-A1", "4")])
    yield direct_case("body hash field", "POST", "/app-instance-users",
                      [("Content-Type", "application/json"),
                       ("X-Amz-Content-SHA256",
                        "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a")], b"{}")


def main():
    with recording("canonical_request"), recording("string_to_sign"), recording("signature"):
        vectors = list(cases())
    out = {"madeWith": f"botocore {botocore.__version__}", "vectors": vectors}
    path = pathlib.Path(__file__).with_name("chime.json")
    path.write_text(json.dumps(out, indent=1, ensure_ascii=False) + "\n")
    print(f"{path.name}: {len(vectors)} vectors")


main()
