"""docs/install.md by hand: the manual and the completions that are laid out, and that what they say is so."""

import re
import shutil
import subprocess

import pytest

import gateways
from gateways import ROOT

PAGE = (ROOT / "docs/install.md").read_text().split("## By hand\n")[1].split("\n## ")[0]


def blocks():
    return [re.sub("(?m)^    ", "", block) for block in re.findall(r"(?m)(?:^    .*\n)+", PAGE)]


def bash(script, **options):
    return subprocess.run(
        ["bash", "-euc", script], check=True, capture_output=True, text=True, stdin=subprocess.DEVNULL, **options
    )


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A prefix into which everything was installed as the page says; `make dist` from a copy of the scripts."""
    checkout = tmp_path_factory.mktemp("checkout")
    shutil.copytree(ROOT / "scripts", checkout / "scripts")
    environment = {**gateways.clean_environment(), "GATEHOUSE": str(gateways.BINARY), "SOURCE_DATE_EPOCH": "1764288000"}
    prefix = checkout / "usr/local"
    script = blocks()[0].replace("make dist\n", "scripts/distribute.sh\n").replace("/usr/local", str(prefix))
    bash(script, cwd=checkout, env=environment)
    return prefix


def completed(script, *words):
    """What bash offers behind these words."""
    line = " ".join(words)
    ask = f"""
        set +eu
        source {script}
        COMP_WORDS=({" ".join(f"'{word}'" for word in words)}); COMP_CWORD={len(words) - 1}
        COMP_LINE='{line}'; COMP_POINT={len(line)}
        $(complete -p gatehouse | sed 's/.*-F \\([^ ]*\\).*/\\1/') gatehouse '{words[-1]}' '{words[-2]}'
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    return bash(ask).stdout.split()


def test_bash_completes_commands_options_and_values(installed):
    script = installed / "share/bash-completion/completions/gatehouse"
    assert completed(script, "gatehouse", "au") == ["audit"]
    assert "crosscheck" in completed(script, "gatehouse", "audit", "")
    assert "--count-by" in completed(script, "gatehouse", "audit", "query", "--c")
    assert "postgres" in completed(script, "gatehouse", "audit", "query", "--from", "p")


def test_the_other_shells_have_theirs(installed):
    assert (installed / "share/zsh/site-functions/_gatehouse").read_text().startswith("#compdef gatehouse\n")
    assert "complete -c 'gatehouse'" in (installed / "share/fish/vendor_completions.d/gatehouse.fish").read_text()


def test_the_manual_has_every_command_and_no_error(installed):
    page = installed / "share/man/man1/gatehouse.1"
    checked = subprocess.run(["groff", "-Kutf8", "-man", "-Tutf8", "-ww", "-z", page], capture_output=True, text=True)
    assert (checked.returncode, checked.stderr) == (0, "")
    shown = bash(f"groff -Kutf8 -man -Tutf8 -P-c -P-b -P-u '{page}'").stdout
    for command in ["serve", "init", "audit query", "audit crosscheck", "tenant rotate", "sandbox", "demo"]:
        assert re.search(rf"(?m)^ +{command}$", shown), command
    assert "--count-by" in shown and "GATEHOUSE_CONFIG" in shown


def test_whoever_has_the_binary_alone_has_completions(tmp_path):
    binaries = tmp_path / "bin"
    binaries.mkdir()
    (binaries / "gatehouse").symlink_to(gateways.BINARY)
    environment = {**gateways.clean_environment(), "HOME": str(tmp_path), "PATH": f"{binaries}:/usr/bin:/bin"}
    bash(blocks()[1], env=environment)
    script = tmp_path / ".local/share/bash-completion/completions/gatehouse"
    assert completed(script, "gatehouse", "tenant", "ro") == ["rotate"]
    for path in [".zfunc/_gatehouse", ".config/fish/completions/gatehouse.fish"]:
        assert "crosscheck" in (tmp_path / path).read_text()


def test_help_leads_there():
    text = " ".join(gateways.run("--help").stdout.split())
    assert "gatehouse(1)" in text and "--generate-completion-script bash" in text
    assert gateways.run("help", "audit").stdout == gateways.run("audit", "--help").stdout
