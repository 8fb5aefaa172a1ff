"""Who else may read what is secret and write what decides; and what is no file at all."""

import json
import os
import socket

import pytest

import gateways
import service
import wire
from gateways import CRM, write_secret

NOBODY = 65534


def create():
    return wire.signed_create(CRM, service.create_user())


def errors(setup):
    """What `check` finds, as `(file name, message)`, and that `serve` is refused alike."""
    result = setup.command("check", "--format", "json")
    found = [json.loads(line) for line in result.stdout.splitlines()]
    found = [problem for problem in found if problem["severity"] == "error"]
    assert result.returncode == (1 if found else 0), result.stdout
    if found:
        served = setup.command("serve")
        assert served.returncode == 78, served.stderr
        for problem in found:
            assert problem["message"] in served.stderr and problem["line"] >= 1 and problem["column"] >= 1
    return [(problem["file"].rpartition("/")[2], problem["message"]) for problem in found]


@pytest.fixture
def setup(make_setup, tls):
    """A configuration with every kind of file that holds a secret."""
    setup = make_setup(
        listeners=[
            {"address": "127.0.0.1:0", "tls": {"certificate": str(tls / "server.pem"), "privateKey": "server.key"}}
        ]
    )
    setup.config["admin"]["tokenFile"] = "admin.token"
    setup.config["audit"]["sensitive"] = {"name": "hash", "keyFile": "hash.key"}
    setup.config["audit"]["checkpoint"] = {"signingKey": "signing.key"}
    setup.policies["names"] = {"rules": {"name": {"maxLength": 80}}}
    write_secret(setup.folder / "server.key", (tls / "server.key").read_text())
    write_secret(setup.folder / "admin.token", "t0ken-0123456789")
    write_secret(setup.folder / "hash.key", "k" * 32)
    assert gateways.run("audit", "keygen", "--private", "signing.key", cwd=setup.folder).returncode == 0
    setup.write()
    assert errors(setup) == []
    return setup


SECRETS = ["gatehouse.json", "tenants.json", "server.key", "admin.token", "hash.key", "signing.key"]


@pytest.mark.parametrize("name", SECRETS)
@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604])
def test_a_secret_that_others_can_read_is_refused(setup, name, mode):
    (setup.folder / name).chmod(mode)
    [(_, message)] = errors(setup)
    assert f"mode {mode:o}" in message and "chmod 600" in message and name in message
    (setup.folder / name).chmod(0o600)
    assert errors(setup) == []


@pytest.mark.parametrize("name", ["server.key", "admin.token"])
def test_a_link_has_the_mode_of_its_target(setup, name):
    real = setup.folder / f"real-{name}"
    (setup.folder / name).rename(real)
    (setup.folder / name).symlink_to(real.name)
    assert errors(setup) == []
    real.chmod(0o644)
    assert len(errors(setup)) == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_what_belongs_to_another_user_may_be_readable_by_a_group_of_ours(setup):
    """As Kubernetes lays secrets with fsGroup."""
    token = setup.folder / "admin.token"
    os.chown(token, NOBODY, os.getegid())
    token.chmod(0o640)
    assert errors(setup) == []
    token.chmod(0o644)
    assert len(errors(setup)) == 1
    token.chmod(0o640)
    os.chown(token, NOBODY, NOBODY)
    [(_, message)] = errors(setup)
    assert "640 with a group" in message


def test_a_configuration_without_a_secret_of_its_own_may_be_read(make_setup):
    setup = make_setup()
    setup.config["upstream"]["credentials"] = {
        "source": "static", "accessKeyId": "AKIA0", "secretAccessKey": "${ENV:UPSTREAM_SECRET}"
    }
    setup.write().config_file.chmod(0o644)
    result = setup.command("check", environment={"UPSTREAM_SECRET": "s"})
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize("name", ["gatehouse.json", "tenants.json", "policies", "policies/names.json", "audit"])
@pytest.mark.parametrize("bits", [0o020, 0o002])
def test_what_decides_and_others_can_write_is_refused(setup, name, bits):
    path = setup.folder / name
    if name == "audit":
        path.mkdir(0o700)
    path.chmod(path.stat().st_mode & 0o777 | bits)
    [(file, message)] = errors(setup)
    assert f"mode {path.stat().st_mode & 0o777:o}" in message and "chmod go-w" in message and name in message
    assert file == (path.name if path.is_file() else "gatehouse.json")
    path.chmod(path.stat().st_mode & 0o755)
    assert errors(setup) == []


