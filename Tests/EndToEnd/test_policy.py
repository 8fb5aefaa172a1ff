"""Policy on CreateAppInstanceUser: every rule kind, changes, modes and messages.

One gateway serves all cases: each case is a tenant of its own with policies that match only it.
"""

import dataclasses
import json
import shutil

import pytest

import gateways
import service
import signing
import upstreams
import wire
from checks import assert_has_the_gateways_marks, assert_refused
from gateways import CRM

LABELS = {"owner": "crm@example.com", "costCenter": "4711"}


@dataclasses.dataclass(frozen=True)
class Case:
    """`rules` apply to a request that is a good one with `request` changed."""

    rules: dict
    request: dict = dataclasses.field(default_factory=dict)
    denied: dict = dataclasses.field(default_factory=dict)
    """Rule id → words that the message must hold."""
    sent: dict = dataclasses.field(default_factory=dict)
    """Members of the body that upstream gets, where they differ from the request."""
    changes: tuple = ()
    """Fields that `x-gatehouse-changes` names."""
    mode: str = "enforce"
    warned: tuple = ()
    """Rule ids that `x-gatehouse-warnings` names."""
    would_change: tuple = ()
    """Fields that the record says a warn policy would have changed."""
    match: dict = dataclasses.field(default_factory=dict)
    more: dict = dataclasses.field(default_factory=dict)
    """Further policies, by name."""


def tags(**values):
    return [{"Key": key, "Value": value} for key, value in values.items()]


def tag_rule(**rules):
    return {"tags": rules}


def days(number):
    return {"ExpirationDays": number, "ExpirationCriterion": "CREATED_TIMESTAMP"}


COST_CENTER = {"key": "CostCenter", "values": ["4711", "48*"]}
OWNER = {"key": "Owner", "pattern": "[^@]+@example\\.com"}
OWNER_DEFAULT = {**OWNER, "default": "${tenant.labels.owner}"}
GOOD_TAGS = tags(CostCenter="4711")

