"""The README's tour, pasted as it stands."""

import re
import shutil
import socket
import subprocess

import gateways
from gateways import ROOT

README = (ROOT / "README.md").read_text()
TOUR = README.split("## A five-minute tour\n")[1].split("\n## ")[0]


def free_port():
    """The tour names its ports, so the kernel is asked for some that are free now."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def blocks():
    return re.findall(r"```sh\n(.*?)```", TOUR, re.S)


def test_the_tour_can_be_pasted(tmp_path):
    checkout = tmp_path / "gatehouse"
    for folder in ["policies", "deploy/samples"]:
        shutil.copytree(ROOT / folder, checkout / folder, copy_function=shutil.copyfile)
    (checkout / ".build" / "release").mkdir(parents=True)
    (checkout / ".build" / "release" / "gatehouse").symlink_to(gateways.BINARY)
    (checkout / ".venv").symlink_to(ROOT / ".venv")

    script = "set -m\n" + "".join(blocks()).replace("make build && umask 022", "umask 022")
    for port in ["8080", "8090", "9901"]:
        free = str(free_port())
        script = script.replace(f":{port}", f":{free}")
        for path in (checkout / "deploy" / "samples").iterdir():
            path.write_text(path.read_text().replace(f":{port}", f":{free}"))
    for path in [checkout, *checkout.rglob("*")]:
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() else 0o644)

    result = subprocess.run(
        ["bash", "-c", script + "wait\n"],
        cwd=checkout,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        env=gateways.clean_environment(),
        timeout=120,
    )
    said = result.stdout + result.stderr
    for expected in [
        "gatehouse.json: good, with 0 tenants and 3 policies",
        'unknown key "listenrs"; did you mean "listeners"?',
        "the access key is in app.env, for its owner only",
        "decision: denied",
        "change: Tags.CreatedVia: from nothing to gatehouse",
        '"message":"sandbox listening"',
        '{"ready":true',
        "app-instance/demo/user/crm-alice",
        "An error occurred (ForbiddenException)",
        "good: 3 records in 1 segments",
        '{"requests":[{"time":"',
        "17 passed, 0 failed",
        "gatehouse: written to learnt",
    ]:
        assert expected in said, f"{expected}\n\n{said}"
    assert "command not found" not in said and "No such file" not in said, said


def test_tests_that_documents_name_are_there():
    names = {path.name for path in (ROOT / "Tests").rglob("*")}
    for document in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]:
        for name in re.findall(r"`(test_\w+\.py)`", document.read_text()):
            assert name in names, f"{document.name} names {name}"
