"""An upstream with a name, and name servers that are missing, silent, wrong and corrected."""

import os

import pytest

import gateways
import names
import service
import upstreams
import wire
from gateways import CRM
from waiting import until

NAME = "identity.upstream.test"
# Longer than any test waits: what is answered all the same did not wait for the name servers.
SLOW = "options timeout:30 attempts:5\n"


def create():
    return wire.signed_create(CRM, service.create_user())


@pytest.fixture
def etc(tmp_path):
    return names.Etc(tmp_path / "etc")


@pytest.fixture
def silent():
    with names.NameServer() as server:
        yield server


@pytest.fixture
def named_setup(make_setup, upstream):
    """A gateway whose upstream is the test's, by a name."""
    port = upstream.url.rpartition(":")[2]
    setup = make_setup(url=f"http://{NAME}:{port}")
    setup.config["upstream"] |= {
        "connectTimeout": "300ms",
        "requestTimeout": "2s",
        "circuitBreaker": {"consecutiveFailures": 5, "openFor": "100ms"},
    }
    return setup


def break_names(etc, silent, how):
    match how:
        case "empty":
            etc.resolv_conf("")
        case "nobody":
            etc.resolv_conf("nameserver 127.0.0.253\n")
        case "silent":
            etc.resolv_conf(f"nameserver {silent.ip}\n{SLOW}")
        case "missing":
            pass


def threads(gateway):
    return len(os.listdir(f"/proc/{gateway.process.pid}/task"))


@pytest.mark.parametrize("how", ["missing", "empty", "nobody", "silent"])
def test_request_ends_whatever_name_servers_do(named_setup, etc, silent, how):
    break_names(etc, silent, how)
    with gateways.running(named_setup, prepare=etc.prepare) as gateway:
        response = gateway.send(create())
        assert response.status in (503, 504), response
        assert "nothing was sent" in response.message
        record = named_setup.audit_record(response.get("x-gatehouse-request-id"))
        assert (record["decision"], record["outcome"]) == ("refused", "notForwarded")
        ready = gateway.admin_request("/readyz")
        assert ready.status == 200 and NAME in ready.json["checks"]["upstream"]["detail"], ready.json
        log = gateway.wait_for_log(lambda record: record["message"] == "upstream unreachable", "the reason")
        assert NAME in log["reason"]
        # More than there are places for connections upstream.
        statuses = {gateway.send(create()).status for _ in range(10)}
        assert statuses <= {503, 504}, statuses
        until(
            lambda: b'gatehouse_upstream_connections{state="active"} 0' in gateway.admin_request("/metrics").body,
            "places in the pool came not back",
        )
        said = [record["message"] for record in gateway.log]
        assert said.count("upstream unreachable") == 1
        assert "circuit open" in said


def test_lookups_that_do_not_end_do_not_pile_up(named_setup, etc, silent):
    break_names(etc, silent, "silent")
    named_setup.config["upstream"]["requestTimeout"] = "300ms"
    named_setup.config["upstream"]["circuitBreaker"]["consecutiveFailures"] = 1_000_000
    with gateways.running(named_setup, prepare=etc.prepare) as gateway:
        assert gateway.send(create()).status in (503, 504)
        before = threads(gateway)
        for _ in range(30):
            assert gateway.send(create()).status in (503, 504)
        # The drain at the end does not wait for them, either.
        assert threads(gateway) <= before + 3


@pytest.mark.parametrize("how", ["missing", "nobody", "silent"])
@pytest.mark.parametrize("cure", ["hosts", "server"])
def test_corrected_files_are_followed_without_a_restart(named_setup, etc, silent, how, cure):
    break_names(etc, silent, how)
    with gateways.running(named_setup, prepare=etc.prepare) as gateway, names.NameServer("127.0.0.1") as good:
        assert gateway.send(create()).status in (503, 504)
        match cure:
            case "hosts":
                etc.hosts(f"127.0.0.1 {NAME}")
            case "server":
                etc.resolv_conf(f"nameserver {good.ip}\n")
        until(lambda: gateway.send(create()).status == 201, "the correction was not followed")
        gateway.wait_for_log(lambda record: record["message"] == "upstream reachable again", "that it is back")
        assert gateway.admin_request("/readyz").json["checks"]["upstream"]["detail"] == "no problem known"
        said = [record["message"] for record in gateway.log]
        assert said.count("upstream unreachable") == 1 and said.count("upstream reachable again") == 1
        assert said.count("circuit open") == said.count("circuit closed")


