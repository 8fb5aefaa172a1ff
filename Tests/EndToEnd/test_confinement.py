"""A tenant stays within its AppInstances, wherever in a request another one is named."""

import json

import pytest

import gateways
import service
import upstreams
import wire
from gateways import CRM
from service import APP, OTHER_APP


@pytest.fixture(scope="module")
def module_setup(tmp_path_factory, endpoint):
    setup = gateways.Setup(tmp_path_factory.mktemp("gateway"), endpoint.url, upstreams.KEY)
    setup.tenants = [gateways.tenant(operations=service.OPERATIONS, apps=[APP])]
    return setup


OUTSIDE = {
    "CreateAppInstanceUser in the body": (
        "create_app_instance_user",
        service.create_user(AppInstanceArn=OTHER_APP),
    ),
    "DescribeAppInstanceUser in the path": (
        "describe_app_instance_user",
        {"AppInstanceUserArn": service.user_arn("u", OTHER_APP)},
    ),
    "ListAppInstanceUsers in the query": ("list_app_instance_users", {"AppInstanceArn": OTHER_APP}),
    "ListTagsForResource in the query": (
        "list_tags_for_resource",
        {"ResourceARN": service.user_arn("u", OTHER_APP)},
    ),
    "TagResource in the body": (
        "tag_resource",
        {"ResourceARN": service.user_arn("u", OTHER_APP), "Tags": [{"Key": "a", "Value": "b"}]},
    ),
    "UntagResource of the AppInstance itself": (
        "untag_resource",
        {"ResourceARN": OTHER_APP, "TagKeys": ["a"]},
    ),
    "CreateAppInstanceAdmin in the path": (
        "create_app_instance_admin",
        {"AppInstanceArn": OTHER_APP, "AppInstanceAdminArn": service.user_arn("u")},
    ),
    "CreateAppInstanceAdmin in the body": (
        "create_app_instance_admin",
        {"AppInstanceArn": APP, "AppInstanceAdminArn": service.user_arn("u", OTHER_APP)},
    ),
    "DeleteAppInstanceAdmin in the second part of the path": (
        "delete_app_instance_admin",
        {"AppInstanceArn": APP, "AppInstanceAdminArn": service.user_arn("u", OTHER_APP)},
    ),
    "an AppInstance whose id begins alike": (
        "create_app_instance_user",
        service.create_user(AppInstanceArn=APP + "0"),
    ),
    "an AppInstance in other case": (
        "create_app_instance_user",
        service.create_user(AppInstanceArn=APP.replace("app-instance", "App-Instance")),
    ),
    "the same AppInstance of another account": (
        "create_app_instance_user",
        service.create_user(AppInstanceArn=APP.replace("123456789012", "210987654321")),
    ),
    "the same AppInstance of another region": (
        "create_app_instance_user",
        service.create_user(AppInstanceArn=APP.replace("us-east-1", "eu-central-1")),
    ),
    "a resource of another service": (
        "tag_resource",
        {"ResourceARN": "arn:aws:s3:::bucket", "Tags": [{"Key": "a", "Value": "b"}]},
    ),
}


@pytest.mark.parametrize("case", OUTSIDE)
def test_another_app_instance_is_refused(gateway, client, upstream, case):
    method, parameters = OUTSIDE[case]
    with pytest.raises(client.exceptions.ForbiddenException) as raised:
        getattr(client, method)(**parameters)
    assert raised.value.response["Code"] == "AccessDenied"
    assert upstream.requests == []
    request_id = raised.value.response["ResponseMetadata"]["HTTPHeaders"]["x-gatehouse-request-id"]
    record = gateway.setup.audit_record(request_id)
    assert (record["decision"], record["outcome"]) == ("denied", "notForwarded")
    assert [(v["policy"], v["rule"]) for v in record["violations"]] == [("gatehouse", "tenant.appInstance")]
    (violation,) = record["violations"]
    # The caller, the journal and the metrics say the same of it.
    said = ": ".join(violation[part] for part in ("policy", "rule", "field", "message"))
    assert raised.value.response["Error"]["Message"] == said
    counted = b'gatehouse_policy_violations_total{policy="gatehouse",rule="tenant.appInstance",tenant="crm",mode="enforce"} '
    assert counted in gateway.admin_request("/metrics").body


@pytest.mark.parametrize(
    "operation", [name for name in service.OPERATIONS if name not in ("CreateAppInstance",)]
)
def test_operation_is_confined(client, upstream, operation):
    """Within the AppInstance it passes; about another one it never reaches upstream."""
    getattr(client, service.method_name(operation))(**service.minimal(operation, APP))
    assert upstream.only.operation == operation
    upstream.clear()
    outside = service.minimal(operation, OTHER_APP)
    if outside == service.minimal(operation, APP):
        return
    with pytest.raises(client.exceptions.ForbiddenException):
        getattr(client, service.method_name(operation))(**outside)
    assert upstream.requests == []


def test_app_instance_given_twice_in_the_query_is_refused(gateway, upstream):
    def encoded(arn):
        return arn.replace(":", "%3A").replace("/", "%2F")

    for first, second in ((APP, OTHER_APP), (OTHER_APP, APP)):
        target = f"/app-instance-users?app-instance-arn={encoded(first)}&app-instance-arn={encoded(second)}"
        response = gateway.send(wire.signed(CRM, "GET", target))
        assert response.status in (400, 403), response
    assert upstream.requests == []


def test_path_that_hides_another_app_instance_is_refused(gateway, upstream):
    hidden = f"{APP}/user/../../{OTHER_APP}".replace(":", "%3A").replace("/", "%2F")
    response = gateway.send(wire.signed(CRM, "GET", f"/app-instance-users/{hidden}"))
    assert response.status in (400, 403)
    assert upstream.requests == []


def test_body_member_that_the_path_already_gives_is_refused(gateway, upstream):
    """An operation whose AppInstance stands in the path takes none in the body."""
    target = "/app-instances/" + APP.replace(":", "%3A").replace("/", "%2F") + "/admins"
    content = json.dumps({"AppInstanceAdminArn": service.user_arn("u"), "AppInstanceArn": OTHER_APP}).encode()
    response = gateway.send(wire.signed(CRM, "POST", target, content))
    assert response.status in (400, 403)
    assert upstream.requests == []


def test_unknown_member_hides_no_app_instance(gateway, upstream):
    content = json.dumps(service.create_user() | {"appInstanceArn": OTHER_APP}).encode()
    response = gateway.send(wire.signed_create(CRM, content))
    assert response.status in (400, 403)
    assert upstream.requests == []


def test_list_app_instances_names_none_and_passes(client, upstream):
    client.list_app_instances()
    assert upstream.only.operation == "ListAppInstances"
