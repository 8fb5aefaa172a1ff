"""Runs the real `gatehouse` binary: a gateway or a sandbox as a process, and single commands."""

import contextlib
import json
import os
import pathlib
import resource
import signal
import subprocess
import sys
import threading

import boto3
import botocore.config

import service
import signing
import wire
from waiting import PATIENCE, until

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("GATEHOUSE", ROOT / ".build/release/gatehouse"))
VENV = pathlib.Path(os.environ.get("GATEHOUSE_TEST_VENV", ROOT / ".venv")) / "bin"

CRM = signing.Key("GHAKCRM00000000001", "crm-secret-2u8fj3k4l5m6n7b8v9c0x1z2")
HR = signing.Key("GHAKHR000000000002", "hr-secret-q9w8e7r6t5y4u3i2o1p0a9s8")


def clean_environment(**variables):
    """The environment without anything that AWS tools or the gateway would pick up."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "GATEHOUSE_"))}
    kept.update(AWS_EC2_METADATA_DISABLED="true", SWIFT_BACKTRACE="enable=no")
    return kept | variables


def run(*arguments, cwd=None, stdin=None, environment=None, timeout=PATIENCE, prepare=None):
    """Runs `gatehouse ARGUMENTS` to its end; the result has returncode, stdout and stderr as text."""
    return subprocess.run(
        [BINARY, *map(str, arguments)],
        cwd=cwd,
        input=stdin,
        stdin=None if stdin is not None else subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout,
        env=clean_environment(**(environment or {})),
        preexec_fn=prepare,
    )


def passing(sockets):
    """What runs a command with `sockets`, pairs of descriptor and name, as a service manager passes them."""
    if not sockets:
        return []
    script = """import os, sys
count = int(sys.argv[1])
descriptors = [os.dup(int(number)) for number in sys.argv[3 : 3 + count]]
high = [os.dup2(old, 200 + index) for index, old in enumerate(descriptors)]
for index, descriptor in enumerate(high):
    os.dup2(descriptor, 3 + index)
