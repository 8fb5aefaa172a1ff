"""systemd's protocols: what it is told over NOTIFY_SOCKET, and sockets that were open before the process was."""

import contextlib
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import threading
import time

import pytest

import gateways
import service
import wire
from gateways import CRM
from waiting import PATIENCE, until


class Manager:
    """The datagram socket of a service manager, and what came there."""

    def __init__(self, address):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(address)
        self.socket.settimeout(PATIENCE)
        self.variable = address if isinstance(address, str) else "@" + address[1:].decode()

    def close(self):
        self.socket.close()

    def next(self, kind=None):
        """The next message as a dict; of `kind` only if given."""
        while True:
            text = self.socket.recv(65536).decode()
            message = dict(line.split("=", 1) for line in text.split("\n"))
            if kind is None or kind in message:
                return message


@pytest.fixture(params=["a file", "an abstract name"])
def manager(request, tmp_path):
    address = str(tmp_path / "notify") if request.param == "a file" else b"\0gatehouse-test-" + os.urandom(8).hex().encode()
    manager = Manager(address)
    yield manager
    manager.close()


def monotonic_microseconds():
    return time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000


def test_life_is_told(make_setup, upstream, manager):
    setup = make_setup()
    with gateways.running(setup, environment={"NOTIFY_SOCKET": manager.variable}) as gateway:
        ready = manager.next()
        assert ready["READY"] == "1"
        assert gateway.address in ready["STATUS"] and "not ready" not in ready["STATUS"]
        # It serves when it says so.
        assert gateway.send(wire.signed_create(CRM, service.create_user())).status == 201

        before = monotonic_microseconds()
        gateway.reload()
        reloading = manager.next()
        assert reloading["RELOADING"] == "1"
        assert before <= int(reloading["MONOTONIC_USEC"]) <= monotonic_microseconds()
        assert manager.next()["READY"] == "1"

        gateway.admin_request("/reload", "POST")
        assert [sorted(manager.next())[0] for _ in range(2)] == ["MONOTONIC_USEC", "READY"]

        # One that fails ends as well; what ran goes on.
        (setup.folder / "tenants.json").write_text("{")
        gateway.reload()
        assert manager.next()["RELOADING"] == "1"
        again = manager.next()
        assert again["READY"] == "1" and "the last reload failed" in again["STATUS"]
        gateway.signal(signal.SIGTERM)
        stopping = manager.next()
        assert stopping["STOPPING"] == "1" and "Draining" in stopping["STATUS"]


def test_watchdog_is_fed_while_the_loops_turn(make_setup, upstream, manager):
    environment = {"NOTIFY_SOCKET": manager.variable, "WATCHDOG_USEC": "400000"}
    with gateways.running(make_setup(workers=2), environment=environment) as gateway:
        for _ in range(3):
            assert manager.next("WATCHDOG") == {"WATCHDOG": "1"}
        # One that is stopped gives no sign.
        gateway.signal(signal.SIGSTOP)
        until(lambda: pathlib.Path(f"/proc/{gateway.process.pid}/stat").read_text().split(") ")[1][0] == "T", "not stopped")
        manager.socket.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while True:
                manager.socket.recv(65536)
        manager.socket.settimeout(1)
        with pytest.raises(TimeoutError):
            manager.socket.recv(65536)
        gateway.signal(signal.SIGCONT)
        manager.socket.settimeout(PATIENCE)
        assert manager.next("WATCHDOG") == {"WATCHDOG": "1"}


def test_watchdog_of_another_process_is_not_fed(make_setup, upstream, manager):
    environment = {"NOTIFY_SOCKET": manager.variable, "WATCHDOG_USEC": "100000", "WATCHDOG_PID": "1"}
    with gateways.running(make_setup(), environment=environment) as gateway:
        assert "READY" in manager.next()
        gateway.signal(signal.SIGTERM)
        assert "STOPPING" in manager.next()


