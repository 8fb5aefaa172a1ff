"""Addresses of listeners: IPv4 beside IPv6, two that meet, one that is taken."""

import socket

import pytest

import gateways
import service
import wire
from gateways import CRM


def create():
    return wire.signed_create(CRM, service.create_user())


def free_port():
    """A port that is free on both families; held by nobody when this returns."""
    with socket.socket(socket.AF_INET6) as taken:
        taken.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        taken.bind(("::", 0))
        return taken.getsockname()[1]


@pytest.fixture
def port():
    if not socket.has_ipv6:
        pytest.skip("no IPv6 here")
    try:
        return free_port()
    except OSError:
        pytest.skip("no IPv6 here")


@pytest.mark.parametrize("addresses", [["0.0.0.0", "[::]"], ["[::]", "0.0.0.0"], ["127.0.0.1", "[::]"], ["[::1]", "0.0.0.0"]])
def test_both_families_have_one_port(make_setup, upstream, port, addresses):
    setup = make_setup(listeners=[{"address": f"{address}:{port}"} for address in addresses])
    assert setup.write().command("check").returncode == 0
    with gateways.running(setup) as gateway:
        assert gateway.addresses == [f"{address}:{port}" for address in addresses]
        for host in ("127.0.0.1", "[::1]"):
            with wire.Connection(f"{host}:{port}") as connection:
                assert connection.exchange(create()).status == 201
    records = {record["sourceIp"] for record in setup.audit()}
    assert records == {"127.0.0.1", "::1"}


@pytest.mark.parametrize(
    ("one", "other"),
    [("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "127.0.0.1"), ("127.0.0.1", "0.0.0.0"), ("[::]", "[::1]"), ("[::]", "[::]")],
)
@pytest.mark.parametrize("is_admin", [False, True])
def test_check_says_which_two_meet(make_setup, one, other, is_admin):
    setup = make_setup(listeners=[{"address": f"{one}:8080"}])
    if is_admin:
        setup.config["admin"]["address"] = f"{other}:8080"
        gateways.write_secret(setup.folder / "admin.token", "token-0123456789")
    else:
        setup.config["listeners"].append({"address": f"{other}:8080"})
    result = setup.write().command("check")
    assert result.returncode == 1
    [line] = [line for line in result.stdout.splitlines() if ": error: " in line]
    assert f'"{one}:8080"' in line and f'"{other}:8080"' in line and ("admin listener" in line) == is_admin, line
    assert setup.command("serve").returncode == 78


@pytest.mark.parametrize("is_admin", [False, True])
def test_an_address_that_is_taken_is_named(make_setup, is_admin):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = "127.0.0.1:%d" % taken.getsockname()[1]
        setup = make_setup()
        (setup.config["admin"] if is_admin else setup.config["listeners"][0])["address"] = address
        result = setup.write().command("serve")
        assert result.returncode == 1
        place = "admin.address" if is_admin else "listeners[0].address"
        assert f"cannot listen on {address}: Address already in use (`{place}`)" in result.stderr


def test_an_address_that_is_not_ours_is_named(make_setup):
    setup = make_setup(listeners=[{"address": "192.0.2.1:8080"}]).write()
    result = setup.command("serve")
    assert result.returncode == 1
    assert "cannot listen on 192.0.2.1:8080: Cannot assign requested address" in result.stderr
