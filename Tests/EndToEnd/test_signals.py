"""Signals that come before the gateway is ready for them, and readers of its output that do not read."""

import contextlib
import fcntl
import os
import pathlib
import signal
import subprocess

import pytest

import gateways
import service
import signing
import wire
from gateways import CRM
from waiting import PATIENCE, until


def create():
    return wire.signed_create(CRM, service.create_user())


def signal_mask(process, field):
    for line in pathlib.Path(f"/proc/{process.pid}/status").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1], 16)
    raise AssertionError(f"no {field}")


def holds(process, number):
    """Whether the process keeps the signal waiting; what runs before the program's first instruction does not."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError, AssertionError):
        return bool(signal_mask(process, "SigBlk") >> (number - 1) & 1)
    return False


@pytest.fixture
def slow_setup(make_setup, upstream):
    """One that takes a while to load."""
    setup = make_setup()
    setup.tenants += [
        gateways.tenant(id=f"t{number:05}", keys=[signing.Key(f"GHAKT{number:013}", f"secret-{number:020}")])
        for number in range(5_000)
    ]
    return setup


def start(setup):
    """`serve`, not yet ready."""
    setup.write()
    serving = gateways.Process("serve", "--config", setup.config_file, cwd=setup.folder)
    until(
        lambda: holds(serving.process, signal.SIGHUP) or serving.process.poll() is not None,
        "signals are not held back while it starts",
    )
    return serving


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGUSR1])
def test_early_signal_is_carried_out_when_ready(slow_setup, number):
    serving = start(slow_setup)
    serving.signal(number)
    message = {signal.SIGHUP: "reloaded", signal.SIGUSR1: "the next record begins a new journal segment"}[number]
    serving.wait_for_log(lambda record: record["message"] == message, message)
    serving.stop()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_early_request_to_end_is_a_clean_end(slow_setup, number):
    serving = start(slow_setup)
    serving.signal(number)
    assert serving.wait() == 0
    assert slow_setup.verify()[0] == 0


def test_other_commands_end_by_signals(make_setup):
    setup = make_setup().write()
    following = gateways.Process("audit", "follow", "--config", setup.config_file, cwd=setup.folder)
    until(lambda: signal_mask(following.process, "SigIgn") >> (signal.SIGPIPE - 1) & 1, "it does not begin")
    until(lambda: not holds(following.process, signal.SIGTERM), "signals are held back for ever")
    following.signal(signal.SIGTERM)
    assert following.wait() in (0, -signal.SIGTERM)


def full_pipe():
    """The ends of a pipe that has no room."""
    reading, writing = os.pipe()
    fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 4096)
    os.write(writing, b"\n" * 4096)
    return reading, writing


def serve(setup, errors):
    """`serve` with its log in `errors`, on an address that is chosen beforehand, as nobody reads the log."""
    setup.write()
    return subprocess.Popen(
        [gateways.BINARY, "serve", "--config", setup.config_file],
        cwd=setup.folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=errors,
        env=gateways.clean_environment(),
    )


def free_addresses(setup):
    """Lets the setup listen on ports that were free a moment ago on an address that is this test's."""
    import random
    import socket

    host = f"127.{random.randint(100, 200)}.{random.randint(0, 255)}.{random.randint(1, 254)}"
    # Both at once, or the kernel may give the same port twice.
    with socket.create_server((host, 0)) as first, socket.create_server((host, 0)) as second:
        addresses = [f"{host}:{server.getsockname()[1]}" for server in (first, second)]
    setup.config["listeners"] = [{"address": addresses[0]}]
    setup.config["admin"] = {"address": addresses[1]}
    return addresses


def metrics(address):
    with wire.Connection(address) as connection:
        return connection.exchange(wire.encode("GET", "/metrics", [("Host", address)])).body.decode()


def wait_until_served(process, address):
    def is_served():
        assert process.poll() is None, f"it ended with {process.returncode}"
        try:
            with wire.Connection(address) as connection:
                return connection.exchange(create()).status == 201
        except ConnectionError:
            return False

    until(is_served, "it does not serve")


@pytest.mark.parametrize("how", ["full pipe", "closed pipe", "full disk", "closed"])
def test_gateway_serves_and_ends_whatever_the_log_does(make_setup, upstream, how):
    setup = make_setup(drainTimeout="5s")
    address, admin = free_addresses(setup)
    reading = None
    match how:
        case "full pipe":
            reading, errors = full_pipe()
        case "closed pipe":
            reading, errors = os.pipe()
            os.close(reading)
            reading = None
        case "full disk":
            errors = os.open("/dev/full", os.O_WRONLY)
        case "closed":
            errors = os.open("/dev/null", os.O_RDONLY)
    process = serve(setup, errors)
    os.close(errors)
    try:
        wait_until_served(process, address)
        if how != "full pipe":
            until(lambda: "gatehouse_log_lines_lost_total 0" not in metrics(admin), "lost lines are not counted")
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
    finally:
        process.kill()
        if reading is not None:
            os.close(reading)
    assert setup.verify()[0] == 0


def test_lines_that_were_lost_are_said_when_somebody_reads_again(make_setup, upstream):
    setup = make_setup()
    address, admin = free_addresses(setup)
    reading, errors = full_pipe()
    process = serve(setup, errors)
    os.close(errors)
    try:
        wait_until_served(process, address)
        # Access lines of refusals, until 16 MiB wait.
        request = wire.encode("GET", "/" + "x" * 60, [("Host", "gateway.test"), ("User-Agent", "a")]) * 100
        while "gatehouse_log_lines_lost_total 0" in metrics(admin):
            with wire.Connection(address) as connection:
                for _ in range(50):
                    connection.send(request)
                    for _ in range(100):
                        assert connection.read().status == 404
        text = b""
        with os.fdopen(reading, "rb") as log:
            for line in log:
                if b"log lines dropped" in line:
                    text = line
                    break
        assert b'"level":"warning"' in text and b'"time":"' in text, text
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
    finally:
        process.kill()


def test_command_whose_reader_has_gone_ends_quietly(make_setup, upstream):
    setup = make_setup()
    with gateways.running(setup) as gateway:
        for _ in range(20):
            assert gateway.send(create()).status == 201
    reading, writing = os.pipe()
    os.close(reading)
    result = subprocess.run(
        [gateways.BINARY, "audit", "query", "--config", setup.config_file],
        stdout=writing,
        stderr=subprocess.PIPE,
        env=gateways.clean_environment(),
        timeout=PATIENCE,
    )
    os.close(writing)
    assert (result.returncode, result.stderr) == (-signal.SIGPIPE, b"")


def test_message_to_a_reader_who_does_not_read_does_not_hold_a_command_up(make_setup):
    setup = make_setup()
    setup.write()
    reading, writing = full_pipe()
    result = subprocess.run(
        [gateways.BINARY, "serve", "--config", setup.folder / "nowhere.json"], stderr=writing, timeout=PATIENCE
    )
    os.close(writing)
    os.close(reading)
    assert result.returncode == 78