def test_a_manager_that_is_gone_stops_nothing(make_setup, upstream, tmp_path):
    environment = {"NOTIFY_SOCKET": str(tmp_path / "nobody"), "WATCHDOG_USEC": "100000"}
    with gateways.running(make_setup(), environment=environment) as gateway:
        gateway.wait_for_log(lambda record: record["message"] == "the service manager cannot be told", "the failure")
        assert gateway.send(wire.signed_create(CRM, service.create_user())).status == 201


def test_without_credentials_it_is_up_and_says_so(make_setup, upstream, manager):
    setup = make_setup()
    setup.config["upstream"]["credentials"] = {"source": "environment"}
    with gateways.running(setup, environment={"NOTIFY_SOCKET": manager.variable}):
        ready = manager.next()
        assert ready["READY"] == "1" and "not ready: credentials" in ready["STATUS"]


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"NOTIFY_SOCKET": "run/notify"}, "NOTIFY_SOCKET is `run/notify`"),
        ({"WATCHDOG_USEC": "30s"}, "WATCHDOG_USEC is `30s`"),
    ],
)
def test_variables_that_cannot_be_followed_are_named(make_setup, variables, said):
    result = make_setup().write().command("serve", environment=variables)
    assert result.returncode == 1 and said in result.stderr


def listening(kind=socket.AF_INET, host="127.0.0.1", **options):
    return socket.create_server((host, 0), family=kind, backlog=4096, **options)


def address_of(held):
    host, port = held.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def create(address):
    with wire.Connection(address) as connection:
        return connection.exchange(wire.signed_create(CRM, service.create_user()))


@pytest.mark.parametrize("workers", [1, 3])
def test_sockets_are_taken_by_address_and_by_name(make_setup, upstream, workers):
    with listening() as one, listening() as two, listening() as admin:
        setup = make_setup(
            listeners=[{"address": address_of(one)}, {"address": "127.0.0.1:0"}, {"address": "127.0.0.1:0"}],
            workers=workers,
        )
        sockets = [(admin.fileno(), "admin"), (two.fileno(), "listener-3"), (one.fileno(), "gatehouse.socket")]
        with gateways.running(setup, sockets=sockets) as gateway:
            assert gateway.addresses[0] == address_of(one) and gateway.addresses[2] == address_of(two)
            assert gateway.addresses[1] not in (address_of(one), address_of(two), address_of(admin))
            assert gateway.admin == address_of(admin)
            for address in gateway.addresses:
                assert [create(address).status for _ in range(10)] == [201] * 10
            assert gateway.admin_request("/readyz").status == 200


def test_a_socket_for_both_families_tells_sources_apart(make_setup, upstream):
    try:
        held = listening(socket.AF_INET6, "::", dualstack_ipv6=True)
    except (OSError, ValueError):
        pytest.skip("no IPv6 here")
    with held:
        setup = make_setup(limits={"connectionsPerSource": 1})
        with gateways.running(setup, sockets=[(held.fileno(), "listener-1")]) as gateway:
            port = held.getsockname()[1]
            with wire.Connection(f"127.0.0.1:{port}") as one, wire.Connection(f"127.0.0.1:{port}", source="127.0.0.9") as two:
                for connection in (one, two):
                    assert connection.exchange(wire.signed_create(CRM, service.create_user())).status == 201
            assert gateway.address == f"[::]:{port}"
        assert {record["sourceIp"] for record in setup.audit()} == {"127.0.0.1", "127.0.0.9"}


