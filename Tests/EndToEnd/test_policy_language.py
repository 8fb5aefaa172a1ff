"""The policy language of an organisation: where a policy speaks, how its rules speak, and to whom."""

import datetime
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


TODAY = datetime.datetime.now(datetime.timezone.utc).date()


def exception(days, **more):
    """An exception that ends so many days from today."""
    until = (TODAY + datetime.timedelta(days=days)).isoformat()
    return {"reason": "imported before the rule", "until": until, "policies": ["names"], **more}


class Setup(gateways.Setup):
    """A setup whose policies folder also holds exceptions, by name."""

    exceptions = {}

    def write_policies(self):
        super().write_policies()
        for name, document in self.exceptions.items():
            path = self.folder / "policies" / f"{name}.exception.json"
            path.write_text(json.dumps({"exception": name, **document}))


@pytest.fixture(scope="module")
def module_setup(tmp_path_factory, endpoint):
    setup = Setup(tmp_path_factory.mktemp("language"), endpoint.url, upstreams.KEY)
    setup.tenants[0]["labels"] = {"environment": "staging-2"}
    setup.policies = {"names": NAMES, "elsewhere": ELSEWHERE, "excluded": EXCLUDED, "restricted": RESTRICTED}
    imported = {"when": {"tags.Import": ["yes"]}, "rules": ["name.*"]}
    setup.exceptions = {"import": exception(30, **imported), "ended": exception(-2)}
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


def test_the_table_of_requests_names_the_owner(gateway):
    response, record = create(gateway, Name="Alice")
    found = gateway.setup.command("audit", "query", "--since", record["time"])
    line = next(line for line in found.stdout.splitlines() if "denied" in line)
    assert line.endswith("(owner: people@example.com)")


def test_check_names_the_owner(make_setup):
    setup = make_setup()
    setup.policies = {"p": {"owner": "people@example.com", "rules": {"name": {"maxLength": 1000}}}}
    setup.write()
    assert setup.command("check").stdout.endswith("(owner: people@example.com)\n")
    (line,) = setup.command("check", "--format", "json").stdout.splitlines()
    assert json.loads(line)["owner"] == "people@example.com"
    assert "(owner: people@example.com)" in setup.command("check", "--format", "sarif").stdout


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


IMPORT = [{"Key": "Import", "Value": "yes"}]


def test_exception_makes_a_warning_and_is_named_each_time(gateway):
    response, record = create(gateway, Name="Alice", Tags=IMPORT)
    assert response.status == 201, response
    assert response.get("x-gatehouse-exceptions") == "import"
    assert "name.length" in response.get("x-gatehouse-warnings")
    assert record["exceptions"] == ["import"]
    warning = next(warning for warning in record["warnings"] if warning["rule"] == "name.length")
    assert warning["exception"] == "import"
    metrics = gateway.admin_request("/metrics").body.decode()
    assert 'gatehouse_policy_exceptions_total{exception="import"} 1' in metrics
    assert 'mode="warn"' in next(
        line for line in metrics.splitlines() if 'rule="name.length"' in line and "warn" in line
    )


def test_exception_that_does_not_hold_or_has_ended_covers_nothing(gateway):
    response, record = create(gateway, Name="Alice")
    assert response.status == 403
    assert response.get("x-gatehouse-exceptions") is None
    assert "exceptions" not in record


def test_check_tells_the_end_of_exceptions_and_what_they_do_not_name(make_setup):
    setup = make_setup()
    setup.policies = {"names": NAMES}
    setup.write()
    for name, document in (
        ("soon", exception(3)), ("ended", exception(-1)), ("later", exception(60)),
        ("wrong", exception(60, policies=["nmaes"], rules=["name.lenght"])),
    ):
        path = setup.folder / "policies" / f"{name}.exception.json"
        path.write_text(json.dumps({"exception": name, **document}))
    result = setup.command("check")
    assert result.returncode == 1
    text = result.stdout
    assert "soon.exception.json:1:" in text and "in 3 days" in text
    assert "ended.exception.json:1:" in text and "has no effect" in text
    assert "later.exception.json" not in text
    assert "unknown policy `nmaes`; did you mean `names`?" in text
    assert "unknown rule `name.lenght`; did you mean `name.length`?" in text


def test_explain_and_test_know_exceptions(gateway, tmp_path):
    body = tmp_path / "request.json"
    body.write_text(json.dumps(service.create_user(Name="Alice", Tags=IMPORT)))
    result = gateway.setup.command("explain", "--tenant", "crm", "--format", "json", body)
    assert result.returncode == 0, result.stdout
    assert json.loads(result.stdout)["exceptions"] == ["import"]
    case = {
        "tenant": {"id": "crm", "labels": {"environment": "staging"}},
        "request": service.create_user(Name="Alice", Tags=IMPORT),
    }
    ended = (TODAY + datetime.timedelta(days=31)).isoformat()
    cases = [
        {**case, "name": "covered", "expect": {"decision": "allowed"}},
        {**case, "name": "ended", "time": f"{ended}T00:00:00Z", "expect": {"decision": "denied"}},
    ]
    tests = tmp_path / "x.test.json"
    tests.write_text(json.dumps({"cases": cases}))
    result = gateway.setup.command("test", tests)
    assert "2 passed" in result.stdout, result.stdout + result.stderr


def test_values_from_a_file_are_followed(make_setup):
    setup = make_setup(reload={"watch": True})
    rules = {"tags": {"required": [{"key": "CostCenter", "valuesFrom": "centres.txt"}]}}
    setup.policies = {"centres": {"rules": {**rules, "name": {"forbiddenFrom": "words.txt"}}}}
    setup.write()
    folder = setup.folder / "policies"
    (folder / "centres.txt").write_text("# cost centres\n\n" + "\n".join(str(n) for n in range(100_000)))
    (folder / "words.txt").write_text("badword\n")
    with gateways.running(setup) as gateway:
        assert create(gateway)[0].status == 201
        assert create(gateway, Tags=[{"Key": "CostCenter", "Value": "100000"}])[0].status == 403
        response, record = create(gateway, Name="a badword here")
        assert response.status == 403 and "`badword`" in response.message
        assert [violation["rule"] for violation in record["violations"]] == ["name.forbidden"]
        since = len(gateway.log)
        (folder / "words.txt").write_text("badword\nAlice\n")
        gateway.wait_for_log(
            lambda line: "reload" in line.get("message", "").lower(), "a reload", since=since
        )
        assert create(gateway)[0].status == 403
