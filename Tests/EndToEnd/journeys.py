"""A walk through all operations of the API with one client, and what its answers were made of."""

import json
import uuid

import botocore.validate

import service

PINPOINT_APP = "arn:aws:mobiletargeting:us-east-1:123456789012:apps/abc"
BUCKET = "arn:aws:s3:::bucket"
TAGS = [{"Key": "CostCenter", "Value": "4711"}]
EXPIRATION = {"ExpirationDays": 7, "ExpirationCriterion": "CREATED_TIMESTAMP"}
RETENTION = {"ChannelRetentionSettings": {"RetentionDays": 60}}
LEX = {
    "Lex": {
        "RespondsTo": "STANDARD_MESSAGES",
        "InvokedBy": {"StandardMessages": "MENTIONS", "TargetedMessages": "ALL"},
        "LexBotAliasArn": "arn:aws:lex:us-east-1:123456789012:bot-alias/ABCDEFGHIJ/KLMNOPQRST",
        "LocaleId": "en_US",
        "WelcomeIntent": "Hello",
    }
}


def token():
    return uuid.uuid4().hex


def pages(call, key, **parameters):
    """The elements of all pages of a list, each page of one."""
    found, more = [], {}
    while True:
        page = call(MaxResults=1, **parameters, **more)
        assert len(page[key]) <= 1
        found += page[key]
        if "NextToken" not in page:
            return found
        more = {"NextToken": page["NextToken"]}


def members_of_answers():
    """(structure, member) for all that the service model lets answers have."""
    found = set()

    def add(shape):
        if shape.type_name == "list":
            add(shape.member)
        elif shape.type_name == "structure":
            for name, member in shape.members.items():
                found.add((shape.name, name))
                add(member)

    for operation in service.OPERATIONS:
        if shape := service.model().operation_model(operation).output_shape:
            add(shape)
    return found


class Witness:
    """Holds every answer that a client gets against the service model, and remembers what there was."""

    def __init__(self, client):
        self.operations = set()
        self.members = set()
        client.meta.events.register("after-call.chime-sdk-identity", self._answered)

    def _answered(self, http_response, parsed, model, **_):
        if http_response.status_code >= 300:
            return
        self.operations.add(model.name)
        assert http_response.status_code == model.http.get("responseCode", 200), model.name
        if model.output_shape is None:
            assert http_response.content == b"", model.name
            return
        self._see(model.output_shape, json.loads(http_response.content))
        answer = {name: value for name, value in parsed.items() if name != "ResponseMetadata"}
        faults = botocore.validate.ParamValidator().validate(answer, model.output_shape)
        assert not faults.has_errors(), (model.name, faults.generate_report())

    def _see(self, shape, value):
        if shape.type_name == "list":
            for element in value:
                self._see(shape.member, element)
        elif shape.type_name == "structure":
            # botocore's parser says nothing of members that the model does not have.
            assert value.keys() <= shape.members.keys(), shape.name
            for name, member in value.items():
                self.members.add((shape.name, name))
                self._see(shape.members[name], member)


