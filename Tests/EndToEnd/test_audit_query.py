"""Asking the journal: by outcome, rule and tags as they were evaluated; counts; times; what cannot occur; tables."""

import csv
import fcntl
import io
import json
import os
import pty
import re
import shutil
import struct
import subprocess
import termios
import threading

import pytest

import gateways
import service
import upstreams
import wire
from gateways import CRM
from service import APP


@pytest.fixture(scope="module")
def journal(tmp_path_factory, endpoint):
    """Five creations: two good, one with a tag that the policy changes, one refused, one that only a warning is about."""
    setup = gateways.Setup(tmp_path_factory.mktemp("journal"), endpoint.url, upstreams.KEY)
    setup.tenants = [
        gateways.tenant(operations=service.OPERATIONS, apps=[APP], labels={"owner": "crm@example.com"}),
        gateways.tenant(id="quiet", keys=[gateways.HR], apps=[APP]),
    ]
    setup.policies["base"] = {
        "rules": {
            "name": {"forbidden": ["Mallory"]},
            "tags": {
                "required": [{"key": "Owner", "default": "${tenant.labels.owner}"}],
                "set": {"Via": "gatehouse"},
            },
            "expiration": {"defaultDays": 30, "maxDays": 60, "onExcess": "clamp"},
        }
    }
    setup.policies["advice"] = {"mode": "warn", "rules": {"appInstanceUserId": {"maxLength": 6}}}
    with gateways.running(setup) as gateway, gateway.connect() as connection:
        for changes in [
            {"AppInstanceUserId": "u-1", "Tags": [{"Key": "Team", "Value": "a"}]},
            {"AppInstanceUserId": "u-2", "Tags": [{"Key": "Via", "Value": "forged"}]},
            {
                "AppInstanceUserId": "u-3",
                "ExpirationSettings": {"ExpirationDays": 90, "ExpirationCriterion": "CREATED_TIMESTAMP"},
            },
            {"AppInstanceUserId": "u-4", "Name": "Mallory"},
            {"AppInstanceUserId": "u-long-id"},
        ]:
            connection.exchange(wire.signed_create(CRM, service.create_user(**changes)))
        arn = service.user_arn("u-1").replace(":", "%3A").replace("/", "%2F")
        connection.exchange(wire.signed(CRM, "GET", f"/app-instance-users/{arn}"))
    return setup


def ask(setup, *options, code=0):
    result = setup.command("audit", "query", "--format", "json", *options)
    assert result.returncode == code, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


def users(setup, *options):
    return [request["appInstanceUserId"] for request in ask(setup, *options)]


def test_the_facts_shown_are_those_that_were_evaluated(journal):
    by_id = {request["appInstanceUserId"]: request for request in ask(journal, "--operation", "CreateAppInstanceUser")}
    assert by_id["u-1"]["tags"] == {"Team": "a", "Owner": "crm@example.com", "Via": "gatehouse"}
    assert by_id["u-2"]["tags"] == {"Via": "gatehouse", "Owner": "crm@example.com"}
    changes = {change["field"]: change for change in by_id["u-2"]["changes"]}
    assert changes["Tags.Via"]["from"] == "forged" and changes["Tags.Via"]["to"] == "gatehouse"
    assert by_id["u-1"]["expirationDays"] == 30 and by_id["u-3"]["expirationDays"] == 60


def test_csv_shows_them_too(journal):
    result = journal.command("audit", "query", "--format", "csv", "--user-id", "u-3")
    (row,) = csv.DictReader(io.StringIO(result.stdout))
    assert row["expirationDays"] == "60" and json.loads(row["tags"])["Via"] == "gatehouse"