def test_a_reload_refuses_them_too(make_setup, upstream):
    setup = make_setup()
    setup.policies["names"] = {"rules": {"name": {"maxLength": 80}}}
    with gateways.running(setup) as gateway:
        (setup.folder / "policies/names.json").chmod(0o666)
        record = gateway.reload()
        assert record["level"] == "error" and "chmod go-w" in record["problem"], record
        (setup.folder / "policies/names.json").chmod(0o644)
        assert gateway.reload()["level"] == "info"


def test_commands_that_only_read_do_not_mind_a_checkout_of_umask_002(setup):
    (setup.folder / "policies").chmod(0o775)
    (setup.folder / "policies/names.json").chmod(0o664)
    assert gateways.run("test", "--policies", setup.folder / "policies").returncode in (0, 1)
    (setup.folder / "user.json").write_text(json.dumps(service.create_user()))
    result = setup.command("explain", "--tenant", "crm", "user.json")
    assert result.returncode == 0, result.stderr


def test_files_that_commands_write_are_the_owners(make_setup):
    setup = make_setup().write()
    tenants = setup.folder / "tenants.json"
    tenants.unlink()
    instance = "arn:aws:chime:us-east-1:123456789012:app-instance/*"
    for command in (
        ("tenant", "create", "crm", "--app-instance", instance), ("tenant", "rotate", "crm"), ("tenant", "revoke", "crm"),
    ):
        old = os.umask(0)
        try:
            result = setup.command(*command)
        finally:
            os.umask(old)
        assert result.returncode == 0, result.stderr
        assert tenants.stat().st_mode & 0o777 == 0o600
        tenants.chmod(0o600)


# What is no regular file.


def make_fifo(path):
    os.mkfifo(path)


def make_socket(path):
    listener = socket.socket(socket.AF_UNIX)
    # Its path may be longer than an address may be.
    descriptor = os.open(path.parent, os.O_RDONLY)
    try:
        listener.bind(f"/proc/self/fd/{descriptor}/{path.name}")
    finally:
        os.close(descriptor)
        listener.close()


def make_device(path):
    try:
        os.mknod(path, 0o600 | 0o020000, os.makedev(1, 5))
    except PermissionError:
        pytest.skip("no devices may be made here")


KINDS = [make_fifo, make_socket, make_device, lambda path: path.mkdir()]
NAMES = ["a FIFO", "a socket", "/dev/zero", "a folder"]


@pytest.mark.parametrize("make", KINDS, ids=NAMES)
def test_only_regular_files_are_policies(make_setup, make):
    setup = make_setup().write()
    make(setup.folder / "policies/x.json")
    [(file, message)] = errors(setup)
    assert file == "x.json" and "not a regular file" in message


@pytest.mark.parametrize("make", KINDS, ids=NAMES)
@pytest.mark.parametrize("name", ["tenants.json", "server.key", "server.pem", "admin.token", "hash.key", "signing.key"])
def test_only_regular_files_are_what_a_configuration_names(setup, tls, make, name):
    if name == "server.pem":
        setup.config["listeners"][0]["tls"]["certificate"] = name
        setup.write()
    else:
        (setup.folder / name).unlink()
    make(setup.folder / name)
    found = errors(setup)
    assert any(name in message and "not a regular file" in message for _, message in found), found


@pytest.mark.parametrize("make", KINDS[:1], ids=NAMES[:1])
def test_credentials_are_regular_files(make_setup, upstream, make):
    setup = make_setup()
    make(setup.folder / "credentials")
    setup.config["upstream"]["credentials"] = {"source": "profile", "file": "credentials"}
    checked = setup.write().command("check")
    assert checked.returncode == 0 and 'credentials": not a regular file' in checked.stdout, checked.stdout
    with gateways.running(setup) as gateway:
        assert gateway.send(create()).status == 503
