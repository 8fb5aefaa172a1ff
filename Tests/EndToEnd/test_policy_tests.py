"""`gatehouse test`, what `gatehouse explain` shows on a terminal, and the policy packs that are shipped."""

import json
import re
import os
import pty
import shutil
import subprocess
import xml.etree.ElementTree as ElementTree

import pytest

import gateways
import service

PACKS = [".", "strict", "migration", "organisation", "cost-allocation"]
POLICY = {
    "rules": {
        "name": {"minLength": 2, "trimmed": True},
        "tags": {"required": [{"key": "Owner", "default": "${tenant.labels.owner}"}]},
    }
}


def case(name, expect, **request):
    return {
        "name": name,
        "tenant": {"id": "crm", "labels": {"owner": "o@example.com"}},
        "operation": "CreateAppInstanceUser",
        "request": {**service.create_user(), **request},
        "expect": expect,
    }


ALLOWED = case("allowed", {"decision": "allowed", "violations": [], "changes": {"Tags.Owner": "o@example.com"}})
SHORT = case("short", {"decision": "denied", "violations": ["name.length"]}, Name="A")


@pytest.fixture
def policies(tmp_path):
    """A folder with one policy, and a function that writes test cases beside it."""
    folder = tmp_path / "policies"
    folder.mkdir()
    (folder / "base.json").write_text(json.dumps({"policy": "base", **POLICY}))
    return folder


def write(folder, *cases, name="base.test.json"):
    (folder / name).write_text(json.dumps({"cases": list(cases)}, indent=2))


def run(folder, *options):
    return gateways.run("test", "--policies", folder, *options, cwd=folder.parent)


def test_one_line_a_case_a_summary_and_coverage(policies):
    write(policies, ALLOWED, SHORT)
    result = run(policies)
    assert result.returncode == 0, result.stdout + result.stderr
    lines = result.stdout.splitlines()
    assert lines[:2] == ['\u2714 Test "allowed" passed', '\u2714 Test "short" passed']
    assert lines[-1] == "\u2714 2 tests: 2 passed, 0 failed"
    assert "    base: name.trimmed" in lines and "    base: name.length" not in lines
    assert "\x1b" not in result.stdout


def test_a_failure_shows_expected_and_got(policies):
    write(policies, case("wrong", {"decision": "allowed", "violations": ["tags.value"]}, Name="A"))
    result = run(policies)
    assert result.returncode == 1
    assert "base.test.json:3:5" in result.stdout
    assert "decision: expected allowed, got denied" in result.stdout
    assert "violations: missing tags.value" in result.stdout
    assert "violations: unexpected name.length: base: Name: the value has 1 character" in result.stdout


def test_json_is_one_object_a_case_then_the_summary(policies):
    write(policies, ALLOWED, case("wrong", {"decision": "denied"}))
    result = run(policies, "--format", "json")
    assert result.returncode == 1
    first, second, last = map(json.loads, result.stdout.splitlines())
    assert (first["name"], first["passed"], first["decision"]) == ("allowed", True, "allowed")
    assert first["changes"] == [{"field": "Tags.Owner", "to": "o@example.com"}]
    assert (second["passed"], second["failures"]) == (False, ["decision: expected denied, got allowed"])
    assert (last["summary"]["tests"], last["summary"]["failed"]) == (2, 1)


def test_junit_is_what_a_strict_parser_reads(policies):
    write(policies, ALLOWED, case('<b> & "\x01\n', {"decision": "denied"}))
    (policies / "broken.test.json").write_text('{"cases": [')
    result = run(policies, "--format", "junit")
    assert result.returncode == 1
    root = ElementTree.fromstring(result.stdout)
    assert (root.tag, root.get("tests"), root.get("failures"), root.get("errors")) == ("testsuites", "3", "1", "1")
    for suite in root:
        cases = suite.findall("testcase")
        assert int(suite.get("tests")) == len(cases)
        assert int(suite.get("failures")) == sum(one.find("failure") is not None for one in cases)
        assert int(suite.get("errors")) == sum(one.find("error") is not None for one in cases)
        assert all(one.get("name") and one.get("classname") for one in cases)
    assert root[0][1].get("name") == '<b> & "\ufffd\n'


