"""`reload.watch`: files are followed without a signal, also when a link to all of them is exchanged."""

import json
import os
import shutil

import pytest

import gateways
import service
import wire
from gateways import CRM
from waiting import until


def status(gateway, name="Alice"):
    return gateway.send(wire.signed_create(CRM, service.create_user(Name=name))).status


def reloads(gateway):
    return [record["message"] for record in gateway.log if "reload" in record.get("message", "").lower()]


def forbidding(name):
    return {"rules": {"name": {"forbidden": [name]}}}


@pytest.fixture
def watching(make_setup):
    setup = make_setup(reload={"watch": True})
    setup.policies = {"names": forbidding("Bob")}
    return setup


def test_each_file_is_followed(watching, upstream):
    with gateways.running(watching) as gateway:
        assert (status(gateway), status(gateway, "Bob")) == (201, 403)

        # Written in place.
        (watching.folder / "policies/names.json").write_text(json.dumps({"policy": "names", **forbidding("Alice")}))
        until(lambda: (status(gateway), status(gateway, "Bob")) == (403, 201), "the policy is not in force")

        # Replaced by renaming.
        temporary = watching.folder / "policies/.names.json.tmp"
        temporary.write_text(json.dumps({"policy": "names", **forbidding("Bob")}))
        os.replace(temporary, watching.folder / "policies/names.json")
        until(lambda: status(gateway) == 201, "the policy is not in force")

        # A new one, and one that goes.
        (watching.folder / "policies/more.json").write_text(json.dumps({"policy": "more", **forbidding("Alice")}))
        until(lambda: status(gateway) == 403, "the new policy is not in force")
        (watching.folder / "policies/more.json").unlink()
        until(lambda: status(gateway) == 201, "the policy that is gone is in force")

        # Tenants, and the configuration itself.
        watching.tenants[0]["operations"] = ["DescribeAppInstanceUser"]
        watching.write_tenants()
        until(lambda: status(gateway) == 403, "the tenants are not in force")
        watching.tenants[0]["operations"] = service.OPERATIONS
        watching.write_tenants()
        until(lambda: status(gateway) == 201, "the tenants are not in force")
        watching.config["rateLimit"]["perSourceAddress"] = {"requestsPerSecond": 0.001, "burst": 1}
        watching.write()
        until(lambda: status(gateway) == 429, "the configuration is not in force")


def test_files_that_others_name_are_followed(watching, upstream):
    gateways.write_secret(watching.folder / "admin.token", "token-0123456789")
    with gateways.running(watching) as gateway:
        def metrics(token):
            return gateway.admin_request("/metrics", headers=[("Authorization", f"Bearer {token}")]).status

        assert metrics("token-0123456789") == 200
        gateways.write_secret(watching.folder / "admin.token", "another-0123456789")
        until(lambda: metrics("another-0123456789") == 200, "the token is not in force")


def test_what_changes_nothing_reloads_nothing(watching, upstream):
    with gateways.running(watching) as gateway:
        policy = watching.folder / "policies/names.json"
        # The same again, a file beside, another time stamp.
        policy.write_text(policy.read_text())
        (watching.folder / "policies/.names.json.swp").write_text("half")
        os.utime(policy)
        # Whatever of that were a reload would come before this one.
        policy.write_text(json.dumps({"policy": "names", **forbidding("Alice")}))
        until(lambda: status(gateway) == 403, "the policy is not in force")
        until(lambda: reloads(gateway), "the reload is not told")
        assert reloads(gateway) == ["reloaded"]


def test_rules_are_those_of_a_signal(watching, upstream):
    with gateways.running(watching) as gateway:
        (watching.folder / "tenants.json").write_text('{"tenants": [')
        gateway.wait_for_log(lambda record: record["message"].startswith("reload failed"), "the failure")
        assert status(gateway) == 201, "what ran goes on"
        metrics = gateway.admin_request("/metrics").body.decode()
        assert "gatehouse_config_reload_failures_total 1\n" in metrics
        # Mended, it is in force.
        watching.tenants[0]["operations"] = ["DescribeAppInstanceUser"]
        watching.write_tenants()
        until(lambda: status(gateway) == 403, "the tenants are not in force")


def test_without_it_nothing_is_followed(make_setup, upstream):
    setup = make_setup()
    setup.policies = {"names": forbidding("Bob")}
    with gateways.running(setup) as gateway:
        setup.policies = {"names": forbidding("Alice")}
        setup.write_policies()
        assert status(gateway) == 201
        # A reload that turns it on, and off.
        setup.config["reload"] = {"watch": True}
        setup.write()
        assert gateway.reload()["message"] == "reloaded"
        assert status(gateway) == 403
        setup.policies = {"names": forbidding("Bob")}
        setup.write_policies()
        until(lambda: status(gateway) == 201, "the policy is not in force")


class ConfigMap:
    """A folder as the kubelet lays it: `name -> ..data/name`, `..data -> ..REVISION`, exchanged by a rename."""

    def __init__(self, folder):
        self.folder = folder
        self.revision = 0
        folder.mkdir(parents=True)

    def put(self, files):
        self.revision += 1
        made = self.folder / f"..2026_{self.revision}"
        made.mkdir()
        for name, content in files.items():
            gateways.write_secret(made / name, content)
        former = os.path.realpath(self.folder / "..data") if self.revision > 1 else None
        os.symlink(made.name, self.folder / "..data_tmp")
        os.rename(self.folder / "..data_tmp", self.folder / "..data")
        for name in files:
            if not os.path.lexists(self.folder / name):
                os.symlink(f"..data/{name}", self.folder / name)
        for name in os.listdir(self.folder):
            if not name.startswith("..") and name not in files:
                os.unlink(self.folder / name)
        if former:
            shutil.rmtree(former)


def test_config_maps_are_followed(watching, upstream, tmp_path):
    configuration = ConfigMap(tmp_path / "etc")
    policies = ConfigMap(tmp_path / "policies")
    watching.config["tenants"] = str(watching.folder / "tenants.json")
    watching.config["policies"] = str(policies.folder)
    watching.config["audit"]["directory"] = str(watching.folder / "audit")

    def put(burst=1000):
        watching.config["rateLimit"]["perSourceAddress"] = {"requestsPerSecond": 0.001, "burst": burst}
        configuration.put({"gatehouse.json": json.dumps(watching.config)})

    def put_policies(**documents):
        policies.put({f"{name}.json": json.dumps({"policy": name, **forbidding(word)}) for name, word in documents.items()})

    put(100_000)
    put_policies(names="Bob")
    watching.write()
    gateway = gateways.Process("serve", "--config", configuration.folder / "gatehouse.json", cwd=tmp_path)
    try:
        address = gateway.address_of("listening")

        def status(name="Alice"):
            with wire.Connection(address) as connection:
                return connection.exchange(wire.signed_create(CRM, service.create_user(Name=name))).status

        assert (status(), status("Bob")) == (201, 403)
        put_policies(names="Alice")
        until(lambda: (status(), status("Bob")) == (403, 201), "the policies are not in force")
        # Again: the watch follows the link to where it leads now.
        put_policies(names="Bob", more="Carol")
        until(lambda: (status(), status("Bob"), status("Carol")) == (201, 403, 403), "the policies are not in force")
        put_policies(names="Bob")
        until(lambda: status("Carol") == 201, "the policy that is gone is in force")
        put(1)
        until(lambda: status() == 429, "the configuration is not in force")
        # Each exchange is one reload.
        until(lambda: len(reloads(gateway)) >= 4, lambda: reloads(gateway))
        assert reloads(gateway) == ["reloaded"] * 4
    finally:
        gateway.stop()
