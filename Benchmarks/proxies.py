"""The processes that are measured and the one behind them: how each is configured, started and ended."""

import contextlib
import json
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import threading
import time
import urllib.request

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent
PROXY_CPU = 0
LOAD_CPU = 1

KEY_ID = "GHAKBENCH00000000001"
SECRET = "benchmark-secret-benchmark-secret-000001"
APP_INSTANCE = (
    "arn:aws:chime:us-east-1:123456789012:app-instance/00000000-0000-4000-8000-000000000000"
)


def free_port():
    """A port that nothing listens on just now: nginx and HAProxy cannot say which one they were given.

    Not one of those that the system gives to whoever asks for any.
    """
    while True:
        port = random.randrange(20_000, 32_000)
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


def start(arguments, cpu, log, **options):
    """Starts a process on one CPU (`None`: on any), its messages going to the file `log`."""
    with open(log, "ab") as messages:
        options.setdefault("stdout", messages)
        return subprocess.Popen(
            [str(argument) for argument in arguments],
            stdin=subprocess.DEVNULL,
            stderr=messages,
            preexec_fn=None if cpu is None else lambda: os.sched_setaffinity(0, {cpu}),
            **options,
        )


def children(pid):
    """The direct child processes of `pid`."""
    text = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(child) for child in text.split()]


class Proxy:
    """A running proxy: where it listens, and which processes' CPU time counts as its own."""

    def __init__(self, name, process, port, log):
        self.name = name
        self.port = port
        self._process = process
        self._log = log

    def wait_until_ready(self, seconds=20):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                break
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            time.sleep(0.05)
        raise SystemExit(f"{self.name} does not listen:\n{self._log.read_text()}")

    @property
    def pid(self):
        return self._process.pid

    @property
    def pids(self):
        return [self._process.pid, *children(self._process.pid)]

    @property
    def resident_bytes(self):
        total = 0
        for pid in self.pids:
            for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
                if line.startswith("VmRSS:"):
                    total += int(line.split()[1]) * 1024
        return total

    def stop(self):
        end(self._process)


def end(process):
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def start_upstream(tools, folder, cpu=LOAD_CPU):
    """Returns the process of the fixed-answer upstream and its port."""
    process = start([tools / "upstream"], cpu, folder / "upstream.log", stdout=subprocess.PIPE, text=True)
    return process, int(process.stdout.readline())


class Certificate:
    """A certificate for the loopback and its key (P-256, as public ones mostly are), made for one run."""

    def __init__(self, folder):
        self.chain, self.key, self.both = folder / "tls.pem", folder / "tls.key", folder / "tls-both.pem"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
             "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1",
             "-keyout", self.key, "-out", self.chain],
            check=True, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self.both.touch(mode=0o600)
        self.both.write_text(self.chain.read_text() + self.key.read_text())