# The Jenkins xUnit plugin's junit-10.xsd, said as rules: of each element the attributes it must and may have, whether
# it holds text, and its children. GitLab and others read less than that.
JUNIT_10 = {
    "testsuites": (set(), {"name", "time", "tests", "failures", "errors"}, False, {"testsuite"}),
    "testsuite": (
        {"name", "tests", "failures", "errors"},
        {"group", "time", "skipped", "timestamp", "hostname", "id", "package", "file", "log", "url"},
        False,
        {"testsuite", "properties", "testcase", "system-out", "system-err"},
    ),
    "testcase": (
        {"name"},
        {"time", "classname", "group"},
        False,
        {"skipped", "error", "failure", "rerunFailure", "rerunError", "flakyFailure", "flakyError",
         "system-out", "system-err"},
    ),
    "failure": (set(), {"type", "message"}, True, set()),
    "error": (set(), {"type", "message"}, True, set()),
}


def breaks_junit_10(element):
    """What the schema would refuse in an element and all below it."""
    required, optional, holds_text, children = JUNIT_10[element.tag]
    names = set(element.keys())
    faults = [f"{element.tag}: {name} is missing" for name in required - names]
    faults += [f"{element.tag}: {name} may not be" for name in names - required - optional]
    for name in {"time"} & names:
        if not re.fullmatch(r"(([0-9]{0,3},)*[0-9]{3}|[0-9]{0,3})*(\.[0-9]*)?", element.get(name)):
            faults.append(f"{element.tag}: time is no time")
    if not holds_text and "".join([element.text or "", *(child.tail or "" for child in element)]).strip():
        faults.append(f"{element.tag}: text may not be")
    for child in element:
        faults += breaks_junit_10(child) if child.tag in children else [f"{child.tag} in {element.tag}"]
    return faults


def test_junit_keeps_the_schema_that_jenkins_publishes(policies):
    write(policies, ALLOWED, SHORT, case("wrong", {"decision": "denied", "changes": {}}))
    (policies / "broken.test.json").write_text('{"cases": [')
    root = ElementTree.fromstring(run(policies, "--format", "junit").stdout)
    assert root.tag == "testsuites" and breaks_junit_10(root) == []
    assert {one.tag for one in root.iter()} == {"testsuites", "testsuite", "testcase", "failure", "error"}
    # The rules find what is wrong.
    for wrong in (
        "<testsuites><testsuite name='a' tests='1' failures='0'/></testsuites>",
        "<testsuites><testcase name='a'/></testsuites>",
        "<testsuites><testsuite name='a' tests='1' failures='0' errors='0'>x</testsuite></testsuites>",
        "<testsuites hostname='h'/>",
    ):
        assert len(breaks_junit_10(ElementTree.fromstring(wrong))) == 1


def test_paths_config_and_filter(policies, make_setup):
    setup = make_setup()
    setup.policies["base"] = POLICY
    setup.write()
    write(setup.folder / "policies", ALLOWED)
    assert setup.command("test").returncode == 0
    write(policies, SHORT, case("wrong", {"decision": "denied"}), name="more.test.json")
    assert setup.command("test", policies / "more.test.json").returncode == 1
    assert setup.command("test", policies, "--filter", "^short$").returncode == 0
    assert setup.command("test", policies, "--filter", "nothing").returncode == 1


def test_coverage_can_be_required(policies):
    write(policies, ALLOWED, SHORT)
    assert run(policies, "--require-coverage").returncode == 1
    write(policies, ALLOWED, SHORT, case("t", {"violations": ["name.trimmed"]}, Name=" Alice"))
    result = run(policies, "--require-coverage")
    # Without the label there is no default: that is the last rule that could fail.
    assert result.returncode == 1 and "base: tags.required" in result.stdout


# What a new user gets wrong.


def test_a_misspelt_key_is_found_with_its_place(policies):
    write(policies, {**ALLOWED, "expct": ALLOWED["expect"]})
    result = run(policies)
    assert result.returncode == 1
    assert "base.test.json" in result.stderr and 'unknown key "expct"; did you mean "expect"?' in result.stderr


