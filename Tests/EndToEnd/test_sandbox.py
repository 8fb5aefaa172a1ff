"""An unmodified boto3 client and the unmodified AWS CLI, through the gateway to `gatehouse sandbox`."""

import json
import re

import botocore.exceptions
import pytest

import gateways
import service
import signing

UPSTREAM_KEY = signing.Key("AKIASANDBOXEXAMPLE01", "sandbox/secret/abcdefghijklmnopqrstuvwx")


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory):
    process = gateways.Sandbox(tmp_path_factory.mktemp("sandbox"), UPSTREAM_KEY)
    yield process
    process.stop()


@pytest.fixture(scope="module")
def through(sandbox, tmp_path_factory):
    """A gateway in front of the sandbox."""
    setup = gateways.Setup(tmp_path_factory.mktemp("gateway"), sandbox.url, UPSTREAM_KEY)
    with gateways.running(setup) as gateway:
        yield gateway


def test_port_of_another_process_is_refused(sandbox, through):
    address = sandbox.url.removeprefix("http://")
    second = gateways.run("sandbox", "--listen", address)
    assert second.returncode == 1, second.stderr
    assert "Address already in use" in second.stderr


@pytest.fixture
def client(through):
    return through.client()


@pytest.fixture
def app(client):
    return client.create_app_instance(
        Name="crm", ClientRequestToken=service.create_user()["ClientRequestToken"]
    )["AppInstanceArn"]


@pytest.fixture
def created(client, app):
    return client.create_app_instance_user(**service.create_user(AppInstanceArn=app))["AppInstanceUserArn"]


def test_boto3_creates_and_describes_a_user(client, app):
    user = service.create_user(AppInstanceArn=app, Metadata='{"team":"crm"}')
    answer = client.create_app_instance_user(**user)
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 201
    arn = answer["AppInstanceUserArn"]
    assert arn == f"{app}/user/{user['AppInstanceUserId']}"

    described = client.describe_app_instance_user(AppInstanceUserArn=arn)["AppInstanceUser"]
    assert described["Name"] == user["Name"]
    assert described["Metadata"] == user["Metadata"]
    assert described["CreatedTimestamp"] <= described["LastUpdatedTimestamp"]


def test_boto3_lists_users_page_by_page(client, app):
    arns = {
        client.create_app_instance_user(**service.create_user(AppInstanceArn=app))["AppInstanceUserArn"]
        for _ in range(5)
    }
    pages = list(
        client.get_paginator("list_app_instance_users").paginate(
            AppInstanceArn=app, PaginationConfig={"PageSize": 2}
        )
        if client.can_paginate("list_app_instance_users")
        else pages_by_hand(client, app)
    )
    assert [len(page["AppInstanceUsers"]) for page in pages] == [2, 2, 1]
    assert {user["AppInstanceUserArn"] for page in pages for user in page["AppInstanceUsers"]} == arns


def pages_by_hand(client, app):
    token = {}
    while True:
        page = client.list_app_instance_users(AppInstanceArn=app, MaxResults=2, **token)
        yield page
        if not page.get("NextToken"):
            return
        token = {"NextToken": page["NextToken"]}


def test_boto3_updates_a_user(client, created):
    client.update_app_instance_user(AppInstanceUserArn=created, Name="Bob", Metadata="m")
    described = client.describe_app_instance_user(AppInstanceUserArn=created)["AppInstanceUser"]
    assert (described["Name"], described["Metadata"]) == ("Bob", "m")


def test_boto3_deletes_a_user(client, created):
    answer = client.delete_app_instance_user(AppInstanceUserArn=created)
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 204
    with pytest.raises(botocore.exceptions.ClientError) as raised:
        client.describe_app_instance_user(AppInstanceUserArn=created)
    assert raised.value.response["Error"]["Code"] in ("NotFoundException", "ForbiddenException")


def test_boto3_tags_lists_and_untags_a_user(client, created):
    client.tag_resource(ResourceARN=created, Tags=[{"Key": "Team", "Value": "crm"}])
    tags = client.list_tags_for_resource(ResourceARN=created)["Tags"]
    assert {"Key": "Team", "Value": "crm"} in tags
    assert {"Key": "CostCenter", "Value": "4711"} in tags
    client.untag_resource(ResourceARN=created, TagKeys=["Team"])
    assert "Team" not in {tag["Key"] for tag in client.list_tags_for_resource(ResourceARN=created)["Tags"]}


def test_boto3_puts_and_takes_away_expiration_settings(client, created):
    settings = {"ExpirationDays": 7, "ExpirationCriterion": "CREATED_TIMESTAMP"}
    answer = client.put_app_instance_user_expiration_settings(
        AppInstanceUserArn=created, ExpirationSettings=settings
    )
    assert answer["ExpirationSettings"] == settings
    described = client.describe_app_instance_user(AppInstanceUserArn=created)["AppInstanceUser"]
    assert described["ExpirationSettings"] == settings
    client.put_app_instance_user_expiration_settings(AppInstanceUserArn=created)
    described = client.describe_app_instance_user(AppInstanceUserArn=created)["AppInstanceUser"]
    assert "ExpirationSettings" not in described


