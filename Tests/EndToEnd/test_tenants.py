"""The tenant commands and `credentials`: what is changed, what stays, what is called expired."""

import datetime
import json

import botocore.session
import pytest

import gateways
import service
import wire
from gateways import CRM, HR

PAST = "2026-01-01T00:00:00Z"


def later(**distance):
    time = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(**distance)
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.fixture
def setup(make_setup):
    """Two tenants, crm with everything that a tenant can have."""
    made = make_setup()
    crm = gateways.tenant(
        description="CRM",
        operations=["CreateAppInstanceUser"],
        labels={"owner": "o@example.com", "costCenter": "4711"},
        rateLimit={
            "requestsPerSecond": 2.5,
            "burst": 7,
            "operations": {"CreateAppInstanceUser": {"requestsPerSecond": 2, "burst": 3}},
            "perAppInstance": {"requestsPerSecond": 1, "burst": 2},
        },
        clientCertificates=["spiffe://corp.example/crm"],
        assumeRole={"roleArn": "arn:aws:iam::123456789012:role/crm"},
    )
    made.tenants = [crm, gateways.tenant(id="hr", keys=[HR])]
    return made.write()


def tenants(setup):
    return json.loads((setup.folder / "tenants.json").read_text())["tenants"]


def test_update_replaces_lists_merges_labels_and_leaves_the_rest(setup):
    file = setup.folder / "tenants.json"
    before = file.stat().st_ino
    result = setup.command(
        "tenant", "update", "crm",
        "--operation", "TagResource", "--operation", "CreateAppInstanceUser",
        "--label", "owner=new@example.com", "--label", "team=a=b",
    )  # fmt: skip
    assert (result.returncode, result.stdout) == (0, ""), result.stderr
    status = file.stat()
    assert status.st_mode & 0o777 == 0o600 and status.st_ino != before, "replaced, not written over"
    crm, hr = tenants(setup)
    expected = setup.tenants[0] | {
        "operations": ["TagResource", "CreateAppInstanceUser"],
        "labels": {"owner": "new@example.com", "costCenter": "4711", "team": "a=b"},
    }
    assert crm == expected and list(crm) == list(setup.tenants[0])
    assert hr == setup.tenants[1]
    assert setup.command("check").returncode == 0


def test_update_of_app_instances_and_description_is_in_force(setup, upstream):
    del setup.tenants[0]["clientCertificates"], setup.tenants[0]["assumeRole"]
    setup.write()
    assert setup.command("tenant", "update", "crm", "--app-instance", service.OTHER_APP).returncode == 0
    assert setup.command("tenant", "update", "crm", "--description", "").returncode == 0
    assert tenants(setup)[0]["appInstances"] == [service.OTHER_APP]
    assert "description" not in tenants(setup)[0]
    setup.tenants = tenants(setup)
    with gateways.running(setup) as gateway:
        assert gateway.send(wire.signed_create(CRM, service.create_user())).status == 403
        moved = service.create_user(AppInstanceArn=service.OTHER_APP)
        assert gateway.send(wire.signed_create(CRM, moved)).status == 201


@pytest.mark.parametrize(
    "options,says",
    [
        (("crm",), "nothing to change"),
        (("crm", "--label", "owner"), "KEY=VALUE"),
        (("crm", "--operation", "CreateAppInstanceUsr"), 'did you mean "CreateAppInstanceUser"?'),
        (("crm", "--app-instance", "prod1"), "AppInstance"),
    ],
)
def test_update_that_cannot_be_meant_changes_nothing(setup, options, says):
    before = (setup.folder / "tenants.json").read_bytes()
    result = setup.command("tenant", "update", *options)
    assert result.returncode == 64 and says in result.stderr, result.stderr
    assert (setup.folder / "tenants.json").read_bytes() == before


@pytest.mark.parametrize(
    "command",
    [
        ("tenant", "update", "cmr", "--label", "a=b"),
        ("tenant", "rotate", "cmr"),
        ("tenant", "revoke", "cmr"),
        ("tenant", "show", "cmr"),
        ("credentials", "--tenant", "cmr"),
        ("explain", "--tenant", "cmr", "-"),
    ],
)
def test_misspelt_tenant_is_answered_with_the_nearest(setup, command):
    result = setup.command(*command, stdin="{}")
    assert result.returncode == 1, result.stderr
    assert "cmr" in result.stderr and "did you mean" in result.stderr and "crm" in result.stderr