def test_a_path_without_a_test_is_an_error(policies):
    result = run(policies)
    assert result.returncode == 1 and "no *.test.json" in result.stderr
    result = run(policies, policies / "nowhere")
    assert result.returncode == 1 and "nowhere: no such file or directory" in result.stderr


def test_tests_are_looked_for_wherever_the_policies_lie(policies):
    write(policies, ALLOWED)
    folder = policies.parent
    (folder / "gatehouse.json").write_text("{}")
    other = folder / "other"
    other.mkdir()
    (other / "request.json").write_text("{}")
    write(other, SHORT)
    # Links that lead back and nowhere.
    (policies / "up").symlink_to(folder)
    (policies / "itself").symlink_to(policies / "itself")
    for path in (".", folder, folder / "policies" / ".."):
        result = gateways.run("test", "--policies", "policies", path, cwd=folder)
        assert result.returncode == 0, result.stdout + result.stderr
        assert [line for line in result.stdout.splitlines() if line.startswith("\u2714 Test")] == [
            '\u2714 Test "allowed" passed'
        ]
        (said,) = [line for line in result.stderr.splitlines() if "other: not looked into" in line]
        assert '"request.json"' in said


def test_policies_that_cannot_be_loaded_end_with_78(policies, tmp_path):
    write(policies, ALLOWED)
    result = gateways.run("test", policies, cwd=tmp_path)
    assert result.returncode == 78 and "--policies" in result.stderr
    (policies / "base.json").write_text('{"policy": "base", "rules": {"nmae": {}}}')
    result = run(policies)
    assert result.returncode == 78 and '"nmae"' in result.stderr


# Packs.


@pytest.mark.parametrize("pack", PACKS)
def test_every_rule_of_a_shipped_pack_fails_in_some_case_and_passes_in_another(pack):
    folder = gateways.ROOT / "policies" / pack
    result = gateways.run("test", "--policies", folder, "--require-coverage", "--format", "json")
    assert result.returncode == 0, result.stdout + result.stderr
    *cases, last = map(json.loads, result.stdout.splitlines())
    assert last["summary"]["coverage"]["rules"] > 0 and not last["summary"]["coverage"]["uncovered"]
    assert any(not one["violations"] and not one["warnings"] for one in cases)


@pytest.mark.parametrize("pack", PACKS)
def test_a_shipped_pack_is_good_for_check(pack, make_setup):
    setup = make_setup()
    if pack == "organisation":
        # What it matches by, somebody must have, or `check` warns.
        setup.tenants = [
            gateways.tenant(labels={"environment": "production"}),
            gateways.tenant(id="legacy-crm", keys=[gateways.HR]),
        ]
    # A copy, since others may be able to write a checkout.
    shutil.copytree(gateways.ROOT / "policies" / pack, setup.folder / "pack", copy_function=shutil.copyfile)
    (setup.folder / "pack").chmod(0o755)
    setup.config["policies"] = "pack"
    result = setup.write().command("check")
    assert result.returncode == 0 and not result.stdout, result.stdout


def test_schema_of_test_files(policies):
    result = gateways.run("check", "--schema", "test")
    assert result.returncode == 0
    case_schema = json.loads(result.stdout)["properties"]["cases"]["items"]
    assert case_schema["required"] == ["name", "tenant", "expect"]
    assert "tags.required" in json.dumps(case_schema) and "CreateAppInstanceUser" in json.dumps(case_schema)


# Explain on a terminal.


def explain_on_terminal(setup, body, *options, **environment):
    (setup.folder / "body.json").write_text(json.dumps(body, ensure_ascii=False))
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [gateways.BINARY, "explain", "--config", setup.config_file, "--tenant", "crm", *options, "body.json"],
        cwd=setup.folder, stdin=subprocess.DEVNULL, stdout=follower, stderr=subprocess.DEVNULL,
        env=gateways.clean_environment(TERM="xterm", **environment),
    )
    os.close(follower)
    output = b""
    while True:
        try:
            chunk = os.read(leader, 65536)
        except OSError:
            break
        if not chunk:
            break
        output += chunk
    os.close(leader)
    return process.wait(60), output.decode().replace("\r\n", "\n")


