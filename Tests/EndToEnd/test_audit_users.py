"""Everything that was asked about a user is found by the user: what was done, refused, and could not be read."""

import json

import pytest

import gateways
import service
import upstreams
import wire
from checks import assert_refused
from gateways import CRM, HR
from service import APP, OTHER_APP

ARN = service.user_arn("crm-1")
PATH = "/app-instance-users/" + ARN.replace(":", "%3A").replace("/", "%2F")
STRANGER = gateways.signing.Key(CRM.id, "not-the-secret-of-this-key-1234567890")


@pytest.fixture(scope="module")
def module_setup(tmp_path_factory, endpoint):
    setup = gateways.Setup(tmp_path_factory.mktemp("gateway"), endpoint.url, upstreams.KEY)
    setup.tenants = [
        gateways.tenant(operations=service.OPERATIONS, apps=[APP]),
        gateways.tenant(id="hr", keys=[HR], operations=["ListAppInstances"], apps=[APP]),
    ]
    setup.policies["base"] = {"rules": {"name": {"forbidden": ["Mallory"]}}}
    return setup


def user(**changes):
    return service.create_user(**{"AppInstanceUserId": "crm-1", **changes})


def body(value):
    return json.dumps(value).encode()


# What each request is, and its decision.
ABOUT = {
    "create": (lambda: wire.signed_create(CRM, user()), "allowed"),
    "denied by policy": (lambda: wire.signed_create(CRM, user(Name="Mallory")), "denied"),
    "operation not the tenant's": (lambda: wire.signed_create(HR, user()), "denied"),
    "breaks the model": (lambda: wire.signed_create(CRM, user(Name="n" * 101)), "invalid"),
    "describe": (lambda: wire.signed(CRM, "GET", PATH), "allowed"),
    "update": (lambda: wire.signed(CRM, "PUT", PATH, body({"Name": "Bob", "Metadata": ""})), "allowed"),
    "update that is no JSON": (lambda: wire.signed(CRM, "PUT", PATH, b"{"), "invalid"),
    "delete that the tenant may not": (lambda: wire.signed(HR, "DELETE", PATH), "denied"),
    "delete": (lambda: wire.signed(CRM, "DELETE", PATH), "allowed"),
    "tag": (
        lambda: wire.signed(
            CRM,
            "POST",
            "/tags?operation=tag-resource",
            body({"ResourceARN": ARN, "Tags": [{"Key": "a", "Value": "b"}]}),
        ),
        "allowed",
    ),
    "expiration": (
        lambda: wire.signed(CRM, "PUT", f"{PATH}/expiration-settings", body({"ExpirationSettings": None})),
        "allowed",
    ),
}


def test_every_request_about_a_user_is_found_by_id_and_by_arn(gateway, upstream):
    setup = gateway.setup
    ids = {}
    for name, (request, _) in ABOUT.items():
        ids[gateway.send(request()).get("x-gatehouse-request-id")] = name
    content = wire.signed_create(CRM, user())
    ids[gateway.send(content).get("x-gatehouse-request-id")] = "create again"
    ids[gateway.send(content).get("x-gatehouse-request-id")] = "its repeat"
    # Of the same name elsewhere, and one whom nobody known asked for.
    gateway.send(wire.signed_create(CRM, user(AppInstanceArn=OTHER_APP)))
    gateway.send(wire.signed_create(STRANGER, user()))
    setup.audit_record(list(ids)[-1])

    by_arn = {record["requestId"]: record for record in setup.audit("--user-arn", ARN)}
    assert {ids[request] for request in by_arn} == set(ids.values())
    decisions = {ids[request]: record["decision"] for request, record in by_arn.items()}
    for name, (_, decision) in ABOUT.items():
        assert decisions[name] == decision, name
    by_id = {record["requestId"] for record in setup.audit("--user-id", "crm-1")}
    assert by_id > set(by_arn) and len(by_id) == len(by_arn) + 1, "and the one in another AppInstance"
    for request, record in by_arn.items():
        if record["operation"] != "CreateAppInstanceUser":
            assert record["appInstanceUserArn"] == ARN, ids[request]
        elif record["decision"] != "allowed":
            assert record["appInstanceUserArn"] is None, "no such user was made"
    # Without the index the answer is the same.
    for file in setup.audit_folder.glob("index.sqlite*"):
        file.unlink()
    assert {record["requestId"] for record in setup.audit("--user-arn", ARN)} == set(by_arn)


def test_refused_operation_tells_what_was_asked_for(gateway, upstream):
    content = user(Metadata="m", Tags=[{"Key": "Team", "Value": "blue"}])
    response = gateway.send(wire.signed_create(HR, content))
    assert_refused(response, 403, "ForbiddenException", "AccessDenied")
    record = gateway.setup.audit_record(response.get("x-gatehouse-request-id"))
    assert (record["tenant"], record["outcome"]) == ("hr", "notForwarded")
    assert (record["appInstanceArn"], record["appInstanceUserId"], record["name"]) == (APP, "crm-1", content["Name"])
    assert record["tags"] == {"Team": "blue"}
    assert [violation["rule"] for violation in record["violations"]] == ["tenant.operation"]
    assert upstream.requests == []


@pytest.mark.parametrize("content", [b"", b"hello", b"[]", b'{"Name":1,"Name":2}', b'{"AppInstanceUserId":{}}'])
def test_operation_is_refused_whatever_the_body_is(gateway, upstream, content):
    response = gateway.send(wire.signed_create(HR, content))
    assert_refused(response, 403, "ForbiddenException", "AccessDenied")
    record = gateway.setup.audit_record(response.get("x-gatehouse-request-id"))
    assert (record["decision"], record["appInstanceUserId"]) == ("denied", None)


def test_unauthenticated_request_says_nothing_about_a_user(gateway, upstream):
    response = gateway.send(wire.signed_create(STRANGER, user(AppInstanceUserId="crm-claimed")))
    assert_refused(response, 403, "InvalidSignatureException")
    record = gateway.setup.audit_record(response.get("x-gatehouse-request-id"))
    assert (record["tenant"], record["appInstanceUserId"], record["name"]) == (None, None, None)
    assert gateway.setup.audit("--user-id", "crm-claimed") == []
