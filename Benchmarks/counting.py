"""What a request costs by thread and stage: runs a gateway under callgrind and strace, and reads what they counted."""

import collections
import contextlib
import os
import pathlib
import re
import signal
import subprocess
import time

import callgrind
import proxies
from stages import OFTEN_INLINED, STAGES, THREADS, TIMED

COUNTS = ("instructions", "mallocs", "retains", "releases")
RETAINS = {"swift_retain", "swift_retain_n", "swift_bridgeObjectRetain", "swift_bridgeObjectRetain_n"}
RELEASES = {"swift_release", "swift_release_n", "swift_bridgeObjectRelease", "swift_bridgeObjectRelease_n"}

# For how long the gateway is watched doing nothing.
IDLE_SECONDS = 5
# What all threads may run within a second of doing nothing, under callgrind.
QUIET_NANOSECONDS = 20_000_000
# Requests one after the other, each a batch of the journal's own.
SINGLE_REQUESTS = 256
# The journal's costs are told for so many requests a synchronisation: what 32 connections make without callgrind.
REQUESTS_PER_SYNCHRONIZATION = 14


@contextlib.contextmanager
def gateway(options, folder, tracer=(), backlog=None):
    """A gateway with the benchmark's configuration, in front of an upstream.

    `tracer` runs it; `backlog` is the folder of another's journal, which it has to index first.
    """
    with contextlib.ExitStack() as stack:
        process, upstream = proxies.start_upstream(options.tools, folder, cpu=None)
        stack.callback(proxies.end, process)
        command = [*tracer, options.gatehouse, "serve", "--config"]
        # Dictionaries then have the same order each time.
        environment = {**os.environ, "SWIFT_DETERMINISTIC_HASHING": "1", "SWIFT_BACKTRACE": "enable=no"}
        place = folder / "gateway"
        store = {"type": "redis", "url": options.store, "timeout": "10s"} if options.store else None
        running = proxies.Gatehouse(
            "Gatehouse", command, place, upstream, "sync", journal=backlog, cpu=None, store=store, env=environment,
            cwd=folder,
        )  # fmt: skip
        stack.callback(running.stop)
        running.wait_until_ready(120)
        stack.enter_context(running.watched(options.watchers))
        yield running


@contextlib.contextmanager
def warm_load(options, proxy, requests, *more, connections=None, warmup=None):
    """A load that has sent its warm-up; the function given plays the rest."""
    command = options.load.command(
        proxy.port, "--connections", connections or options.connections, "--requests", requests,
        "--warmup", warmup or options.warmup, "--steps", *more,
    )  # fmt: skip
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        if not process.stdout.readline():
            raise SystemExit("the load failed")

        def play():
            out, _ = process.communicate("go\n", timeout=600)
            if process.returncode != 0 or not out:
                raise SystemExit("the load failed")

        yield play
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def tasks(pid):
    return list(pathlib.Path(f"/proc/{pid}/task").iterdir())


def wait_until_quiet(pid):
    """Returns when what the requests left to do is done, the index's part, too: nothing but ticks for three seconds."""

    def spent():
        total = 0
        for task in tasks(pid):
            with contextlib.suppress(FileNotFoundError, PermissionError, ProcessLookupError):
                total += int((task / "schedstat").read_text().split()[0])
                # The index's thread shall run like the others: on a busy machine it would wait for ever.
                os.setpriority(os.PRIO_PROCESS, int(task.name), 0)
        return total

    deadline = time.monotonic() + 300
    quiet = 0
    before = spent()
    while quiet < 3:
        if time.monotonic() > deadline:
            raise SystemExit("the gateway does not come to rest")
        time.sleep(1)
        now = spent()
        quiet = quiet + 1 if now - before < QUIET_NANOSECONDS else 0
        before = now