CASES = {
    # Required tags.
    "required tag there": Case(tag_rule(required=[COST_CENTER])),
    "required tag missing": Case(
        tag_rule(required=[COST_CENTER]), {"Tags": tags(Team="a")}, {"tags.required": ["CostCenter", "4711"]}
    ),
    "required tag missing, no tags at all": Case(
        tag_rule(required=[COST_CENTER]), {"Tags": None}, {"tags.required": ["CostCenter"]}
    ),
    "required tag with another value": Case(
        tag_rule(required=[COST_CENTER]), {"Tags": tags(CostCenter="1000")}, {"tags.value": ["4711", "48*"]}
    ),
    "required tag with a value that a glob takes": Case(
        tag_rule(required=[COST_CENTER]), {"Tags": tags(CostCenter="4899")}
    ),
    "required tag with a value that only begins alike": Case(
        tag_rule(required=[COST_CENTER]), {"Tags": tags(CostCenter="47110")}, {"tags.value": ["CostCenter"]}
    ),
    "required tag that breaks its pattern": Case(
        tag_rule(required=[OWNER]), {"Tags": tags(Owner="nobody")}, {"tags.pattern": ["Owner", "@example"]}
    ),
    "required tag whose pattern only a part matches": Case(
        tag_rule(required=[OWNER]),
        {"Tags": tags(Owner="a@example.com, b@evil.example")},
        {"tags.pattern": ["Owner"]},
    ),
    "required tag whose value ends in a line break": Case(
        tag_rule(required=[OWNER]), {"Tags": tags(Owner="a@example.com\n")}, {"tags.pattern": ["Owner"]}
    ),
    "required tag in another case": Case(
        tag_rule(required=[COST_CENTER]), {"Tags": tags(costcenter="4711")}, {"tags.keyCase": ["CostCenter"]}
    ),
    "required tag in another case gets no default beside it": Case(
        tag_rule(required=[OWNER_DEFAULT]), {"Tags": tags(owner="a@example.com")}, {"tags.keyCase": ["Owner"]}
    ),
    # Defaults and set values.
    "default applied": Case(
        tag_rule(required=[OWNER_DEFAULT]),
        sent={"Tags": [*GOOD_TAGS, *tags(Owner="crm@example.com")]},
        changes=("Tags.Owner",),
    ),
    "default applied where there were no tags": Case(
        tag_rule(required=[OWNER_DEFAULT]),
        {"Tags": None},
        sent={"Tags": tags(Owner="crm@example.com")},
        changes=("Tags.Owner",),
    ),
    "default not applied over a value": Case(
        tag_rule(required=[OWNER_DEFAULT]), {"Tags": tags(Owner="alice@example.com")}
    ),
    "default checked like any value": Case(
        tag_rule(required=[{**OWNER, "default": "${tenant.labels.costCenter}"}]),
        denied={"tags.pattern": ["Owner"]},
    ),
    "set applied": Case(
        tag_rule(set={"CreatedVia": "gatehouse/${tenant.id}"}),
        sent={"Tags": [*GOOD_TAGS, *tags(CreatedVia="gatehouse/${id}")]},
        changes=("Tags.CreatedVia",),
    ),
    "set over the caller's value": Case(
        tag_rule(set={"CreatedVia": "gatehouse"}),
        {"Tags": tags(CreatedVia="forged", CostCenter="4711")},
        sent={"Tags": tags(CreatedVia="gatehouse", CostCenter="4711")},
        changes=("Tags.CreatedVia",),
    ),
    "set to the value it has is no change": Case(
        tag_rule(set={"CreatedVia": "gatehouse"}), {"Tags": tags(CreatedVia="gatehouse")}
    ),
    "set is exempt from allowedKeys": Case(
        tag_rule(set={"CreatedVia": "gatehouse"}, allowedKeys=["CostCenter"]),
        sent={"Tags": [*GOOD_TAGS, *tags(CreatedVia="gatehouse")]},
        changes=("Tags.CreatedVia",),
    ),
    # Keys.
    "key that is not allowed": Case(
        tag_rule(allowedKeys=["CostCenter", "Env*"]),
        {"Tags": tags(CostCenter="4711", Secret="x")},
        {"tags.allowedKeys": ["Secret", "CostCenter"]},
    ),
    "key that a glob allows": Case(tag_rule(allowedKeys=["Env*"]), {"Tags": tags(Environment="prod")}),
    "key that is forbidden": Case(
        tag_rule(forbiddenKeys=["aws:*"]),
        {"Tags": [{"Key": "aws:x", "Value": "1"}]},
        {"tags.forbiddenKeys": ["aws:"]},
    ),
    "too many tags": Case(
        tag_rule(maxCount=2), {"Tags": tags(A="1", B="2", C="3")}, {"tags.maxCount": ["2"]}
    ),
    "as many tags as may be": Case(tag_rule(maxCount=2), {"Tags": tags(A="1", B="2")}),
    # User ids.
    "id with its prefix": Case(
        {"appInstanceUserId": {"prefix": "${tenant.id}-"}}, {"AppInstanceUserId": "${id}-alice"}
    ),
    "id without its prefix": Case(
        {"appInstanceUserId": {"prefix": "${tenant.id}-"}},
        {"AppInstanceUserId": "hr-alice"},
        {"appInstanceUserId.prefix": ["AppInstanceUserId", "${id}-"]},
    ),
    "id that breaks its pattern": Case(
        {"appInstanceUserId": {"pattern": "[a-z0-9-]+"}},
        {"AppInstanceUserId": "Alice"},
        {"appInstanceUserId.pattern": ["[a-z0-9-]+"]},
    ),
    "id of which only a part matches the pattern": Case(
        {"appInstanceUserId": {"pattern": "[a-z]+|[a-z]+_x"}}, {"AppInstanceUserId": "alice_x"}
    ),
    "id with a forbidden part": Case(
        {"appInstanceUserId": {"forbidden": ["(?i)test"]}},
        {"AppInstanceUserId": "my-TEST-1"},
        {"appInstanceUserId.forbidden": ["AppInstanceUserId"]},
    ),
    "id too short": Case(
        {"appInstanceUserId": {"minLength": 3}},
        {"AppInstanceUserId": "ab"},
        {"appInstanceUserId.length": ["3"]},
    ),
    "id too long": Case(
        {"appInstanceUserId": {"maxLength": 5}},
        {"AppInstanceUserId": "abcdef"},
        {"appInstanceUserId.length": ["5"]},
    ),
    # Names.
    "name that breaks its pattern": Case(
        {"name": {"pattern": "[A-Z][a-z]+ [A-Z][a-z]+"}}, {"Name": "alice"}, {"name.pattern": ["Name"]}
    ),
    "name with a forbidden part": Case(
        {"name": {"forbidden": ["(?i)test"]}}, {"Name": "Alice Tester"}, {"name.forbidden": ["Name"]}
    ),
    "name with a forbidden part in another alphabet": Case(
        {"name": {"forbidden": ["(?i)straße"]}}, {"Name": "STRASSE Straße"}, {"name.forbidden": ["Name"]}
    ),
    "name too short": Case({"name": {"minLength": 2}}, {"Name": "A"}, {"name.length": ["2"]}),
    "name too long": Case({"name": {"maxLength": 5}}, {"Name": "Alicia"}, {"name.length": ["5"]}),
    "name lengths are characters, not bytes": Case({"name": {"maxLength": 5}}, {"Name": "\U0001f600é李aß"}),
    "name not trimmed before": Case(
        {"name": {"trimmed": True}}, {"Name": " Alice"}, {"name.trimmed": ["Name"]}
    ),
    "name not trimmed behind": Case(
        {"name": {"trimmed": True}}, {"Name": "Alice\u00a0"}, {"name.trimmed": ["Name"]}
    ),
    "name trimmed": Case({"name": {"trimmed": True}}, {"Name": "Alice B"}),
    "name of two scripts": Case(
        {"name": {"singleScript": True}}, {"Name": "\u0410lice"}, {"name.singleScript": ["Name"]}
    ),
    "name of one script": Case({"name": {"singleScript": True}}, {"Name": "Алиса Ёлкина-2"}),
    "name of one script with marks": Case(
        {"name": {"singleScript": True}}, {"Name": "Zoe\u0308 O'Neil, Jr. 3"}
    ),
    # Expiration.
    "expiration missing": Case(
        {"expiration": {"required": True}}, denied={"expiration.required": ["ExpirationSettings"]}
    ),
    "expiration there": Case({"expiration": {"required": True}}, {"ExpirationSettings": days(30)}),
    "expiration by default": Case(
        {"expiration": {"required": True, "defaultDays": 30}},
        sent={"ExpirationSettings": days(30)},
        changes=("ExpirationSettings",),
    ),
    "expiration too short": Case(
        {"expiration": {"minDays": 7}}, {"ExpirationSettings": days(6)}, {"expiration.minDays": ["7"]}
    ),
    "expiration too long": Case(
        {"expiration": {"maxDays": 90, "onExcess": "deny"}},
        {"ExpirationSettings": days(91)},
        {"expiration.maxDays": ["90"]},
    ),
    "expiration too long, denied by default": Case(
        {"expiration": {"maxDays": 90}}, {"ExpirationSettings": days(91)}, {"expiration.maxDays": ["90"]}
    ),
    "expiration lowered": Case(
        {"expiration": {"maxDays": 90, "onExcess": "clamp"}},
        {"ExpirationSettings": days(365)},
        sent={"ExpirationSettings": days(90)},
        changes=("ExpirationSettings",),
    ),
    "expiration at its bounds": Case(
        {"expiration": {"minDays": 30, "maxDays": 30}}, {"ExpirationSettings": days(30)}
    ),
    "the lower of two clamps wins": Case(
        {"expiration": {"maxDays": 90, "onExcess": "clamp"}},
        {"ExpirationSettings": days(365)},
        sent={"ExpirationSettings": days(60)},
        changes=("ExpirationSettings",),
        more={"second": {"rules": {"expiration": {"maxDays": 60, "onExcess": "clamp"}}}},
    ),
    # Metadata.
    "metadata too long": Case(
        {"metadata": {"maxBytes": 4}}, {"Metadata": "ééé"}, {"metadata.maxBytes": ["4"]}
    ),
    "metadata of as many bytes as may be": Case({"metadata": {"maxBytes": 4}}, {"Metadata": "éé"}),
    "metadata that is no JSON": Case(
        {"metadata": {"format": "json"}}, {"Metadata": "{a}"}, {"metadata.format": ["Metadata"]}
    ),
    "metadata that is JSON": Case({"metadata": {"format": "json"}}, {"Metadata": '{"a": [1, 2]}'}),
    "metadata with a forbidden part": Case(
        {"metadata": {"forbidden": ["[\\w.]+@[\\w.]+"]}},
        {"Metadata": "write to a.b@example.com"},
        {"metadata.forbidden": ["Metadata"]},
    ),
    # Several at once, modes and matches.
    "all violations are told at once": Case(
        {
            "name": {"minLength": 20, "forbidden": ["Alice"]},
            "tags": {"required": [OWNER, {"key": "Team"}], "allowedKeys": ["Owner"]},
            "expiration": {"required": True},
        },
        denied={
            "name.length": ["20"],
            "name.forbidden": ["Name"],
            "tags.required": ["Owner", "Team"],
            "tags.allowedKeys": ["CostCenter"],
            "expiration.required": [],
        },
    ),
    "two policies both apply": Case(
        {"name": {"minLength": 50}},
        denied={"name.length": ["50"], "tags.required": ["Owner"]},
        more={"second": {"rules": tag_rule(required=[OWNER])}},
    ),
    "changes of one policy count for the checks of another": Case(
        tag_rule(required=[{"key": "Team"}]),
        sent={"Tags": [*GOOD_TAGS, *tags(Team="blue")]},
        changes=("Tags.Team",),
        more={"second": {"rules": tag_rule(set={"Team": "blue"})}},
    ),
    "warn lets pass and reports": Case(
        {"name": {"minLength": 50}, "tags": {"required": [OWNER_DEFAULT]}},
        mode="warn",
        warned=("name.length",),
        would_change=("Tags.Owner",),
    ),
    "warn reports what it would have set, and sets nothing": Case(
        tag_rule(set={"CreatedVia": "gatehouse"}), mode="warn", would_change=("Tags.CreatedVia",)
    ),
    "warn beside enforce": Case(
        {"name": {"minLength": 50}},
        mode="warn",
        denied={"tags.required": ["Owner"]},
        more={"second": {"rules": tag_rule(required=[OWNER])}},
    ),
    "off is skipped": Case({"name": {"minLength": 50}}, mode="off"),
    "another operation is no match": Case(
        {"name": {"minLength": 50}}, match={"operations": ["CreateAppInstance"]}
    ),
    "another AppInstance is no match": Case(
        {"name": {"minLength": 50}}, match={"appInstances": [service.OTHER_APP]}
    ),
    "AppInstance matched by a glob": Case(
        {"name": {"minLength": 50}},
        match={"appInstances": ["arn:aws:chime:*:app-instance/1111*"]},
        denied={"name.length": ["50"]},
    ),
    "operation matched by a glob": Case(
        {"name": {"minLength": 50}}, match={"operations": ["Create*User"]}, denied={"name.length": ["50"]}
    ),
    # Templates.
    "tenant label in values": Case(
        tag_rule(required=[{"key": "CostCenter", "values": ["${tenant.labels.costCenter}"]}])
    ),
    "what a template puts in is no glob": Case(
        tag_rule(required=[{"key": "CostCenter", "values": ["${tenant.labels.star}"]}]),
        denied={"tags.value": ["CostCenter"]},
    ),
    "request's AppInstance in a set value": Case(
        tag_rule(set={"App": "${request.appInstanceId}"}),
        sent={"Tags": [*GOOD_TAGS, *tags(App=service.APP.split("/")[1])]},
        changes=("Tags.App",),
    ),
    # A pattern that runs into its bound is a violation, and does not hold up the gateway.
    "pattern that explodes": Case(
        {"name": {"pattern": "(a+)+[bc]"}}, {"Name": "a" * 90}, {"name.pattern": ["Name"]}
    ),
}

