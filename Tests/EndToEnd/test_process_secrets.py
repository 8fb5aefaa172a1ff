"""What of its secrets a serving process leaves lying about: its environment, core dumps, what children inherit."""

import os
import pathlib
import shutil
import tempfile

import pytest

import gateways
import service
import upstreams
import wire
from gateways import CRM

SECRETS = {
    "AWS_SECRET_ACCESS_KEY": upstreams.KEY.secret,
    "AWS_CONTAINER_AUTHORIZATION_TOKEN": "container-token-5d2f",
    "GATEHOUSE_MASTER_KEY": "a2V5LWtleS1rZXkta2V5LWtleS1rZXkta2V5LWtleSE=",
    "CRM_SECRET": CRM.secret,
    "CONFIG_SECRET": "admin-address-is-no-secret",
}


def create():
    return wire.signed_create(CRM, service.create_user())


@pytest.fixture
def setup(make_setup):
    setup = make_setup()
    setup.config["upstream"]["credentials"] = {"source": "environment"}
    setup.tenants[0]["accessKeys"][0]["secret"] = "${ENV:CRM_SECRET}"
    return setup


def environ(gateway):
    try:
        return pathlib.Path(f"/proc/{gateway.process.pid}/environ").read_bytes()
    except PermissionError:
        pytest.skip("the environment of a process that is not dumpable is root's")


def test_secrets_are_wiped_from_the_environment_and_a_reload_still_has_them(setup, upstream):
    environment = {**SECRETS, "AWS_ACCESS_KEY_ID": upstreams.KEY.id, "PLAIN": "stays"}
    with gateways.running(setup, environment=environment) as gateway:
        assert gateway.send(create()).status == 201
        left = environ(gateway)
        assert b"PLAIN=stays" in left
        for name in ("AWS_SECRET_ACCESS_KEY", "AWS_CONTAINER_AUTHORIZATION_TOKEN", "GATEHOUSE_MASTER_KEY", "CRM_SECRET"):
            assert SECRETS[name].encode() not in left, name
        # A variable that no file named until now.
        assert SECRETS["CONFIG_SECRET"].encode() in left
        setup.tenants[0]["labels"] = {"note": "${ENV:CONFIG_SECRET}"}
        setup.write_tenants()
        assert gateway.reload()["level"] == "info"
        assert gateway.send(create()).status == 201
        assert SECRETS["CONFIG_SECRET"].encode() not in environ(gateway)
        assert gateway.reload()["level"] == "info"
        assert gateway.send(create()).status == 201
    assert {request.problem for request in upstream.requests} == {None}


def test_no_core_is_dumped(setup, upstream):
    environment = {**SECRETS, "AWS_ACCESS_KEY_ID": upstreams.KEY.id}
    with gateways.running(setup, environment=environment) as gateway:
        limits = pathlib.Path(f"/proc/{gateway.process.pid}/limits").read_text()
        [core] = [line for line in limits.splitlines() if line.startswith("Max core file size")]
        assert core.split()[4:6] == ["0", "0"], core
        # What is not dumpable belongs to root, whoever runs it.
        assert os.stat(f"/proc/{gateway.process.pid}/environ").st_uid == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes another user")
def test_another_process_of_the_same_user_cannot_look(setup, upstream):
    """Under a user of its own: root may look at everything."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="gatehouse-", dir="/tmp"))
    try:
        other = gateways.Setup(folder / "set", setup.config["upstream"]["endpoint"], upstreams.KEY).write()
        for path in (folder, *folder.rglob("*")):
            os.chown(path, 65534, 65534)
        folder.chmod(0o755)

        def become_nobody():
            os.setgroups([])
            os.setgid(65534)
            os.setuid(65534)

        gateway = gateways.Process(
            "serve", "--config", other.config_file, cwd=other.folder, prepare=become_nobody
        )
        try:
            gateway.address_of("listening")
            pid = os.fork()
            if pid == 0:
                become_nobody()
                try:
                    open(f"/proc/{gateway.process.pid}/environ", "rb").read()
                except PermissionError:
                    os._exit(0)
                os._exit(1)
            assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
        finally:
            gateway.stop()
    finally:
        shutil.rmtree(folder)


def test_the_unit_allows_no_core():
    unit = (gateways.ROOT / "deploy/gatehouse.service").read_text()
    assert "\nLimitCORE=0\n" in unit
