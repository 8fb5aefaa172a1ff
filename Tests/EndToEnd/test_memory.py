"""Ten thousand idle keep-alive connections within 100 MiB."""

import resource

import pytest

import gateways
import service
import wire
from gateways import CRM

CONNECTIONS = 10_000
NEEDED_FILES = CONNECTIONS + 500
LIMIT = 100 * 1024 * 1024


def test_ten_thousand_idle_connections_fit_in_100_mib(make_setup, upstream):
    hard = gateways.raise_file_limit()
    if hard < NEEDED_FILES:
        pytest.skip(f"the hard limit of open files is {hard}; {NEEDED_FILES} are needed (ulimit -Hn)")

    def with_files():
        resource.setrlimit(resource.RLIMIT_NOFILE, (NEEDED_FILES, hard))

    setup = make_setup(
        limits={
            "connections": CONNECTIONS,
            "connectionsPerSource": CONNECTIONS,
            "idleTimeout": "1h",
            "headerTimeout": "1h",
        }
    )
    # Each connection has served one signed request, as those that an SDK's pool keeps have.
    request = wire.signed(CRM, "GET", "/app-instances")
    with gateways.running(setup, prepare=with_files) as gateway:
        held = []
        try:
            for _ in range(CONNECTIONS):
                connection = gateway.connect()
                assert connection.exchange(request).status == 200
                held.append(connection)
            resident = gateway.resident_bytes()
            print(f"\n{CONNECTIONS} idle connections: {resident / 1024 / 1024:.1f} MiB resident")
            assert resident < LIMIT, f"{resident / 1024 / 1024:.1f} MiB"
            # All of them still live.
            for connection in held[:: CONNECTIONS // 50]:
                assert connection.exchange(wire.signed_create(CRM, service.create_user())).status == 201
        finally:
            for connection in held:
                connection.close()