NUMBERS = {name: index for index, name in enumerate(CASES)}


def tenant_id(name):
    return f"t{NUMBERS[name]}"


def key(name):
    return signing.Key(f"GHAKPOLICY{NUMBERS[name]:09}", f"policy-secret-{NUMBERS[name]}-abcdefghijkl")


def resolved(value, name):
    """`value` with ${id} replaced by the case's tenant id."""
    if isinstance(value, str):
        return value.replace("${id}", tenant_id(name))
    if isinstance(value, list):
        return [resolved(item, name) for item in value]
    if isinstance(value, dict):
        return {key: resolved(item, name) for key, item in value.items()}
    return value


@pytest.fixture(scope="module")
def module_setup(tmp_path_factory, endpoint):
    setup = gateways.Setup(tmp_path_factory.mktemp("gateway"), endpoint.url, upstreams.KEY)
    setup.tenants = []
    for name, case in CASES.items():
        id = tenant_id(name)
        setup.tenants.append(gateways.tenant(id=id, keys=[key(name)], labels={**LABELS, "star": "*"}))
        match = {"tenants": [id], **case.match}
        setup.policies[f"{id}-first"] = {"mode": case.mode, "match": match, "rules": case.rules}
        for more, document in case.more.items():
            setup.policies[f"{id}-{more}"] = {"mode": "enforce", "match": {"tenants": [id]}, **document}
    return setup


