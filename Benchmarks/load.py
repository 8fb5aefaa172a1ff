"""Runs the load generator of load.c."""

import contextlib
import datetime
import json
import os
import subprocess
import sys

import proxies

# What the shipped baseline accepts, in the size of a real call (about 500 bytes).
BODY = {
    "AppInstanceArn": proxies.APP_INSTANCE,
    "AppInstanceUserId": "bench-user-0001",
    "Name": "Anna Benchmark",
    "Metadata": json.dumps({"department": "sales", "locale": "en-GB", "floor": "4"}),
    "ClientRequestToken": "@TOKEN@",
    "Tags": [
        {"Key": "CostCenter", "Value": "4711"},
        {"Key": "Owner", "Value": "bench@example.com"},
        {"Key": "Environment", "Value": "production"},
    ],
    "ExpirationSettings": {"ExpirationDays": 30, "ExpirationCriterion": "CREATED_TIMESTAMP"},
}


class Load:
    """Runs the load generator, each time with requests signed anew."""

    def __init__(self, tools, tls=False):
        self._program = tools / "load"
        self._seed = 0
        self.transport = ["--tls"] if tls else []

    def command(self, port, *options):
        self._seed += 1
        date = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
        fields = {
            "--port": port,
            "--host": f"127.0.0.1:{port}",
            "--key-id": proxies.KEY_ID,
            "--secret": proxies.SECRET,
            "--region": "us-east-1",
            "--date": date,
            "--body": json.dumps(BODY),
            "--seed": self._seed,
        }
        command = [self._program, *(part for pair in fields.items() for part in pair), *options]
        return [str(part) for part in command]

    def check_signature(self):
        """Holds the load's signature against botocore's."""
        sys.path.insert(0, str(proxies.REPOSITORY / "Tests" / "EndToEnd"))
        import signing  # needs botocore, which not everybody who wants load has

        raw = subprocess.run(self.command(1, "--print"), stdout=subprocess.PIPE, check=True).stdout
        head, body = raw.split(b"\r\n\r\n", 1)
        line, *fields = head.decode("ascii").split("\r\n")
        method, target, _ = line.split(" ")
        pairs = [tuple(field.split(": ", 1)) for field in fields]
        key = signing.Key(proxies.KEY_ID, proxies.SECRET)
        problem = signing.problem_with(method, target, pairs, body, key)
        if problem is not None:
            raise SystemExit(f"the load's requests are not signed as botocore would: {problem}")

    def measure(self, proxy, connections, requests, warmup):
        command = self.command(
            proxy.port, "--connections", connections, "--requests", requests, "--warmup", warmup,
            "--pids", ",".join(map(str, proxy.pids)), *self.transport,
        )  # fmt: skip
        done = subprocess.run(command, stdout=subprocess.PIPE, preexec_fn=on_load_cpu, check=False)
        if done.returncode != 0:
            raise SystemExit(f"the load failed against {proxy.name}")
        return json.loads(done.stdout)

    @contextlib.contextmanager
    def idle_connections(self, port, count):
        process = subprocess.Popen(
            self.command(port, "--idle", count, *self.transport),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, preexec_fn=on_load_cpu,
        )  # fmt: skip
        try:
            yield process.stdout.readline() != ""
        finally:
            process.stdin.close()
            process.wait()


def on_load_cpu():
    os.sched_setaffinity(0, {proxies.LOAD_CPU})