def start_nginx(folder, upstream, certificate=None):
    folder.mkdir()
    port = free_port()
    configuration = folder / "nginx.conf"
    tls = ""
    if certificate:
        tls = f"        ssl_certificate {certificate.chain};\n        ssl_certificate_key {certificate.key};"
        tls += "\n        ssl_protocols TLSv1.3;"
    paths = "\n".join(
        f"    {kind}_temp_path {folder};"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    configuration.write_text(
        f"""daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
{"user root;" if os.geteuid() == 0 else ""}
events {{ worker_connections 16384; }}
http {{
{paths}
    access_log off;
    keepalive_timeout 600s;
    keepalive_requests 1000000000;
    upstream fixed {{
        server 127.0.0.1:{upstream};
        keepalive 512;
        keepalive_requests 1000000000;
    }}
    server {{
        listen 127.0.0.1:{port} {"ssl" if certificate else ""} backlog=1024;
{tls}
        location / {{
            proxy_pass http://fixed;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
        }}
    }}
}}
"""
    )
    log = folder / "log"
    process = start(["nginx", "-p", folder, "-c", configuration, "-e", log], PROXY_CPU, log)
    return Proxy("nginx", process, port, log)


def start_haproxy(folder, upstream, certificate=None):
    folder.mkdir()
    port = free_port()
    configuration = folder / "haproxy.cfg"
    configuration.write_text(
        f"""global
    nbthread 1
    maxconn 4096
defaults
    mode http
    timeout connect 5s
    timeout client 600s
    timeout server 60s
    option http-keep-alive
    http-reuse always
frontend in
    bind 127.0.0.1:{port} backlog 1024 {f"ssl crt {certificate.both}" if certificate else ""}
    default_backend fixed
backend fixed
    server fixed 127.0.0.1:{upstream}
"""
    )
    log = folder / "log"
    process = start(["haproxy", "-db", "-f", configuration], PROXY_CPU, log)
    return Proxy("HAProxy", process, port, log)


def gatehouse_configuration(port, admin, upstream, durability, policies, certificate=None):
    """Everything on, and no limit low enough to be met."""
    plenty = {"requestsPerSecond": 1_000_000, "burst": 1_000_000}
    listener = {"address": f"127.0.0.1:{port}"}
    if certificate:
        listener["tls"] = {"certificate": str(certificate.chain), "privateKey": str(certificate.key)}
    return {
        "listeners": [listener],
        "admin": {"address": f"127.0.0.1:{admin}"},
        "upstream": {
            "region": "us-east-1",
            "endpoint": f"http://127.0.0.1:{upstream}",
            "credentials": {
                "source": "static",
                "accessKeyId": "AKIDBENCHUPSTREAM001",
                "secretAccessKey": "upstream-secret-upstream-secret-00000001",
            },
            "maxConnections": 512,
        },
        "tenants": "tenants.json",
        "policies": str(policies),
        "rateLimit": {
            "perSourceAddress": plenty,
            "upstreamBudget": {**plenty, "adaptive": False},
        },
        "audit": {"directory": "audit", "durability": durability},
        "limits": {"connections": 16384, "connectionsPerSource": 16384, "idleTimeout": "600s"},
        "workers": 1,
        "log": {"level": "error"},
    }


def policy(index):
    """20 rules that the load's request keeps; those that take a text take another one in each policy."""
    required = [
        {"key": "CostCenter", "values": ["4711", f"48{index}*"]},
        {"key": "Owner", "pattern": f"[^@]+@example\\.com|x{index}"},
        {"key": "Environment", "values": ["production", f"s{index}"]},
    ]
    return {
        "policy": f"p{index:02}",
        "rules": {
            "appInstanceUserId": {
                "prefix": "bench-", "pattern": f"[a-z0-9][a-z0-9._-]{{1,{60 + index}}}",
                "forbidden": [f"(?i)test{index}", "--"], "minLength": 4, "maxLength": 64,
            },
            "name": {
                "pattern": f"[\\p{{L}}\\p{{M}}' .-]{{1,{90 + index}}}", "forbidden": [f"(?i)admin{index}"],
                "minLength": 1, "maxLength": 100 - index // 4, "trimmed": True, "singleScript": True,
            },
            "tags": {
                "required": required,
                "allowedKeys": ["CostCenter", "Owner", "Environment", "Team", f"x{index}-*"],
                "forbiddenKeys": ["aws:*", f"tmp{index}*"], "maxCount": 20,
                "set": {"Team": "${tenant.labels.owner}"},
            },
            "expiration": {"required": True, "minDays": 1, "maxDays": 400 - index},
            "metadata": {"maxBytes": 1000 - index, "forbidden": [f"secret{index}"]},
        },
    }  # fmt: skip


def write_policies(folder, count):
    """`count` policies in a new folder, all of them for every request; others may not write them, whatever the umask."""
    folder.mkdir(mode=0o755)
    for index in range(count):
        path = folder / f"p{index:02}.json"
        path.touch(mode=0o644)
        path.write_text(json.dumps(policy(index)))
    return folder


def tenants(others=0):
    """The load's tenant, among others that stay silent."""
    return {"tenants": [tenant("bench", KEY_ID)] + [tenant(f"t{n:05}", f"GHAKOTHER{n:05}") for n in range(others)]}


def tenant(name, key):
    return {
        "id": name,
        "accessKeys": [{"id": key, "secret": SECRET, "status": "active"}],
        "appInstances": [APP_INSTANCE],
        "rateLimit": {"requestsPerSecond": 1_000_000, "burst": 1_000_000, "concurrency": 100_000},
        "labels": {"costCenter": "4711", "owner": f"{name}@example.com"},
    }


class Gatehouse(Proxy):
    """The gateway, whose journal is checked after it has ended."""

    def __init__(
        self, name, command, folder, upstream, durability, policies=REPOSITORY / "policies", people=None,
        journal=None, cpu=PROXY_CPU, certificate=None, store=None, **options,
    ):  # fmt: skip
        """`journal`: the folder of another's journal, to go on with; without its index. `store`: `rateLimit.store`."""
        folder.mkdir()
        if journal is not None:
            shutil.copytree(journal, folder / "audit", ignore=shutil.ignore_patterns("index*"))
        port, self._admin = free_port(), free_port()
        self._configuration = folder / "gatehouse.json"
        # It holds a secret.
        self._configuration.touch(mode=0o600)
        configuration = gatehouse_configuration(port, self._admin, upstream, durability, policies, certificate)
        if store:
            configuration["rateLimit"]["store"] = store
        self._configuration.write_text(json.dumps(configuration, indent=2))
        tenants_file = folder / "tenants.json"
        tenants_file.touch(mode=0o600)
        tenants_file.write_text(json.dumps(people or tenants(), indent=2))
        log = folder / "log"
        super().__init__(name, start([*command, self._configuration], cpu, log, **options), port, log)

    @property
    def synchronizations(self):
        """How often the journal has asked the disk, as the metrics say."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self._admin}/metrics", timeout=10) as answer:
            for line in answer.read().decode().splitlines():
                if line.startswith("gatehouse_audit_fsync_duration_seconds_count"):
                    return int(line.rsplit(" ", 1)[1])
        raise SystemExit("the metrics do not count the journal's synchronisations")

    @contextlib.contextmanager
    def watched(self, count):
        """By so many who are sent each request as it ends."""
        with contextlib.ExitStack() as stack:
            for _ in range(count):
                connection = stack.enter_context(socket.create_connection(("127.0.0.1", self._admin), 10))
                connection.sendall(b"GET /api/live HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
                connection.settimeout(None)
                threading.Thread(target=self._drop_events, args=(connection,), daemon=True).start()
            yield

    @staticmethod
    def _drop_events(connection):
        with contextlib.suppress(OSError):
            while connection.recv(1 << 16):
                pass

    def journal_report(self, binary):
        """What `audit verify` says; call it after `stop`."""
        done = subprocess.run(
            [binary, "audit", "verify", "--config", self._configuration, "--format", "json"],
            stdout=subprocess.PIPE,
            check=False,
        )
        return json.loads(done.stdout or b"{}")
