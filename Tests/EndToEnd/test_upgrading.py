"""docs/upgrading.md: every command of it, on machines that are folders, with gateways that a stand-in for systemd restarts.

The new binary is the old one: what is tried is the way, and that nothing is lost on it.
"""

import hashlib
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import threading

import pytest

import gateways
import postgres
import service
import stores
import wire
from gateways import CRM, HR
from shipping import add_postgres
from waiting import PATIENCE, until

PAGE = (gateways.ROOT / "docs/upgrading.md").read_text()


def block(heading):
    """The commands below a heading."""
    section = re.search(rf"(?ms)^## {heading}\n(.*?)(?=^## |\Z)", PAGE)[1]
    return re.findall(r"(?s)```sh\n(.*?)```", section)


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


# What starts, and waits for the end of, the gateway of the folder that it is run in.
SYSTEMCTL = f"""#!{shutil.which("python3")}
import os, pathlib, signal, subprocess, sys, time

assert sys.argv[1:] == ["restart", "gatehouse"], sys.argv
pid = pathlib.Path("pid")
if pid.exists():
    old = int(pid.read_text())
    os.kill(old, signal.SIGTERM)
    end = time.monotonic() + {PATIENCE}
    while pathlib.Path(f"/proc/{{old}}/stat").exists() and time.monotonic() < end:
        if pathlib.Path(f"/proc/{{old}}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z":
            break
        time.sleep(0.01)
started = subprocess.Popen(
    ["usr/local/bin/gatehouse", "serve"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
    stderr=open("log", "ab"), start_new_session=True)
pid.write_text(str(started.pid))
"""

# One machine's name and a command for it.
SSH = """#!/bin/bash
cd "$MACHINES/$1" && . ./machine && shift && eval "$*"
"""


class Machine:
    """A folder with a configuration and a binary, where commands of the page run."""

    def __init__(self, setup, tools):
        self.setup = setup
        self.folder = setup.folder
        self.port, self.admin = free_port(), free_port()
        setup.config["listeners"] = [{"address": f"127.0.0.1:{self.port}"}]
        setup.config["admin"] = {"address": f"127.0.0.1:{self.admin}"}
        setup.write()
        (self.folder / "usr/local/bin").mkdir(parents=True)
        for name in ["usr/local/bin/gatehouse", "gatehouse.new"]:
            # Links, so that the binary is there once; `install` and `cp` put copies in their place.
            (self.folder / name).symlink_to(gateways.BINARY)
        path = f"{self.folder}/usr/local/bin:{tools}:/usr/bin:/bin"
        self.environment = {**gateways.clean_environment(), "PATH": path, "HOME": str(self.folder / "home")}
        (self.folder / "home").mkdir()
        lines = [f"export PATH='{path}' HOME='{self.folder}/home'"]
        # What the page has of a machine, on this one.
        lines += [f"curl() {{ command curl ${{@//:9901/:{self.admin}}}; }}"]
        lines += [f"{name}() {{ command {name} ${{@//\\/usr\\/local/$PWD/usr/local}}; }}" for name in ("install", "cp")]
        (self.folder / "machine").write_text("\n".join(lines) + "\n")

    def run(self, script, **environment):
        result = subprocess.run(
            ["bash", "-ec", ". ./machine\n" + script],
            cwd=self.folder,
            env={**self.environment, **environment},
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=PATIENCE,
        )
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout + result.stderr

    def start(self):
        return self.run(
            "systemctl restart gatehouse"
            "\ncurl -fsS --retry 60 --retry-delay 1 --retry-all-errors http://127.0.0.1:9901/readyz"
        )

    @property
    def pid(self):
        return int((self.folder / "pid").read_text())

    def stop(self):
        pid = self.folder / "pid"
        if not pid.exists():
            return
        number = int(pid.read_text())
        os.kill(number, signal.SIGTERM)
        until(lambda: not pathlib.Path(f"/proc/{number}").exists() or state(number) == "Z", "the gateway runs")

    def exchange(self, content):
        with wire.Connection(f"127.0.0.1:{self.port}") as connection:
            return connection.exchange(content)


def state(pid):
    return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]


@pytest.fixture
def machines(make_setup, upstream, tmp_path):
    """Makes machines below one folder, whose gateways are ended at the end."""
    tools = tmp_path / "tools"
    tools.mkdir()
    for name, text in [("systemctl", SYSTEMCTL), ("ssh", SSH)]:
        (tools / name).write_text(text)
        (tools / name).chmod(0o755)
    made = []

    def make(name, change=lambda setup: None):
        setup = make_setup(name)
        change(setup)
        made.append(Machine(setup, tools))
        return made[-1]

    yield make
    for machine in made:
        machine.stop()


def create(user, key=CRM):
    return wire.signed_create(key, service.create_user(AppInstanceUserId=user))


def test_one_gateway_there_and_back(machines):
    machine = machines("one")
    machine.setup.policies = {"p": {"rules": {"name": {"minLength": 2}}}}
    machine.setup.write()
    (machine.folder / "policies/p.test.json").write_text(
        json.dumps({"cases": [{"name": "short", "tenant": {"id": "crm"}, "request": service.create_user(Name="x"),
                               "expect": {"decision": "denied"}}]})
    )  # fmt: skip
    machine.start()
    assert machine.exchange(create("crm-1")).status == 201
    (before,) = block("Before")
    said = machine.run(before)
    assert "gatehouse.json: good" in said and "1 passed, 0 failed" in said and "good: " in said
    assert (machine.folder / "home/policies/p.json").exists()
    first = machine.pid
    for heading in ["One gateway", "Back"]:
        said = machine.run(block(heading)[0])
        assert '{"ready":true' in said and re.search(r"good: \d+ records", said)
        assert machine.pid != first
        first = machine.pid
        assert machine.exchange(create(f"crm-{heading}".replace(" ", "-"))).status == 201
    assert (machine.folder / "gatehouse.before").exists()
    machine.setup.concluded(3)
    assert machine.setup.verify()[0] == 0


