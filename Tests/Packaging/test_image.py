"""The OCI image: what its index says, and its files with a root that nobody can write. `make test-image` builds it first."""

import json
import signal
import subprocess
import tarfile

import pytest
import roots

WRITABLE = ("/tmp", "/var/lib/gatehouse")
USER = "65532:65532"


@pytest.fixture(scope="module")
def image():
    """The archive's members by name."""
    [archive] = (roots.PROJECT / ".build/image").glob("gatehouse-*.tar")
    with tarfile.open(archive) as files:
        yield {member.name: files.extractfile(member).read() for member in files if member.isfile()}


def blob(image, descriptor):
    return image["blobs/" + descriptor["digest"].replace(":", "/")]


@pytest.fixture(scope="module")
def manifest(image):
    [entry] = json.loads(image["index.json"])["manifests"]
    return json.loads(blob(image, entry))


@pytest.fixture(scope="module")
def config(image, manifest):
    return json.loads(blob(image, manifest["config"]))["config"]


@pytest.fixture(scope="module")
def root(image, manifest, tmp_path_factory):
    """The image's layers, unpacked."""
    folder = tmp_path_factory.mktemp("image")
    folder.chmod(0o755)
    for layer in manifest["layers"]:
        unpack = ["tar", "--extract", "--gzip", "--same-owner", "--same-permissions", "--directory", folder]
        subprocess.run(unpack, input=blob(image, layer), check=True)
    return folder


def run(root, *arguments, **options):
    isolated = {"network": False, "read_only": True, "user": USER, "writable": WRITABLE}
    return roots.run_in(root, *arguments, **isolated, **options)


def test_it_runs_the_gateway_as_nobody_in_particular(config):
    assert config["Entrypoint"] == ["/usr/bin/gatehouse"] and config["Cmd"] == ["serve"]
    assert config["User"] == USER
    labels = config["Labels"]
    for name in ("title", "description", "version", "revision", "created", "licenses"):
        assert labels[f"org.opencontainers.image.{name}"]


def test_it_has_no_shell_and_no_compiler(root):
    assert [path.name for path in (root / "usr/bin").iterdir()] == ["gatehouse"]
    assert not (root / "bin").exists()
    assert (root / "usr/bin/gatehouse").stat().st_size < 40_000_000
    assert "BEGIN CERTIFICATE" in (root / "etc/ssl/certs/ca-certificates.crt").read_text()


def test_the_demo_runs_with_a_read_only_root(root):
    demo = run(root, "/usr/bin/gatehouse", "demo", "--once")
    assert "201 created" in demo.stdout


def test_it_serves_until_it_is_told_to_end(root, tmp_path):
    config = {
        "listeners": [{"address": "127.0.0.1:8080"}],
        "admin": {"address": "127.0.0.1:9901"},
        "upstream": {"region": "us-east-1", "credentials": {"source": "environment"}},
        "tenants": "tenants.json",
        "policies": "/usr/share/gatehouse/policies",
        "audit": {"directory": "/var/lib/gatehouse/audit"},
    }
    folder = root / "etc/gatehouse"
    (folder / "gatehouse.json").write_text(json.dumps(config))
    (folder / "tenants.json").write_text('{"tenants": []}')
    checked = run(root, "/usr/bin/gatehouse", "check", "--config", "/etc/gatehouse/gatehouse.json")
    assert "good" in checked.stdout + checked.stderr
    command = roots.command_in(
        *(root, "/usr/bin/gatehouse", "serve", "--config", "/etc/gatehouse/gatehouse.json"),
        **{"network": False, "read_only": True, "user": USER, "writable": WRITABLE},
    )
    keys = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=keys)
    try:
        ready = next(json.loads(line) for line in process.stderr if '"ready"' in line)
        assert ready["message"] == "ready"
        # `unshare` is the parent of the gateway, which is the first process of its namespace.
        gateway = subprocess.run(
            ["pgrep", "--parent", str(process.pid)], check=True, capture_output=True, text=True
        ).stdout.split()[0]
        answer = subprocess.run(
            ["nsenter", "--net", "--target", gateway, "curl", "-sf", "http://127.0.0.1:9901/readyz"],
            capture_output=True, text=True,
        )
        assert json.loads(answer.stdout)["ready"] is True
        subprocess.run(["kill", f"-{signal.SIGTERM.value}", gateway], check=True)
        assert process.wait(timeout=60) == 0
    finally:
        process.kill()
