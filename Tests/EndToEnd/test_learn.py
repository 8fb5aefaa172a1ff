"""`gatehouse learn`: policies from a journal, which its requests keep, which `check` has nothing against, with cases that pass."""

import json

import pytest

import gateways
import service
import upstreams
import wire
from gateways import CRM, HR

DAYS = {"ExpirationCriterion": "CREATED_TIMESTAMP"}


@pytest.fixture(scope="module")
def recorded(tmp_path_factory, endpoint):
    """A setup whose gateway has served creations by two tenants and stopped."""
    endpoint.clear()
    setup = gateways.Setup(tmp_path_factory.mktemp("learn") / "gateway", endpoint.url, upstreams.KEY)
    setup.tenants = [
        gateways.tenant(operations=service.OPERATIONS),
        gateways.tenant(id="hr", keys=[HR], operations=service.OPERATIONS),
    ]
    setup.policies["base"] = {"rules": {"tags": {"set": {"Via": "gatehouse"}}, "name": {"forbidden": ["bad"]}}}
    with gateways.running(setup) as gateway:
        for number in range(40):
            key, tenant = ((CRM, "crm"), (HR, "hr"))[number % 2]
            tags = [{"Key": "CostCenter", "Value": str(4711 + number % 3)}]
            if number:
                tags.append({"Key": "Owner", "Value": f"o{number}@example.com"})
            user = service.create_user(
                AppInstanceUserId=f"{tenant}-{'abc'[number % 3] * 3}-{number:03}", Name=f"Alice {number}", Tags=tags,
                ExpirationSettings={"ExpirationDays": 30 + number, **DAYS},
            )  # fmt: skip
            assert gateway.send(wire.signed_create(key, user)).status == 201
        # What was refused teaches nothing.
        refused = service.create_user(AppInstanceUserId="NO", Name="bad", Tags=None)
        assert gateway.send(wire.signed_create(CRM, refused)).status == 403
        setup.concluded(41)
    return setup


def learn(setup, folder, *options):
    result = setup.command("learn", "--output", folder, "--format", "json", *options)
    assert result.returncode == 0, result.stderr
    *rules, last = [json.loads(line) for line in result.stdout.splitlines()]
    return {(rule["policy"], rule["rule"], rule["value"]): (rule["fits"], rule["requests"]) for rule in rules}, last


def test_rules_are_told_with_the_share_that_keeps_them(recorded, tmp_path):
    rules, last = learn(recorded, tmp_path / "learnt")
    assert rules == {
        ("learnt", "appInstanceUserId.prefix", "${tenant.id}-"): (40, 40),
        ("learnt", "appInstanceUserId.pattern", "[a-z]+-[a-z]{3}-[0-9]{3}"): (40, 40),
        ("learnt", "appInstanceUserId.length", "10 to 11 characters"): (40, 40),
        ("learnt", "name.length", "7 to 10 characters"): (40, 40),
        ("learnt", "name.trimmed", "no white space at either end"): (40, 40),
        ("learnt", "name.singleScript", "letters of one script"): (40, 40),
        ("learnt", "tags.required", "CostCenter"): (40, 40),
        ("learnt", "tags.value", "CostCenter: 4711, 4712, 4713"): (40, 40),
        ("learnt-nearly", "tags.required", "Owner"): (39, 40),
        ("learnt-nearly", "tags.pattern", r"Owner: o[0-9]+\@example\.com"): (39, 39),
        ("learnt", "tags.allowedKeys", "CostCenter, Owner, Via"): (40, 40),
        ("learnt", "expiration.required", "an expiration"): (40, 40),
        ("learnt", "expiration.minDays", "at least 30"): (40, 40),
        ("learnt", "expiration.maxDays", "at most 69"): (40, 40),
    }
    assert last["summary"]["files"] == ["learnt.json", "learnt-nearly.json", "learnt.test.json"]
    for name in last["summary"]["files"]:
        assert (tmp_path / "learnt" / name).stat().st_mode & 0o777 == 0o600
    policy = json.loads((tmp_path / "learnt/learnt-nearly.json").read_text())
    assert policy["mode"] == "warn" and "kept by 97.5 % of 40 requests" in policy["description"]


def test_what_is_learnt_is_clean_passes_its_cases_and_admits_the_journal(recorded, tmp_path):
    learn(recorded, tmp_path / "learnt")
    tested = gateways.run("test", "--policies", tmp_path / "learnt", cwd=tmp_path)
    assert tested.returncode == 0, tested.stdout + tested.stderr
    assert tested.stderr == "" and "request 1 of the journal" in tested.stdout
    assert "tags.value is broken" in tested.stdout
    config = recorded.folder / "learnt.json"
    gateways.write_secret(config, json.dumps({**recorded.config, "policies": str(tmp_path / "learnt")}))
    checked = gateways.run("check", "--config", config, "--format", "json", cwd=recorded.folder)
    assert checked.returncode == 0
    mine = [json.loads(line) for line in checked.stdout.splitlines()]
    assert [problem for problem in mine if "learnt" in problem["file"].rsplit("/", 1)[-1]] == []
    replayed = recorded.command("replay", "--against", tmp_path / "learnt", "--format", "json")
    summary = json.loads(replayed.stdout.splitlines()[-1])["summary"]
    now = {(rule["policy"], rule["rule"]): rule["now"] for rule in summary["rules"] if rule["now"]}
    # The one that was refused is in the journal too, and breaks about everything.
    assert now.pop(("learnt-nearly", "tags.required")) == 2
    assert all(policy == "learnt" and count == 1 for (policy, _), count in now.items()), now


def test_learning_of_one_tenant(recorded, tmp_path):
    rules, _ = learn(recorded, tmp_path / "learnt", "--tenant", "hr", "--since", "1h")
    assert rules["learnt", "appInstanceUserId.pattern", "hr-[a-z]{3}-[0-9]{3}"] == (20, 20)
    assert json.loads((tmp_path / "learnt/learnt.json").read_text())["match"] == {"tenants": ["hr"]}


def test_files_are_not_replaced(recorded, tmp_path):
    learn(recorded, tmp_path)
    before = (tmp_path / "learnt.json").read_bytes()
    result = recorded.command("learn", "--output", tmp_path)
    assert result.returncode == 1 and "is there already" in result.stderr
    assert (tmp_path / "learnt.json").read_bytes() == before


def test_too_few_requests_teach_nothing(recorded, tmp_path):
    result = recorded.command("learn", "--output", tmp_path / "learnt", "--minimum", "41")
    assert result.returncode == 1 and "there are 40 creations" in result.stderr
    assert not (tmp_path / "learnt").exists()


def test_text_says_rules_on_stdout_and_the_rest_on_stderr(recorded, tmp_path):
    result = recorded.command("learn", "--output", tmp_path / "learnt")
    assert result.returncode == 0
    assert "learnt: tags.value: CostCenter: 4711, 4712, 4713: 100 % of 40 requests" in result.stdout.splitlines()
    assert "written to" in result.stderr and "%" not in result.stderr