class Callers:
    """Creates users at two gateways, and asks the other when one does not answer, until it is stopped."""

    def __init__(self, machines, key):
        self.machines = machines
        self.key = key
        self.statuses = []
        self.done = threading.Event()
        self.threads = [threading.Thread(target=self._run, args=(number,)) for number in range(2)]
        for thread in self.threads:
            thread.start()

    def _run(self, number):
        count = 0
        while not self.done.is_set():
            count += 1
            content = create(f"hr-{number}-{count}", self.key)
            for machine in [self.machines[(number + attempt) % 2] for attempt in range(10)]:
                try:
                    status = machine.exchange(content).status
                    # What comes over a connection that was accepted before the drain is refused; SDKs ask again then.
                    if status == 503:
                        continue
                    self.statuses.append(status)
                    break
                except (OSError, AssertionError, ValueError, IndexError):
                    # Refused or closed: nothing came of it here.
                    continue
            else:
                self.statuses.append(None)

    def stop(self):
        self.done.set()
        for thread in self.threads:
            thread.join()


def test_two_gateways_one_after_the_other(machines, upstream, tmp_path):
    burst = 8
    with stores.running("redis") as store:

        def change(setup):
            setup.tenants = [
                gateways.tenant(rateLimit={"requestsPerSecond": 0.001, "burst": burst}),
                gateways.tenant(id="hr", keys=[HR]),
            ]
            setup.config["rateLimit"]["store"] = {"type": "redis", "url": store.url(), "timeout": "2s"}

        both = [machines(name, change) for name in ("gateway-1", "gateway-2")]
        for machine in both:
            machine.start()
        # Of what a tenant may have at once, some is used before the restarts.
        assert [both[number % 2].exchange(create(f"crm-{number}")).status for number in range(3)] == [201] * 3
        pids = [machine.pid for machine in both]
        callers = Callers(both, HR)
        try:
            until(lambda: len(callers.statuses) > 5, "no requests")
            (script,) = block("Several gateways")
            said = both[0].run(script, MACHINES=str(both[0].folder.parent))
            until(lambda count=len(callers.statuses): len(callers.statuses) > count + 5, "no requests")
        finally:
            callers.stop()
        assert said.count('{"ready":true') == 2
        assert all(machine.pid != pid for machine, pid in zip(both, pids))
        assert set(callers.statuses) == {201}
        # The rest is what was left.
        rest = [both[number % 2].exchange(create(f"crm-more-{number}")).status for number in range(burst)]
        assert rest == [201] * (burst - 3) + [429] * 3
    for machine in both:
        machine.stop()
        assert machine.setup.verify()[0] == 0


def test_the_database_is_an_earlier_builds_again(make_setup, upstream, database):
    setup = add_postgres(make_setup(), database.url())
    with gateways.running(setup) as gateway:
        assert gateway.send(create("crm-1")).status == 201
    assert database.value("SELECT max(version) FROM gatehouse.journal_migrations") == "2"
    command = block("Back")[1].replace("-d audit", f"-d '{database.url()}'")
    environment = {**gateways.clean_environment(), "PGPASSWORD": postgres.PASSWORD, "PATH": os.environ["PATH"]}
    subprocess.run(["bash", "-ec", command], check=True, capture_output=True, env=environment)
    assert database.value("SELECT max(version) FROM gatehouse.journal_migrations") == "1"
    # A newer one finds the views there, and makes them again.
    with gateways.running(setup) as gateway:
        assert gateway.send(create("crm-2")).status == 201
        until(lambda: database.value("SELECT count(*) FROM gatehouse.users_created") == "2", "not shipped")
    assert database.value("SELECT max(version) FROM gatehouse.journal_migrations") == "2"


def test_a_journal_of_the_first_builds_is_gone_on_with(make_setup, upstream):
    setup = make_setup().write()
    setup.audit_folder.mkdir(0o700)
    previous = "sha256:" + hashlib.sha256(b"gatehouse audit journal, format 1").hexdigest()
    lines = []
    for number in (1, 2):
        request = f"00000000-0000-4000-8000-{number:012}"
        lines.append(
            f'{{"sequence":{number},"previous":"{previous}","record":"outcome","requestId":"{request}",'
            f'"time":"2026-11-20T10:00:0{number}.000Z","tenant":"crm","operation":"CreateAppInstanceUser",'
            f'"appInstanceUserId":"crm-old-{number}","decision":"denied","outcome":"notForwarded","status":403,'
            '"durationMs":1}'
        )
        previous = "sha256:" + hashlib.sha256(lines[-1].encode()).hexdigest()
    segment = gateways.write_secret(setup.audit_folder / f"journal-{1:016}.jsonl", "".join(line + "\n" for line in lines))
    assert setup.verify()[0] == 0
    with gateways.running(setup) as gateway:
        assert gateway.send(create("crm-new")).status == 201
        setup.concluded(3)
    code, found = setup.verify()
    assert code == 0 and found["records"] >= 4
    users = [record["appInstanceUserId"] for record in setup.audit()]
    assert users == ["crm-old-1", "crm-old-2", "crm-new"]
    assert segment.read_text().startswith(lines[0])