os.closerange(3 + count, 300)
os.environ.update(LISTEN_FDS=str(count), LISTEN_PID=str(os.getpid()), LISTEN_FDNAMES=sys.argv[2])
os.execv(sys.argv[3 + count], sys.argv[3 + count :])"""
    names = ":".join(name for _, name in sockets)
    numbers = [str(descriptor) for descriptor, _ in sockets]
    return [sys.executable, "-c", script, str(len(sockets)), names, *numbers]


class Process:
    """A long-running `gatehouse` command. Its log (JSON lines on stderr) is read as it comes."""

    def __init__(self, *arguments, cwd, environment=None, prepare=None, sockets=()):
        self.log = []
        self.log_text = []
        self._changed = threading.Condition()
        self._finished = False
        self.process = subprocess.Popen(
            [*passing(sockets), BINARY, *map(str, arguments)],
            cwd=cwd,
            pass_fds=[descriptor for descriptor, _ in sockets],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=clean_environment(**(environment or {})),
            preexec_fn=prepare,
        )
        self.output = []
        self._readers = [
            threading.Thread(target=self._read_log, daemon=True),
            threading.Thread(target=self._read_output, daemon=True),
        ]
        for reader in self._readers:
            reader.start()

    def _read_log(self):
        for line in self.process.stderr:
            try:
                record = json.loads(line)
            except ValueError:
                record = {"message": line.rstrip("\n")}
            with self._changed:
                self.log_text.append(line)
                self.log.append(record)
                self._changed.notify_all()
        with self._changed:
            self._finished = True
            self._changed.notify_all()

    def _read_output(self):
        for line in self.process.stdout:
            with self._changed:
                self.output.append(line)
                self._changed.notify_all()

    def wait_for_log(self, predicate, what, since=0, timeout=PATIENCE):
        """Waits for a log record and returns it; fails when the process ends or says nothing of the kind."""

        def found():
            return next((record for record in self.log[since:] if predicate(record)), None)

        with self._changed:
            self._changed.wait_for(lambda: found() is not None or self._finished, timeout)
            record = found()
        assert record is not None, f"no log line with {what}; stderr: {''.join(self.log_text)[-4000:]}"
        return record

    def wait_for_output(self, predicate, what, timeout=PATIENCE):
        """Waits until the text on stdout so far satisfies `predicate`; returns that text."""
        with self._changed:
            found = self._changed.wait_for(lambda: predicate("".join(self.output)), timeout)
        assert found, f"no {what} on stdout: {self.output}; stderr: {''.join(self.log_text)[-4000:]}"
        return "".join(self.output)

    def address_of(self, message, index=0):
        """The address in the (index+1)th log line with this message."""
        seen = []

        def matches(record):
            if record.get("message") == message and record not in seen:
                seen.append(record)
            return len(seen) > index

        self.wait_for_log(matches, f'"message":"{message}"')
        return seen[index]["address"]

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self, timeout=PATIENCE):
        code = self.process.wait(timeout)
        for reader in self._readers:
            reader.join(timeout)
        return code

    def stop(self):
        """Asks for a graceful stop and checks that it is one."""
        if self.process.poll() is None:
            self.signal(signal.SIGTERM)
        try:
            code = self.wait()
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(
                f"did not stop on SIGTERM; stderr: {''.join(self.log_text)[-4000:]}"
            ) from None
        assert code == 0, f"exit code {code} after SIGTERM; stderr: {''.join(self.log_text)[-4000:]}"

    def kill(self):
        self.process.kill()
        self.wait()

    def resident_bytes(self):
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        raise AssertionError("no VmRSS")


def tenant(id="crm", keys=(CRM,), operations=None, apps=(f"{service.ACCOUNT}:app-instance/*",), **more):
    """A tenant as it stands in the tenants file; without `operations` the default of the contract applies."""
    entry = {
        "id": id,
        "accessKeys": [
            {"id": key.id, "secret": key.secret, "status": "active"}
            | ({"sessionToken": key.token} if key.token else {})
            for key in keys
        ],
        "appInstances": list(apps),
        **more,
    }
    if operations is not None:
        entry["operations"] = list(operations)
    return entry


class Setup:
    """A folder with a configuration, tenants and policies, changed at will and written by `write`."""

    def __init__(self, folder, upstream_url="http://127.0.0.1:9", upstream_key=None):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.config = {
            "listeners": [{"address": "127.0.0.1:0"}],
            "admin": {"address": "127.0.0.1:0"},
            "upstream": {
                "region": "us-east-1",
                "endpoint": upstream_url,
                "credentials": {
                    "source": "static",
                    "accessKeyId": upstream_key.id if upstream_key else "AKIANOBODY0000000000",
                    "secretAccessKey": upstream_key.secret if upstream_key else "nobody",
                },
            },
            "tenants": "tenants.json",
            "policies": "policies",
            # Out of the way of tests that are about something else: by default the account's own
            # quota upstream (20 requests/s) is enforced.
            "rateLimit": {
                "perSourceAddress": {"requestsPerSecond": 100_000, "burst": 100_000},
                "upstreamBudget": {"requestsPerSecond": 100_000, "burst": 100_000},
            },
            # Out of the way too: so that each refused request has a record of its own.
            "audit": {
                "directory": "audit",
                "refusals": {"perSecond": "64MiB", "perSourcePerSecond": "64MiB"},
            },
            "log": {"level": "info", "format": "json"},
        }
        self.tenants = [tenant(operations=service.OPERATIONS)]
        self.policies = {}

    @property
    def config_file(self):
        return self.folder / "gatehouse.json"

    @property
    def audit_folder(self):
        return self.folder / self.config["audit"]["directory"]

    def write(self):
        write_secret(self.config_file, json.dumps(self.config, indent=2))
        self.write_tenants()
        self.write_policies()
        return self

    def write_tenants(self):
        write_secret(self.folder / "tenants.json", json.dumps({"tenants": self.tenants}, indent=2))

    def write_policies(self):
        policies = self.folder / "policies"
        policies.mkdir(exist_ok=True)
        for stale in policies.glob("*.json"):
            stale.unlink()
        for name, document in self.policies.items():
            (policies / f"{name}.json").write_text(json.dumps({"policy": name, **document}, indent=2))

    def command(self, *arguments, **options):
        """Runs `gatehouse COMMAND… --config THIS …`; `arguments` are the command's words and options."""
        return run(*arguments, "--config", self.config_file, cwd=self.folder, **options)

    def audit(self, *options):
        """`gatehouse audit query --format json OPTIONS` as a list of records."""
        if "--limit" not in options:
            options = (*options, "--limit", "1000000")
        result = self.command("audit", "query", "--format", "json", *options)
        assert result.returncode == 0, result.stderr
        return [json.loads(line) for line in result.stdout.splitlines()]

    def concluded(self, count, is_meant=lambda record: True):
        """The records of requests that were answered, of a running gateway: outcomes are written after the answers."""
        found = []

        def look():
            found[:] = [record for record in self.audit() if is_meant(record)]
            return len(found) >= count and all(record["status"] is not None for record in found)

        until(look, lambda: f"not the outcomes of {count} requests: {found}")
        assert len(found) == count, f"the records of {len(found)} requests: {found}"
        return found

    def audit_record(self, request_id):
        return self.concluded(1, lambda record: record["requestId"] == request_id)[0]

    def verify(self):
        """`gatehouse audit verify --format json` as (exit code, object)."""
        result = self.command("audit", "verify", "--format", "json")
        lines = result.stdout.splitlines()
        assert len(lines) == 1, (result.returncode, result.stdout, result.stderr)
        return result.returncode, json.loads(lines[0])

    def journal_files(self):
        """The files of the audit folder in order, with what is in them. A gateway may remove some meanwhile."""
        for path in sorted(self.audit_folder.rglob("*")):
            if path.is_file():
                with contextlib.suppress(FileNotFoundError):
                    yield path, path.read_bytes()

    def journal_bytes(self):
        """All that lies in the audit folder, as one string of bytes."""
        return b"".join(content for _, content in self.journal_files())

    def segments(self):
        """The journal's segment files in order: those that hold records as JSON lines."""
        return [path for path, content in self.journal_files() if holds_records(path, content)]

    def journal_lines(self):
        """The journal's records as they stand on disk, one a line."""
        segments = (content for path, content in self.journal_files() if holds_records(path, content))
        return [line for content in segments for line in content.splitlines()]


