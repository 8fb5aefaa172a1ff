"""The policy language of an organisation: where a policy speaks, how its rules speak, and to whom."""

import json

import pytest

import gateways
import service
import upstreams
import wire
from gateways import CRM

NAMES = {
    "owner": "people@example.com",
    "severity": "high",
    "rules": {
        "name": {"maxLength": 3, "message": "Names are short here.", "help": "https://wiki.example.com/names"},
        "expiration": {"required": True, "mode": "warn"},
    },
}
ELSEWHERE = {
    "match": {"tenantLabels": {"environment": ["production"]}},
    "rules": {"metadata": {"maxBytes": 0}},
}
RESTRICTED = {
    "when": {"tags.DataClass": ["restricted*"]},
    "rules": {"metadata": {"maxBytes": 4}, "tags": {"required": [{"key": "Reviewer"}]}},
}
EXCLUDED = {
    "match": {"exclude": {"tenantLabels": {"environment": ["staging*"]}}},
    "rules": {"tags": {"maxCount": 0}},
}


@pytest.fixture(scope="module")
def module_setup(tmp_path_factory, endpoint):
    setup = gateways.Setup(tmp_path_factory.mktemp("language"), endpoint.url, upstreams.KEY)
    setup.tenants[0]["labels"] = {"environment": "staging-2"}
    setup.policies = {"names": NAMES, "elsewhere": ELSEWHERE, "excluded": EXCLUDED, "restricted": RESTRICTED}
    return setup


def create(gateway, **members):
    """The answer to a creation, and its record."""
    response = gateway.send(wire.signed_create(CRM, service.create_user(**members)))
    return response, gateway.setup.audit_record(response.get("x-gatehouse-request-id"))


def test_refusal_tells_callers_what_its_author_wrote(gateway):
    response, record = create(gateway, Name="Alice")
    assert response.status == 403
    assert "Names are short here. (see https://wiki.example.com/names)" in response.message
    violation = record["violations"][0]
    assert violation["message"].endswith("Names are short here.")
    assert violation["severity"] == "high"
    assert violation["owner"] == "people@example.com"
    assert violation["help"] == "https://wiki.example.com/names"


def test_rule_in_warn_warns_while_its_policy_enforces(gateway):
    response, record = create(gateway, Name="Al")
    assert response.status == 201, response
    assert response.get("x-gatehouse-warnings") == "expiration.required"
    assert record["warnings"][0]["severity"] == "high"


def test_policies_that_match_other_labels_or_exclude_these_have_no_say(gateway):
    response, record = create(gateway, Name="Al", Metadata="long")
    assert response.status == 201, response
    assert {warning["policy"] for warning in record["warnings"]} == {"names"}


def test_check_suggests_the_nearest_key(make_setup):
    setup = make_setup()
    setup.policies = {"p": {"rules": {"name": {"massage": "x"}}}}
    result = setup.write().command("check")
    assert result.returncode == 1
    assert 'error: unknown key "massage"; did you mean "message"?' in result.stdout


def test_explain_names_the_policies_that_apply_and_their_owners(gateway, tmp_path):
    body = tmp_path / "request.json"
    body.write_text(json.dumps(service.create_user(Name="Alice")))
    result = gateway.setup.command("explain", "--tenant", "crm", "--format", "json", body)
    assert result.returncode == 2
    explained = json.loads(result.stdout)
    assert explained["policies"] == ["names"]
    assert explained["violations"][0]["owner"] == "people@example.com"


USER = f"{service.APP}/user/crm-alice"


def test_policy_with_a_when_is_about_what_has_that(gateway):
    response, _ = create(gateway, Name="Al", Tags=[{"Key": "DataClass", "Value": "public"}])
    assert response.status == 201, response
    response, record = create(gateway, Name="Al", Tags=[{"Key": "DataClass", "Value": "restricted-2"}])
    assert response.status == 403
    assert [violation["rule"] for violation in record["violations"]] == ["tags.required"]


def test_what_a_when_asks_for_cannot_be_changed_afterwards(gateway):
    client = gateway.client()
    for call in (
        lambda: client.tag_resource(ResourceARN=USER, Tags=[{"Key": "DataClass", "Value": "public"}]),
        lambda: client.tag_resource(ResourceARN=USER, Tags=[{"Key": "dataclass", "Value": "public"}]),
        lambda: client.untag_resource(ResourceARN=USER, TagKeys=["DataClass"]),
    ):
        with pytest.raises(client.exceptions.ForbiddenException, match="tags.protected"):
            call()


def test_what_a_call_cannot_carry_counts_as_held(gateway):
    client = gateway.client()
    with pytest.raises(client.exceptions.ForbiddenException, match="metadata.maxBytes"):
        client.update_app_instance_user(AppInstanceUserArn=USER, Name="Al", Metadata="longer")
    client.update_app_instance_user(AppInstanceUserArn=USER, Name="Al", Metadata="{}")
