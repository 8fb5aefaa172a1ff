"""`gatehouse replay`: what other policies would have made of the requests in the journal."""

import json
import shutil

import botocore.exceptions
import pytest

import gateways
import service
import wire
from gateways import CRM, HR

BASE = {
    "rules": {
        "name": {"forbidden": ["(?i)test"]},
        "tags": {"required": [{"key": "CostCenter", "values": ["4711", "48*"]}]},
        "expiration": {"maxDays": 90},
    }
}


def replay(setup, against, *options):
    """`gatehouse replay --format json` as (changed decisions by request id, summary)."""
    result = setup.command("replay", "--against", against, "--format", "json", *options)
    assert result.returncode == 0, result.stderr
    *requests, last = [json.loads(line) for line in result.stdout.splitlines()]
    return {request["requestId"]: request for request in requests}, last["summary"]


def policies(setup, name, **documents):
    """A folder of policies beside the setup's own."""
    folder = setup.folder / name
    folder.mkdir()
    for policy, document in documents.items():
        (folder / f"{policy}.json").write_text(json.dumps({"policy": policy, **document}))
    return folder


class Traffic:
    """Calls through a gateway, with the request id that each was given."""

    def __init__(self, gateway):
        self.client = gateway.client()
        self.ids = {}

    def call(self, name, operation, **parameters):
        try:
            answer = getattr(self.client, operation)(**parameters)
        except botocore.exceptions.ClientError as error:
            answer = error.response
        headers = answer["ResponseMetadata"]["HTTPHeaders"]
        self.ids[name] = headers["x-gatehouse-request-id"]
        return answer["ResponseMetadata"]["HTTPStatusCode"]

    def create(self, name, **changes):
        return self.call(name, "create_app_instance_user", **service.create_user(**changes))


def days(number):
    return {"ExpirationDays": number, "ExpirationCriterion": "CREATED_TIMESTAMP"}


def tags(**values):
    return [{"Key": key, "Value": value} for key, value in values.items()]


@pytest.fixture
def recorded(make_setup, upstream):
    """A setup whose gateway has served mixed traffic and stopped, and the ids of the requests by name."""
    setup = make_setup()
    setup.policies["base"] = BASE
    setup.tenants.append(gateways.tenant("hr", keys=(HR,)))
    with gateways.running(setup) as gateway:
        traffic = Traffic(gateway)
        assert traffic.create("plain") == 201
        assert traffic.create("long stay", ExpirationSettings=days(60)) == 201
        assert traffic.create("other cost centre", Tags=tags(CostCenter="4899")) == 201
        assert traffic.create("with metadata", Metadata="secret plans") == 201
        assert traffic.create("long metadata", Metadata="x" * 600) == 201
        assert traffic.create("no cost centre", Tags=tags(Team="a")) == 403
        assert traffic.create("test user", Name="Test user") == 403
        user = f"{service.APP}/user/crm-alice"
        assert (
            traffic.call("tag", "tag_resource", ResourceARN=user, Tags=tags(CostCenter="4899")) == 204
        )
        assert traffic.call("untag", "untag_resource", ResourceARN=user, TagKeys=["CostCenter"]) == 403
        assert (
            traffic.call(
                "expiration",
                "put_app_instance_user_expiration_settings",
                AppInstanceUserArn=user,
                ExpirationSettings=days(80),
            )
            == 200
        )
        assert traffic.call("read", "list_app_instances") == 200
        assert gateway.send(wire.signed_create(CRM, b'{"AppInstanceArn":')).status == 400
        assert gateway.send(wire.signed(HR, "GET", "/app-instances")).status == 403
    return setup, traffic.ids


STRICT = {
    "rules": {
        "name": {"forbidden": ["(?i)test"]},
        "tags": {"required": [{"key": "CostCenter", "values": ["4711"]}]},
        "expiration": {"maxDays": 30},
        "metadata": {"maxBytes": 512},
    }
}


def test_replay_under_the_same_policies_changes_nothing(recorded):
    setup, _ = recorded
    changed, summary = replay(setup, setup.folder / "policies")
    assert changed == {}
    assert (summary["changed"], summary["undecidable"]) == (0, 0)
    assert summary["requests"] == 13
    assert summary["evaluated"] == 10
    assert summary["notEvaluated"] == {"confinement": 1, "invalid": 1, "notGoverned": 1}
    for rule in summary["rules"]:
        assert (rule["new"], rule["gone"]) == (0, 0) and rule["before"] == rule["now"] == 1, rule


