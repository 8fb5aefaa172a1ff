"""`deploy/kubernetes` and `deploy/compose.yaml`: rendered, held to the API's schemas, and their configuration put through the
real `gatehouse check` with files laid out and owned as the kubelet does it."""

import functools
import json
import os
import re
import shutil
import subprocess

import kubernetes_validate
import pytest
import yaml

import gateways

DEPLOY = gateways.ROOT / "deploy"
OVERLAYS = {"irsa": "webIdentity", "pod-identity": "container"}
# As in the image: no account of a host has it.
USER = 65532


@functools.cache
def render(overlay):
    kubectl = shutil.which("kubectl") or pytest.skip("no kubectl here")
    folder = DEPLOY / "kubernetes" / ("base" if overlay == "base" else f"overlays/{overlay}")
    command = [kubectl, "kustomize", folder]
    return list(yaml.safe_load_all(subprocess.run(command, check=True, capture_output=True, text=True).stdout))


def only(kind, overlay, name="gatehouse"):
    [found] = [one for one in render(overlay) if one["kind"] == kind and one["metadata"]["name"] == name]
    return found


def pod(overlay):
    return only("StatefulSet", overlay)["spec"]["template"]["spec"]


@pytest.mark.parametrize("overlay", ["base", *OVERLAYS])
@pytest.mark.parametrize("version", ["1.30", kubernetes_validate.latest_version()])
def test_each_object_is_what_the_api_takes(overlay, version):
    for one in render(overlay):
        kubernetes_validate.validate(one, version, strict=True)
        assert one["kind"] == "Namespace" or one["metadata"]["namespace"] == "gatehouse"


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_selectors_find_the_pods(overlay):
    labels = only("StatefulSet", overlay)["spec"]["template"]["metadata"]["labels"]
    selectors = [
        only("StatefulSet", overlay)["spec"]["selector"]["matchLabels"],
        only("Service", overlay)["spec"]["selector"],
        only("Service", overlay, "gatehouse-pods")["spec"]["selector"],
        only("PodDisruptionBudget", overlay)["spec"]["selector"]["matchLabels"],
        only("NetworkPolicy", overlay)["spec"]["podSelector"]["matchLabels"],
        *(one["labelSelector"]["matchLabels"] for one in pod(overlay)["topologySpreadConstraints"]),
    ]
    for selector in selectors:
        assert selector and selector.items() <= labels.items()


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_the_pods_may_do_nothing_but_serve(overlay):
    """What the namespace's level `restricted` wants, and more."""
    spec = pod(overlay)
    [container] = spec["containers"]
    context = container["securityContext"]
    assert spec["securityContext"]["runAsNonRoot"] and spec["securityContext"]["runAsUser"] == USER
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert context["readOnlyRootFilesystem"] and not context["allowPrivilegeEscalation"]
    assert context["capabilities"] == {"drop": ["ALL"]}
    assert only("ServiceAccount", overlay)["automountServiceAccountToken"] is False
    # Each start would otherwise make the journal's folder writable by its group, which is refused.
    assert spec["securityContext"]["fsGroupChangePolicy"] == "OnRootMismatch"


def test_the_role_comes_from_where_the_overlay_says():
    annotations = only("ServiceAccount", "irsa")["metadata"]["annotations"]
    assert annotations["eks.amazonaws.com/role-arn"].startswith("arn:aws:iam::")
    reached = [
        block["ipBlock"]["cidr"]
        for rule in only("NetworkPolicy", "pod-identity")["spec"]["egress"]
        for block in rule.get("to", [])
        if "ipBlock" in block
    ]
    assert reached == ["169.254.170.23/32", "fd00:ec2::23/128"]


def test_the_policies_are_the_baseline():
    data = only("ConfigMap", "base", "gatehouse-policies")["data"]
    assert data == {path.name: path.read_text() for path in (gateways.ROOT / "policies").glob("*.json") if ".test." not in path.name}


def lay_out(folder, contents, mode):
    """A volume as the kubelet fills it: files in a folder of their own behind a link that is exchanged at a change."""
    versioned = folder / "..2026_11_29_09_00_00.1"
    versioned.mkdir(parents=True)
    (folder / "..data").symlink_to(versioned.name)
    for name, text in contents.items():
        (versioned / name).write_text(text)
        (versioned / name).chmod(mode)
        (folder / name).symlink_to(f"..data/{name}")
    for path in (folder, versioned, *versioned.iterdir()):
        # fsGroup: of root, and for the pod's group.
        os.chown(path, 0, USER)
    folder.chmod(0o2755)