def test_sockets_for_nobody_are_refused(make_setup, tmp_path):
    setup = make_setup().write()

    def serve(*sockets):
        return subprocess.run(
            [*gateways.passing(sockets), gateways.BINARY, "serve", "--config", setup.config_file],
            pass_fds=[descriptor for descriptor, _ in sockets],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            env=gateways.clean_environment(),
        )

    with listening() as one, listening() as two, socket.socket() as deaf, open(tmp_path / "file", "w") as file:
        for sockets, said in [
            ([(one.fileno(), "unknown")], f"the socket `unknown` of LISTEN_FDS on {address_of(one)} is no listener's"),
            ([(one.fileno(), "listener-2")], "is no listener's"),
            ([(one.fileno(), "admin"), (two.fileno(), "admin")], "is no listener's"),
            ([(deaf.fileno(), "admin")], "descriptor 3 of LISTEN_FDS: it is no TCP socket that listens"),
            ([(file.fileno(), "admin")], "descriptor 3 of LISTEN_FDS: it is no socket"),
        ]:
            result = serve(*sockets)
            assert result.returncode == 1 and said in result.stderr, (sockets, result.stderr)
    # What is refused for an address is refused for a socket.
    with listening(host="0.0.0.0") as everywhere:
        result = serve((everywhere.fileno(), "admin"))
        assert result.returncode == 1 and "unless it has a `tokenFile`" in result.stderr


def test_sockets_of_another_process_are_left_alone(make_setup, upstream):
    with gateways.running(make_setup(), environment={"LISTEN_FDS": "1", "LISTEN_PID": "1"}) as gateway:
        assert create(gateway.address).status == 201


def test_restart_under_load_loses_no_request(make_setup, upstream):
    """The socket stays with whoever started the gateway; who connects meanwhile waits for the next one."""
    with listening() as held, listening() as admin:
        setup = make_setup(listeners=[{"address": address_of(held)}], workers=2)
        setup.config["admin"]["address"] = address_of(admin)
        sockets = [(held.fileno(), "gatehouse.socket"), (admin.fileno(), "admin")]
        gateway = gateways.Gateway(setup, sockets=sockets)
        done, failures, retried = [], [], []
        stop = threading.Event()

        def load():
            client = gateways.boto3_client(f"http://{address_of(held)}", CRM, attempts=3)
            while not stop.is_set():
                try:
                    answer = client.create_app_instance_user(**service.create_user())
                    done.append(answer["AppInstanceUserArn"])
                    retried.append(answer["ResponseMetadata"]["RetryAttempts"])
                except Exception as error:
                    failures.append(repr(error))

        threads = [threading.Thread(target=load) for _ in range(8)]
        for thread in threads:
            thread.start()
        try:
            for _ in range(4):
                count = len(done)
                until(lambda: len(done) >= count + 50 or failures, "no load")
                gateway.stop()
                gateway = gateways.Gateway(setup, sockets=sockets)
            count = len(done)
            until(lambda: len(done) >= count + 50 or failures, "no load after the last start")
        finally:
            stop.set()
            for thread in threads:
                thread.join(PATIENCE)
            gateway.stop()
        assert not failures, (len(done), failures[:5])
        code, verdict = setup.verify()
        assert code == 0 and verdict["ok"]
        created = [record for record in setup.audit() if record["outcome"] == "created"]
        assert len(created) >= len(done)
        print(f"{len(done)} created through 4 restarts, {sum(retried)} retried by botocore")


DEPLOY = gateways.ROOT / "deploy"


@pytest.fixture
def units(tmp_path):
    """The units with commands that are there, so that `verify` judges the rest."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("no systemd-analyze here")
    for name in ("gatehouse.service", "gatehouse.socket"):
        text = (DEPLOY / name).read_text().replace("/usr/local/bin/gatehouse", str(gateways.BINARY))
        (tmp_path / name).write_text(text.replace("User=gatehouse", "User=daemon").replace("Group=gatehouse", "Group=daemon"))
    return tmp_path


def test_units_are_sound(units):
    result = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", units / "gatehouse.service", units / "gatehouse.socket"],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        env=gateways.clean_environment(SYSTEMD_LOG_LEVEL="warning"),
    )
    ours = [line for line in result.stderr.splitlines() if "gatehouse" in line]
    assert ours == [], result.stderr
    text = (DEPLOY / "gatehouse.service").read_text()
    assert "Type=notify\n" in text and "WatchdogSec=" in text


def test_unit_leaves_little_open(units):
    result = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--threshold=20", units / "gatehouse.service"],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert result.returncode == 0, result.stdout[-300:] + result.stderr
