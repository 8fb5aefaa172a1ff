"""The files in `deploy/` say what they should: IAM policies name the service model's operations and no others."""

import json

import pytest

import gateways
import service

IAM = gateways.ROOT / "deploy/iam"


def actions(name):
    """What a policy allows, in the order in which it stands there."""
    policy = json.loads((IAM / name).read_text())
    assert policy["Version"] == "2012-10-17"
    return [action for statement in policy["Statement"] for action in statement["Action"]]


def test_the_whole_policy_allows_each_operation_once_and_nothing_else():
    assert sorted(actions("all-operations.json")) == sorted(f"chime:{name}" for name in service.model().operation_names)


def test_the_least_policy_is_part_of_the_whole_one():
    assert "chime:CreateAppInstanceUser" in actions("create-users.json")
    assert set(actions("create-users.json")) < set(actions("all-operations.json"))


@pytest.mark.parametrize("name", ["create-users.json", "all-operations.json"])
def test_only_what_has_no_resource_stands_on_all_of_them(name):
    for statement in json.loads((IAM / name).read_text())["Statement"]:
        if statement["Resource"] == "*":
            assert all(action.startswith("chime:CreateAppInstance") for action in statement["Action"])
            assert statement["Condition"]["StringEquals"]["aws:RequestedRegion"]


@pytest.mark.parametrize("name", ["trust-irsa.json", "trust-pod-identity.json", "trust-ec2.json"])
def test_a_trust_policy_names_one_principal(name):
    [statement] = json.loads((IAM / name).read_text())["Statement"]
    assert len(statement["Principal"]) == 1 and "*" not in statement["Principal"].values()


def test_the_package_s_configuration_is_good(tmp_path):
    """As installed, but for its places, which only the package's own test has."""
    config = json.loads((gateways.ROOT / "deploy/debian/gatehouse.json").read_text())
    config |= {"tenants": "tenants.json", "policies": str(gateways.ROOT / "policies")}
    config["audit"]["directory"] = "audit"
    (tmp_path / "gatehouse.json").write_text(json.dumps(config))
    gateways.write_secret(tmp_path / "tenants.json", '{"tenants": []}')
    result = gateways.run("check", cwd=tmp_path)
    assert result.returncode == 0, result.stdout + result.stderr