@pytest.mark.parametrize("isIndexed", [True, False])
@pytest.mark.parametrize(
    "options, found",
    {
        "outcome": (["--outcome", "notForwarded"], ["u-4"]),
        "an outcome that most have": (["--outcome", "created"], ["u-1", "u-2", "u-3", "u-long-id"]),
        "rule of a violation": (["--rule", "name.forbidden"], ["u-4"]),
        "rule of a warning": (["--rule", "appInstanceUserId.length"], ["u-long-id"]),
        "rule that nothing broke": (["--rule", "tags.value"], []),
        "a tag that was set": (["--tag", "Via=gatehouse", "--user-id", "u-2"], ["u-2"]),
        "a tag as it was received and not kept": (["--tag", "Via=forged"], []),
        "without a tag": (["--without-tag", "Team", "--decision", "allowed"], ["u-2", "u-3", "u-long-id"]),
        "without a tag that was put in": (["--without-tag", "Owner", "--outcome", "created"], []),
        "with one and without another": (["--tag", "Via=gatehouse", "--without-tag", "Team", "--limit", "1"], ["u-long-id"]),
    }.values(),
)
def test_requests_are_found(journal, options, found, isIndexed):
    if not isIndexed:
        for path in (journal.audit_folder).glob("index*"):
            path.unlink()
    assert users(journal, *options) == found


def test_times_may_be_dates(journal):
    (first, *_) = ask(journal)
    day = first["time"][:10]
    assert len(ask(journal, "--since", day)) == 6
    assert ask(journal, "--until", day) == []
    refused = journal.command("audit", "query", "--since", "2026-13-01")
    assert refused.returncode == 64 and "2026-13-01" in refused.stderr


def test_counts(journal):
    assert ask(journal, "--count-by", "decision") == [
        {"decision": "allowed", "count": 5},
        {"decision": "denied", "count": 1},
    ]
    assert ask(journal, "--count-by", "tenant,outcome", "--operation", "CreateAppInstanceUser") == [
        {"tenant": "crm", "outcome": "created", "count": 4},
        {"tenant": "crm", "outcome": "notForwarded", "count": 1},
    ]
    assert ask(journal, "--count-by", "rule") == [
        {"rule": "appInstanceUserId.length", "count": 1},
        {"rule": "name.forbidden", "count": 1},
    ]
    assert ask(journal, "--count-by", "actor") == [{"actor": None, "count": 6}]
    assert ask(journal, "--count-by", "appInstanceArn", "--limit", "1") == [{"appInstanceArn": APP, "count": 6}]
    (row, *_) = ask(journal, "--count-by", "day,hour")
    assert row["hour"].startswith(row["day"] + "T") and row["hour"].endswith(":00:00Z")
    assert len(ask(journal, "--since", row["hour"])) == 6


def test_counts_as_table_and_csv(journal):
    table = journal.command("audit", "query", "--count-by", "decision").stdout.splitlines()
    assert table == ["DECISION  COUNT", "allowed       5", "denied        1"]
    rows = list(csv.DictReader(io.StringIO(journal.command("audit", "query", "--count-by", "decision", "--format", "csv").stdout)))
    assert rows == [{"decision": "allowed", "count": "5"}, {"decision": "denied", "count": "1"}]


@pytest.mark.parametrize(
    "options, says",
    {
        "tenant": (["--tenant", "crmm"], "did you mean `crm`?"),
        "tenant far from all": (["--tenant", "payroll"], "no tenant `payroll` is recorded or in the tenants file"),
        "tag that is not asked for so": (["--tag", "Owner!=x"], "--without-tag KEY"),
        "rule": (["--rule", "tag.required"], "did you mean `tags.required`?"),
        "limit": (["--rule", "rateLimit.perAppInstances"], "did you mean `rateLimit.perAppInstance`?"),
        "operation": (["--operation", "CreateAppInstanceUsr"], "did you mean `CreateAppInstanceUser`?"),
        "count-by": (["--count-by", "tennant,day"], "did you mean `tenant`?"),
        "count-by twice": (["--count-by", "day,day"], "each field may be given once"),
        "outcome": (["--outcome", "creatd"], "did you mean 'created'?"),
        "decision": (["--decision", "denyed"], "did you mean 'denied'?"),
        "field to count by": (["--count-by", "tenant,usr"], "usr"),
    }.values(),
)
def test_what_cannot_occur_is_an_error(journal, options, says):
    result = journal.command("audit", "query", *options)
    assert result.returncode == 64 and says in result.stderr, result.stderr
    assert result.stdout == ""