@pytest.fixture
def explained(make_setup):
    setup = make_setup()
    setup.tenants[0]["labels"] = {"owner": "o@example.com"}
    setup.policies["base"] = POLICY
    setup.policies["elsewhere"] = {"match": {"tenants": ["erp"]}, "rules": {"name": {"maxLength": 3}}}
    setup.policies["trial"] = {"mode": "warn", "rules": {"name": {"maxLength": 1}}}
    return setup.write()


def test_explain_shows_each_rule_what_was_given_and_what_would_pass(explained):
    code, text = explain_on_terminal(explained, service.create_user(Name="Al "), NO_COLOR="1")
    assert code == 2
    assert text.startswith("\u2717 denied: CreateAppInstanceUser\n")
    assert "base (enforce)\n" in text
    assert "  \u2713 name.length  Name: `Al `\n" in text
    assert "  \u2717 name.trimmed  Name: the value begins or ends with white space\n      given:    `Al `\n" in text
    assert "      accepted: a value without white space at either end\n" in text
    assert "trial (warn)\n  ! name.length" in text
    assert "elsewhere: its match.tenants takes in other tenants" in text
    assert "  ~ changes Tags.Owner: from nothing to o@example.com\n" in text
    assert "\x1b" not in text


def test_explain_is_coloured_only_on_a_terminal_and_prints_nothing_raw(explained):
    body = service.create_user(Name="Al\x9b2J\u202e", Tags=[{"Key": "k\x1b[2J", "Value": "v\nviolation: x"}])
    _, text = explain_on_terminal(explained, body)
    assert "\x1b[" in text and "\x9b" not in text and "\u202e" not in text and "\x1b[2J" not in text
    result = explained.command("explain", "--tenant", "crm", "body.json")
    assert "\x1b" not in result.stdout and result.stdout.startswith("decision: ")
    assert not any(line.startswith("violation: x") for line in result.stdout.splitlines())


GOVERNED = {
    "UpdateAppInstanceUser": ({"Name": " A", "Metadata": ""}, {"name.trimmed"}),
    "PutAppInstanceUserExpirationSettings": (
        {"ExpirationSettings": {"ExpirationDays": 9, "ExpirationCriterion": "CREATED_TIMESTAMP"}},
        {"expiration.maxDays"},
    ),
    "TagResource": ({"ResourceARN": service.user_arn("crm-1"), "Tags": [{"Key": "owner", "Value": "x"}]}, {"tags.keyCase"}),
    "UntagResource": ({"ResourceARN": service.user_arn("crm-1"), "TagKeys": ["Owner"]}, {"tags.protected"}),
}


@pytest.mark.parametrize("operation", GOVERNED)
def test_explain_covers_every_governed_operation(operation, explained):
    explained.policies["base"]["rules"] = {**POLICY["rules"], "expiration": {"maxDays": 3}}
    explained.write()
    body, rules = GOVERNED[operation]
    arn = service.user_arn("crm-1").replace(":", "%3A").replace("/", "%2F")
    path = {
        "UpdateAppInstanceUser": f"/app-instance-users/{arn}",
        "PutAppInstanceUserExpirationSettings": f"/app-instance-users/{arn}/expiration-settings",
    }.get(operation)
    options = ["--path", path] if path else []
    result = explained.command(
        "explain", "--tenant", "crm", "--operation", operation, *options, "--format", "json", "-", stdin=json.dumps(body)
    )
    assert result.returncode == 2, result.stdout + result.stderr
    answer = json.loads(result.stdout)
    assert list(answer) == ["decision", "violations", "warnings", "changes", "request", "policies"]
    assert {violation["rule"] for violation in answer["violations"]} == rules
    if path:
        missing = explained.command("explain", "--tenant", "crm", "--operation", operation, "-", stdin="{}")
        assert missing.returncode == 64 and "--path" in missing.stderr
