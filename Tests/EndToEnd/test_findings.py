"""Findings where reviewers look: `check` and `test` as SARIF and as workflow commands of GitHub."""

import json
import pathlib
import re

import jsonschema
import pytest

import gateways

SCHEMA = pathlib.Path(__file__).resolve().parents[1] / "Fixtures/sarif/sarif-2.1.0.json"


def held_to_the_schema(text):
    """The log, which must be what OASIS' schema says."""
    log = json.loads(text)
    schema = json.loads(SCHEMA.read_text())
    jsonschema.Draft4Validator(schema, format_checker=jsonschema.FormatChecker()).validate(log)
    assert log["version"] == "2.1.0" and len(log["runs"]) == 1
    run = log["runs"][0]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    for result in run["results"]:
        assert rules[result["ruleIndex"]] == result["ruleId"]
    return run


def place(result):
    location = result["locations"][0]["physicalLocation"]
    region = location["region"]
    return location["artifactLocation"]["uri"], region["startLine"], region["startColumn"]


def commands(text):
    """Workflow commands as the runner reads them: (command, properties, message)."""
    found = []
    for line in text.splitlines():
        match = re.fullmatch(r"::(\w+) ([^:]*)::(.*)", line)
        assert match, line
        pairs = (pair.split("=", 1) for pair in match[2].split(","))
        found.append((match[1], {key: unescaped(value, ":,") for key, value in pairs}, unescaped(match[3])))
    return found


def unescaped(text, more=""):
    for character in "\r\n" + more + "%":
        text = text.replace(f"%{ord(character):02X}", character)
    return text


@pytest.fixture
def setup(make_setup):
    made = make_setup()
    made.policies["a b,c"] = {"rules": {"name": {"pattern": "(", "maxLength": 3}}}
    made.policies["wide"] = {"rules": {"name": {"maxLength": 9999}}, "match": {"operations": ["CreateAppInstanceUsr"]}}
    return made.write()


def expected(setup):
    result = setup.command("check", "--format", "json")
    return result.returncode, [json.loads(line) for line in result.stdout.splitlines()]


def test_check_as_sarif_is_what_check_says(setup):
    code, problems = expected(setup)
    assert code == 1 and problems
    result = setup.command("check", "--format", "sarif")
    assert result.returncode == 1
    run = held_to_the_schema(result.stdout)
    found = [(place(one), one["level"], one["message"]["text"]) for one in run["results"]]
    assert [one[1:] for one in found] == [(problem["severity"], problem["message"]) for problem in problems]
    assert [one[0][1:] for one in found] == [(problem["line"], problem["column"]) for problem in problems]
    assert any(one[0][0] == "policies/a%20b%2Cc.json" for one in found), found


def test_check_as_workflow_commands_is_what_check_says(setup):
    code, problems = expected(setup)
    result = setup.command("check", "--format", "github")
    assert result.returncode == code == 1
    found = commands(result.stdout)
    assert [(kind, message) for kind, _, message in found] == [
        (problem["severity"], problem["message"]) for problem in problems
    ]
    assert [(int(place["line"]), int(place["col"])) for _, place, _ in found] == [
        (problem["line"], problem["column"]) for problem in problems
    ]
    assert "policies/a b,c.json" in {place["file"] for _, place, _ in found}


def test_check_of_a_good_set_is_an_empty_log(make_setup):
    setup = make_setup().write()
    result = setup.command("check", "--format", "sarif")
    assert result.returncode == 0
    assert [one for one in held_to_the_schema(result.stdout)["results"] if one["level"] == "error"] == []


CASE = {"tenant": {"id": "crm"}, "operation": "CreateAppInstanceUser", "request": {
    "AppInstanceArn": "arn:aws:chime:us-east-1:123456789012:app-instance/a", "AppInstanceUserId": "u",
    "Name": "Alice", "ClientRequestToken": "t1"}}  # fmt: skip


@pytest.fixture
def tested(tmp_path):
    """Policies with a case that passes, one that fails, and a file that cannot be read."""
    folder = tmp_path / "policies"
    folder.mkdir()
    (folder / "base.json").write_text(json.dumps({"policy": "base", "rules": {"name": {"maxLength": 3}}}))
    cases = [
        {"name": "refused", **CASE, "expect": {"decision": "denied"}},
        {"name": "taken: 100 %, or\u2028so", **CASE, "expect": {"decision": "allowed", "rules": []}},
    ]
    (folder / "base.test.json").write_text(json.dumps({"cases": cases}, indent=1))
    (folder / "broken.test.json").write_text('{"cases": [\n{"nmae": "x"}]}')
    return lambda *options: gateways.run("test", "--policies", "policies", *options, cwd=tmp_path)


def test_failed_cases_as_sarif(tested):
    result = tested("--format", "sarif")
    assert result.returncode == 1
    results = held_to_the_schema(result.stdout)["results"]
    failed = [one for one in results if one["ruleId"] == "gatehouse/test"]
    assert len(failed) == 1 and failed[0]["level"] == "error"
    assert place(failed[0])[0] == "policies/base.test.json" and place(failed[0])[1] > 3
    assert "rules: unexpected name.length" in failed[0]["message"]["text"]
    broken = [one for one in results if one["ruleId"] == "gatehouse/test-file"]
    assert broken and {place(one)[:2] for one in broken} == {("policies/broken.test.json", 2)}


def test_failed_cases_as_workflow_commands(tested):
    result = tested("--format", "github")
    assert result.returncode == 1
    found = commands(result.stdout)
    failed = [one for one in found if one[1]["title"].startswith("policy test failed: ")]
    assert len(failed) == 1 and failed[0][0] == "error" and failed[0][1]["file"] == "policies/base.test.json"
    assert failed[0][1]["title"].startswith("policy test failed: taken: 100 %, or")
    assert failed[0][2].splitlines()[0] == "decision: expected allowed, got denied"
    assert "2 tests: 1 passed, 1 failed, 1 file unreadable" in result.stderr