def test_replay_names_exactly_what_stricter_policies_would_refuse(recorded):
    setup, ids = recorded
    changed, summary = replay(setup, policies(setup, "strict", base=STRICT))
    expected = {
        "long stay": ["expiration.maxDays"],
        "other cost centre": ["tags.value"],
        "long metadata": ["metadata.maxBytes"],
        "tag": ["tags.value"],
        "expiration": ["expiration.maxDays"],
    }
    assert {i: [v["rule"] for v in r["violations"]] for i, r in changed.items()} == {
        ids[name]: rules for name, rules in expected.items()
    }
    for request in changed.values():
        assert (request["tenant"], request["was"], request["now"]) == ("crm", "allowed", "denied")
        assert all(v["policy"] == "base" and v["message"] for v in request["violations"])
    # The size of metadata is recorded even where the metadata is not.
    assert (summary["changed"], summary["allowedToDenied"], summary["undecidable"]) == (5, 5, 0)
    rules = {rule["rule"]: rule for rule in summary["rules"]}
    assert rules["expiration.maxDays"]["new"] == 2
    assert rules["tags.required"]["before"] == rules["tags.required"]["now"] == 1


def test_replay_finds_what_laxer_policies_would_allow_and_what_would_be_warned_about(recorded):
    setup, ids = recorded
    lax = policies(setup, "lax", base={**STRICT, "mode": "warn"}, other={"rules": {}})
    changed, summary = replay(setup, lax)
    assert set(changed) == {ids["no cost centre"], ids["test user"], ids["untag"]}
    assert {r["now"] for r in changed.values()} == {"allowed"}
    assert summary["deniedToAllowed"] == 3
    warned = {(r["rule"], r["mode"]): r for r in summary["rules"]}
    assert warned["expiration.maxDays", "warn"]["new"] == 2
    assert warned["tags.required", "enforce"]["gone"] == 1
    assert warned["tags.required", "warn"]["new"] == 1


def test_replay_says_which_decisions_need_what_the_journal_hides(recorded):
    setup, ids = recorded
    rules = {"metadata": {"forbidden": ["secret"]}, "expiration": {"maxDays": 70}}
    against = policies(setup, "metadata", base={"rules": {**BASE["rules"], **rules}})
    changed, summary = replay(setup, against)
    assert set(changed) == {ids["expiration"]}
    assert summary["undecidable"] == 2
    assert [reason["requests"] for reason in summary["undecidableBecause"]] == [2]
    assert "audit.sensitive.metadata" in summary["undecidableBecause"][0]["reason"]
    rule = next(rule for rule in summary["rules"] if rule["rule"] == "metadata.forbidden")
    assert rule["undecidable"] == 2

    listed, _ = replay(setup, against, "--list-undecidable")
    undecided = {i: r for i, r in listed.items() if r["now"] == "undecidable"}
    assert set(undecided) == {ids["with metadata"], ids["long metadata"]}
    for request in undecided.values():
        assert request["undecided"] == [
            {"policy": "base", "rule": "metadata.forbidden", "field": "Metadata"}
        ]


def test_replay_holds_requests_to_aws_tag_policies(recorded):
    setup, ids = recorded
    against = policies(setup, "tagged", base=BASE)
    costs = {
        "tag_key": {"@@assign": "CostCenter"},
        "tag_value": {"@@assign": ["4711"]},
        "enforced_for": {"@@assign": ["chime:*"]},
    }
    (against / "costs.tag-policy.json").write_text(json.dumps({"tags": {"costcenter": costs}}))
    changed, _ = replay(setup, against)
    assert set(changed) == {ids["other cost centre"], ids["tag"]}
    assert {v["rule"] for r in changed.values() for v in r["violations"]} == {"tags.value"}


def test_replay_takes_a_time_and_a_tenant(recorded):
    setup, ids = recorded
    strict = policies(setup, "strict", base=STRICT)
    assert replay(setup, strict, "--until", "1h")[1]["requests"] == 0
    assert replay(setup, strict, "--since", "1h")[1]["changed"] == 5
    changed, summary = replay(setup, strict, "--tenant", "hr")
    assert (changed, summary["requests"]) == ({}, 1)


