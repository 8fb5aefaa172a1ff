"""Policy cannot be avoided by another call: each route by which a user could come to break it, tried on the wire.

The policy guide's section of this name lists the routes and names these tests.
"""

import json
import threading

import pytest

import gateways
import service
import signing
import upstreams
import wire
from checks import assert_refused
from gateways import CRM
from service import APP, OTHER_APP

USER = service.user_arn("crm-alice")
NARROW = signing.Key("GHAKNARROW0000000001", "narrow-secret-a1b2c3d4e5f6g7h8i9")
"""Of a tenant whose policy matches the creation of users only."""

RULES = {
    "appInstanceUserId": {"prefix": "crm-"},
    "name": {"maxLength": 10, "forbidden": ["(?i)test"], "trimmed": True},
    "tags": {
        "required": [{"key": "CostCenter", "values": ["4711", "48*"]}, {"key": "Owner", "pattern": "[a-z]+"}],
        "allowedKeys": ["CostCenter", "Owner", "Env*", "Envsecret"],
        "forbiddenKeys": ["*secret"],
        "set": {"CreatedVia": "gatehouse"},
    },
    "expiration": {"required": True, "maxDays": 90},
    "metadata": {"maxBytes": 8, "format": "json"},
}
CREATED = {"expiration.required", "tags.required"}


@pytest.fixture(scope="module")
def module_setup(tmp_path_factory, endpoint):
    setup = gateways.Setup(tmp_path_factory.mktemp("gateway"), endpoint.url, upstreams.KEY)
    setup.tenants = [
        gateways.tenant(operations=service.OPERATIONS, apps=[APP]),
        gateways.tenant(id="narrow", keys=[NARROW], operations=service.OPERATIONS, apps=[APP]),
    ]
    setup.policies["org"] = {"match": {"tenants": ["crm"]}, "rules": RULES}
    setup.policies["creation"] = {
        "match": {"tenants": ["narrow"], "operations": ["CreateAppInstanceUser"]},
        "rules": {"tags": {"required": [{"key": "Owner"}], "set": {"CreatedVia": "gatehouse"}}},
    }
    return setup


def encoded(text):
    return "".join(c if c.isalnum() else "".join(f"%{byte:02X}" for byte in c.encode()) for c in text)


def call(method, target, content=None, key=CRM):
    body = b"" if content is None else content if isinstance(content, bytes) else json.dumps(content).encode()
    headers = (("Content-Type", "application/json"),) if body else ()
    return wire.signed(key, method, target, body, headers=headers)


def create(content):
    return call("POST", "/app-instance-users", content)


def update(content, user=USER):
    return call("PUT", f"/app-instance-users/{encoded(user)}", content)


def put_expiration(content, user=USER):
    return call("PUT", f"/app-instance-users/{encoded(user)}/expiration-settings", content)


def tag(tags, arn=USER, key=CRM):
    return call("POST", "/tags?operation=tag-resource", {"ResourceARN": arn, "Tags": tags}, key)


def untag(keys, arn=USER, key=CRM):
    return call("POST", "/tags?operation=untag-resource", {"ResourceARN": arn, "TagKeys": keys}, key)


def one(key, value="x"):
    return [{"Key": key, "Value": value}]


def days(number):
    return {"ExpirationDays": number, "ExpirationCriterion": "CREATED_TIMESTAMP"}


def user(**changes):
    return service.create_user(
        AppInstanceUserId="crm-alice",
        Name="Alice",
        Tags=[*one("CostCenter", "4711"), *one("Owner", "me")],
        ExpirationSettings=days(30),
        **changes,
    )


def raw(**members):
    """A good user whose members are replaced or added as JSON texts; None leaves one out."""
    texts = {name: json.dumps(value) for name, value in user().items()} | members
    return ("{" + ",".join(f'"{k}":{v}' for k, v in texts.items() if v is not None) + "}").encode()


