"""The command line as its users meet it: exit codes, positions, formats."""

import base64
import copy
import json
import os
import re
import shutil
import subprocess
import urllib.request

import pytest

import gateways
import service
import signing
import upstreams
import wire
from gateways import CRM

POLICY = {
    "rules": {
        "tags": {
            "required": [
                {"key": "CostCenter", "values": ["4711"]},
                {"key": "Owner", "default": "${tenant.labels.owner}"},
            ]
        },
        "name": {"minLength": 2},
    }
}


@pytest.fixture
def setup(make_setup):
    """A written setup with one policy that changes and refuses."""
    made = make_setup()
    made.tenants = [
        gateways.tenant(operations=service.OPERATIONS, apps=[service.APP], labels={"owner": "o@example.com"})
    ]
    made.policies["base"] = copy.deepcopy(POLICY)
    return made.write()


def problems(setup):
    """`check --format json` as (exit code, list of problems)."""
    result = setup.command("check", "--format", "json")
    return result.returncode, [json.loads(line) for line in result.stdout.splitlines()]


# Usage.


@pytest.mark.parametrize(
    "arguments",
    [
        ["--no-such-option"],
        ["no-such-command"],
        ["check", "--format", "yaml"],
        ["explain"],
        ["audit"],
        ["tenant", "create"],
    ],
)
def test_wrong_usage_is_64(arguments):
    result = gateways.run(*arguments)
    if arguments == ["audit"]:
        # A command group alone shows its help.
        assert result.returncode in (0, 64)
    else:
        assert result.returncode == 64, (result.returncode, result.stderr)
        assert result.stderr


@pytest.mark.parametrize(
    "arguments", [["--help"], ["serve", "--help"], ["audit", "query", "--help"], ["tenant", "--help"]]
)
def test_help_is_0_and_on_stdout(arguments):
    result = gateways.run(*arguments)
    assert result.returncode == 0
    assert "USAGE" in result.stdout.upper()


@pytest.mark.parametrize(
    "command",
    [
        "check", "test", "replay", "scan", "learn", "credentials", "explain", "serve", "init", "sandbox", "demo",
        "", "audit", "tenant",
        *(
            f"audit {word}"
            for word in ("query", "verify", "keygen", "follow", "export", "reconcile", "crosscheck")
        ),
        *(f"tenant {word}" for word in ("create", "update", "list", "show", "rotate", "revoke")),
    ],
)  # fmt: skip
def test_help_ends_with_examples(command):
    lines = gateways.run(*command.split(), "--help").stdout.rstrip().splitlines()
    assert lines.count("EXAMPLES:") == 1, lines
    examples = lines[lines.index("EXAMPLES:") + 1 :]
    assert examples and examples[0].startswith(f"  gatehouse {command}"), lines
    # None is broken where the text is wrapped.
    assert all(line.startswith("  ") for line in examples), examples


def test_version_is_what_the_metrics_say():
    result = gateways.run("--version")
    assert (result.returncode, result.stderr) == (0, "")
    assert re.fullmatch(r"gatehouse \d+\.\d+\.\d+\n", result.stdout)


def test_config_may_come_from_the_environment_or_the_folder(setup):
    by_variable = gateways.run("check", cwd="/", environment={"GATEHOUSE_CONFIG": str(setup.config_file)})
    assert by_variable.returncode == 0, by_variable.stdout + by_variable.stderr
    assert gateways.run("check", cwd=setup.folder).returncode == 0


@pytest.mark.parametrize("command", ["serve", "check", "audit query", "tenant list"])
def test_without_a_configuration_it_is_said_how_to_come_by_one(tmp_path, command):
    result = gateways.run(*command.split(), cwd=tmp_path)
    assert result.returncode == (1 if command == "check" else 78)
    for way in ["`gatehouse init FOLDER`", "--config FILE", "$GATEHOUSE_CONFIG", "`gatehouse demo`"]:
        assert way in result.stderr, result.stderr
    # Whoever names a file knows that.
    named = gateways.run(*command.split(), "--config", "other.json", cwd=tmp_path)
    assert named.returncode == result.returncode and "gatehouse init" not in named.stderr


def test_a_value_that_cannot_be_is_answered_without_the_usage(setup):
    result = setup.command("explain", "--tenant", "crm", "--operation", "CreateAppInstanceUsr", "-", stdin="{}")
    assert result.returncode == 64
    assert result.stderr == "gatehouse: unknown operation `CreateAppInstanceUsr`; did you mean `CreateAppInstanceUser`?\n"


