"""The Amazon Chime SDK Identity API as botocore's service model describes it, for the tests' side.

Operation names, minimal valid parameters and what a request is: taken from the model, so that the
gateway's own table is tested against another source.
"""

import functools
import re
import uuid

import botocore.session

ACCOUNT = "arn:aws:chime:us-east-1:123456789012"
APP = f"{ACCOUNT}:app-instance/11111111-2222-4333-8444-555555555555"
OTHER_APP = f"{ACCOUNT}:app-instance/99999999-8888-4777-8666-555555555555"


@functools.cache
def model():
    return botocore.session.get_session().get_service_model("chime-sdk-identity")


OPERATIONS = sorted(model().operation_names)


def user_arn(user_id, app=APP):
    return f"{app}/user/{user_id}"


def bot_arn(bot_id, app=APP):
    return f"{app}/bot/{bot_id}"


def method_name(operation):
    """The boto3 client's method for an operation."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", operation).lower()


def create_user(**changes):
    """Parameters of a CreateAppInstanceUser that no policy of these tests objects to; None removes one."""
    parameters = {
        "AppInstanceArn": APP,
        "AppInstanceUserId": f"crm-{uuid.uuid4().hex[:12]}",
        "Name": "Alice Example",
        "ClientRequestToken": uuid.uuid4().hex,
        "Tags": [{"Key": "CostCenter", "Value": "4711"}],
        **changes,
    }
    return {name: value for name, value in parameters.items() if value is not None}


def minimal(operation, app=APP):
    """The least parameters that are valid for an operation, all about one AppInstance."""
    return _minimal(model().operation_model(operation).input_shape, operation, app)


def _minimal(shape, name, app):
    if shape.type_name == "structure":
        members = shape.members
        return {key: _minimal(members[key], key, app) for key in shape.required_members}
    if shape.type_name == "list":
        return [_minimal(shape.member, name, app)]
    if shape.type_name in ("integer", "long"):
        return shape.metadata.get("min", 1)
    if shape.type_name == "boolean":
        return False
    if getattr(shape, "enum", None):
        return shape.enum[0]
    return _string(name, app)


def _string(name, app):
    special = {
        "AppInstanceArn": app,
        "AppInstanceUserArn": user_arn("u-1", app),
        "AppInstanceAdminArn": user_arn("u-1", app),
        "AppInstanceBotArn": bot_arn("b-1", app),
        "ResourceARN": user_arn("u-1", app),
        "ResourceArn": "arn:aws:mobiletargeting:us-east-1:123456789012:apps/abc",
        "LexBotAliasArn": "arn:aws:lex:us-east-1:123456789012:bot-alias/ABCDEFGHIJ/KLMNOPQRST",
        "LocaleId": "en_US",
        "EndpointId": "endpoint-1",
        "ClientRequestToken": uuid.uuid4().hex,
    }
    return special.get(name, "abc")


@functools.cache
def _routes():
    routes = []
    for name in OPERATIONS:
        http = model().operation_model(name).http
        path, _, query = http["requestUri"].partition("?")
        pattern = re.sub(r"\{[^}]*\}", "[^/]+", path)
        routes.append((http["method"], re.compile(pattern), query, name, http.get("responseCode", 200)))
    return routes


def identify(method, target):
    """Returns (operation, success status) of a request line, or None when the model has no such call."""
    path, _, query = target.partition("?")
    for route_method, pattern, needed, name, status in _routes():
        if method == route_method and pattern.fullmatch(path) and needed in query:
            return name, status
    return None