def test_replay_tells_what_changes_by_policy_rule_tenant_and_caller(recorded):
    setup, ids = recorded
    changed, summary = replay(setup, policies(setup, "strict", base=STRICT, other={"rules": {}}))
    counts = {"allowedToDenied": 5, "deniedToAllowed": 0}
    assert summary["policies"] == [{"policy": "base", **counts}]
    assert summary["tenants"] == [{"tenant": "crm", **counts}]
    assert summary["callers"] == [{"tenant": "crm", "caller": CRM.id, **counts}]
    examples = {rule["rule"]: rule["examples"] for rule in summary["rules"] if rule["examples"]}
    assert examples == {
        "expiration.maxDays": [ids["long stay"], ids["expiration"]],
        "tags.value": [ids["other cost centre"], ids["tag"]],
        "metadata.maxBytes": [ids["long metadata"]],
    }
    text = setup.command("replay", "--against", setup.folder / "strict").stdout
    assert f"base/metadata.maxBytes changes for example {ids['long metadata']}" in text
    rows = [line.split() for line in text.splitlines()]
    for row in (["base", "5", "0"], ["crm", "5", "0"], [f"crm/{CRM.id}", "5", "0"]):
        assert row in rows, text
    # The other way round, what was refused.
    free = policies(setup, "free")
    _, summary = replay(setup, free)
    assert summary["policies"] == [{"policy": "base", "allowedToDenied": 0, "deniedToAllowed": 3}]


def test_replay_of_a_copy_of_the_journal(recorded):
    setup, ids = recorded
    strict = policies(setup, "strict", base=STRICT)
    here = replay(setup, strict)
    copy = setup.folder / "copy"
    shutil.copytree(setup.audit_folder, copy)
    shutil.rmtree(setup.audit_folder)
    assert replay(setup, strict, "--directory", copy) == here
    result = setup.command("replay", "--against", strict, "--directory", copy, "--from", "postgres")
    assert result.returncode == 64
    result = setup.command("replay", "--against", strict, "--from", "postgres")
    assert result.returncode == 78 and "audit.postgres" in result.stderr


def test_replay_as_text_is_a_table_with_a_summary(recorded):
    setup, ids = recorded
    result = setup.command("replay", "--against", policies(setup, "strict", base=STRICT))
    assert result.returncode == 0, result.stderr
    row = next(line for line in result.stdout.splitlines() if ids["long stay"] in line)
    assert "allowed -> denied" in row and "base/expiration.maxDays" in row
    assert "5 would change" in result.stdout
    assert "UNDECIDABLE" in result.stdout
    # No terminal, no progress.
    assert "\x1b" not in result.stderr and "%" not in result.stderr


def test_replay_without_policies_or_journal(recorded):
    setup, _ = recorded
    assert setup.command("replay", "--against", setup.folder / "absent").returncode == 78
    broken = policies(setup, "broken", base={"rules": {"name": {"patern": "x"}}})
    result = setup.command("replay", "--against", broken)
    assert result.returncode == 78 and 'did you mean "pattern"' in result.stderr
    assert setup.command("replay").returncode == 64
    shutil.rmtree(setup.audit_folder)
    result = setup.command("replay", "--against", setup.folder / "policies")
    assert result.returncode == 1 and str(setup.audit_folder.name) in result.stderr


def test_replay_without_a_tenant_that_policies_need_the_labels_of(recorded):
    setup, _ = recorded
    labels = policies(
        setup,
        "labels",
        base={"rules": {"tags": {"required": [{"key": "CostCenter", "values": ["${tenant.labels.cost}"]}]}}},
    )
    setup.tenants = [gateways.tenant("hr", keys=(HR,), labels={"cost": "1"})]
    setup.write_tenants()
    _, summary = replay(setup, labels)
    assert summary["undecidable"] == summary["evaluated"] == 10
    assert "crm" in summary["undecidableBecause"][0]["reason"]
    # Policies without labels do as well without the tenant.
    assert replay(setup, setup.folder / "policies")[1]["undecidable"] == 0