class Journey:
    """Makes two of each kind, with every member, and calls each operation; `end` takes all of it away again."""

    def __init__(self, client):
        self.client = client

    def begin(self):
        self.app_instances()
        self.users()
        self.endpoints()
        self.bots()
        self.admins()
        self.tags()

    def app_instances(self):
        client = self.client
        self.apps = [
            client.create_app_instance(Name=name, Metadata="m", ClientRequestToken=token(), Tags=TAGS)["AppInstanceArn"]
            for name in ("crm", "sales")
        ]
        self.app = self.apps[0]
        client.update_app_instance(AppInstanceArn=self.app, Name="crm-2", Metadata="m2")
        described = client.describe_app_instance(AppInstanceArn=self.app)["AppInstance"]
        assert (described["Name"], described["Metadata"]) == ("crm-2", "m2")
        assert described["CreatedTimestamp"] <= described["LastUpdatedTimestamp"]
        listed = {app["AppInstanceArn"]: app["Name"] for app in pages(client.list_app_instances, "AppInstances")}
        assert listed.items() >= dict(zip(self.apps, ("crm-2", "sales"))).items()

        put = client.put_app_instance_retention_settings(
            AppInstanceArn=self.app, AppInstanceRetentionSettings=RETENTION
        )
        assert put["AppInstanceRetentionSettings"] == RETENTION
        got = client.get_app_instance_retention_settings(AppInstanceArn=self.app)
        assert got["AppInstanceRetentionSettings"] == RETENTION
        assert got["InitiateDeletionTimestamp"] == put["InitiateDeletionTimestamp"]

    def users(self):
        client = self.client
        self.user_requests = [
            service.create_user(AppInstanceArn=self.app, Metadata="m", ExpirationSettings=EXPIRATION) for _ in range(2)
        ]
        self.user_arns = [
            client.create_app_instance_user(**request)["AppInstanceUserArn"] for request in self.user_requests
        ]
        user = {"AppInstanceUserArn": self.user_arns[0]}
        client.update_app_instance_user(**user, Name="Alice Renamed", Metadata="m2")
        settings = {**EXPIRATION, "ExpirationDays": 9}
        client.put_app_instance_user_expiration_settings(**user, ExpirationSettings=settings)
        described = client.describe_app_instance_user(**user)["AppInstanceUser"]
        assert (described["Name"], described["Metadata"]) == ("Alice Renamed", "m2")
        assert described["ExpirationSettings"] == settings
        listed = pages(client.list_app_instance_users, "AppInstanceUsers", AppInstanceArn=self.app)
        assert {user["AppInstanceUserArn"] for user in listed} == set(self.user_arns)

    def endpoints(self):
        client = self.client
        user = {"AppInstanceUserArn": self.user_arns[0]}
        common = {**user, "Name": "phone", "Type": "APNS", "AllowMessages": "ALL"}
        attributes = {"DeviceToken": "device", "VoipDeviceToken": "voip"}
        self.endpoint_ids = [
            client.register_app_instance_user_endpoint(
                **common, ResourceArn=resource, EndpointAttributes=attributes, ClientRequestToken=token()
            )["EndpointId"]
            for resource in (PINPOINT_APP, BUCKET)
        ]
        first = {**user, "EndpointId": self.endpoint_ids[0]}
        client.update_app_instance_user_endpoint(**first, Name="tablet", AllowMessages="NONE")
        described = client.describe_app_instance_user_endpoint(**first)["AppInstanceUserEndpoint"]
        assert (described["Name"], described["AllowMessages"]) == ("tablet", "NONE")
        assert described["EndpointAttributes"] == attributes
        assert described["EndpointState"] == {"Status": "ACTIVE"}
        listed = pages(client.list_app_instance_user_endpoints, "AppInstanceUserEndpoints", **user)
        states = {endpoint["EndpointId"]: endpoint["EndpointState"] for endpoint in listed}
        assert states[self.endpoint_ids[1]] == {"Status": "INACTIVE", "StatusReason": "INVALID_PINPOINT_ARN"}
        assert states.keys() == set(self.endpoint_ids)

    def bots(self):
        client = self.client
        self.bot_arns = [
            client.create_app_instance_bot(
                AppInstanceArn=self.app,
                Name=name,
                Metadata="m",
                ClientRequestToken=token(),
                Tags=TAGS,
                Configuration=LEX,
            )["AppInstanceBotArn"]
            for name in ("helper", "greeter")
        ]
        bot = {"AppInstanceBotArn": self.bot_arns[0]}
        client.update_app_instance_bot(**bot, Name="helper-2", Metadata="m2", Configuration=LEX)
        described = client.describe_app_instance_bot(**bot)["AppInstanceBot"]
        assert (described["Name"], described["Metadata"]) == ("helper-2", "m2")
        assert described["Configuration"] == LEX
        listed = pages(client.list_app_instance_bots, "AppInstanceBots", AppInstanceArn=self.app)
        assert {bot["AppInstanceBotArn"] for bot in listed} == set(self.bot_arns)

    def admins(self):
        client = self.client
        self.admin_arns = [self.user_arns[0], self.bot_arns[0]]
        for arn, name in zip(self.admin_arns, ("Alice Renamed", "helper-2")):
            admin = {"AppInstanceAdminArn": arn, "AppInstanceArn": self.app}
            created = client.create_app_instance_admin(**admin)
            assert created["AppInstanceAdmin"] == {"Arn": arn, "Name": name}
            described = client.describe_app_instance_admin(**admin)["AppInstanceAdmin"]
            assert described["Admin"] == created["AppInstanceAdmin"]
            assert described["AppInstanceArn"] == self.app
        listed = pages(client.list_app_instance_admins, "AppInstanceAdmins", AppInstanceArn=self.app)
        assert {admin["Admin"]["Arn"] for admin in listed} == set(self.admin_arns)

    def tags(self):
        client = self.client
        for arn in (self.app, self.user_arns[0], self.bot_arns[0]):
            more = [{"Key": "CostCenter", "Value": "4712"}, {"Key": "Team", "Value": "crm"}]
            client.tag_resource(ResourceARN=arn, Tags=more)
            assert client.list_tags_for_resource(ResourceARN=arn)["Tags"] == more
            client.untag_resource(ResourceARN=arn, TagKeys=["Team"])
            assert client.list_tags_for_resource(ResourceARN=arn)["Tags"] == more[:1]

    def seen(self):
        """All that can be read of it."""
        client, app = self.client, {"AppInstanceArn": self.app}
        user = {"AppInstanceUserArn": self.user_arns[0]}
        answers = [
            client.list_app_instances(),
            client.describe_app_instance(**app),
            client.get_app_instance_retention_settings(**app),
            client.list_app_instance_users(**app),
            client.list_app_instance_user_endpoints(**user),
            client.list_app_instance_bots(**app),
            client.list_app_instance_admins(**app),
        ]
        answers += [client.describe_app_instance_user(AppInstanceUserArn=arn) for arn in self.user_arns]
        answers += [
            client.describe_app_instance_user_endpoint(**user, EndpointId=endpoint) for endpoint in self.endpoint_ids
        ]
        answers += [client.describe_app_instance_bot(AppInstanceBotArn=arn) for arn in self.bot_arns]
        answers += [client.describe_app_instance_admin(AppInstanceAdminArn=arn, **app) for arn in self.admin_arns]
        tagged = [*self.apps, *self.user_arns, *self.bot_arns]
        answers += [client.list_tags_for_resource(ResourceARN=arn) for arn in tagged]
        for answer in answers:
            del answer["ResponseMetadata"]
        return answers

    def end(self):
        client, app = self.client, {"AppInstanceArn": self.app}
        for arn in self.admin_arns:
            client.delete_app_instance_admin(AppInstanceAdminArn=arn, **app)
        for endpoint in self.endpoint_ids:
            client.deregister_app_instance_user_endpoint(AppInstanceUserArn=self.user_arns[0], EndpointId=endpoint)
        for arn in self.bot_arns:
            client.delete_app_instance_bot(AppInstanceBotArn=arn)
        for arn in self.user_arns:
            client.delete_app_instance_user(AppInstanceUserArn=arn)
        assert client.list_app_instance_users(**app)["AppInstanceUsers"] == []
        for arn in self.apps:
            client.delete_app_instance(AppInstanceArn=arn)
        left = {found["AppInstanceArn"] for found in client.list_app_instances()["AppInstances"]}
        assert not left & set(self.apps)