# Name → (request, rules that its refusal names)
def denied():
    """Signed when they are sent: a signature is good for five minutes."""
    return {
        # Creation, with what is missing said in other ways.
        "created with null tags and settings": (create(raw(Tags="null", ExpirationSettings="null")), CREATED),
        "created without tags and settings": (create(raw(Tags=None, ExpirationSettings=None)), CREATED),
        "created with a required key in another case": (
            create(raw(Tags=json.dumps([*one("costcenter", "4711"), *one("Owner", "me")]))),
            {"tags.keyCase", "tags.allowedKeys"},
        ),
        "created with a required key in two cases": (
            create(raw(Tags=json.dumps([*one("CostCenter", "4711"), *one("Owner", "me"), *one("OWNER")]))),
            {"tags.keyCase", "tags.allowedKeys"},
        ),
        "created with a set key in another case": (
            create(raw(Tags=json.dumps([*one("CostCenter", "4711"), *one("Owner", "me"), *one("createdvia")]))),
            {"tags.keyCase", "tags.allowedKeys"},
        ),
        "created with a key that only looks the same": (
            create(raw(Tags=json.dumps([*one("CostCenter", "4711"), *one("\u041ewner", "me")]))),
            {"tags.required", "tags.allowedKeys"},
        ),
        "created with a key that holds a zero-width space": (
            create(raw(Tags=json.dumps([*one("CostCenter", "4711"), *one("Ow\u200bner", "me")]))),
            {"tags.required", "tags.allowedKeys"},
        ),
        "created with members written in escapes": (
            create(raw(Name=None, **{"\\u004eam\\u0065": '"A\\u0020T\\u0065st"'})),
            {"name.forbidden"},
        ),
        # Its name and metadata, changed afterwards.
        "renamed": (update({"Name": "Alice the Tester", "Metadata": "{}"}), {"name.length", "name.forbidden"}),
        "renamed with a space at its end": (update({"Name": "Al\u2003", "Metadata": "{}"}), {"name.trimmed"}),
        "given other metadata": (update({"Name": "Al", "Metadata": '{"a": 12}'}), {"metadata.maxBytes"}),
        "its metadata emptied": (update({"Name": "Al", "Metadata": ""}), {"metadata.format"}),
        # Its settings, taken away or put beyond the limits.
        "settings taken away without a body": (put_expiration(None), {"expiration.required"}),
        "settings taken away by an empty object": (put_expiration({}), {"expiration.required"}),
        "settings taken away by null": (put_expiration({"ExpirationSettings": None}), {"expiration.required"}),
        "settings beyond the limit": (put_expiration({"ExpirationSettings": days(91)}), {"expiration.maxDays"}),
        # Its tags, written over or taken away.
        "tagged with a value that is not listed": (tag(one("CostCenter", "1")), {"tags.value"}),
        "tagged against a pattern": (tag(one("Owner", "Me!")), {"tags.pattern"}),
        "tagged with a key that is not allowed": (tag(one("Color")), {"tags.allowedKeys"}),
        "tagged with a forbidden key": (tag(one("Envsecret")), {"tags.forbiddenKeys"}),
        "tagged with a required key in another case": (
            tag(one("OWNER", "me")),
            {"tags.keyCase", "tags.allowedKeys"},
        ),
        "tagged with a key that policy sets": (tag(one("CreatedVia", "gatehouse")), {"tags.protected"}),
        "tagged with a key that policy sets, in another case": (
            tag(one("createdVIA")),
            {"tags.protected", "tags.allowedKeys"},
        ),
        "untagged of a required key": (untag(["Env", "Owner"]), {"tags.protected"}),
        "untagged of a key that policy sets": (untag(["CreatedVia"]), {"tags.protected"}),
        "untagged of a required key in another case": (untag(["OWNER"]), {"tags.protected"}),
        "untagged of a key that policy sets, in another case": (untag(["CREATEDVIA"]), {"tags.protected"}),
        # By a policy that matches creation only.
        "tagged, where policy matches creation only": (
            tag(one("CreatedVia"), key=NARROW),
            {"tags.protected"},
        ),
        "untagged, where policy matches creation only": (untag(["Owner"], key=NARROW), {"tags.protected"}),
    }

# Another user's ARN, or one's own in a form that some reader takes for something else.
FORBIDDEN_ARNS = {
    "another AppInstance's user": service.user_arn("crm-alice", OTHER_APP),
    "percent-encoded": USER.replace("/user/", "%2Fuser%2F"),
    "percent-encoded letters": USER.replace("/user/", "/%75ser/"),
    "upper-case resource type": USER.replace("/user/", "/User/"),
    "upper-case scheme": USER.replace("arn:", "ARN:"),
    "upper-case service": USER.replace(":chime:", ":Chime:"),
    "another partition": USER.replace("arn:aws:", "arn:aws-us-gov:"),
    "no partition": USER.replace("arn:aws:", "arn::"),
    "no region": USER.replace("us-east-1", ""),
    "no account": USER.replace("123456789012", ""),
    "a trailing slash": USER + "/",
    "further segments": USER + "/bot/x",
    "a bot's segments first": APP + "/bot/x/user/crm-alice",
    "a doubled slash": USER.replace("/user/", "//user/"),
    "a dot segment": USER.replace("/user/", "/bot/../user/"),
    "another service's ARN": "arn:aws:messaging-chime:us-east-1:123456789012:app-instance/1/user/a",
    "a trailing space": USER + " ",
    "a colon for the slash": USER.replace("/user/", ":user:"),
    "a query": USER + "?x",
}

