"""AWS Organizations tag policies: what they refuse, where, what they only report, and what `check` says of them."""

import json

import pytest

import gateways
import service
import upstreams
import wire
from gateways import CRM

BOT = f"{service.APP}/bot/b-1"
USER = f"{service.APP}/user/crm-alice"
WRONG = [{"Key": "CostCenter", "Value": "1000"}]
GOOD = [{"Key": "CostCenter", "Value": "4711"}]
OTHER_CASE = [{"Key": "costcenter", "Value": "4711"}]
NAME = "tag-policy:CostCenter"


class Setup(gateways.Setup):
    """A setup whose policies folder also holds tag policies, by file name; a text is written as it is."""

    tag_policies = {}

    def write_policies(self):
        super().write_policies()
        for name, document in self.tag_policies.items():
            text = document if isinstance(document, str) else json.dumps(document, indent=2)
            (self.folder / "policies" / f"{name}.tag-policy.json").write_text(text)


def tag_policy(*enforced_for):
    statement = {"tag_key": {"@@assign": "CostCenter"}, "tag_value": {"@@assign": ["4711", "48*"]}}
    if enforced_for:
        statement["enforced_for"] = {"@@assign": list(enforced_for)}
    return {"tags": {"costcenter": statement}}


@pytest.fixture
def setup(tmp_path, endpoint):
    return Setup(tmp_path / "tags", endpoint.url, upstreams.KEY)


def calls(client, tags):
    """Every call that writes tags, by the resource type it writes them on."""
    return {
        "chime:app-instance-user": [
            lambda: client.create_app_instance_user(**service.create_user(Tags=tags)),
            lambda: client.tag_resource(ResourceARN=USER, Tags=tags),
        ],
        "chime:app-instance": [
            lambda: client.create_app_instance(**service.minimal("CreateAppInstance") | {"Tags": tags}),
            lambda: client.tag_resource(ResourceARN=service.APP, Tags=tags),
        ],
        "chime:app-instance-bot": [
            lambda: client.create_app_instance_bot(**service.minimal("CreateAppInstanceBot") | {"Tags": tags}),
            lambda: client.tag_resource(ResourceARN=BOT, Tags=tags),
        ],
    }


def assert_forbidden(client, call, rule):
    with pytest.raises(client.exceptions.ForbiddenException) as raised:
        call()
    message = raised.value.response["Error"]["Message"]
    for word in (NAME, rule, "CostCenter"):
        assert word in message, message


def headers_of(answer):
    return answer["ResponseMetadata"]["HTTPHeaders"]


@pytest.mark.parametrize("enforced", ["chime:app-instance-user", "chime:app-instance", "chime:app-instance-bot", "chime:*"])
def test_it_is_enforced_for_the_resources_it_names_and_reported_for_others(setup, upstream, enforced):
    setup.tag_policies = {"org": tag_policy(enforced)}
    with gateways.running(setup) as gateway:
        client = gateway.client()
        for tags, rule in ((WRONG, "tags.value"), (OTHER_CASE, "tags.keyCase")):
            for kind, makers in calls(client, tags).items():
                for call in makers:
                    upstream.clear()
                    if enforced in (kind, "chime:*"):
                        assert_forbidden(client, call, rule)
                        assert upstream.requests == []
                    else:
                        assert headers_of(call())["x-gatehouse-warnings"] == rule
                        assert upstream.only.problem is None
        for makers in calls(client, GOOD).values():
            for call in makers:
                assert "x-gatehouse-warnings" not in headers_of(call())