def test_data_that_cannot_be_written_does_not_look_complete(setup):
    with open("/dev/full", "w") as full:
        result = subprocess.run(
            [gateways.BINARY, "check", "--schema", "config"], stdout=full, stderr=subprocess.PIPE, text=True
        )
    assert result.returncode == 70
    assert "standard output cannot be written" in result.stderr


# check.


def test_check_of_a_good_set_is_silent_about_problems(setup):
    code, found = problems(setup)
    assert code == 0
    assert [problem for problem in found if problem["severity"] == "error"] == []


def replace(setup, file, old, new):
    """Replaces text in a file of the setup; returns line and column (1-based) of `old`."""
    path = setup.folder / file
    text = path.read_text()
    assert text.count(old) == 1, (old, text)
    before = text[: text.index(old)]
    path.write_text(text.replace(old, new))
    return before.count("\n") + 1, len(before) - before.rfind("\n")


MISTAKES = {
    "unknown key in the config": ("gatehouse.json", '"listeners"', '"listenrs"', "listeners"),
    "unknown key in a nested object": ("gatehouse.json", '"endpoint"', '"endpont"', "endpoint"),
    "unknown key in the tenants": ("tenants.json", '"appInstances"', '"appInstnces"', "appInstances"),
    "unknown key in a policy": ("policies/base.json", '"minLength"', '"minLenght"', "minLength"),
    "unknown rule kind": ("policies/base.json", '"tags"', '"tgas"', "tags"),
    "wrong type": ("gatehouse.json", '"127.0.0.1:0"\n    }\n  ],', "7\n    }\n  ],", "address"),
    "bad log level": ("gatehouse.json", '"info"', '"inof"', "info"),
    "unknown operation": (
        "tenants.json",
        '"CreateAppInstanceUser"',
        '"CreateAppInstanceUsr"',
        "CreateAppInstanceUser",
    ),
    "bad status": ("tenants.json", '"active"', '"actve"', "active"),
    "duplicate key": (
        "policies/base.json",
        '"policy": "base"',
        '"policy": "base", "policy": "base"',
        "policy",
    ),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_check_points_at_a_mistake_and_suggests(setup, case):
    file, old, new, hint = MISTAKES[case]
    line, _ = replace(setup, file, old, new)
    code, found = problems(setup)
    assert code == 1, found
    mine = [problem for problem in found if problem["file"].endswith(file) and problem["line"] == line]
    assert mine, found
    assert any(hint in problem["message"] for problem in mine), mine
    assert mine[0]["severity"] == "error" and mine[0]["column"] >= 1
    text = setup.command("check")
    assert text.returncode == 1
    pattern = rf"(?m)^(\S*/)?{re.escape(file.rsplit('/', 1)[-1])}:{line}:\d+: error: .*"
    assert re.search(pattern, text.stdout + text.stderr), text.stdout + text.stderr


def test_check_points_at_the_column_of_an_unknown_key(setup):
    line, column = replace(setup, "policies/base.json", '"minLength"', '"minLenght"')
    _, found = problems(setup)
    assert (line, column) in {(problem["line"], problem["column"]) for problem in found}, found


def test_check_points_at_a_syntax_error(setup):
    path = setup.folder / "tenants.json"
    path.write_text('{\n  "tenants": [\n    { "id": "crm", }\n  ]\n}\n')
    code, found = problems(setup)
    assert code == 1
    assert any(problem["file"].endswith("tenants.json") and problem["line"] == 3 for problem in found), found


def test_check_prints_all_problems_not_just_the_first(setup):
    replace(setup, "gatehouse.json", '"listeners"', '"listenrs"')
    replace(setup, "policies/base.json", '"minLength"', '"minLenght"')
    _, found = problems(setup)
    assert {os.path.basename(problem["file"]) for problem in found} >= {"gatehouse.json", "base.json"}


def change_tenants(setup, change):
    change(setup.tenants)
    setup.write_tenants()


SETS = {
    "a pattern that does not compile": lambda s: s.policies["base"]["rules"]["name"].update(pattern="("),
    "a default that another policy contradicts": lambda s: s.policies.update(
        other={"rules": {"tags": {"required": [{"key": "Owner", "default": "else@example.com"}]}}}
    ),
    "two policies that set one tag": lambda s: s.policies.update(
        a={"rules": {"tags": {"set": {"Via": "1"}}}}, b={"rules": {"tags": {"set": {"Via": "2"}}}}
    ),
    "two default expirations": lambda s: s.policies.update(
        a={"rules": {"expiration": {"defaultDays": 1}}}, b={"rules": {"expiration": {"defaultDays": 2}}}
    ),
    "a label that no tenant has": lambda s: s.policies["base"]["rules"]["tags"].update(
        set={"Team": "${tenant.labels.absent}"}
    ),
    "an unknown template": lambda s: s.policies["base"]["rules"]["tags"].update(
        set={"Team": "${tenant.nmae}"}
    ),
    "two tenants of one id": lambda s: s.tenants.append(gateways.tenant(keys=[gateways.HR])),
    "one access key of two tenants": lambda s: s.tenants.append(gateways.tenant(id="hr")),
    "a tenant without AppInstances": lambda s: s.tenants[0].pop("appInstances"),
    "an access key without a secret": lambda s: s.tenants[0]["accessKeys"][0].pop("secret"),
    "a bad duration": lambda s: s.config.update(drainTimeout="10 bananas"),
    "a bad size": lambda s: s.config.update(limits={"bodyBytes": "12parsecs"}),
    "a negative rate": lambda s: s.tenants[0].update(rateLimit={"requestsPerSecond": -1, "burst": 1}),
    "a region that is not there": lambda s: s.config["upstream"].update(region="mars-north-1", endpoint=None),
    "an address that is none": lambda s: s.config.update(listeners=[{"address": "nowhere"}]),
    "no listeners": lambda s: s.config.pop("listeners"),
    "an environment variable that is not set": lambda s: s.config["upstream"]["credentials"].update(
        secretAccessKey="${ENV:GATEHOUSE_TEST_ABSENT}"
    ),
}


@pytest.mark.parametrize("case", SETS)
def test_check_refuses(setup, case):
    SETS[case](setup)
    setup.write()
    code, found = problems(setup)
    assert code == 1, found
    assert any(problem["severity"] == "error" and problem["message"] for problem in found)


def test_policies_that_cannot_meet_may_differ(setup):
    setup.tenants.append(gateways.tenant(id="hr", keys=[gateways.HR], labels={"owner": "hr@example.com"}))
    for tenant in ("crm", "hr"):
        setup.policies[tenant] = {
            "match": {"tenants": [tenant]},
            "rules": {"tags": {"set": {"Via": tenant}}},
        }
    setup.write()
    code, found = problems(setup)
    assert code == 0, found


def test_tenants_file_that_others_can_read_is_refused(setup):
    (setup.folder / "tenants.json").chmod(0o644)
    code, found = problems(setup)
    assert code == 1 and any("tenants.json" in problem["file"] for problem in found), found
    assert setup.command("serve").returncode == 78


def test_plain_http_beyond_loopback_is_warned_about(setup):
    setup.config["upstream"]["endpoint"] = "http://chime.example"
    setup.write()
    code, found = problems(setup)
    assert code == 0
    assert any(problem["severity"] == "warning" and "http" in problem["message"] for problem in found), found


def test_environment_stands_in_for_secrets(setup):
    setup.config["upstream"]["credentials"]["secretAccessKey"] = "${ENV:GATEHOUSE_TEST_SECRET}"
    setup.write()
    assert setup.command("check", environment={"GATEHOUSE_TEST_SECRET": "abc"}).returncode == 0


@pytest.mark.parametrize("kind", ["config", "tenants", "policies"])
def test_check_prints_json_schemas(kind):
    name = "policy" if kind == "policies" else kind
    result = gateways.run("check", "--schema", name)
    assert result.returncode == 0, result.stderr
    schema = json.loads(result.stdout)
    assert "$schema" in schema and schema["type"] == "object"


# Commands that need a configuration.


@pytest.mark.parametrize(
    "command",
    [
        ["serve"],
        ["explain", "--tenant", "crm", "-"],
        ["audit", "query"],
        ["tenant", "list"],
    ],
)
@pytest.mark.parametrize("fault", ["absent", "broken"])
def test_configuration_that_cannot_be_loaded_is_78(setup, command, fault):
    if fault == "absent":
        setup.config_file.unlink()
    else:
        setup.config_file.write_text('{"listeners": [}')
    result = setup.command(*command, stdin="{}")
    assert result.returncode == 78, (result.returncode, result.stderr)
    assert "gatehouse.json" in result.stderr


def test_serve_prints_where_the_mistake_is(setup):
    line, _ = replace(setup, "policies/base.json", '"minLength"', '"minLenght"')
    result = setup.command("serve")
    assert result.returncode == 78
    assert f"base.json:{line}:" in result.stderr


def test_policies_that_conflict_are_put_in_force_by_no_command(setup):
    SETS["two policies that set one tag"](setup)
    setup.write()
    for command in (
        ["serve"],
        ["explain", "--tenant", "crm", "-"],
        ["replay", "--against", setup.folder / "policies"],
        ["test"],
    ):
        result = setup.command(*command, stdin=json.dumps(service.create_user()))
        assert result.returncode == 78, (command, result.returncode, result.stderr)
        assert "b.json:" in result.stderr and "both can match one request" in result.stderr, command
        assert result.stdout == "", command


def test_a_label_that_one_tenant_lacks_stops_no_other(setup, upstream):
    setup.tenants.append(gateways.tenant(id="hr", keys=[gateways.HR], labels={}))
    setup.policies["base"]["rules"]["tags"] = {"set": {"Owner": "${tenant.labels.owner}"}}
    setup.write()
    code, found = problems(setup)
    assert code == 1 and any("`hr`" in problem["message"] for problem in found), found
    with gateways.running(setup) as gateway:
        assert gateway.send(wire.signed_create(gateways.CRM, service.create_user())).status == 201
        refused = gateway.send(wire.signed_create(gateways.HR, service.create_user()))
        assert refused.status == 403 and "tags.required" in refused.message


# explain.


def explain(setup, body, *options):
    result = setup.command(
        "explain", "--tenant", "crm", "--format", "json", *options, "-", stdin=json.dumps(body)
    )
    lines = result.stdout.splitlines()
    assert len(lines) == 1, (result.returncode, result.stdout, result.stderr)
    return result.returncode, json.loads(lines[0])


def test_explain_of_an_allowed_request(setup):
    user = service.create_user()
    code, answer = explain(setup, user)
    assert code == 0
    assert answer["decision"] == "allowed"
    assert (answer["violations"], answer["warnings"]) == ([], [])
    assert answer["changes"] == [{"field": "Tags.Owner", "to": "o@example.com"}]
    assert answer["request"] == {**user, "Tags": [*user["Tags"], {"Key": "Owner", "Value": "o@example.com"}]}
    assert answer["policies"] == ["base"]


def test_explain_of_a_denied_request(setup):
    code, answer = explain(setup, service.create_user(Tags=[{"Key": "CostCenter", "Value": "1"}], Name="A"))
    assert code == 2
    assert answer["decision"] == "denied"
    assert {violation["rule"] for violation in answer["violations"]} == {"tags.value", "name.length"}
    assert {violation["policy"] for violation in answer["violations"]} == {"base"}


def test_explain_of_an_invalid_request(setup):
    code, answer = explain(setup, {**service.create_user(), "Nickname": "Al"})
    assert code == 2
    assert answer["decision"] == "invalid" and "Nickname" in answer["message"]


def test_explain_of_another_app_instance(setup):
    code, answer = explain(setup, service.create_user(AppInstanceArn=service.OTHER_APP))
    assert code == 2
    assert [(v["policy"], v["rule"]) for v in answer["violations"]] == [("gatehouse", "tenant.appInstance")]


def test_explain_says_what_the_gateway_says_of_confinement(setup, upstream):
    setup.tenants[0]["operations"] = ["CreateAppInstanceUser"]
    setup.write()
    user = service.create_user(AppInstanceArn=service.OTHER_APP)
    _, foreign = explain(setup, user)
    _, uncalled = explain(setup, {"Name": "App"}, "--operation", "CreateAppInstance")
    with gateways.running(setup) as gateway:
        refused = gateway.send(wire.signed_create(CRM, user))
        assert setup.audit_record(refused.get("x-gatehouse-request-id"))["violations"] == foreign["violations"]
        body = json.dumps({"Name": "App"}).encode()
        refused = gateway.send(wire.signed(CRM, "POST", "/app-instances", body))
        assert setup.audit_record(refused.get("x-gatehouse-request-id"))["violations"] == uncalled["violations"]


def test_explain_of_another_operation_by_path(setup):
    target = "/app-instance-users/" + service.user_arn("crm-1").replace(":", "%3A").replace("/", "%2F")
    result = setup.command(
        "explain",
        "--tenant",
        "crm",
        "--operation",
        "UpdateAppInstanceUser",
        "--path",
        target,
        "--format",
        "json",
        "-",
        stdin=json.dumps({"Name": "Alice", "Metadata": ""}),
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert json.loads(result.stdout)["decision"] == "allowed"


def test_explain_reads_a_file_and_prints_text(setup):
    (setup.folder / "user.json").write_text(json.dumps(service.create_user(Name="A")))
    result = setup.command("explain", "--tenant", "crm", "user.json")
    assert result.returncode == 2
    assert "denied" in result.stdout and "name.length" in result.stdout


def test_explain_of_an_unknown_tenant_fails(setup):
    result = setup.command("explain", "--tenant", "nobody", "-", stdin=json.dumps(service.create_user()))
    assert result.returncode not in (0, 2)
    assert "nobody" in result.stderr


def test_explain_says_what_the_gateway_does(setup, upstream):
    """Both read the same policies: the body that explain shows is the one that upstream gets."""
    user = service.create_user()
    _, answer = explain(setup, user)
    with gateways.running(setup) as gateway:
        assert gateway.send(wire.signed_create(CRM, user)).status == 201
    assert upstream.only.json == answer["request"]


# tenant.


def exported(text):
    found = dict(re.findall(r"(?m)^export (AWS_[A-Z_]+)=[\"']?([^\"'\s]+)", text))
    return signing.Key(found["AWS_ACCESS_KEY_ID"], found["AWS_SECRET_ACCESS_KEY"])


def create_tenant(setup, id="new", **options):
    result = setup.command(
        "tenant",
        "create",
        id,
        "--app-instance",
        service.APP,
        "--operation",
        "CreateAppInstanceUser",
        "--operation",
        "ListAppInstances",
        "--label",
        "owner=new@example.com",
        **options,
    )
    assert result.returncode == 0, result.stderr
    return exported(result.stdout)


def test_created_tenant_can_call_after_a_reload(setup, upstream):
    with gateways.running(setup) as gateway:
        key = create_tenant(setup)
        gateway.reload()
        gateway.client(key).create_app_instance_user(**service.create_user())
        gateway.client(key).list_app_instances()
        with pytest.raises(Exception, match="ForbiddenException"):
            gateway.client(key).delete_app_instance(AppInstanceArn=service.APP)
        assert gateway.send(wire.signed_create(CRM, service.create_user())).status == 201
    assert {"Key": "Owner", "Value": "new@example.com"} in upstream.requests[0].json["Tags"]


def test_tenants_file_is_replaced_with_mode_0600_and_keeps_the_others(setup):
    before = (setup.folder / "tenants.json").stat().st_ino
    create_tenant(setup)
    status = (setup.folder / "tenants.json").stat()
    assert status.st_mode & 0o777 == 0o600
    assert status.st_ino != before, "replaced, not written over"
    assert setup.command("check").returncode == 0
    tenants = json.loads((setup.folder / "tenants.json").read_text())["tenants"]
    assert [tenant["id"] for tenant in tenants] == ["crm", "new"]
    assert tenants[0] == setup.tenants[0]


def test_tenant_that_exists_is_not_created_again(setup):
    result = setup.command("tenant", "create", "crm", "--app-instance", service.APP)
    assert result.returncode not in (0, None)
    assert "crm" in result.stderr
    assert json.loads((setup.folder / "tenants.json").read_text()) == {"tenants": setup.tenants}


def test_secret_is_sealed_under_the_master_key(setup, upstream):
    master = {"GATEHOUSE_MASTER_KEY": base64.b64encode(os.urandom(32)).decode()}
    key = create_tenant(setup, environment=master)
    text = (setup.folder / "tenants.json").read_text()
    assert key.secret not in text and "sealedSecret" in text
    with gateways.running(setup, environment=master) as gateway:
        # `running` writes the setup anew, without the tenant; put it back.
        (setup.folder / "tenants.json").write_text(text)
        gateway.reload()
        assert gateway.send(wire.signed_create(key, service.create_user())).status == 201
    (setup.folder / "tenants.json").write_text(text)
    assert setup.command("check").returncode == 1, "without the master key it cannot be opened"


def test_tenant_list_shows_no_secrets(setup):
    create_tenant(setup)
    for options in ((), ("--format", "json")):
        result = setup.command("tenant", "list", *options)
        assert result.returncode == 0
        assert "crm" in result.stdout and "new" in result.stdout
        assert CRM.secret not in result.stdout + result.stderr
    listed = [
        json.loads(line) for line in setup.command("tenant", "list", "--format", "json").stdout.splitlines()
    ]
    assert [tenant["id"] for tenant in listed] == ["crm", "new"]


def test_rotated_tenant_has_a_new_key_and_the_old_one_ends(setup, upstream):
    result = setup.command("tenant", "rotate", "crm")
    assert result.returncode == 0, result.stderr
    key = exported(result.stdout)
    setup.tenants = json.loads((setup.folder / "tenants.json").read_text())["tenants"]
    with gateways.running(setup) as gateway:
        assert gateway.send(wire.signed_create(key, service.create_user())).status == 201
        response = gateway.send(wire.signed_create(CRM, service.create_user()))
        assert response.error_type == "UnrecognizedClientException"


def test_rotation_with_an_overlap_keeps_the_old_key(setup, upstream):
    result = setup.command("tenant", "rotate", "crm", "--overlap", "24h")
    key = exported(result.stdout)
    setup.tenants = json.loads((setup.folder / "tenants.json").read_text())["tenants"]
    with gateways.running(setup) as gateway:
        for valid in (key, CRM):
            assert gateway.send(wire.signed_create(valid, service.create_user())).status == 201
    old = next(entry for entry in setup.tenants[0]["accessKeys"] if entry["id"] == CRM.id)
    assert "notAfter" in old


@pytest.mark.parametrize("options", [(), ("--access-key", CRM.id)])
def test_revoked_tenant_is_refused(setup, upstream, options):
    assert setup.command("tenant", "revoke", "crm", *options).returncode == 0
    setup.tenants = json.loads((setup.folder / "tenants.json").read_text())["tenants"]
    assert {entry["status"] for entry in setup.tenants[0]["accessKeys"]} == {"revoked"}
    with gateways.running(setup) as gateway:
        response = gateway.send(wire.signed_create(CRM, service.create_user()))
        assert response.error_type == "UnrecognizedClientException"
    assert upstream.requests == []


def test_unknown_tenant_cannot_be_rotated_or_revoked(setup):
    for command in ("rotate", "revoke"):
        result = setup.command("tenant", command, "nobody")
        assert result.returncode not in (0, None) and "nobody" in result.stderr


# demo and the rest.


def test_demo_needs_nothing_but_the_binary(tmp_path):
    binary = shutil.copy(gateways.BINARY, tmp_path / "gatehouse")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "policies").write_text("no folder, and nobody asked for it")
    demo = subprocess.run([binary, "demo", "--once"], cwd=elsewhere, capture_output=True, text=True)
    assert demo.returncode == 0, demo.stderr
    assert "201 created" in demo.stdout and "403 ForbiddenException" in demo.stdout


def test_the_policies_in_the_binary_are_those_that_are_shipped():
    subprocess.run([gateways.ROOT / "scripts/generate-baseline.py", "--check"], check=True)


def test_demo_runs_once_shows_what_happened_and_leaves_nothing_behind(tmp_path):
    result = gateways.run(
        "demo", "--once", cwd=gateways.ROOT, environment={"TMPDIR": str(tmp_path)}
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert "201" in result.stdout and "403" in result.stdout, result.stdout
    assert os.listdir(tmp_path) == []


def test_demo_that_stays_ends_with_the_dashboards_address(tmp_path):
    demo = gateways.Process("demo", cwd=tmp_path, environment={"TMPDIR": str(tmp_path)})
    try:
        said = demo.wait_for_output(lambda text: re.search(r"^Dashboard: \S+\n", text, re.M), "dashboard's address")
        address = said.rstrip("\n").rpartition("\n")[2].removeprefix("Dashboard: ")
        with urllib.request.urlopen(address) as page:
            assert b"<title>Gatehouse</title>" in page.read()
    finally:
        demo.stop()


def test_upstream_key_stands_in_no_output(setup):
    for command in (["check"], ["tenant", "list"], ["audit", "query"]):
        result = setup.command(*command)
        assert upstreams.KEY.secret not in result.stdout + result.stderr