def good():
    """Signed when they are sent: a signature is good for five minutes."""
    return {
        "created": create(user()),
        "renamed": update({"Name": "Al", "Metadata": "{}"}),
        "given new settings": put_expiration({"ExpirationSettings": days(90)}),
        "tagged": tag([*one("CostCenter", "4811"), *one("Owner", "you"), *one("Environment")]),
        "untagged": untag(["Environment"]),
        "an AppInstance tagged": tag(one("CreatedVia"), arn=APP),
        "a bot tagged": tag(one("CreatedVia"), arn=service.bot_arn("b-1")),
        "tagged beside a policy on creation": tag(one("Color"), key=NARROW),
    }


@pytest.mark.parametrize("route", denied())
def test_route_is_closed(gateway, upstream, route):
    content, rules = denied()[route]
    response = gateway.send(content)
    assert_refused(response, 403, "ForbiddenException", "Forbidden")
    assert upstream.requests == []
    record = gateway.setup.audit_record(response.get("x-gatehouse-request-id"))
    assert {violation["rule"] for violation in record["violations"]} == rules
    for rule in rules:
        assert rule in response.message


@pytest.mark.parametrize("way", good())
def test_what_policy_allows_goes_on(gateway, upstream, way):
    response = gateway.send(good()[way])
    assert response.status // 100 == 2, response
    assert len(upstream.requests) == 1


@pytest.mark.parametrize("arn", FORBIDDEN_ARNS)
def test_arn_in_another_form_names_nobody(gateway, upstream, arn):
    """In body and path alike: what is not exactly a user of the tenant's AppInstance is refused, never forwarded."""
    arn = FORBIDDEN_ARNS[arn]
    requests = [tag(one("Env"), arn=arn), untag(["Env"], arn=arn), update({"Name": "Al", "Metadata": "{}"}, user=arn)]
    requests += [put_expiration({"ExpirationSettings": days(1)}, user=arn)]
    for content in requests:
        response = gateway.send(content)
        assert response.status in (400, 403, 404), (response, content)
    assert upstream.requests == []


def test_path_in_another_encoding_is_the_same_user(gateway, upstream):
    """Every byte of the ARN percent-encoded, or as few as may be: read once, held to the rules, sent in one form."""
    bad = json.dumps({"Name": "Alice the Tester", "Metadata": "{}"}).encode()
    good = json.dumps({"Name": "Al", "Metadata": "{}"}).encode()
    for form in (
        "".join(f"%{byte:02x}" for byte in USER.encode()),
        USER.replace("/", "%2F"),
        USER.replace("/", "%2f").replace(":", "%3A"),
    ):
        upstream.clear()
        assert_refused(
            gateway.send(call("PUT", f"/app-instance-users/{form}", bad)), 403, "ForbiddenException", "Forbidden"
        )
        assert upstream.requests == []
        assert gateway.send(call("PUT", f"/app-instance-users/{form}", good)).status == 200
        assert upstream.only.target == f"/app-instance-users/{encoded_once(USER)}"


def encoded_once(arn):
    return arn.replace(":", "%3A").replace("/", "%2F")


@pytest.mark.parametrize("form", ["%252Fuser%252F", "%2Fuser%00", "/user/", "%2Fuser%2F..%2F"])
def test_path_that_two_readers_could_read_differently_is_refused(gateway, upstream, form):
    target = "/app-instance-users/" + encoded_once(APP) + form + "crm-alice"
    response = gateway.send(call("PUT", target, {"Name": "Al", "Metadata": "{}"}))
    assert response.status in (400, 403, 404)
    assert upstream.requests == []


@pytest.mark.parametrize(
    "body",
    [
        raw(name='"Alice the Tester"'),
        raw(**{"N\\u0061me ": '"x"'}),
        raw()[:-1] + b',"Name":"Alice the Tester"}',
        raw()[:-1] + b',"\\u004eame":"Alice the Tester"}',
        raw(Tags='[{"Key":"CostCenter","Value":"4711"},{"Key":"CostCenter","Value":"1"}]'),
        raw(Tags='[{"Key":"CostCenter","Value":"4711"},{"Key":"\\u0043ostCenter","Value":"1"}]'),
        raw(Tags='[{"Key":"Owner","Value":null}]'),
        raw(Tags='[{"Key":"Owner","Value":"me","value":"x"}]'),
        raw(Tags="{}"),
        raw(ExpirationSettings="{}"),
        raw(ExpirationSettings='{"ExpirationDays":9e1,"ExpirationCriterion":"CREATED_TIMESTAMP"}'),
        raw(ExpirationSettings='{"ExpirationDays":"30","ExpirationCriterion":"CREATED_TIMESTAMP"}'),
        raw(Name='["Al"]'),
        b"\xef\xbb\xbf" + raw(),
        raw() + raw(),
        raw().decode().encode("utf-16"),
    ],
)
def test_body_that_two_readers_could_read_differently_is_refused(gateway, upstream, body):
    assert_refused(gateway.send(create(body)), 400, "BadRequestException", "BadRequest")
    assert upstream.requests == []


