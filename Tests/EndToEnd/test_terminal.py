"""What is printed holds nothing that a terminal acts on, wherever the text came from: names of files, arguments, tenants,
policies, requests of anybody, the log."""

import csv
import io
import json
import os
import pty
import re

import pytest

import gateways
import service
import wire
from gateways import CRM
from waiting import until

# Of each kind one or two: C0, DEL, C1 (CSI), marks of direction, separators. NUL cannot be in an argument.
CONTROLS = "\x01\x07\r\x1b\x7f\x80\x9b\u061c\u200e\u200f\u2028\u2029\u202a\u202e\u2066\u2069"
HOSTILE = f"a\x1b[31mb\x1b]0;title\x07{CONTROLS}z"
ACTED_ON = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufffe]")


def assert_inert(text, carriage_returns=False):
    if isinstance(text, bytes):
        text = text.decode()  # strictly: a lone byte may be a C1 control as well
    if carriage_returns:
        text = text.replace("\r\n", "\n")
    found = ACTED_ON.search(text)
    assert found is None, f"{found.group()!r} in {text!r}"


@pytest.fixture(scope="module")
def journal(tmp_path_factory):
    """A journal with hostile text in every member that callers choose, authenticated or not."""
    setup = gateways.Setup(tmp_path_factory.mktemp("journal"))
    setup.policies["base"] = {"rules": {"name": {"forbidden": ["x"]}}}
    with gateways.running(setup) as gateway, gateway.connect() as connection:
        body = service.create_user(Name=f"x{HOSTILE}", Tags=[{"Key": f"k{HOSTILE}", "Value": HOSTILE}])
        connection.exchange(wire.signed_create(CRM, body))
        # Bytes from 0x80 on are let through in fields, whether they are UTF-8 or not.
        agent = b"agent \xc2\x9b31m \xe2\x80\xae \x9b0m \xff"
        connection.exchange(wire.encode("GET", "/app-instances", [("Host", gateway.address), ("User-Agent", agent.decode("latin-1"))]))
        log = gateway.log_text
        until(lambda: sum('"request"' in line for line in log) >= 2, lambda: log)
    setup.log = "".join(log)
    return setup


def test_log_lines_hold_no_controls(journal):
    assert_inert(journal.log)


@pytest.mark.parametrize("form", ["text", "json", "csv"])
def test_query(journal, form):
    result = journal.command("audit", "query", "--format", form)
    assert result.returncode == 0 and result.stdout
    assert_inert(result.stdout, carriage_returns=form == "csv")
    assert_inert(result.stderr)


def test_json_is_still_the_same(journal):
    records = journal.audit()
    assert any(record["tags"] and HOSTILE in record["tags"].values() for record in records)


def test_csv_is_still_a_table(journal):
    result = journal.command("audit", "query", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(result.stdout, newline=""), strict=True))
    assert len(rows) == 2
    assert any(HOSTILE in json.loads(row["tags"]).values() for row in rows if row["tags"])


@pytest.mark.parametrize("form", ["csv", "ocsf"])
def test_exported_lines(journal, tmp_path, form):
    result = journal.command("audit", "export", "--as", form, "--output", tmp_path / "out")
    assert result.returncode == 0
    for path in (tmp_path / "out").iterdir():
        assert_inert(path.read_bytes(), carriage_returns=True)


def test_csv_on_a_terminal_has_no_carriage_returns(journal):
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(journal.folder)
        os.execve(
            gateways.BINARY, ["gatehouse", "audit", "query", "--format", "csv"], gateways.clean_environment())
    output = b""
    while True:
        try:
            piece = os.read(terminal, 65536)
        except OSError:
            break  # the other end is closed
        if not piece:
            break
        output += piece
    os.close(terminal)
    assert os.waitpid(pid, 0)[1] == 0
    # The terminal driver makes CR LF of each LF.
    assert b"requestId" in output and b"\r\r\n" not in output
    assert_inert(output, carriage_returns=True)


def test_replay(journal, tmp_path):
    policies = tmp_path / "other"
    policies.mkdir()
    (policies / "p.json").write_text(json.dumps({"policy": "p", "rules": {"tags": {"forbiddenKeys": [f"x{HOSTILE}"]}}}))
    for form in ("text", "json"):
        result = journal.command("replay", "--against", policies, "--format", form)
        assert result.stdout
        assert_inert(result.stdout)
        assert_inert(result.stderr)