def test_boto3_creates_lists_and_describes_app_instances(client, app):
    assert app in {found["AppInstanceArn"] for found in client.list_app_instances()["AppInstances"]}
    assert client.describe_app_instance(AppInstanceArn=app)["AppInstance"]["Name"] == "crm"


def test_same_token_and_body_give_the_same_user_again(client, app):
    user = service.create_user(AppInstanceArn=app)
    first = client.create_app_instance_user(**user)
    second = client.create_app_instance_user(**user)
    assert first["AppInstanceUserArn"] == second["AppInstanceUserArn"]
    listed = client.list_app_instance_users(AppInstanceArn=app)["AppInstanceUsers"]
    assert len(listed) == 1


def test_same_token_with_another_body_is_a_conflict(client, app):
    user = service.create_user(AppInstanceArn=app)
    client.create_app_instance_user(**user)
    with pytest.raises(client.exceptions.ConflictException):
        client.create_app_instance_user(**{**user, "Name": "Someone Else"})


def test_same_user_id_with_another_token_is_a_conflict(client, app):
    user = service.create_user(AppInstanceArn=app)
    client.create_app_instance_user(**user)
    with pytest.raises(client.exceptions.ConflictException):
        client.create_app_instance_user(**{**user, "ClientRequestToken": "another-token"})


def test_a_user_of_an_absent_app_instance_is_refused_by_the_sandbox(client, through, app):
    with pytest.raises(botocore.exceptions.ClientError) as raised:
        client.create_app_instance_user(**service.create_user(AppInstanceArn=service.OTHER_APP))
    assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] in (403, 404)
    record = through.setup.audit_record(
        raised.value.response["ResponseMetadata"]["HTTPHeaders"]["x-gatehouse-request-id"]
    )
    assert (record["decision"], record["outcome"]) == ("allowed", "rejected")


def test_names_keep_their_characters_on_the_way(client, app):
    for name in ("Zoë Ångström", "李小龍", "👩‍🚀 Ada", 'quo"te\\back/slash', "tab\there", "Ali\u2028ce"):
        arn = client.create_app_instance_user(**service.create_user(AppInstanceArn=app, Name=name))[
            "AppInstanceUserArn"
        ]
        assert client.describe_app_instance_user(AppInstanceUserArn=arn)["AppInstanceUser"]["Name"] == name


def test_sandbox_refuses_a_caller_that_does_not_hold_its_credentials(sandbox):
    for key in (
        signing.Key(UPSTREAM_KEY.id, "wrong"),
        signing.Key("AKIAUNKNOWN000000000", UPSTREAM_KEY.secret),
    ):
        with pytest.raises(botocore.exceptions.ClientError) as raised:
            gateways.boto3_client(sandbox.url, key).list_app_instances()
        assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403


def test_sandbox_serves_boto3_directly(sandbox):
    client = gateways.boto3_client(sandbox.url, UPSTREAM_KEY)
    app = client.create_app_instance(Name="direct", ClientRequestToken="direct-1")["AppInstanceArn"]
    arn = client.create_app_instance_user(**service.create_user(AppInstanceArn=app))["AppInstanceUserArn"]
    assert client.describe_app_instance_user(AppInstanceUserArn=arn)["AppInstanceUser"]["Name"]


def test_sandbox_without_credentials_makes_a_pair_and_prints_it(tmp_path):
    process = gateways.Process("sandbox", "--listen", "127.0.0.1:0", cwd=tmp_path)
    try:
        address = process.address_of("sandbox listening")
        pattern = r"AWS_ACCESS_KEY_ID=(\S+)[\s\S]*AWS_SECRET_ACCESS_KEY=(\S+)\s"
        printed = process.wait_for_output(lambda text: re.search(pattern, text), "key pair")
        key = signing.Key(*re.search(pattern, printed).groups())
        gateways.boto3_client(f"http://{address}", key).list_app_instances()
        process.stop()
    finally:
        if process.process.poll() is None:
            process.kill()


def test_aws_cli_creates_describes_and_deletes_a_user(through, app):
    created = gateways.aws_cli(
        through.url,
        gateways.CRM,
        "create-app-instance-user",
        "--app-instance-arn",
        app,
        "--app-instance-user-id",
        "crm-cli",
        "--name",
        "Cli User",
        "--client-request-token",
        "cli-1",
        "--tags",
        "Key=CostCenter,Value=4711",
    )
    assert created.returncode == 0, created.stderr
    arn = json.loads(created.stdout)["AppInstanceUserArn"]

    described = gateways.aws_cli(
        through.url, gateways.CRM, "describe-app-instance-user", "--app-instance-user-arn", arn
    )
    assert json.loads(described.stdout)["AppInstanceUser"]["Name"] == "Cli User", described.stderr

    deleted = gateways.aws_cli(
        through.url, gateways.CRM, "delete-app-instance-user", "--app-instance-user-arn", arn
    )
    assert deleted.returncode == 0, deleted.stderr


def test_aws_cli_shows_a_refusal_as_an_aws_error(through, app):
    stranger = signing.Key(gateways.CRM.id, "not the secret")
    refused = gateways.aws_cli(through.url, stranger, "list-app-instance-users", "--app-instance-arn", app)
    assert refused.returncode != 0
    assert "InvalidSignatureException" in refused.stderr
    assert "ListAppInstanceUsers" in refused.stderr