def in_tag_order(body):
    if "Tags" in body:
        body["Tags"] = sorted(body["Tags"], key=lambda tag: tag["Key"])
    return body


def fields_of(header):
    return {part.strip() for part in (header or "").split(",") if part.strip()}


@pytest.mark.parametrize("name", CASES)
def test_create_user_under_policy(gateway, upstream, name):
    case = CASES[name]
    user = service.create_user(**resolved(case.request, name))
    response = gateway.send(wire.signed_create(key(name), user))
    record = gateway.setup.audit_record(response.get("x-gatehouse-request-id"))
    if case.denied:
        assert_refused(response, 403, "ForbiddenException", "Forbidden")
        for rule, words in case.denied.items():
            for word in (rule, *resolved(words, name)):
                assert word in response.message, response.message
        assert f"{tenant_id(name)}-" in response.message, "names the policy"
        assert {violation["rule"] for violation in record["violations"]} == set(case.denied), record
        for violation in record["violations"]:
            assert (
                violation["field"]
                and violation["message"]
                and violation["policy"].startswith(tenant_id(name))
            )
        assert (record["decision"], record["outcome"]) == ("denied", "notForwarded")
        assert upstream.requests == []
        return
    assert response.status == 201, response
    assert_has_the_gateways_marks(response)
    assert upstream.only.problem is None
    assert in_tag_order(upstream.only.json) == in_tag_order({**user, **resolved(case.sent, name)})
    changes = fields_of(response.get("x-gatehouse-changes"))
    assert {field.split(".Expiration")[0] for field in changes} == set(case.changes)
    assert fields_of(response.get("x-gatehouse-warnings")) == set(case.warned)
    assert record["decision"] == "allowed" and record["violations"] == []
    assert {change["field"] for change in record["changes"]} == changes
    assert {warning["rule"] for warning in record["warnings"]} == set(case.warned)
    assert {change["field"] for change in record.get("wouldChange", [])} == set(case.would_change)