@pytest.mark.parametrize(
    "content_type",
    [
        "application/x-www-form-urlencoded",
        "application/json; charset=utf-16",
        "application/json;charset=UTF-7",
        "application/cbor",
        "multipart/form-data; boundary=x",
    ],
)
def test_body_goes_on_as_the_json_it_was_read_as(gateway, upstream, content_type):
    """A media type or charset under which another reader would see another request is not passed on."""
    content = json.dumps(user()).encode()
    request = wire.signed(
        CRM, "POST", "/app-instance-users", content, headers=(("Content-Type", content_type),)
    )
    assert gateway.send(request).status == 201
    assert upstream.only.problem is None
    assert upstream.only.values("Content-Type") == ["application/json"]


def test_repeat_under_a_stricter_policy_gets_no_recorded_answer(make_setup, upstream):
    setup = make_setup()
    with gateways.running(setup) as gateway:
        content = user(ClientRequestToken="the-same-token")
        assert gateway.send(create(content)).status == 201
        assert gateway.send(create(content)).status == 201
        assert len(upstream.requests) == 1, "the repeat is answered from the first"
        setup.policies["org"] = {"rules": {"name": {"maxLength": 3}}}
        setup.write_policies()
        gateway.reload()
        assert_refused(gateway.send(create(content)), 403, "ForbiddenException", "Forbidden")
        assert len(upstream.requests) == 1


def test_token_of_an_earlier_creation_carries_no_other_body(gateway, upstream):
    first = user(ClientRequestToken="one-token")
    assert gateway.send(create(first)).status == 201
    assert_refused(gateway.send(create({**first, "Name": "Bob"})), 409, "ConflictException", "Conflict")
    assert len(upstream.requests) == 1


def test_no_other_operation_creates_or_changes_a_user():
    """The model's operations that write about users are the ones that policy governs, and those listed here."""
    writing = {
        name
        for name in service.OPERATIONS
        if not name.startswith(("List", "Describe", "Get"))
    }
    governed = {
        "CreateAppInstanceUser",
        "UpdateAppInstanceUser",
        "PutAppInstanceUserExpirationSettings",
        "TagResource",
        "UntagResource",
    }
    # Of AppInstances, admins, bots and endpoints; or they only take a user away.
    others = {
        "CreateAppInstance", "UpdateAppInstance", "DeleteAppInstance", "PutAppInstanceRetentionSettings",
        "CreateAppInstanceAdmin", "DeleteAppInstanceAdmin",
        "CreateAppInstanceBot", "UpdateAppInstanceBot", "DeleteAppInstanceBot",
        "RegisterAppInstanceUserEndpoint", "UpdateAppInstanceUserEndpoint", "DeregisterAppInstanceUserEndpoint",
        "DeleteAppInstanceUser",
    }  # fmt: skip
    assert writing == governed | others


def test_policy_is_promoted_from_warn_to_enforce_under_traffic(make_setup, upstream):
    """By SIGHUP and by POST /reload: warned about before, refused after, and nothing else in between."""
    setup = make_setup()
    rules = {"name": {"maxLength": 3}}
    setup.policies["org"] = {"mode": "off", "rules": rules}
    with gateways.running(setup) as gateway:
        assert gateway.send(create(user())).get("x-gatehouse-warnings") is None
        setup.policies["org"]["mode"] = "warn"
        setup.write_policies()
        assert gateway.admin_request("/reload", "POST").status == 200
        response = gateway.send(create(user()))
        assert (response.status, response.get("x-gatehouse-warnings")) == (201, "name.length")
        record = setup.audit_record(response.get("x-gatehouse-request-id"))
        assert [warning["rule"] for warning in record["warnings"]] == ["name.length"]
        assert record["violations"] == []
        metrics = gateway.admin_request("/metrics").body.decode()
        counted = [line for line in metrics.splitlines() if line.startswith("gatehouse_policy_violations_total{")]
        assert len(counted) == 1 and 'mode="warn"' in counted[0] and 'rule="name.length"' in counted[0]

        statuses, stop = [], threading.Event()

        def traffic():
            with gateway.connect() as connection:
                while not stop.is_set():
                    statuses.append(connection.exchange(create(user())).status)

        thread = threading.Thread(target=traffic)
        thread.start()
        try:
            setup.policies["org"]["mode"] = "enforce"
            setup.write_policies()
            gateway.reload()
            assert_refused(gateway.send(create(user())), 403, "ForbiddenException", "Forbidden")
        finally:
            stop.set()
            thread.join()
        statuses.append(gateway.send(create(user())).status)
        assert statuses == sorted(statuses) and set(statuses) <= {201, 403}
        assert statuses[-1] == 403
