"""A process that has few file descriptors, or none left: it serves what it can, and goes on when there are some again."""

import contextlib
import os
import pathlib
import resource
import signal
import socket
import time

import pytest

import gateways
import service
import wire
from gateways import CRM
from waiting import until


def create():
    return wire.signed_create(CRM, service.create_user())


def with_descriptors(count):
    def prepare():
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(count, 64), count))

    return prepare


def open_descriptors(gateway):
    return len(os.listdir(f"/proc/{gateway.process.pid}/fd"))


def processor_seconds(gateway):
    fields = pathlib.Path(f"/proc/{gateway.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def flood(address, count, source=None):
    """`count` connections that say nothing."""
    host, _, port = address.rpartition(":")
    held = []
    try:
        for _ in range(count):
            held.append(socket.create_connection((host, int(port)), 60, source_address=source and (source, 0)))
        yield held
    finally:
        for connection in held:
            connection.close()


def is_served(gateway):
    """Whether a new connection is served; those over a limit are closed."""
    try:
        response = gateway.send(create())
    except (ConnectionError, AssertionError):
        return False
    return response is not None and response.status == 201


@pytest.mark.parametrize("workers", [1, 2, 4])
@pytest.mark.parametrize("limit", [128, 1024])
def test_silent_connections_up_to_the_limit_end_nothing(make_setup, upstream, limit, workers):
    setup = make_setup(workers=workers, limits={"headerTimeout": "1h", "connectionsPerSource": 100_000})
    with gateways.running(setup, prepare=with_descriptors(limit)) as gateway:
        lowered = gateway.wait_for_log(lambda record: "limits are lowered" in record["message"], "a warning")
        assert 0 < int(lowered["limits.connections"]) < limit and lowered["descriptors"] == str(limit)
        assert gateway.send(create()).status == 201
        with contextlib.ExitStack() as held:
            # Its first answer says that a worker has it: what only waits to be accepted is nobody's yet.
            connection = held.enter_context(gateway.connect())
            assert connection.exchange(create()).status == 201
            held.enter_context(flood(gateway.address, limit + 200))
            # Who was there is served on, with everything that opens files meanwhile.
            for _ in range(3):
                assert connection.exchange(create()).status == 201
                gateway.signal(signal.SIGUSR1)
            segments = len(setup.segments())
            until(
                lambda: connection.exchange(create()).status == 201 and len(setup.segments()) > segments,
                "no new segment of the journal while connections flood in",
            )
            assert gateway.reload()["message"] == "reloaded"
            assert gateway.admin_request("/readyz").status == 200
            metrics = gateway.admin_request("/metrics").body.decode()
            assert 'gatehouse_connections_refused_total{limit="connections"}' in metrics
            assert open_descriptors(gateway) <= limit
            refusing = gateway.wait_for_log(lambda record: record["message"] == "connections are refused", "that")
            assert refusing["limit"] == "connections"
        until(lambda: is_served(gateway), "it did not recover")
        said = [record["message"] for record in gateway.log]
        assert said.count("connections are refused") == 1
    assert setup.verify()[0] == 0


def test_least_that_is_enough_and_too_little(make_setup, upstream):
    setup = make_setup(workers=1)
    with gateways.running(setup, prepare=with_descriptors(64)) as gateway:
        assert gateway.send(create()).status == 201
    setup.write()
    result = setup.command("serve", prepare=with_descriptors(32))
    assert result.returncode == 1
    assert "the limit of open files is 32; at least" in result.stderr, result.stderr


@contextlib.contextmanager
def starved(gateway):
    """No descriptor can be opened, and none that is closed can be had back."""
    limits = resource.prlimit(gateway.process.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(gateway.process.pid, resource.RLIMIT_NOFILE, (0, limits[1]))
    try:
        yield
    finally:
        resource.prlimit(gateway.process.pid, resource.RLIMIT_NOFILE, limits)


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_nothing_left_neither_spins_nor_ends_the_process(make_setup, upstream, workers):
    setup = make_setup(workers=workers)
    with gateways.running(setup) as gateway, gateway.connect() as connection:
        assert connection.exchange(create()).status == 201
        with starved(gateway), flood(gateway.address, 40), flood(gateway.admin, 5):
            refusing = gateway.wait_for_log(lambda record: record["message"] == "connections are refused", "that")
            assert refusing["limit"] == "descriptors"
            before, began = processor_seconds(gateway), time.monotonic()
            # Work is done all the while, on a connection that was open before.
            while time.monotonic() - began < 1:
                assert connection.exchange(create()).status in (201, 503)
                time.sleep(0.05)
            busy = (processor_seconds(gateway) - before) / (time.monotonic() - began)
            assert busy < 0.5, f"{busy:.2f} processors for twenty requests a second"
        until(lambda: is_served(gateway), "it did not recover")
    assert setup.verify()[0] == 0


def test_index_that_finds_no_descriptors_ends_nothing(make_setup, upstream):
    with gateways.running(make_setup()) as gateway, gateway.connect() as connection:
        assert connection.exchange(create()).status == 201
        with starved(gateway):
            # So many that the index is due.
            for _ in range(2200):
                assert connection.exchange(create()).status == 201
            gateway.wait_for_log(lambda record: "index of the audit journal cannot" in record["message"], "that")
            assert connection.exchange(create()).status == 201
        gateway.wait_for_log(lambda record: "journal is written again" in record["message"], "the index's recovery")


def test_all_that_opens_files_survives_that_there_are_none(make_setup, upstream):
    # Connections upstream are not kept, so each request opens one.
    setup = make_setup()
    setup.config["upstream"] |= {"idleTimeout": "1ms", "circuitBreaker": {"openFor": "50ms"}}
    setup.config["audit"]["segmentSize"] = "4KiB"
    with gateways.running(setup) as gateway, gateway.connect() as connection:
        assert connection.exchange(create()).status == 201
        with starved(gateway):
            upstream.drop_connections()
            statuses = {connection.exchange(create()).status for _ in range(30)}
            assert statuses <= {201, 503}, statuses
            gateway.signal(signal.SIGUSR1)
            assert "reload failed" in gateway.reload()["message"]
        until(lambda: connection.exchange(create()).status == 201, "it did not recover")
        assert gateway.reload()["message"] == "reloaded"
        until(lambda: gateway.admin_request("/readyz").status == 200, "not ready again")
    assert setup.verify()[0] == 0
    assert all(record["outcome"] in ("created", "notForwarded") for record in setup.audit())