def test_boto3_raises_forbidden_and_tells_what_would_be_accepted(gateway, upstream):
    name = "required tag with another value"
    client = gateway.client(key(name))
    with pytest.raises(client.exceptions.ForbiddenException) as raised:
        client.create_app_instance_user(**service.create_user(Tags=tags(CostCenter="1000")))
    message = raised.value.response["Error"]["Message"]
    for word in (f"{tenant_id(name)}-first", "tags.value", "CostCenter", "4711", "48*"):
        assert word in message
    assert raised.value.response["Code"] == "Forbidden"
    assert upstream.requests == []


def test_aws_cli_shows_the_violations(gateway, upstream):
    name = "required tag missing"
    result = gateways.aws_cli(
        gateway.url,
        key(name),
        "create-app-instance-user",
        "--app-instance-arn",
        service.APP,
        "--app-instance-user-id",
        "alice",
        "--name",
        "Alice",
        "--client-request-token",
        "cli-policy",
    )
    assert result.returncode != 0
    assert "ForbiddenException" in result.stderr and "tags.required" in result.stderr
    assert upstream.requests == []


def test_no_value_of_the_request_can_forge_a_header_of_the_answer(gateway, upstream):
    name = "key that is not allowed"
    tag = [{"Key": "X\r\nSet-Cookie: a=b", "Value": "1"}]
    response = gateway.send(wire.signed_create(key(name), service.create_user(Tags=tag)))
    assert response.status in (400, 403)
    assert response.values("Set-Cookie") == []


