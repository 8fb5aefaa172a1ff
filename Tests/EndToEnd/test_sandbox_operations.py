"""All operations of the service model, by an unmodified boto3 client: on `gatehouse sandbox`, and through the gateway."""

import json
import os
import re
import socket
import subprocess

import pytest

import gateways
import journeys
import service
import signing

UPSTREAM_KEY = signing.Key("AKIASANDBOXEXAMPLE01", "sandbox/secret/abcdefghijklmnopqrstuvwx")


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory):
    process = gateways.Sandbox(tmp_path_factory.mktemp("sandbox"), UPSTREAM_KEY)
    yield process
    process.stop()


@pytest.fixture(scope="module", params=["directly", "through the gateway"])
def client(request, sandbox, tmp_path_factory):
    if request.param == "directly":
        yield gateways.boto3_client(sandbox.url, UPSTREAM_KEY)
        return
    setup = gateways.Setup(tmp_path_factory.mktemp("gateway"), sandbox.url, UPSTREAM_KEY)
    with gateways.running(setup) as gateway:
        yield gateway.client()


@pytest.fixture(scope="module")
def witness(client):
    """What a whole journey had for answers."""
    witness = journeys.Witness(client)
    journey = journeys.Journey(client)
    journey.begin()
    journey.end()
    return witness


def test_every_operation_of_the_model_is_served(witness):
    assert sorted(witness.operations) == service.OPERATIONS


def test_answers_have_every_member_of_the_model(witness):
    assert witness.members == journeys.members_of_answers()


@pytest.fixture(scope="module")
def direct(sandbox):
    return gateways.boto3_client(sandbox.url, UPSTREAM_KEY)


@pytest.fixture(scope="module")
def journey(direct):
    journey = journeys.Journey(direct)
    journey.begin()
    return journey


NAMES_NO_APP_INSTANCE = {"CreateAppInstance", "ListAppInstances"}
NAMES_SOMETHING_IN_ONE = [
    name
    for name in service.OPERATIONS
    if {"AppInstanceUserArn", "AppInstanceBotArn", "AppInstanceAdminArn", "ResourceARN"}
    & set(service.model().operation_model(name).input_shape.required_members)
]
LISTS_IN_PAGES = [
    name
    for name in service.OPERATIONS
    if "NextToken" in service.model().operation_model(name).input_shape.members
]
ABSENT_APP = f"{service.ACCOUNT}:app-instance/00000000-0000-4000-8000-000000000000"


@pytest.mark.parametrize("operation", sorted(set(service.OPERATIONS) - NAMES_NO_APP_INSTANCE))
def test_an_absent_app_instance_is_forbidden(direct, journey, operation):
    with pytest.raises(direct.exceptions.ForbiddenException) as raised:
        getattr(direct, service.method_name(operation))(**service.minimal(operation, ABSENT_APP))
    assert raised.value.response["Error"]["Message"]
    assert raised.value.response["Code"] == "Forbidden"


@pytest.mark.parametrize("operation", NAMES_SOMETHING_IN_ONE)
def test_what_is_absent_in_an_app_instance_is_not_found(direct, journey, operation):
    with pytest.raises(direct.exceptions.NotFoundException) as raised:
        getattr(direct, service.method_name(operation))(**service.minimal(operation, journey.app))
    assert raised.value.response["Code"] == "NotFound"


@pytest.mark.parametrize("operation", LISTS_IN_PAGES)
def test_a_page_token_that_is_none_is_a_bad_request(direct, journey, operation):
    parameters = service.minimal(operation, journey.app)
    if "AppInstanceUserArn" in parameters:
        parameters["AppInstanceUserArn"] = journey.user_arns[0]
    with pytest.raises(direct.exceptions.BadRequestException) as raised:
        getattr(direct, service.method_name(operation))(NextToken="?", **parameters)
    assert raised.value.response["Code"] == "BadRequest"


def requests_with_tokens(journey):
    """The four operations that have a ClientRequestToken: the call, its parameters, the answer's member, a change."""
    client = journey.client
    return {
        "AppInstance": (client.create_app_instance, {"Name": "once"}, "AppInstanceArn", {"Name": "twice"}),
        "user": (
            client.create_app_instance_user,
            {"AppInstanceArn": journey.app, "AppInstanceUserId": "once", "Name": "Once"},
            "AppInstanceUserArn",
            {"AppInstanceUserId": "twice"},
        ),
        "bot": (
            client.create_app_instance_bot,
            {"AppInstanceArn": journey.app, "Name": "once", "Configuration": journeys.LEX},
            "AppInstanceBotArn",
            {"Name": "twice"},
        ),
        "endpoint": (
            client.register_app_instance_user_endpoint,
            {
                "AppInstanceUserArn": journey.user_arns[1],
                "Type": "GCM",
                "ResourceArn": journeys.PINPOINT_APP,
                "EndpointAttributes": {"DeviceToken": "d"},
            },
            "EndpointId",
            {"Type": "APNS"},
        ),
    }