def test_without_enforcement_it_only_warns_and_the_body_goes_through_untouched(setup, upstream):
    setup.tag_policies = {"org": tag_policy()}
    with gateways.running(setup) as gateway:
        user = service.create_user(Tags=WRONG)
        response = gateway.send(wire.signed_create(CRM, user))
        assert response.status == 201
        assert response.get("x-gatehouse-warnings") == "tags.value"
        assert upstream.only.json == user
        record = setup.audit_record(response.get("x-gatehouse-request-id"))
        assert record["decision"] == "allowed" and record["violations"] == []
        assert [(w["policy"], w["rule"], w["field"]) for w in record["warnings"]] == [
            (NAME, "tags.value", "Tags.CostCenter")
        ]
        metrics = gateway.admin_request("/metrics").body.decode()
        assert any(
            line.startswith("gatehouse_policy_violations_total{")
            and f'policy="{NAME}"' in line
            and 'mode="warn"' in line
            for line in metrics.splitlines()
        ), metrics


def test_a_refusal_on_another_resource_is_audited(setup, upstream):
    setup.tag_policies = {"org": tag_policy("chime:ALL_SUPPORTED")}
    with gateways.running(setup) as gateway:
        client = gateway.client()
        assert_forbidden(client, lambda: client.tag_resource(ResourceARN=BOT, Tags=WRONG), "tags.value")
        records = setup.concluded(1, lambda record: record["operation"] == "TagResource")
        assert [(r["decision"], [v["rule"] for v in r["violations"]]) for r in records] == [
            ("denied", ["tags.value"])
        ]
        client.untag_resource(ResourceARN=BOT, TagKeys=["CostCenter"])


def test_a_reload_puts_it_in_force_and_a_broken_one_does_not(setup, upstream):
    with gateways.running(setup) as gateway:
        client = gateway.client()
        client.tag_resource(ResourceARN=BOT, Tags=WRONG)
        setup.tag_policies = {"org": tag_policy("chime:*")}
        setup.write_policies()
        gateway.reload()
        assert_forbidden(client, lambda: client.tag_resource(ResourceARN=BOT, Tags=WRONG), "tags.value")
        setup.tag_policies = {"org": '{"tags": {"A": {"tag_value": "x"}}}'}
        setup.write_policies()
        gateway.reload()
        assert_forbidden(client, lambda: client.tag_resource(ResourceARN=BOT, Tags=WRONG), "tags.value")


def test_check_warns_of_an_operator_that_the_parent_does_not_allow_and_it_has_no_effect(setup, tmp_path):
    parent = tag_policy("chime:app-instance-user")
    parent["tags"]["costcenter"]["tag_value"]["@@operators_allowed_for_child_policies"] = ["@@remove"]
    child = {"tags": {"CostCenter": {"tag_value": {"@@append": ["1000"], "@@remove": ["48*"]}}}}
    setup.tag_policies = {"00-root": parent, "10-unit": child}
    setup.write()
    result = setup.command("check", "--format", "json")
    problems = [json.loads(line) for line in result.stdout.splitlines()]
    found = [p for p in problems if p["file"].endswith("10-unit.tag-policy.json")]
    assert result.returncode == 0 and len(found) == 1, problems
    assert found[0]["severity"] == "warning" and found[0]["line"] > 1
    assert "@@append" in found[0]["message"] and "00-root.tag-policy.json" in found[0]["message"]

    def violations(value):
        body = service.create_user(Tags=[{"Key": "CostCenter", "Value": value}])
        request = tmp_path / "request.json"
        request.write_text(json.dumps(body))
        answer = setup.command("explain", "--format", "json", "--tenant", "crm", request)
        explained = json.loads(answer.stdout)
        assert explained["policies"] == [NAME]
        assert answer.returncode == (2 if explained["violations"] else 0)
        return [violation["rule"] for violation in explained["violations"]]

    assert violations("4711") == []
    assert violations("1000") == ["tags.value"]
    assert violations("4811") == ["tags.value"]


def test_check_and_serve_refuse_a_malformed_one(setup):
    setup.tag_policies = {"org": tag_policy("chime:app-instance-users")}
    setup.write()
    result = setup.command("check")
    assert result.returncode == 1
    assert 'did you mean "chime:app-instance-user"?' in result.stdout
    assert "org.tag-policy.json:" in result.stdout
    assert setup.command("serve").returncode == 78
