"""`gatehouse init` and keys that go to files."""

import json
import stat

import gateways
import service
import signing
from upstreams import KEY


def run(folder, *arguments):
    return gateways.run(*arguments, cwd=folder)


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_what_init_writes_is_good_and_serves(tmp_path):
    sandbox = gateways.Sandbox(tmp_path, KEY)
    try:
        made = run(tmp_path, "init", "gateway", "--tenant", "crm", "--endpoint", sandbox.url)
        assert made.returncode == 0 and "gatehouse.json: good, with 1 tenant and 3 policies" in made.stderr
        folder = tmp_path / "gateway"
        assert {mode(path) for path in folder.rglob("*") if path.is_file()} == {0o600}
        assert mode(folder) == mode(folder / "policies") == 0o700

        explained = run(folder, "explain", "--tenant", "crm", "--format", "json", "create.json")
        assert json.loads(explained.stdout)["decision"] == "allowed", explained.stdout
        assert run(folder, "test", "--policies", "policies").returncode == 0

        # It serves what the README's example asks for, with the key that was written.
        config = json.loads((folder / "gatehouse.json").read_text())
        config["listeners"] = [{"address": "127.0.0.1:0"}]
        config["admin"] = {"address": "127.0.0.1:0"}
        config["upstream"]["credentials"] = {
            "source": "static",
            "accessKeyId": KEY.id,
            "secretAccessKey": KEY.secret,
        }
        (folder / "gatehouse.json").write_text(json.dumps(config))
        lines = (folder / "crm.env").read_text().splitlines()
        id, secret = (line.split("=", 1)[1] for line in lines)
        gateway = gateways.Process("serve", cwd=folder)
        try:
            url = f"http://{gateway.address_of('listening', 0)}"
            client = gateways.boto3_client(url, signing.Key(id, secret))
            body = json.loads((folder / "create.json").read_text())
            arn = client.create_app_instance_user(**body)["AppInstanceUserArn"]
            assert arn == f"{body['AppInstanceArn']}/user/crm-alice"
        finally:
            gateway.kill()
    finally:
        sandbox.kill()


def test_init_writes_over_nothing(tmp_path):
    (tmp_path / "tenants.json").write_text("mine")
    again = run(tmp_path, "init")
    assert again.returncode == 1 and "tenants.json is there already" in again.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["tenants.json"]
    for tenant in ["a/b", "", ".x", "\u00e9"]:
        assert run(tmp_path, "init", "x", "--tenant", tenant).returncode == 64
    assert not (tmp_path / "x").exists()


def test_a_key_goes_to_a_file_of_its_owner(make_setup):
    setup = make_setup().write()
    output = setup.folder / "crm.env"
    output.write_text("old")
    output.chmod(0o644)
    made = setup.command(
        "tenant", "create", "new", "--app-instance", f"{service.ACCOUNT}:app-instance/*", "--output", output
    )
    assert made.returncode == 0 and not made.stdout
    assert mode(output) == 0o600 and output.read_text().startswith("export AWS_ACCESS_KEY_ID=GHAK")
    rotated = setup.command("tenant", "rotate", "new", "--format", "json", "--output", output)
    assert rotated.returncode == 0 and not rotated.stdout
    assert json.loads(output.read_text())["tenant"] == "new"

    # Where it cannot be written, nobody gets a key that nobody knows.
    before = (setup.folder / "tenants.json").read_bytes()
    failed = setup.command("tenant", "rotate", "new", "--output", setup.folder / "none" / "x")
    assert failed.returncode == 1 and "No such file or directory" in failed.stderr
    assert (setup.folder / "tenants.json").read_bytes() == before
