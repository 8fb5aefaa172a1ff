"""What the documents say of commands, files and each other: whoever pastes it from there finds it so. Pages with tests of
their own: README.md (test_readme.py), docs/upgrading.md, docs/clients.md (test_sdks.py), docs/install.md by hand."""

import functools
import json
import os
import re
import subprocess

import pytest

import gateways
import service
import test_crosscheck
import upstreams
import wire
from gateways import CRM, ROOT

DOCUMENTS = [
    ROOT / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "docs/decisions").glob("*.md")),
    *sorted((ROOT / "policies").glob("*.md")),
    *sorted((ROOT / "deploy").rglob("*.md")),
]
NAMES = [str(path.relative_to(ROOT)) for path in DOCUMENTS]


@functools.cache
def commands():
    """{words of a command: names of its options}, as the binary tells them of itself."""
    root = json.loads(gateways.run("--experimental-dump-help").stdout)["command"]
    found = {}

    def add(command, words):
        names = (name["name"] for argument in command.get("arguments", []) for name in argument.get("names", []))
        found[words] = {*names, "generate-completion-script"}
        for subcommand in command.get("subcommands", []):
            add(subcommand, (*words, subcommand["commandName"]))

    add(root, ("gatehouse",))
    return found


def written(text):
    """The commands of the binary in a document: in blocks, and between backticks."""
    joined = re.sub(r"\\\n\s*", "", text)
    lines = re.findall(r"(?m)^(?:    |\t)?\s*(?:\$ )?(?:sudo -u gatehouse )?(gatehouse [^\n]*)$", joined)
    return lines + re.findall(r"`(?:sudo -u gatehouse )?(gatehouse [^`\n]*)`", text)


@pytest.mark.parametrize("path", DOCUMENTS, ids=NAMES)
def test_commands_and_options_that_are_named_are_there(path):
    for line in written(path.read_text()):
        line = line.split("  #")[0].split(" | ")[0].split(" >")[0].split("; ")[0]
        # As a synopsis has it.
        words = line.replace("[", " ").replace("]", " ").replace("…", " ").replace("|", " ").split()
        known, command = commands(), ("gatehouse",)
        for word in words[1:]:
            if (*command, word) not in known:
                break
            command = (*command, word)
        group = [words for words in known if words[:-1] == command]
        following = words[len(command) : len(command) + 1]
        if group and following and re.fullmatch(r"[a-z]+", following[0]) and command != ("gatehouse",):
            raise AssertionError(f"{path.name}: `{line}`: no such command")
        for option in re.findall(r"(?<![\w-])--([a-z][a-z-]*)", line):
            if group:
                # Of one of the commands of the group.
                assert any(option in known[words] for words in [command, *group]), f"{path.name}: `{line}`"
            else:
                assert option in known[command], f"{path.name}: `{line}` has no --{option}"


def anchors(path):
    """As GitHub makes them of headings."""
    headings = re.findall(r"(?m)^#+ (.*)$", path.read_text())
    plain = (re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading) for heading in headings)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in plain}


@pytest.mark.parametrize("path", DOCUMENTS, ids=NAMES)
def test_links_lead_somewhere(path):
    for target in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"(?s)```.*?```", "", path.read_text())):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        file = (path.parent / name) if name else path
        assert file.exists(), f"{path.name} points to {target}"
        if anchor and file.suffix == ".md":
            assert anchor in anchors(file), f"{path.name} points to {target}"


@pytest.mark.parametrize("path", DOCUMENTS, ids=NAMES)
def test_targets_and_scripts_that_are_named_are_there(path):
    targets = set(re.findall(r"(?m)^([a-z-]+):", (ROOT / "Makefile").read_text()))
    text = path.read_text()
    for target in re.findall(r"(?m)(?:`|^    )make ([a-z][a-z-]*)", text):
        assert target in targets, f"{path.name} names `make {target}`"
    for name in re.findall(r"`((?:scripts|deploy|schemas|policies|Tests|Sources|Fuzz|Benchmarks)/[\w./-]+)`", text):
        assert (ROOT / name).exists(), f"{path.name} names {name}"


def block(page, containing):
    """The block of a page that holds these words, without its indentation."""
    blocks = re.findall(r"(?m)(?:^    .*\S.*\n)+", (ROOT / page).read_text())
    text = next(text for text in blocks if containing in text)
    return re.sub(r"(?m)^    (\$ )?", "", text)


@pytest.fixture(scope="module")
def served(tmp_path_factory, endpoint):
    """A folder like those that the pages speak of, in which a gateway has served."""
    endpoint.clear()
    setup = gateways.Setup(tmp_path_factory.mktemp("served"), endpoint.url, upstreams.KEY)
    setup.policies = {"p": {"rules": {"name": {"minLength": 2}}}}
    setup.write()
    assert gateways.run("audit", "keygen", "--private", "audit.key", "--public", "audit.pub", cwd=setup.folder).returncode == 0
    setup.config["audit"]["checkpoint"] = {"signingKey": "audit.key"}
    with gateways.running(setup) as gateway:
        for name in ("Alice", "B"):
            gateway.send(wire.signed_create(CRM, service.create_user(Name=name)))
        setup.concluded(2)
    for copy in ("policies-next", "trail"):
        (setup.folder / copy).mkdir()
    (setup.folder / "policies-next/p.json").write_text((setup.folder / "policies/p.json").read_text())
    forwarded = next(record for record in setup.audit() if record["outcome"] == "created")
    event = test_crosscheck.event(forwarded["time"][:19] + "Z", forwarded["upstreamRequestId"])
    test_crosscheck.write(setup.folder / "trail", "events.json", [event])
    (setup.folder / "update.json").write_text('{"Name": "Alice", "Metadata": "{}"}')
    binaries = setup.folder / "bin"
    binaries.mkdir()
    (binaries / "gatehouse").symlink_to(gateways.BINARY)
    return setup


@pytest.mark.parametrize(
    "page, containing, changes, code",
    [
        # The keys are there, and in use.
        ("docs/audit.md", "gatehouse audit keygen", {r"(?m)^gatehouse audit keygen .*\n": ""}, 0),
        ("docs/audit.md", "--count-by tenant,decision", {}, 0),
        ("docs/audit.md", "gatehouse audit crosscheck", {r"(?m)^aws s3 .*\n": "", " --until 1h": ""}, 0),
        ("docs/policy-guide.md", "gatehouse explain --tenant crm --operation UpdateAppInstanceUser", {}, 0),
        (
            "docs/policy-guide.md",
            "gatehouse replay --against policies-next",
            {r"(?m)^.*postgres.*\n": "", "/backup/audit": "audit"},
            0,
        ),
    ],
)
def test_blocks_of_commands_can_be_pasted(served, page, containing, changes, code):
    script = block(page, containing)
    for pattern, replacement in changes.items():
        assert re.search(pattern, script), pattern
        script = re.sub(pattern, replacement, script)
    result = subprocess.run(
        ["bash", "-euc", script],
        cwd=served.folder,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        env=gateways.clean_environment(PATH=f"{served.folder / 'bin'}:{os.environ['PATH']}"),
    )
    assert result.returncode == code, f"{script}\n{result.stdout}{result.stderr}"