def test_tenants(make_setup):
    setup = make_setup()
    setup.tenants = [
        gateways.tenant(
            description=f"d{HOSTILE}\nforged: line", labels={"owner": HOSTILE, f"k{HOSTILE}": "v\tw\nx"},
            clientCertificates=[f"c{HOSTILE}"])
    ]
    setup.write()
    for command in (["list"], ["show", "crm"]):
        for form in ("text", "json"):
            result = setup.command("tenant", *command, "--format", form)
            assert result.stdout or result.returncode
            assert_inert(result.stdout)
            assert_inert(result.stderr)
            assert "\nforged" not in result.stdout
    assert json.loads(setup.command("tenant", "show", "crm", "--format", "json").stdout)["labels"]["owner"] == HOSTILE


@pytest.mark.parametrize(
    "arguments",
    [
        [f"--{HOSTILE}"], [HOSTILE], ["check", HOSTILE], ["check", "--format", HOSTILE],
        ["check", "--config", f"/{HOSTILE}"], ["audit", "query", "--operation", HOSTILE, "--config", "x"],
        ["audit", "query", "--tag", HOSTILE, "--config", "x"], ["audit", "query", "--since", HOSTILE],
        ["audit", "verify", "--directory", f"/{HOSTILE}"],
        ["audit", "verify", "--directory", "/", "--public-key", HOSTILE],
        ["audit", "keygen", "--private", f"/no/{HOSTILE}"], ["test", "--policies", HOSTILE],
        ["test", "--policies", HOSTILE, "--filter", f"({HOSTILE}"], ["serve", "--config", f"/{HOSTILE}"],
        ["sandbox", "--listen", HOSTILE], ["tenant", "show", HOSTILE, "--config", "x"],
        ["demo", "--policies", HOSTILE], ["explain", "--tenant", HOSTILE, "-", "--config", "x"],
        ["replay", "--against", HOSTILE, "--config", "x"], ["credentials", "--tenant", HOSTILE],
    ],
)
def test_arguments_are_quoted_inertly(arguments, tmp_path):
    result = gateways.run(*arguments, cwd=tmp_path)
    assert result.returncode != 0 and (result.stderr or result.stdout)
    assert_inert(result.stdout)
    assert_inert(result.stderr)


def test_problems_and_cases(make_setup, tmp_path):
    setup = make_setup()
    setup.policies["base"] = {"rules": {"name": {"minLength": 2}, HOSTILE: {}}}
    setup.write()
    for form in ("text", "json"):
        result = setup.command("check", "--format", form)
        assert result.returncode == 1 and result.stdout
        assert_inert(result.stdout)
    policies = tmp_path / "policies"
    policies.mkdir()
    (policies / "p.json").write_text(json.dumps({"policy": "p", "rules": {"name": {"minLength": 2}}}))
    (policies / f"c{HOSTILE}.test.json").write_text(
        json.dumps({"cases": [{
            "name": HOSTILE, "tenant": {"id": "crm"}, "operation": "CreateAppInstanceUser",
            "request": service.create_user(Name=HOSTILE),
            "expect": {"changes": {f"Tags.{HOSTILE}": HOSTILE}}}]}))
    for form in ("text", "json", "junit"):
        result = gateways.run("test", "--policies", policies, "--format", form, cwd=tmp_path)
        assert result.returncode == 1 and result.stdout, result.stderr
        assert_inert(result.stdout)
        assert_inert(result.stderr)


def test_explain(make_setup):
    setup = make_setup()
    setup.policies["base"] = {"rules": {"name": {"maxLength": 3}, "tags": {"forbiddenKeys": ["k*"]}}}
    setup.write()
    body = service.create_user(Name=HOSTILE, Tags=[{"Key": f"k{HOSTILE}", "Value": HOSTILE}])
    for written in (json.dumps(body), json.dumps(body, ensure_ascii=False)):
        for form in ("text", "json"):
            result = setup.command("explain", "--tenant", "crm", "--format", form, "-", stdin=written)
            assert result.returncode == 2 and result.stdout
            assert_inert(result.stdout)
            assert_inert(result.stderr)