def test_answer_of_before_serves_while_no_server_answers(named_setup, etc):
    # Connections are not kept, so that each request needs the name.
    named_setup.config["upstream"]["idleTimeout"] = "1ms"
    with names.NameServer("127.0.0.1") as server:
        etc.resolv_conf(f"nameserver {server.ip}\n{SLOW}")
        with gateways.running(named_setup, prepare=etc.prepare) as gateway:
            until(lambda: gateway.send(create()).status == 201, "the name is not found")
            server.address = None
            for _ in range(20):
                assert gateway.send(create()).status == 201


def test_connect_timeout_covers_the_look_up(named_setup, etc, silent):
    """The exchange could take an hour, and the look-up of a silent server more than a test waits."""
    break_names(etc, silent, "silent")
    named_setup.config["upstream"] |= {"requestTimeout": "1h", "retry": {"attempts": 1}}
    with gateways.running(named_setup, prepare=etc.prepare) as gateway:
        response = gateway.send(create())
        assert response.status == 503 and "nothing was sent" in response.message, response


def test_next_address_is_tried(named_setup, etc, upstream):
    # The test's upstream listens on one of the two.
    etc.hosts(f"127.0.0.77 {NAME}", f"127.0.0.1 {NAME}")
    with gateways.running(named_setup, prepare=etc.prepare) as gateway:
        for _ in range(5):
            assert gateway.send(create()).status == 201


def test_address_that_changes_is_followed(named_setup, etc, upstream):
    """While the former one still answers."""
    # Connections are not kept: those are to where the name led.
    named_setup.config["upstream"]["idleTimeout"] = "1ms"
    etc.hosts(f"127.0.0.1 {NAME}")
    with upstreams.Upstream(address=("127.0.0.77", upstream.port)) as other:
        with gateways.running(named_setup, prepare=etc.prepare) as gateway:
            assert gateway.send(create()).status == 201
            assert upstream.requests and not other.requests
            etc.hosts(f"127.0.0.77 {NAME}")

            def is_followed():
                assert gateway.send(create()).status == 201, "no request fails meanwhile"
                return other.requests

            until(is_followed, "the new address is not used")

            def is_alone():
                # A connection to the former one may still wait to be closed.
                count = len(upstream.requests)
                for _ in range(5):
                    assert gateway.send(create()).status == 201
                return len(upstream.requests) == count

            until(is_alone, "the former address is still used")


@pytest.mark.parametrize("how", ["missing", "silent"])
def test_reconcile_ends_with_a_reason(named_setup, etc, silent, upstream, how):
    etc.hosts(f"127.0.0.1 {NAME}")
    upstream.handler = lambda _: upstreams.Raw(b"")
    with gateways.running(named_setup, prepare=etc.prepare) as gateway:
        until(lambda: gateway.send(create()).message.endswith("may have been carried out"), "nothing was sent")
    etc.hosts()
    break_names(etc, silent, how)
    result = named_setup.command("audit", "reconcile", prepare=etc.prepare)
    assert result.returncode == 1, result
    assert f"cannot resolve `{NAME}`" in result.stdout, result
    assert "upstream does not answer" in result.stderr, result


def test_reason_of_a_refused_connection_names_the_address(make_setup):
    setup = make_setup(url="http://127.0.0.1:9")
    with gateways.running(setup) as gateway:
        assert gateway.send(create()).status == 503
        record = gateway.wait_for_log(lambda record: record["message"] == "upstream unreachable", "the reason")
        assert record["reason"] == "cannot connect to 127.0.0.1:9: connect: Connection refused"
        assert record["reason"] in gateway.admin_request("/readyz").json["checks"]["upstream"]["detail"]


def test_reason_of_a_certificate_that_is_not_trusted(make_setup, tls, upstream):
    with upstreams.Upstream(tls=(tls / "server.pem", tls / "server.key")) as other:
        setup = make_setup(url=other.url)
        with gateways.running(setup) as gateway:
            assert gateway.send(create()).status == 503
            record = gateway.wait_for_log(
                lambda record: record["message"] == "upstream unreachable", "the reason"
            )
            assert "certificate verification failed" in record["reason"], record
