"""The index of the journal: found as before, whatever happens to the file; values that are hashed or omitted."""

import csv
import io
import threading

import gateways
import service
import upstreams
import wire
from gateways import CRM
from waiting import PATIENCE


def create(**changes):
    return wire.signed_create(CRM, service.create_user(**changes))


def test_answer_holds_what_came_a_moment_ago_while_serving(make_setup, upstream):
    setup = make_setup()
    with gateways.running(setup) as gateway:
        for number in range(20):
            gateway.send(create(AppInstanceUserId=f"crm-{number}"))
            found = setup.audit("--limit", "1")
            assert found[0]["appInstanceUserId"] == f"crm-{number}"
    assert (setup.audit_folder / "index.sqlite").stat().st_mode & 0o777 == 0o600


def test_index_that_is_broken_or_another_journals_is_replaced(make_setup, upstream):
    first, second = make_setup("first"), make_setup("second")
    for setup, name in ((first, "crm-one"), (second, "crm-two")):
        with gateways.running(setup) as gateway:
            gateway.send(create(AppInstanceUserId=name))
        setup.audit()
    index = second.audit_folder / "index.sqlite"
    for content in ((first.audit_folder / "index.sqlite").read_bytes(), b"not a database" * 1000, b""):
        index.write_bytes(content)
        assert [record["appInstanceUserId"] for record in second.audit()] == ["crm-two"]
        assert second.audit("--user-id", "crm-one") == []


def test_hashed_names_and_tags_are_found_by_their_value(make_setup, upstream, tmp_path):
    key = gateways.write_secret(tmp_path / "audit.key", bytes(range(32)))
    setup = make_setup()
    setup.config["audit"]["sensitive"] = {"name": "hash", "tagValues": "hash", "keyFile": str(key)}
    with gateways.running(setup) as gateway:
        gateway.send(create(Name="Alice Secret", Tags=[{"Key": "Team", "Value": "blue-secret"}]))
        gateway.send(create(Name="Bob Secret", Tags=[{"Key": "Team", "Value": "red-secret"}]))
    (found,) = setup.audit("--name", "Alice Secret")
    assert found["name"].startswith("hmac-sha256:") and len(found["name"]) == len("hmac-sha256:") + 64
    assert setup.audit("--tag", "Team=blue-secret") == [found]
    assert setup.audit("--name", "Carol") == []
    for path in setup.audit_folder.iterdir():
        assert b"secret" not in path.read_bytes().lower().replace(b"crm-secret", b""), path


def test_omitted_values_cannot_be_searched(make_setup, upstream):
    setup = make_setup()
    setup.config["audit"]["sensitive"] = {"name": "omit", "tagValues": "omit"}
    with gateways.running(setup) as gateway:
        gateway.send(create())
    for option in (("--name", "Alice"), ("--tag", "Team=blue")):
        result = setup.command("audit", "query", *option)
        assert (result.returncode, result.stdout) == (1, "")
        assert "cannot be searched" in result.stderr


def test_csv_is_a_table_without_formulas(make_setup, upstream):
    setup = make_setup()
    with gateways.running(setup) as gateway:
        gateway.send(create(AppInstanceUserId="crm-csv", Name='=HYPERLINK("http://x","y")'))
    result = setup.command("audit", "query", "--format", "csv")
    (row,) = csv.DictReader(io.StringIO(result.stdout, newline=""))
    assert row["appInstanceUserId"] == "crm-csv" and row["outcome"] == "created"
    assert row["name"] == '\'=HYPERLINK("http://x","y")'


def test_start_after_a_crash_says_how_many_requests_are_open(make_setup, upstream):
    setup = make_setup()
    release = threading.Event()

    def hang(request):
        release.wait(PATIENCE)
        return upstreams.like_the_service(request)

    gateway = gateways.Gateway(setup)
    try:
        assert gateway.send(create(AppInstanceUserId="crm-done")).status == 201
        upstream.behaving(hang, hang)
        with gateway.connect() as one, gateway.connect() as two:
            one.send(create(AppInstanceUserId="crm-open-1"))
            two.send(create(AppInstanceUserId="crm-open-2"))
            upstream.wait_for(3)
    finally:
        gateway.kill()
        release.set()
    with gateways.running(setup) as gateway:
        # No query has made the index: the gateway does.
        said = gateway.wait_for_log(lambda record: record.get("count") == "2", "the number of open requests")
        assert said["level"] == "warning" and said["command"] == "gatehouse audit reconcile"
        assert (setup.audit_folder / "index.sqlite").stat().st_size > 0


def test_serving_goes_on_when_the_index_cannot_be_written(make_setup, upstream):
    setup = make_setup()
    setup.audit_folder.mkdir(parents=True)
    (setup.audit_folder / "index.sqlite").mkdir()
    with gateways.running(setup) as gateway:
        gateway.wait_for_log(lambda record: "cannot be written" in record.get("message", ""), "the failure")
        assert gateway.send(create(AppInstanceUserId="crm-all-the-same")).status == 201
    assert [record["appInstanceUserId"] for record in setup.audit()] == ["crm-all-the-same"]
