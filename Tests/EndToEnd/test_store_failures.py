"""What happens when the store of limits fails, in every way that there is, and that it ends by itself."""

import concurrent.futures
import contextlib
import socket
import threading
import time

import pytest

import gateways
import stores
from checks import assert_refused
from gateways import CRM
from test_store import WIDE, create, held_upstream, metric, several, shared, statuses, store_check
from waiting import PATIENCE, until

SLOW = {"requestsPerSecond": 0.01, "burst": 6}
DOWN, UP = "rate limit store down", "rate limit store up again"


@pytest.fixture
def store():
    with stores.running() as server:
        yield server


def is_up(gateway):
    return metric(gateway, "gatehouse_rate_limit_store_up") == 1


def wait_up(gateway):
    until(lambda: is_up(gateway), lambda: store_check(gateway))


def wait_down(gateway):
    until(lambda: not is_up(gateway), lambda: store_check(gateway))


def said(gateway, message):
    return [record for record in gateway.log if record.get("message") == message]


def wait_said(gateway, message, count):
    until(lambda: len(said(gateway, message)) >= count, lambda: "".join(gateway.log_text))
    assert len(said(gateway, message)) == count


@pytest.mark.parametrize("failure", ["local", "allow", "deny"])
def test_while_the_store_is_gone_requests_are_treated_as_configured(make_setup, upstream, store, failure):
    with several(make_setup, 2, store, SLOW, onStoreFailure=failure) as (gateway, other):
        for one in (gateway, other):
            until(lambda: "2 gateways" in store_check(one)["detail"], lambda: store_check(one))
        assert statuses(gateway, 1) == [201]
        store.kill()
        wait_down(gateway)
        check = store_check(gateway)
        assert check["detail"].startswith("degraded: ")
        assert gateway.admin_request("/readyz").status == 200
        answers = statuses(gateway, 5)
        # Half of the burst of 6 is each gateway's.
        wanted = {"local": [201] * 3 + [429] * 2, "allow": [201] * 5, "deny": [503] * 5}[failure]
        assert answers == wanted
        if failure == "deny":
            refused = gateway.send(create())
            assert_refused(refused, 503, "ServiceUnavailableException", "ServiceUnavailable")
            assert refused.get("Retry-After") == "1"
        store.start()
        wait_up(gateway)
        # A store that kept nothing begins anew.
        assert statuses(gateway, 7) == [201] * 6 + [429]
        wait_said(gateway, DOWN, 1)
        wait_said(gateway, UP, 1)


def test_concurrency_that_is_counted_here_is_known_to_the_store_when_it_is_back(make_setup, upstream, store):
    limits = {**WIDE, "concurrency": 4}
    with (
        several(make_setup, 2, store, limits) as (first, second),
        concurrent.futures.ThreadPoolExecutor() as pool,
        held_upstream(upstream) as release,
    ):
        for one in (first, second):
            until(lambda: "2 gateways" in store_check(one)["detail"], lambda: store_check(one))
        store.kill()
        wait_down(first)
        wait_down(second)
        held = [pool.submit(first.send, create()) for _ in range(2)]
        upstream.wait_for(2)
        assert first.send(create()).status == 429
        store.start()
        wait_up(first)
        wait_up(second)
        held += [pool.submit(second.send, create()) for _ in range(2)]
        upstream.wait_for(4)
        assert second.send(create()).status == 429
        release()
        assert [future.result().status for future in held] == [201] * 4
        until(lambda: store.call("ZCARD", "gatehouse:{limits}:concurrency:crm") == 0, "places are not given back")


def test_nobody_waits_longer_than_the_timeout_for_a_store_that_is_stopped(make_setup, upstream, store):
    with several(make_setup, 1, store, WIDE, options={"timeout": "300ms"}) as (gateway,):
        wait_up(gateway)
        with store.paused():
            began = time.monotonic()
            with concurrent.futures.ThreadPoolExecutor(8) as pool:
                assert {answer.status for answer in pool.map(lambda _: gateway.send(create()), range(16))} == {201}
            # One timeout each, several at once; far from what all would take one after another.
            assert time.monotonic() - began < PATIENCE / 10
            wait_down(gateway)
            assert "no answer within 300 ms" in store_check(gateway)["detail"]
            # It is spared now, and nobody waits for it.
            waits = metric(gateway, "gatehouse_rate_limit_store_duration_seconds_count")
            assert statuses(gateway, 20) == [201] * 20
            assert metric(gateway, "gatehouse_rate_limit_store_duration_seconds_count") == waits
        wait_up(gateway)
        wait_said(gateway, DOWN, 1)
        wait_said(gateway, UP, 1)


def test_a_store_without_memory_is_down_until_it_has_some(make_setup, upstream, store):
    with several(make_setup, 1, store, SLOW, onStoreFailure="allow") as (gateway,):
        wait_up(gateway)
        store.call("CONFIG", "SET", "maxmemory", "1")
        statuses(gateway, 2)
        wait_down(gateway)
        assert "OOM" in store_check(gateway)["detail"]
        assert statuses(gateway, 10) == [201] * 10
        store.call("CONFIG", "SET", "maxmemory", "0")
        wait_up(gateway)


def test_a_replica_is_of_no_use_until_it_is_none(make_setup, upstream, store):
    with stores.running() as master, several(make_setup, 1, store, SLOW, onStoreFailure="allow") as (gateway,):
        wait_up(gateway)
        store.call("REPLICAOF", "127.0.0.1", master.port)
        statuses(gateway, 2)
        wait_down(gateway)
        until(lambda: "READONLY" in store_check(gateway)["detail"], lambda: store_check(gateway))
        store.call("REPLICAOF", "NO", "ONE")
        wait_up(gateway)
        assert statuses(gateway, 7) == [201] * 6 + [429]


def test_a_store_that_loads_is_down_until_it_has(make_setup, upstream, store):
    with several(make_setup, 1, store, SLOW, onStoreFailure="allow") as (gateway,):
        wait_up(gateway)
        with store.connect() as connection:
            connection.call("CONFIG", "SET", "rdbcompression", "no")
            fill = "for i = 1, 2000 do redis.call('SET', 'other' .. i, string.rep('x', 2000)) end"
            connection.call("EVAL", fill, 0)
            connection.call("SAVE")
        store.kill()
        wait_down(gateway)
        # A fifth of a second for each key, and an ear for others in between.
        store.start("--key-load-delay", 200_000, "--loading-process-events-interval-bytes", 1024, answering=False)
        until(lambda: "LOADING" in store_check(gateway)["detail"], lambda: store_check(gateway))
        assert statuses(gateway, 10) == [201] * 10
        store.kill()
        store.start()
        wait_up(gateway)


def test_a_bucket_that_is_somebody_elses_touches_no_other(make_setup, upstream, store):
    with several(make_setup, 1, store, SLOW) as (gateway,):
        wait_up(gateway)
        store.call("RPUSH", "gatehouse:{limits}:tenant:crm", "mine")
        assert statuses(gateway, 7) == [201] * 6 + [429]
        assert statuses(gateway, 3, gateways.HR) == [201] * 3
        check = store_check(gateway)
        assert "WRONGTYPE" in check["detail"] and check["detail"].startswith("degraded")
        assert is_up(gateway)
        assert store.call("LRANGE", "gatehouse:{limits}:tenant:crm", 0, -1) == [b"mine"]
        wait_said(gateway, "rate limit store cannot count some requests", 1)
        store.call("DEL", "gatehouse:{limits}:tenant:crm")
        assert statuses(gateway, 7) == [201] * 6 + [429]
        wait_said(gateway, "rate limit store counts all requests again", 1)
        assert not said(gateway, DOWN)


def test_requests_in_one_call_with_somebody_elses_bucket_are_counted_all_the_same(make_setup, upstream, store):
    setup = shared(make_setup(), store, SLOW, options={"timeout": "20s"})
    setup.tenants[1]["rateLimit"] = {"requestsPerSecond": 0.01, "burst": 10}
    setup.config["workers"] = 1
    with gateways.running(setup) as gateway, concurrent.futures.ThreadPoolExecutor(30) as pool:
        wait_up(gateway)
        store.call("RPUSH", "gatehouse:{limits}:tenant:crm", "mine")
        # While the store says nothing, questions gather.
        with store.paused():
            answers = {key: [pool.submit(gateway.send, create(key)) for _ in range(15)] for key in (gateways.CRM, gateways.HR)}
            until(lambda: metric(gateway, "gatehouse_requests_in_flight") == 30, "the requests do not come in")
        told = {key: sorted(answer.result().status for answer in calls) for key, calls in answers.items()}
        assert told[gateways.HR] == [201] * 10 + [429] * 5
        assert told[gateways.CRM] == [201] * 6 + [429] * 9
        assert not said(gateway, DOWN)


class Fake:
    """A server that answers what it is told to, or nothing."""

    def __init__(self, answer):
        self.answer = answer
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.connections = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def url(self):
        return f"redis://127.0.0.1:{self.port}"

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                self.connections += 1
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        with contextlib.suppress(OSError), connection:
            while data := connection.recv(1 << 20):
                reply = self.answer(data)
                if reply is None:
                    return
                connection.sendall(reply)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


GREETING = b"$40\r\n" + b"a" * 40 + b"\r\n:1\r\n"


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(lambda data: b"", id="nothing"),
        pytest.param(lambda data: None, id="end"),
        pytest.param(lambda data: b"HTTP/1.1 400 Bad Request\r\n\r\n", id="another protocol"),
        pytest.param(lambda data: b"$40\r\n" + b"a" * 20, id="half a greeting"),
        pytest.param(lambda data: b"-NOAUTH Authentication required.\r\n" * 2, id="no password"),
        pytest.param(lambda data: b"-DENIED Redis is running in protected mode\r\n", id="protected"),
        pytest.param(lambda data: GREETING if b"LOAD" in data else b"*4\r\n:1\r\n:1", id="half an answer"),
        pytest.param(lambda data: GREETING if b"LOAD" in data else b"*2\r\n:1\r\n:1\r\n", id="another answer"),
        pytest.param(lambda data: GREETING if b"LOAD" in data else b":1\r\n:2\r\n:3\r\n", id="too many answers"),
        pytest.param(lambda data: GREETING if b"LOAD" in data else b"", id="silence"),
        pytest.param(lambda data: GREETING if b"LOAD" in data else None, id="a lost connection"),
        pytest.param(lambda data: GREETING if b"LOAD" in data else b"$999999999\r\n", id="an endless answer"),
    ],
)
def test_a_server_that_answers_wrongly_costs_nobody_more_than_the_timeout(make_setup, upstream, answer):
    with Fake(answer) as fake:
        setup = shared(make_setup(), fake, SLOW, options={"timeout": "200ms"})
        with gateways.running(setup) as gateway:
            answers = statuses(gateway, 8)
            assert answers == [201] * 6 + [429] * 2
            until(lambda: store_check(gateway)["detail"].startswith("degraded"), lambda: store_check(gateway))
            assert len(said(gateway, DOWN)) >= 1


def test_a_store_that_is_not_there_is_not_asked_without_end(make_setup, upstream):
    with Fake(lambda data: None) as fake:
        setup = shared(make_setup(), fake, WIDE)
        with gateways.running(setup) as gateway:
            wait_down(gateway)
            before, began = fake.connections, time.monotonic()
            assert statuses(gateway, 200) == [201] * 200
            # Two workers, each with pauses that grow to a second: requests make no attempts.
            assert fake.connections - before < 40 + 40 * (time.monotonic() - began)
        assert len(said(gateway, DOWN)) == 1


def test_sign_in_with_a_password_that_is_read_anew(make_setup, upstream, store):
    store.call("ACL", "SETUSER", "gw", "on", ">first", "~gatehouse:*", "+@all", "-@admin", "-@dangerous")
    setup = shared(make_setup(), store, SLOW, url=store.url(database=3, user="gw"), options={"passwordFile": "store.key"})
    gateways.write_secret(setup.folder / "store.key", "first\n")
    with gateways.running(setup) as gateway:
        wait_up(gateway)
        assert statuses(gateway, 2) == [201] * 2
        with store.connect() as connection:
            connection.call("SELECT", 3)
            assert b"gatehouse:{limits}:tenant:crm" in connection.call("KEYS", "*")
        assert store.keys() == set()
        store.call("ACL", "SETUSER", "gw", "resetpass", ">second")
        gateways.write_secret(setup.folder / "store.key", "second\n")
        assert "reloaded" in gateway.reload()["message"]
        store.call("CLIENT", "KILL", "USER", "gw")
        wait_up(gateway)
        assert statuses(gateway, 6) == [201] * 4 + [429] * 2
        gateways.write_secret(setup.folder / "store.key", "wrong\n")
        gateway.reload()
        until(lambda: "WRONGPASS" in store_check(gateway)["detail"], lambda: store_check(gateway))
        text = "".join(gateway.log_text)
        assert not any(word in text for word in ("first", "second", "wrong\""))


def test_tls_by_an_authority_of_ones_own(make_setup, upstream, tls):
    with stores.running(tls=tls) as server:
        setup = shared(make_setup(), server, SLOW, url=server.url(tls=True), options={"caFile": str(tls / "ca.pem")})
        with gateways.running(setup) as gateway:
            wait_up(gateway)
            assert statuses(gateway, 7) == [201] * 6 + [429]
            assert "gatehouse:{limits}:tenant:crm" in server.keys()
        setup = shared(make_setup("untrusting"), server, SLOW, url=server.url(tls=True))
        with gateways.running(setup) as gateway:
            until(lambda: "certificate" in store_check(gateway)["detail"], lambda: store_check(gateway))
