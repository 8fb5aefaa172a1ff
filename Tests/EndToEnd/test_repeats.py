"""What counts as a repeat of a request, whose answer it gets, and what is left when nobody remembers the first."""

import json
import re
import uuid

import pytest

import gateways
import service
import wire
from checks import assert_refused
from gateways import CRM, HR

# As the service model has it.
TOKEN = re.compile(r"[-_a-zA-Z0-9]{2,64}")


def post(key, target, parameters):
    body = json.dumps(parameters).encode()
    return wire.signed(key, "POST", target, body, headers=(("Content-Type", "application/json"),))


def register(user, token, **changes):
    """RegisterAppInstanceUserEndpoint for one user, as the body the rest of which is always the same."""
    target = f"/app-instance-users/{service.user_arn(user).replace(':', '%3A').replace('/', '%2F')}/endpoints"
    parameters = {
        "Type": "APNS",
        "ResourceArn": "arn:aws:mobiletargeting:us-east-1:123456789012:apps/abc",
        "EndpointAttributes": {"DeviceToken": "device"},
        "ClientRequestToken": token,
        **changes,
    }
    return target, {name: value for name, value in parameters.items() if value is not None}


@pytest.fixture
def two_tenants(make_setup):
    """A setup whose tenants may both call everything about the same AppInstance."""
    setup = make_setup()
    setup.tenants = [
        gateways.tenant(operations=service.OPERATIONS),
        gateways.tenant("hr", keys=[HR], operations=service.OPERATIONS),
    ]
    return setup


@pytest.fixture
def no_window(two_tenants):
    """As when the window is over: nothing is remembered."""
    two_tenants.config["authentication"] = {"replayWindow": "0s"}
    return two_tenants


def tokens(upstream):
    return [request.json["ClientRequestToken"] for request in upstream.requests]


WITH_TOKEN = {
    "CreateAppInstance": ("/app-instances", {"Name": "n"}),
    "CreateAppInstanceUser": ("/app-instance-users", service.create_user(ClientRequestToken=None)),
    "CreateAppInstanceBot": (
        "/app-instance-bots",
        {
            "AppInstanceArn": service.APP,
            "Configuration": {
                "Lex": {
                    "LexBotAliasArn": "arn:aws:lex:us-east-1:123456789012:bot-alias/ABCDEFGHIJ/KLMNOPQRST",
                    "LocaleId": "en_US",
                }
            },
        },
    ),
    "RegisterAppInstanceUserEndpoint": register("crm-1", None),
}


@pytest.mark.parametrize("operation", WITH_TOKEN)
def test_repeat_that_nobody_remembers_bears_the_same_token_upstream(no_window, upstream, operation):
    signed = post(CRM, *WITH_TOKEN[operation])
    with gateways.running(no_window) as gateway:
        answers = [gateway.send(signed) for _ in range(2)]
    assert len({answer.status for answer in answers}) == 1 and answers[0].status < 300, answers
    first, second = tokens(upstream)
    assert first == second
    assert TOKEN.fullmatch(first)


def test_token_is_the_same_after_a_restart_and_from_another_gateway(no_window, upstream, make_setup):
    signed = post(CRM, *WITH_TOKEN["CreateAppInstanceUser"])
    for _ in range(2):
        with gateways.running(no_window) as gateway:
            assert gateway.send(signed).status == 201
    other = make_setup("another")
    other.tenants = no_window.tenants
    with gateways.running(other) as gateway:
        assert gateway.send(signed).status == 201
    assert len(upstream.requests) == 3
    assert len(set(tokens(upstream))) == 1


def test_other_requests_get_other_tokens(no_window, upstream):
    users = [service.create_user(ClientRequestToken=None) for _ in range(2)]
    with gateways.running(no_window) as gateway:
        for key, user in ((CRM, users[0]), (CRM, users[1]), (HR, users[0])):
            assert gateway.send(wire.signed_create(key, user)).status == 201
    assert len(set(tokens(upstream))) == 3


def test_signature_cannot_be_told_from_the_token(no_window, upstream):
    signed = post(CRM, *WITH_TOKEN["CreateAppInstanceUser"])
    signature = re.search(rb"Signature=([0-9a-f]{64})", signed)[1].decode()
    with gateways.running(no_window) as gateway:
        gateway.send(signed)
    (token,) = tokens(upstream)
    assert token.replace("-", "")[:12] not in signature


def test_same_token_for_another_user_gets_no_recorded_answer(two_tenants, upstream):
    """The target names the user: the bodies are the same."""
    token = uuid.uuid4().hex
    with gateways.running(two_tenants) as gateway:
        assert gateway.send(post(CRM, *register("crm-1", token))).status == 201
        refused = gateway.send(post(CRM, *register("crm-2", token)))
        repeat = gateway.send(post(CRM, *register("crm-1", token)))
    assert_refused(refused, 409, "ConflictException", "Conflict")
    assert repeat.status == 201
    assert len(upstream.requests) == 1


OTHERS = {
    "another body": ("/app-instance-users", service.create_user(Name="Bob")),
    "another method and target": ("/app-instance-bots", WITH_TOKEN["CreateAppInstanceBot"][1]),
    "another target": register("crm-1", None),
}


@pytest.mark.parametrize("other", OTHERS)
def test_same_token_on_another_request_of_the_tenant_is_a_conflict(two_tenants, upstream, other):
    token = uuid.uuid4().hex
    user = service.create_user(ClientRequestToken=token)
    target, parameters = OTHERS[other]
    with gateways.running(two_tenants) as gateway:
        assert gateway.send(wire.signed_create(CRM, user)).status == 201
        refused = gateway.send(post(CRM, target, {**parameters, "ClientRequestToken": token}))
    assert_refused(refused, 409, "ConflictException", "Conflict")
    assert len(upstream.requests) == 1


@pytest.mark.parametrize("operation", ["CreateAppInstanceUser", "RegisterAppInstanceUserEndpoint"])
def test_same_token_of_another_tenant_is_another_request(two_tenants, upstream, operation):
    target, parameters = WITH_TOKEN[operation]
    parameters = {**parameters, "ClientRequestToken": uuid.uuid4().hex}
    with gateways.running(two_tenants) as gateway:
        answers = [gateway.send(post(key, target, parameters)) for key in (CRM, HR)]
    assert [answer.status for answer in answers] == [201, 201]
    assert len(upstream.requests) == 2
    assert len({answer.get("x-amzn-RequestId") for answer in answers}) == 2


def test_repeated_signature_is_served_again_for_reads_and_idempotent_operations_alone(two_tenants, upstream):
    arn = service.user_arn("crm-1").replace(":", "%3A").replace("/", "%2F")
    app = service.APP.replace(":", "%3A").replace("/", "%2F")
    admin = post(CRM, f"/app-instances/{app}/admins", {"AppInstanceAdminArn": service.user_arn("crm-1")})
    cases = {
        "read": (wire.signed(CRM, "GET", f"/app-instance-users/{arn}"), 2),
        "idempotent": (wire.signed(CRM, "DELETE", f"/app-instance-users/{arn}"), 2),
        "neither, without a token": (admin, 1),
    }
    with gateways.running(two_tenants) as gateway:
        for case, (signed, expected) in cases.items():
            upstream.clear()
            statuses = {gateway.send(signed).status for _ in range(2)}
            assert len(statuses) == 1 and min(statuses) < 300, (case, statuses)
            assert len(upstream.requests) == expected, case