def test_violations_are_counted(gateway, upstream):
    name = "name too long"
    gateway.send(wire.signed_create(key(name), service.create_user(Name="Alicia")))
    metrics = gateway.admin_request("/metrics").body.decode()
    lines = [line for line in metrics.splitlines() if line.startswith("gatehouse_policy_violations_total{")]
    mine = [line for line in lines if f'tenant="{tenant_id(name)}"' in line and 'rule="name.length"' in line]
    assert len(mine) == 1 and 'mode="enforce"' in mine[0], lines


def test_shipped_baseline_loads(make_setup, upstream):
    shipped = gateways.ROOT / "policies"
    if not any(shipped.glob("*.json")):
        pytest.fail("no shipped policies")
    setup = make_setup(policies="shipped")
    setup.write()
    # A copy, since others may be able to write a checkout.
    (setup.folder / "shipped").mkdir()
    for policy in shipped.glob("*.json"):
        shutil.copyfile(policy, setup.folder / "shipped" / policy.name)
    result = setup.command("check")
    assert result.returncode == 0, result.stdout + result.stderr
    assert CRM.secret not in result.stdout + result.stderr


def test_an_id_belongs_to_the_tenant_with_the_longest_prefix(make_setup, upstream):
    """With the shipped baseline's prefix, `${tenant.id}-`, the ids of `a` would take in those of `a-b`."""
    one, other = signing.Key("GHAKONE0000000001", "one-secret-1q2w3e4r5t6y7u8i9o0p"), CRM
    setup = make_setup()
    setup.tenants = [gateways.tenant(id="a", keys=[one]), gateways.tenant(id="a-b", keys=[other])]
    setup.policies["ids"] = {"rules": {"appInstanceUserId": {"prefix": "${tenant.id}-"}}}
    checked = setup.write().command("check")
    assert checked.returncode == 0 and "warning" in checked.stdout and "`a-b-` of tenant `a-b`" in checked.stdout

    with gateways.running(setup) as gateway:

        def status(key, user):
            return gateway.send(wire.signed_create(key, service.create_user(AppInstanceUserId=user))).status

        assert [status(one, user) for user in ("a-alice", "a-bob", "a-b-alice")] == [201, 201, 403]
        assert [status(other, user) for user in ("a-b-alice", "a-alice")] == [201, 403]
    body = setup.folder / "user.json"
    body.write_text(json.dumps(service.create_user(AppInstanceUserId="a-b-alice")))
    asked = setup.command("explain", "--tenant", "a", "--format", "json", "user.json")
    assert asked.returncode == 2
    assert [found["rule"] for found in json.loads(asked.stdout)["violations"]] == ["appInstanceUserId.prefix"]