def control(pid, *command):
    done = subprocess.run(
        ["callgrind_control", *command, str(pid)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        check=False,
    )  # fmt: skip
    if done.returncode != 0 or "OK" not in done.stdout:
        raise SystemExit(f"callgrind_control {' '.join(command)}: {done.stdout}")


def count_with_callgrind(options, folder, backlog):
    """The counts of each thread for one request; `backlog`: a journal of `options.backlog` requests."""
    tracer = [
        "valgrind", "--tool=callgrind", "--separate-threads=yes", "--instr-atstart=yes", "--fair-sched=yes",
        "--dump-line=no", f"--callgrind-out-file={folder}/out", "-q",
    ]  # fmt: skip
    with gateway(options, folder, tracer, backlog) as proxy:
        wait_until_quiet(proxy.pid)
        control(proxy.pid, "--dump=backlog")
        control(proxy.pid, "--instr=off")
        with warm_load(options, proxy, options.requests, "--waves") as play:
            wait_until_quiet(proxy.pid)
            control(proxy.pid, "--instr=on")
            began = time.monotonic()
            play()
            wait_until_quiet(proxy.pid)
            control(proxy.pid, "--dump=load")
            seconds = time.monotonic() - began
            time.sleep(IDLE_SECONDS)
            control(proxy.pid, "--dump=idle")
        with warm_load(options, proxy, SINGLE_REQUESTS, connections=1, warmup=16) as play:
            wait_until_quiet(proxy.pid)
            control(proxy.pid, "--dump=before")
            play()
            wait_until_quiet(proxy.pid)
            control(proxy.pid, "--dump=single")
    return seconds


class Thread:
    """What one thread has spent, by stage."""

    def __init__(self, functions, stages=None):
        self.attribution = callgrind.Attribution(functions, lambda function: stage_of(function, stages or {}))
        sums = {
            "instructions": self.attribution.instructions(),
            "mallocs": self.attribution.calls(lambda f: f.name in callgrind.ALLOCATIONS),
            "retains": self.attribution.calls(lambda f: f.name in RETAINS),
            "releases": self.attribution.calls(lambda f: f.name in RELEASES),
        }
        self.stages = {
            stage: {count: sums[count].get(stage, 0.0) for count in COUNTS} for stage in sums["instructions"]
        }
        self.left_out = {stage: self.stages.pop(stage) for stage in (callgrind.CRYPTO, TIMED) if stage in self.stages}

    @property
    def total(self):
        return combined((stage, 1) for stage in self.stages.values())

    @property
    def synchronizations(self):
        return sum(
            edge[0]
            for function in self.attribution.functions
            if function.name in ("fdatasync", "fsync")
            for edge in function.callers.values()
        )


def combined(parts):
    """The sum of counts, each times a factor."""
    sums = dict.fromkeys(COUNTS, 0.0)
    for counts, factor in parts:
        for count in COUNTS:
            sums[count] += counts[count] * factor
    return sums


class Counts:
    """The counts of one request."""

    def __init__(self, folder, options, seconds):
        self.load = read_threads(folder, 2)
        missing = [name for name in THREADS if name not in self.load]
        if missing:
            raise SystemExit(f"no thread does what stages.py says of {', '.join(missing)}")
        loop = self.load["loop"]
        missing = [s for s in STAGES if s not in loop.stages and s not in OFTEN_INLINED and s != TIMED]
        if missing:
            raise SystemExit(f"no function on the loop is what stages.py says of {', '.join(missing)}")
        share = 1 / options.requests
        self.rows = {
            "loop": combined([(loop.total, share)]),
            "journal": self._journal(read_threads(folder, 5)["journal"], options.requests),
            "index": combined([(Thread(read_dump(folder / f"out.1-{self.load['index'].number}")).total, 1 / (options.backlog + options.warmup))]),
        }
        # What the threads do by time is no request's; of the loop it is a stage, which is left out.
        idle = {path.name.partition("-")[2]: Thread(read_dump(path)) for path in folder.glob("out.3-*")}
        rests = {
            name: combined([(thread.total, share), (idle[thread.number].total, -share * seconds / IDLE_SECONDS)])
            for name, thread in self.load.items()
            if name not in ("loop", "journal") and thread.number in idle
        }
        beside = rests.pop("index")
        self.rows["all threads"] = combined((counts, 1) for counts in [*self.rows.values(), *rests.values()])
        self.rows["index, beside the load"] = beside
        for stage in [*STAGES, callgrind.REST]:
            if stage in loop.stages and loop.stages[stage]["instructions"] >= options.requests:
                self.rows[f"loop: {stage}"] = combined([(loop.stages[stage], share)])
        self.left_out = {
            f"({name}: {stage})": combined([(counts, share)])
            for name, thread in self.load.items()
            for stage, counts in thread.left_out.items()
        }

    def _journal(self, single, requests):
        """The journal's counts for a certain size of batches, from batches of two sizes.

        The sizes depend on who is faster, and a batch costs something whatever is in it.
        """
        many = self.load["journal"]
        here = combined([(many.total, 1 / requests)])
        batches = many.synchronizations / requests
        alone = combined([(single.total, 1 / SINGLE_REQUESTS)])
        difference = single.synchronizations / SINGLE_REQUESTS - batches
        if difference <= 0:
            raise SystemExit("requests one after the other shared the journal's batches")
        factor = (1 / REQUESTS_PER_SYNCHRONIZATION - batches) / difference
        return combined([(here, 1 - factor), (alone, factor)])


def read_threads(folder, part):
    """The threads in one part of the dumps, by kind; others by number."""
    threads = {}
    for path in sorted(folder.glob(f"out.{part}-*")):
        functions = read_dump(path)
        name = next((kind for kind in THREADS if any(re.search(THREADS[kind], f.name) for f in functions)), None)
        if name in threads:
            raise SystemExit(f"two threads look like the one of the {name}; mend THREADS in stages.py")
        thread = Thread(functions, STAGES if name == "loop" else None)
        thread.number = path.name.partition("-")[2]
        threads[name or f"other {thread.number}"] = thread
    return threads


def read_dump(path):
    functions = callgrind.read(path)
    names = callgrind.demangle({function.name for function in functions})
    for function in functions:
        # Without the marks of private declarations.
        function.name = re.sub(r"\((\w+) in _[0-9A-F]{32}\)", r"\1", names.get(function.name, function.name))
    return functions


def stage_of(function, stages):
    described = function.library if function.library.startswith("libevent") else function.name
    return next((stage for stage, pattern in stages.items() if re.search(pattern, described)), None)


def count_system_calls(options, folder):
    """The system calls of one request by name, at full speed, and the folder of the journal it made."""
    requests = options.backlog
    table = folder / "strace"
    with gateway(options, folder) as proxy:
        with warm_load(options, proxy, requests) as play:
            wait_until_quiet(proxy.pid)
            strace = subprocess.Popen(
                ["strace", "-f", "-c", "-o", table, "-p", str(proxy.pid)],
                stderr=subprocess.PIPE, text=True,
            )  # fmt: skip
            while not all("TracerPid:\t0" not in (task / "status").read_text() for task in tasks(proxy.pid)):
                if strace.poll() is not None:
                    raise SystemExit(f"strace failed: {strace.stderr.read()}")
                time.sleep(0.05)
            play()
            wait_until_quiet(proxy.pid)
            strace.send_signal(signal.SIGINT)
            strace.communicate()
    calls = collections.Counter()
    for line in table.read_text().splitlines():
        fields = line.split()
        if len(fields) in (5, 6) and fields[3].isdigit() and fields[-1] != "total":
            calls[fields[-1]] += int(fields[3])
    return {name: count / requests for name, count in calls.most_common()}, folder / "gateway" / "audit"