@pytest.mark.parametrize("kind", ["AppInstance", "user", "bot", "endpoint"])
def test_a_token_makes_one_thing_and_is_no_other_request_s(direct, journey, kind):
    call, parameters, made, change = requests_with_tokens(journey)[kind]
    token = journeys.token()
    first = call(**parameters, ClientRequestToken=token)[made]
    assert call(**parameters, ClientRequestToken=token)[made] == first
    with pytest.raises(direct.exceptions.ConflictException) as raised:
        call(**{**parameters, **change}, ClientRequestToken=token)
    assert raised.value.response["Code"] == "Conflict"


def test_what_is_taken_is_a_conflict(direct, journey):
    user = {**journey.user_requests[0], "ClientRequestToken": journeys.token()}
    with pytest.raises(direct.exceptions.ConflictException):
        direct.create_app_instance_user(**user)
    with pytest.raises(direct.exceptions.ConflictException):
        direct.create_app_instance_admin(AppInstanceArn=journey.app, AppInstanceAdminArn=journey.admin_arns[0])
    with pytest.raises(direct.exceptions.ConflictException):
        direct.create_app_instance_bot(AppInstanceArn=journey.app, Name="greeter", Configuration=journeys.LEX)


def test_quotas_are_those_that_aws_documents(direct, journey):
    user = direct.create_app_instance_user(**service.create_user(AppInstanceArn=journey.app))["AppInstanceUserArn"]
    register = {
        "AppInstanceUserArn": user,
        "Type": "GCM",
        "ResourceArn": journeys.PINPOINT_APP,
        "EndpointAttributes": {"DeviceToken": "d"},
    }
    for _ in range(10):
        direct.register_app_instance_user_endpoint(**register)
    with pytest.raises(direct.exceptions.ResourceLimitExceededException) as raised:
        direct.register_app_instance_user_endpoint(**register)
    assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert raised.value.response["Code"] == "ResourceLimitExceeded"
    assert "10 endpoints" in raised.value.response["Error"]["Message"]


def test_what_is_in_a_deleted_app_instance_is_gone(direct):
    gone = journeys.Journey(direct)
    gone.begin()
    direct.delete_app_instance(AppInstanceArn=gone.app)
    reads = [
        (direct.describe_app_instance_user, {"AppInstanceUserArn": gone.user_arns[0]}),
        (direct.list_app_instance_user_endpoints, {"AppInstanceUserArn": gone.user_arns[0]}),
        (direct.describe_app_instance_bot, {"AppInstanceBotArn": gone.bot_arns[0]}),
        (direct.list_app_instance_admins, {"AppInstanceArn": gone.app}),
        (direct.get_app_instance_retention_settings, {"AppInstanceArn": gone.app}),
        (direct.list_tags_for_resource, {"ResourceARN": gone.bot_arns[0]}),
    ]
    for call, parameters in reads:
        with pytest.raises(direct.exceptions.ForbiddenException):
            call(**parameters)


def test_a_user_takes_its_endpoints_and_its_promotion_along(direct, journey):
    request = service.create_user(AppInstanceArn=journey.app)
    user = direct.create_app_instance_user(**request)["AppInstanceUserArn"]
    admin = {"AppInstanceArn": journey.app, "AppInstanceAdminArn": user}
    direct.create_app_instance_admin(**admin)
    endpoint = direct.register_app_instance_user_endpoint(
        AppInstanceUserArn=user,
        Type="GCM",
        ResourceArn=journeys.PINPOINT_APP,
        EndpointAttributes={"DeviceToken": "d"},
    )["EndpointId"]
    direct.delete_app_instance_user(AppInstanceUserArn=user)
    direct.create_app_instance_user(**request)
    with pytest.raises(direct.exceptions.NotFoundException):
        direct.describe_app_instance_user_endpoint(AppInstanceUserArn=user, EndpointId=endpoint)
    with pytest.raises(direct.exceptions.NotFoundException):
        direct.describe_app_instance_admin(**admin)


def test_the_commands_of_the_page_work_as_they_stand(tmp_path):
    page = (gateways.ROOT / "docs/sandbox.md").read_text()
    (block,) = re.findall(r"```sh\n(.*?)```", page, re.S)
    # The page names a port, so the kernel is asked for one that is free now.
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/gatehouse").symlink_to(gateways.BINARY)
    path = f"{tmp_path}/bin:{gateways.VENV}:{os.environ['PATH']}"
    result = subprocess.run(
        ["bash", "-ec", "set -m\ntrap 'kill %1' EXIT\n" + block.replace("8090", port)],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=gateways.PATIENCE,
        env=gateways.clean_environment(PATH=path, AWS_CONFIG_FILE="/dev/null"),
    )
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["AppInstanceArn"].startswith(f"{service.ACCOUNT}:app-instance/")