def test_list_and_show_tell_expired_from_active_and_revoked(setup):
    keys = setup.tenants[0]["accessKeys"]
    keys[0]["notAfter"] = PAST
    keys.append({"id": "GHAKCRM2", "secret": "x", "status": "revoked", "notAfter": PAST})
    keys.append({"id": "GHAKCRM3", "secret": "y", "status": "active", "notAfter": later(days=30)})
    setup.write()
    listed = setup.command("tenant", "list").stdout.splitlines()[0].split("\t")
    assert listed[1] == f"{CRM.id} (expired),GHAKCRM3"
    shown = setup.command("tenant", "show", "crm").stdout
    assert f"access key: {CRM.id} (expired since {PAST[:-1]}" in shown
    assert "role: arn:aws:iam::123456789012:role/crm" in shown
    for command in (("list",), ("show", "crm")):
        result = setup.command("tenant", *command, "--format", "json")
        statuses = [key["status"] for key in json.loads(result.stdout.splitlines()[0])["accessKeys"]]
        assert statuses == ["expired", "revoked", "active"]


def test_check_warns_of_keys_that_end_within_fourteen_days(setup):
    setup.tenants[0]["accessKeys"][0]["notAfter"] = later(days=13)
    setup.tenants[1]["accessKeys"][0]["notAfter"] = later(days=15)
    setup.write()
    result = setup.command("check", "--format", "json")
    assert result.returncode == 0
    found = [json.loads(line) for line in result.stdout.splitlines()]
    ending = [problem for problem in found if "ends on" in problem["message"]]
    assert [problem["severity"] for problem in ending] == ["warning"], found
    assert CRM.id in ending[0]["message"] and ending[0]["file"].endswith("tenants.json")
    line = (setup.folder / "tenants.json").read_text().splitlines()[ending[0]["line"] - 1]
    assert CRM.id in line


# credentials


def credentials(setup, tenant="crm"):
    result = setup.command("credentials", "--tenant", tenant)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def seconds_left(printed):
    end = datetime.datetime.fromisoformat(printed["Expiration"].replace("Z", "+00:00"))
    return (end - datetime.datetime.now(datetime.timezone.utc)).total_seconds()


def test_credentials_always_expire(setup):
    printed = credentials(setup)
    assert (printed["Version"], printed["AccessKeyId"], printed["SecretAccessKey"]) == (1, CRM.id, CRM.secret)
    assert 0 < seconds_left(printed) <= 900


def test_credentials_expire_with_a_key_that_ends_sooner(setup):
    end = later(minutes=10)
    setup.tenants[0]["accessKeys"][0]["notAfter"] = end
    setup.write()
    assert credentials(setup)["Expiration"][:19] == end[:19]


def test_credentials_are_the_newest_active_key(setup):
    keys = setup.tenants[0]["accessKeys"]
    keys.append({"id": "GHAKCRM2", "secret": "second", "status": "active"})
    keys.append({"id": "GHAKCRM3", "secret": "third", "status": "active", "notAfter": PAST})
    keys.append({"id": "GHAKCRM4", "secret": "fourth", "status": "revoked"})
    setup.write()
    assert credentials(setup)["AccessKeyId"] == "GHAKCRM2"
    for key in keys[:2]:
        key["status"] = "revoked"
    setup.write()
    result = setup.command("credentials", "--tenant", "crm")
    assert result.returncode == 1 and result.stdout == "" and "no access key that is active" in result.stderr


def test_running_sdk_follows_a_rotation(setup, tmp_path, monkeypatch):
    """botocore asks `credential_process` anew because what it got expires."""
    profile = tmp_path / "config"
    command = f"{gateways.BINARY} credentials --tenant crm --config {setup.config_file}"
    profile.write_text(f"[profile crm]\ncredential_process = {command}\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(profile))
    monkeypatch.delenv("AWS_ACCESS_KEY_ID", raising=False)
    source = botocore.session.Session(profile="crm").get_credentials()
    assert source.get_frozen_credentials().access_key == CRM.id
    rotated = setup.command("tenant", "rotate", "crm", "--format", "json")
    assert source.get_frozen_credentials().access_key == json.loads(rotated.stdout)["accessKeyId"]