def test_a_tenant_that_did_nothing_is_no_error(journal):
    assert ask(journal, "--tenant", "quiet") == []


def test_a_journal_alone_knows_recorded_tenants_only(journal):
    folder = journal.audit_folder
    assert len(ask(journal, "--directory", folder, "--tenant", "crm")) == 6
    refused = journal.command("audit", "query", "--directory", folder, "--tenant", "quiet")
    assert refused.returncode == 64


@pytest.mark.parametrize(
    "given, meant", [("audit qury", "query"), ("audit verfy", "verify"), ("serv", "serve"), ("tenant creat", "create")]
)
def test_misspelt_commands_are_answered_with_the_nearest(journal, given, meant):
    result = journal.command(*given.split())
    assert result.returncode == 64 and f"Did you mean '{meant}'?" in result.stderr


def on_terminal(setup, columns, rows, *arguments, **environment):
    """What a terminal of that size gets, with its colours."""
    primary, secondary = pty.openpty()
    fcntl.ioctl(secondary, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    process = subprocess.Popen(
        [gateways.BINARY, *map(str, arguments), "--config", setup.config_file],
        stdin=secondary, stdout=secondary, stderr=subprocess.PIPE,
        env={"PATH": os.environ["PATH"], "TERM": "xterm", **environment},
    )
    os.close(secondary)
    chunks = []

    def read():
        while True:
            try:
                chunk = os.read(primary, 65536)
            except OSError:
                return
            if not chunk:
                return
            chunks.append(chunk)

    reader = threading.Thread(target=read)
    reader.start()
    process.wait(timeout=30)
    reader.join(timeout=30)
    os.close(primary)
    process.stderr.close()
    return b"".join(chunks).decode().replace("\r\n", "\n")


COLOUR = re.compile("\x1b\\[[0-9;]*m")


@pytest.mark.parametrize("columns", [40, 60, 80, 100, 120, 200])
def test_a_table_fits_its_terminal(journal, columns):
    text = on_terminal(journal, columns, 50, "audit", "query")
    lines = COLOUR.sub("", text).splitlines()
    assert len(lines) == 7 and max(map(len, lines)) <= columns
    assert "USER" in lines[0] and "DECISION" in lines[0]
    # The user is whole, and it says what was decided.
    assert any("u-long-id" in line and "allowed" in line for line in lines)
    assert any("u-4" in line and "denied" in line for line in lines)
    if columns >= 120:
        assert any("name.forbidden" in line for line in lines)


def test_an_altered_row_fits_its_terminal_too(journal, tmp_path):
    copy = tmp_path / "audit"
    shutil.copytree(journal.audit_folder, copy)
    segment = min(copy.glob("*.jsonl"))
    segment.write_text(segment.read_text().replace("u-long-id", "u-lang-id"))
    for columns in (40, 60, 80, 120):
        text = on_terminal(journal, columns, 50, "audit", "query", "--directory", copy)
        lines = COLOUR.sub("", text).splitlines()
        assert any(line.startswith("ALTERED ") for line in lines), text
        assert max(map(len, lines)) <= columns, text


def test_decisions_have_colours_unless_none_are_wanted(journal):
    assert "\x1b[31mdenied" in on_terminal(journal, 80, 50, "audit", "query")
    assert "\x1b[" not in on_terminal(journal, 80, 50, "audit", "query", NO_COLOR="1")


def test_what_is_longer_than_the_screen_goes_through_the_pager(journal, tmp_path):
    pager = tmp_path / "pager"
    pager.write_text("#!/bin/sh\necho PAGED\ncat\n")
    pager.chmod(0o755)
    long = on_terminal(journal, 80, 4, "audit", "query", PAGER=str(pager))
    assert long.startswith("PAGED\n") and len(long.splitlines()) == 8
    assert "PAGED" not in on_terminal(journal, 80, 20, "audit", "query", PAGER=str(pager))
    assert "PAGED" not in on_terminal(journal, 80, 4, "audit", "query", PAGER=str(pager), TERM="dumb")
    assert len(on_terminal(journal, 80, 4, "audit", "query", PAGER="/no/such/program").splitlines()) == 7