@pytest.fixture
def pod_files(tmp_path_factory, overlay):
    """The volumes of a pod below a folder, as root and fsGroup own them, and where the configuration lies."""
    if os.geteuid() != 0:
        pytest.skip("only root can give files away")
    root = tmp_path_factory.mktemp("pod")
    # All may pass through to it.
    for folder in (root, *root.parents[:3]):
        folder.chmod(folder.stat().st_mode | 0o011)
    secret = {"tenants": [gateways.tenant()]}
    volumes = {one["name"]: one for one in pod(overlay)["volumes"]}
    for mount in pod(overlay)["containers"][0]["volumeMounts"]:
        (name, path) = (mount["name"], root / mount["mountPath"].lstrip("/"))
        volume = volumes.get(name, {})
        if "configMap" in volume:
            lay_out(path, only("ConfigMap", overlay, volume["configMap"]["name"])["data"], 0o644)
        elif "secret" in volume:
            contents = {"tenants": {"tenants.json": json.dumps(secret)}, "admin": {"token": "a-token-of-the-test\n"}}[name]
            lay_out(path, contents, volume["secret"]["defaultMode"])
        else:
            path.mkdir(parents=True)
            os.chown(path, 0, USER)
            path.chmod(0o2775)
    return root


def gatehouse(root, overlay, *arguments):
    """Runs it as a pod's user, who sees `root` as its files."""
    container = pod(overlay)["containers"][0]
    environment = {one["name"]: one["value"] for one in container["env"]}
    config = container["args"][container["args"].index("--config") + 1]
    text = (root / config.lstrip("/")).read_text()
    # The same places, seen from outside of a container.
    places = "|".join(re.escape(mount["mountPath"]) for mount in container["volumeMounts"])
    text = re.sub(f'"({places})', rf'"{root}\1', text)
    path = root / "gatehouse.json"
    path.write_text(text)
    return subprocess.run(
        [gateways.BINARY, *arguments, "--config", path],
        env=gateways.clean_environment(**environment),
        user=USER,
        group=USER,
        extra_groups=[],
        capture_output=True,
        text=True,
        cwd="/",
    )


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_check_has_nothing_against_it(pod_files, overlay):
    result = gatehouse(pod_files, overlay, "check")
    assert (result.returncode, result.stdout) == (0, ""), result.stdout + result.stderr


@pytest.mark.parametrize("overlay", ["irsa"])
def test_a_secret_that_everybody_can_read_is_refused(pod_files, overlay):
    """That the check above looks at modes at all: this is what a Secret has without `defaultMode`."""
    next(pod_files.glob("etc/gatehouse/tenants/..2*/tenants.json")).chmod(0o644)
    result = gatehouse(pod_files, overlay, "check")
    assert result.returncode == 1 and "tenants.json" in result.stdout


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_probes_and_ports_are_those_of_the_configuration(overlay):
    config = json.loads(only("ConfigMap", overlay, "gatehouse-config")["data"]["gatehouse.json"])
    [container] = pod(overlay)["containers"]
    ports = {one["name"]: one["containerPort"] for one in container["ports"]}
    assert config["listeners"] == [{"address": f"0.0.0.0:{ports['http']}"}]
    assert config["admin"]["address"] == f"0.0.0.0:{ports['admin']}"
    for probe, path in (("startupProbe", "/healthz"), ("livenessProbe", "/healthz"), ("readinessProbe", "/readyz")):
        assert container[probe]["httpGet"] == {"path": path, "port": "admin"}
    assert config["reload"] == {"watch": True}
    assert container["env"] == [{"name": "GATEHOUSE_CREDENTIALS", "value": OVERLAYS[overlay]}]


def test_compose(tmp_path):
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    assert set(compose) == {"name", "services", "volumes"}
    service = compose["services"]["gatehouse"]
    # Everything that a service names is there.
    for one in compose["services"].values():
        for volume in one["volumes"]:
            source = volume.split(":")[0]
            assert source in compose["volumes"] or (DEPLOY / source).is_file(), source
        assert set(one.get("depends_on", {})) <= set(compose["services"])
    assert service["depends_on"] == {"postgres": {"condition": "service_healthy"}}
    assert "healthcheck" in compose["services"]["postgres"]
    assert service["read_only"] and service["cap_drop"] == ["ALL"]

    text = (DEPLOY / "compose/gatehouse.json").read_text()
    config = json.loads(text)
    assert service["ports"] == [f"127.0.0.1:8080:{config['listeners'][0]['address'].rpartition(':')[2]}"]
    database = compose["services"]["postgres"]["environment"]
    assert f"//{database['POSTGRES_USER']}:" in config["audit"]["postgres"]["url"]
    assert f"@postgres:5432/{database['POSTGRES_DB']}?" in config["audit"]["postgres"]["url"]
    places = {"/var/lib/gatehouse": str(tmp_path), "/usr/share/gatehouse/policies": str(gateways.ROOT / "policies")}
    for place, here in places.items():
        assert place in text
        text = text.replace(place, here)
    gateways.write_secret(tmp_path / "tenants.json", json.dumps({"tenants": [gateways.tenant()]}))
    (tmp_path / "gatehouse.json").write_text(text)
    result = gateways.run(
        "check", "--config", tmp_path / "gatehouse.json", environment={"POSTGRES_PASSWORD": "of-the-test"}
    )
    assert result.returncode == 0, result.stdout + result.stderr