def write_secret(path, content):
    """Writes a file that its owner alone may read, as the gateway wants those with secrets."""
    path.touch(0o600)
    path.chmod(0o600)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def holds_records(path, content):
    return content[:1] == b"{" and "checkpoint" not in path.name


class Gateway(Process):
    """`gatehouse serve` on a `Setup`, listening when the constructor returns."""

    def __init__(self, setup, **options):
        setup.write()
        self.setup = setup
        super().__init__(
            "serve", "--config", setup.config_file, cwd=setup.folder, **options
        )
        try:
            self.addresses = [
                self.address_of("listening", index) for index in range(len(setup.config["listeners"]))
            ]
            self.admin = self.address_of("admin listening") if "admin" in setup.config else None
        except AssertionError:
            self.process.kill()
            raise

    @property
    def address(self):
        return self.addresses[0]

    @property
    def url(self):
        return f"http://{self.address}"

    def connect(self, **options):
        return wire.Connection(self.address, **options)

    def send(self, content):
        """One request on a connection of its own."""
        with self.connect() as connection:
            return connection.exchange(content)

    def client(self, key=CRM, url=None, retries="standard", attempts=1, **options):
        return boto3_client(url or self.url, key, retries=retries, attempts=attempts, **options)

    def reload(self, message=None):
        """Sends SIGHUP and waits until the gateway logs that it has reloaded, or that it could not."""
        since = len(self.log)
        self.signal(signal.SIGHUP)
        return self.wait_for_log(
            lambda record: "reload" in record.get("message", "").lower(), "reload", since=since
        )

    def admin_request(self, path, method="GET", host=None, headers=()):
        fields = [("Host", host or self.admin), *headers]
        with wire.Connection(self.admin) as connection:
            return connection.exchange(wire.encode(method, path, fields))


class Sandbox(Process):
    """`gatehouse sandbox` with the credentials of `key`."""

    def __init__(self, folder, key, region="us-east-1", options=()):
        super().__init__(
            "sandbox",
            "--listen",
            "127.0.0.1:0",
            "--region",
            region,
            *options,
            cwd=folder,
            environment={"AWS_ACCESS_KEY_ID": key.id, "AWS_SECRET_ACCESS_KEY": key.secret},
        )
        self.url = f"http://{self.address_of('sandbox listening')}"


def boto3_client(url, key, retries="standard", attempts=1, region="us-east-1", **options):
    """An unmodified boto3 client pointed at `url`. `attempts` counts the first one too."""
    return boto3.session.Session().client(
        "chime-sdk-identity",
        endpoint_url=url,
        region_name=region,
        aws_access_key_id=key.id,
        aws_secret_access_key=key.secret,
        aws_session_token=key.token,
        config=botocore.config.Config(
            retries={"mode": retries, "total_max_attempts": attempts},
            connect_timeout=PATIENCE,
            read_timeout=PATIENCE,
            proxies={},
        ),
        **options,
    )


def aws_cli(url, key, *arguments, attempts=1):
    """Runs the unmodified AWS CLI: `aws chime-sdk-identity ARGUMENTS --endpoint-url URL`."""
    return subprocess.run(
        [VENV / "aws", "chime-sdk-identity", *arguments, "--endpoint-url", url, "--output", "json"],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        env=clean_environment(
            AWS_ACCESS_KEY_ID=key.id,
            AWS_SECRET_ACCESS_KEY=key.secret,
            AWS_DEFAULT_REGION="us-east-1",
            AWS_MAX_ATTEMPTS=str(attempts),
            AWS_CONFIG_FILE="/dev/null",
            AWS_SHARED_CREDENTIALS_FILE="/dev/null",
        ),
    )


@contextlib.contextmanager
def running(setup, **options):
    """A gateway for the length of a `with`; stops gracefully, with exit 0, at its end."""
    gateway = Gateway(setup, **options)
    try:
        yield gateway
    except BaseException:
        if gateway.process.poll() is None:
            gateway.kill()
        raise
    gateway.stop()


def raise_file_limit():
    """Lifts this process's limit of open files as far as it goes; returns it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard
