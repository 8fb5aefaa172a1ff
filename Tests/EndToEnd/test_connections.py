"""Caps on connections, and how long one may stay silent."""

import pytest

import gateways
import service
import wire
from gateways import CRM
from waiting import until


def create():
    return wire.signed_create(CRM, service.create_user())


def get(gateway, path="/readyz"):
    return wire.encode("GET", path, [("Host", gateway.admin)])


def refused(gateway, limit):
    """The metric's value."""
    name = f'gatehouse_connections_refused_total{{limit="{limit}"}} '
    lines = gateway.admin_request("/metrics").body.decode().splitlines()
    return sum(int(line.removeprefix(name)) for line in lines if line.startswith(name))


def is_closed_unanswered(connection):
    try:
        return connection.read() is None
    except ConnectionResetError:
        return True


def test_source_has_so_many_connections_and_others_are_served(make_setup, upstream):
    setup = make_setup(limits={"connectionsPerSource": 3}, workers=2)
    with gateways.running(setup) as gateway:
        held = [gateway.connect() for _ in range(3)]
        for connection in held:
            assert connection.exchange(create()).status == 201
        for _ in range(5):
            with gateway.connect() as extra:
                assert is_closed_unanswered(extra)
        with gateway.connect(source="127.0.0.9") as other:
            assert other.exchange(create()).status == 201
        assert refused(gateway, "connectionsPerSource") == 5
        said = [record for record in gateway.log if record["message"] == "connections are refused"]
        assert [(record["limit"], record["source"]) for record in said] == [("connectionsPerSource", "127.0.0.1")]
        held.pop().close()

        def is_served():
            with gateway.connect() as connection:
                connection.send(create())
                try:
                    response = connection.read()
                except ConnectionResetError:
                    return False
                return response is not None and response.status == 201

        until(is_served, "a place that came free is not given out")
        for connection in held:
            assert connection.exchange(create()).status == 201
            connection.close()


def test_trusted_proxy_is_many_sources(make_setup, upstream):
    setup = make_setup(limits={"connectionsPerSource": 2}, trustedProxies=["127.0.0.1/32"])
    with gateways.running(setup) as gateway:
        held = [gateway.connect() for _ in range(6)]
        for connection in held:
            assert connection.exchange(create()).status == 201
            connection.close()


def test_admin_listener_has_so_many_connections(make_setup, upstream):
    setup = make_setup()
    setup.config["admin"]["connections"] = 2
    with gateways.running(setup) as gateway:
        held = [wire.Connection(gateway.admin) for _ in range(2)]
        for connection in held:
            assert connection.exchange(get(gateway)).status == 200
        with wire.Connection(gateway.admin) as extra:
            assert is_closed_unanswered(extra)
        assert gateway.send(create()).status == 201, "callers are not concerned"
        metrics = held[0].exchange(get(gateway, "/metrics")).body.decode()
        assert 'gatehouse_connections_refused_total{limit="admin.connections"} 1' in metrics
        for connection in held:
            connection.close()
        until(lambda: refused_or_none(gateway) == 1, "a place that came free is not given out")


def refused_or_none(gateway):
    try:
        return refused(gateway, "admin.connections") and 1
    except (ConnectionError, AssertionError):
        return None


@pytest.mark.parametrize("admin", [False, True], ids=["caller", "admin"])
@pytest.mark.parametrize("said", [b"", b"GET / HTTP/1.1\r\nHo"], ids=["nothing", "half a head"])
def test_first_request_has_the_header_timeout_from_accept(make_setup, upstream, admin, said):
    setup = make_setup(limits={"headerTimeout": "500ms", "idleTimeout": "1h"})
    with gateways.running(setup) as gateway:
        with wire.Connection(gateway.admin if admin else gateway.address) as connection:
            connection.send(said)
            answer = connection.read()
            assert answer is None if not said else answer.status == 408
        # Between requests it may idle.
        with wire.Connection(gateway.admin if admin else gateway.address) as connection:
            for _ in range(2):
                assert connection.exchange(get(gateway) if admin else create()).status in (200, 201)


def test_handshake_is_part_of_the_header_timeout(make_setup, upstream, tls):
    setup = make_setup(limits={"headerTimeout": "500ms", "idleTimeout": "1h"})
    setup.config["listeners"][0]["tls"] = {
        "certificate": str(tls / "server.pem"),
        "privateKey": str(tls / "server.key"),
    }
    with gateways.running(setup) as gateway, gateway.connect() as connection:
        # The beginning of a record that never comes whole.
        connection.send(b"\x16\x03\x01\x02\x00\x01")
        assert is_closed_unanswered(connection)

