"""A PostgreSQL server of the tests' own, on loopback, with a password."""

import contextlib
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

from waiting import PATIENCE

BINARIES = max(pathlib.Path("/usr/lib/postgresql").glob("*/bin"), default=pathlib.Path("/usr/bin"))
PASSWORD = "pg-password-7d1c0f5b9e3a"
# PostgreSQL does not run as root.
ACCOUNT = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}


class Server:
    """Initialised and running when the constructor returns."""

    def __init__(self, tls=None):
        """`tls`: the PEM files of a certificate and its key, with which it then serves TLS too."""
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="gatehouse-postgres-"))
        if ACCOUNT:
            shutil.chown(self.folder, "postgres", "postgres")
        password_file = self.folder / "password"
        password_file.write_text(PASSWORD)
        password_file.chmod(0o644)
        subprocess.run(
            [BINARIES / "initdb", "-D", self.folder / "data", "-U", "audit", "--auth=scram-sha-256"]
            + ["--pwfile", password_file, "--no-sync", "--encoding=UTF8", "--locale=C"],
            check=True,
            capture_output=True,
            cwd=self.folder,
            **ACCOUNT,
        )
        self.port = None
        self.options = []
        if tls:
            for source, name in zip(tls, ("server.pem", "server.key")):
                copy = self.folder / name
                shutil.copyfile(source, copy)
                # PostgreSQL refuses a key that others can read.
                copy.chmod(0o600)
                if ACCOUNT:
                    shutil.chown(copy, "postgres", "postgres")
            self.options = ["-c", "ssl=on", "-c", f"ssl_cert_file={self.folder}/server.pem"]
            self.options += ["-c", f"ssl_key_file={self.folder}/server.key"]
        self.process = None
        self.start()

    def start(self):
        """Starts it on its port; the first time, on one that is free."""
        if self.port is not None:
            assert self._start(), self.log()
            return
        for _ in range(20):
            # Not one of those that the system gives to others, for it has to be free again after a crash.
            self.port = random.randrange(20_000, 32_000)
            if self._start():
                return
            assert "could not bind" in self.log(), self.log()
        raise AssertionError(self.log())

    def _start(self):
        self.process = subprocess.Popen(
            [BINARIES / "postgres", "-D", self.folder / "data", "-p", str(self.port)]
            + ["-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"]
            + ["-c", f"unix_socket_directories={self.folder}", *self.options],
            cwd=self.folder,
            stdout=subprocess.DEVNULL,
            stderr=(self.folder / "log").open("ab"),
            **ACCOUNT,
        )
        deadline = time.monotonic() + PATIENCE
        while self.process.poll() is None and time.monotonic() < deadline:
            # Through its own socket: at the port another server may answer, which then keeps this one from starting.
            if self._psql("SELECT 1", f"postgresql://audit@/postgres?host={self.folder}&port={self.port}").returncode == 0:
                return True
        return False

    def log(self):
        return (self.folder / "log").read_text()[-4000:]

    def crash(self):
        """Ends it at once, without the writing of anything (immediate shutdown)."""
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait(PATIENCE)

    @contextlib.contextmanager
    def stopped(self, application):
        """The connections of an application are not served for a while, and not ended either."""
        statement = f"SELECT pid FROM pg_stat_activity WHERE application_name = '{application}'"
        backends = [int(pid) for (pid,) in self.query(statement)]
        assert backends
        for backend in backends:
            os.kill(backend, signal.SIGSTOP)
        try:
            yield
        finally:
            for backend in backends:
                os.kill(backend, signal.SIGCONT)

    def remove(self):
        if self.process.poll() is None:
            self.crash()
        shutil.rmtree(self.folder)

    def url(self, user="audit", database="postgres", password=None, host="127.0.0.1", **options):
        login = f"{user}:{password}" if password else user
        query = "&".join(f"{name}={value}" for name, value in options.items())
        return f"postgresql://{login}@{host}:{self.port}/{database}" + (f"?{query}" if query else "")

    def _psql(self, statement, url=None):
        environment = {"PGPASSWORD": PASSWORD, "PGCONNECT_TIMEOUT": str(PATIENCE), "PATH": os.environ["PATH"]}
        return subprocess.run(
            [BINARIES / "psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", url or self.url(), "-c", statement],
            capture_output=True,
            text=True,
            env=environment,
        )

    def query(self, statement):
        """The rows as lists of strings."""
        result = self._psql(statement)
        assert result.returncode == 0, result.stderr
        return [line.split("|") for line in result.stdout.splitlines()]

    def value(self, statement):
        return self.query(statement)[0][0]

    def lines(self, gateway_id, schema="gatehouse"):
        """The stored lines of one gateway in order."""
        rows = self.query(
            f"SELECT encode(line, 'hex') FROM {schema}.journal WHERE gateway_id = '{gateway_id}' ORDER BY sequence"
        )
        return [bytes.fromhex(row[0]) for row in rows]


class Relay:
    """Stands before a server and passes on what comes, until a client has sent `limit` bytes: from then on it reads
    nothing more of it. Refuses connections until `listen`."""

    def __init__(self, port, limit):
        self.server_port = port
        self.limit = limit
        self.is_full = threading.Event()
        self.sockets = []
        self.listener = socket.socket()
        self.listener.bind(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for end in [self.listener, *self.sockets]:
            # Wakes whoever reads from it.
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def listen(self):
        self.listener.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                server = socket.create_connection(("127.0.0.1", self.server_port))
                self.sockets += [client, server]
                threading.Thread(target=self._pass, args=(server, client), daemon=True).start()
                threading.Thread(target=self._pass, args=(client, server, self.limit), daemon=True).start()

    def _pass(self, source, target, limit=None):
        passed = 0
        with contextlib.suppress(OSError):
            while limit is None or passed < limit:
                content = source.recv(4096)
                if not content:
                    return target.shutdown(socket.SHUT_WR)
                target.sendall(content)
                passed += len(content)
            self.is_full.set()
