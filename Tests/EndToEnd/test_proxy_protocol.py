"""PROXY protocol on listeners: whom a connection counts for, and what ends it unanswered."""

import contextlib
import shutil
import socket
import ssl
import struct
import subprocess

import pytest

import gateways
import service
import wire
from gateways import CRM, HR
from waiting import PATIENCE, until

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"


def create(key=CRM, **options):
    return wire.signed_create(key, service.create_user(), **options)


def line(source, destination="198.51.100.1", family="TCP4"):
    return f"PROXY {family} {source} {destination} 51234 443\r\n".encode()


def block(source=None, command=0x21, tlvs=b"", family=None):
    if source is None:
        return SIGNATURE + struct.pack("!BBH", command, family or 0, len(tlvs)) + tlvs
    kind = socket.AF_INET6 if ":" in source else socket.AF_INET
    address = socket.inet_pton(kind, source)
    body = address * 2 + struct.pack("!HH", 51234, 443) + tlvs
    return SIGNATURE + struct.pack("!BBH", command, 0x21 if ":" in source else 0x11, len(body)) + body


@pytest.fixture
def proxied(make_setup):
    """A setup whose first listener demands the protocol of 127.0.0.1, and whose second does not."""
    setup = make_setup(
        listeners=[{"address": "127.0.0.1:0", "proxyProtocol": True}, {"address": "127.0.0.1:0"}],
        trustedProxies=["127.0.0.1"],
    )
    setup.config["limits"] = {"headerTimeout": "5s"}
    return setup


def sources(setup, count):
    return [record["sourceIp"] for record in setup.concluded(count)]


def is_closed_unanswered(connection):
    try:
        return connection.read() is None
    except ConnectionResetError:
        return True


NAMED = {
    "version 1": (line("203.0.113.7"), "203.0.113.7"),
    "version 1, IPv6": (line("2001:DB8:0:0:0:0:0:7", "::1", "TCP6"), "2001:db8::7"),
    "version 1, unknown": (b"PROXY UNKNOWN\r\n", "127.0.0.1"),
    "version 2": (block("203.0.113.7"), "203.0.113.7"),
    "version 2, IPv6": (block("2001:db8::7"), "2001:db8::7"),
    "version 2, mapped": (block("::ffff:203.0.113.7"), "203.0.113.7"),
    "version 2, more behind the addresses": (block("203.0.113.7", tlvs=b"\x04\0\x02hi\xff"), "203.0.113.7"),
    "version 2, local": (block("203.0.113.7", command=0x20), "127.0.0.1"),
    "version 2, unspecified": (block(), "127.0.0.1"),
}


@pytest.mark.parametrize("header", NAMED)
@pytest.mark.parametrize("is_slow", [False, True], ids=["at once", "byte by byte"])
def test_requests_count_for_whom_the_header_names(proxied, upstream, header, is_slow):
    content, source = NAMED[header]
    with gateways.running(proxied) as gateway:
        with gateway.connect() as connection:
            if is_slow:
                connection.send_slowly(content)
                connection.send(create())
            else:
                connection.send(content + create())
            assert connection.read().status == 201
            # For all requests of the connection; what they say themselves is not read.
            answer = connection.exchange(create(extra=[("X-Forwarded-For", "192.0.2.99"), ("Forwarded", "for=192.0.2.98")]))
            assert answer.status == 201
        assert sources(proxied, 2) == [source] * 2
        access = [record for record in gateway.log if record["message"] == "request"]
        assert {record["sourceIp"] for record in access} <= {source}


REFUSED = {
    "none": b"",
    "HTTP alone": None,
    "not the line": b"PROXY TCP4 203.0.113.7 198.51.100.1 051234 443\r\n",
    "LF alone": b"PROXY TCP4 203.0.113.7 198.51.100.1 51234 443\n",
    "line too long": b"PROXY UNKNOWN " + b"x" * 100 + b"\r\n",
    "not the version": SIGNATURE + b"\x11\x11\0\x0c" + b"\1" * 12,
    "not a command": SIGNATURE + b"\x2f\x11\0\x0c" + b"\1" * 12,
    "not a family": SIGNATURE + b"\x21\x51\0\x0c" + b"\1" * 12,
    "short addresses": SIGNATURE + b"\x21\x11\0\x0b" + b"\1" * 11,
    "too long a block": SIGNATURE + b"\x21\x11\xff\xff" + b"\1" * 12,
    "TLS": b"\x16\x03\x01\x02\0\x01\0",
}


@pytest.mark.parametrize("header", REFUSED)
def test_other_beginnings_end_unanswered(proxied, upstream, header):
    content = REFUSED[header] or b""
    with gateways.running(proxied) as gateway:
        with gateway.connect() as connection:
            connection.send(content + create())
            assert is_closed_unanswered(connection)
        said = gateway.wait_for_log(lambda record: record["message"] == "connections are refused", "the refusal")
        assert (said["limit"], said["source"]) == ("proxyProtocol", "127.0.0.1")
        metrics = gateway.admin_request("/metrics").body.decode()
        assert 'gatehouse_connections_refused_total{limit="proxyProtocol"} 1\n' in metrics
    assert proxied.audit() == [] and upstream.requests == []


def test_header_of_others_than_proxies_ends_unanswered(proxied, upstream):
    with gateways.running(proxied) as gateway:
        for content in (line("203.0.113.7"), block("203.0.113.7"), b"PROXY UNKNOWN\r\n", block(command=0x20)):
            with gateway.connect(source="127.0.0.9") as connection:
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                    connection.send(content + create())
                assert is_closed_unanswered(connection)
        # Where it is not asked for it is no HTTP.
        with wire.Connection(gateway.addresses[1]) as connection:
            assert connection.exchange(line("203.0.113.7") + create()).status == 400
    assert upstream.requests == []


@pytest.mark.parametrize("said", [b"", b"PRO", SIGNATURE + b"\x21", line("203.0.113.7"), line("203.0.113.7") + b"POST / "])
def test_header_is_part_of_the_header_timeout(proxied, upstream, said):
    proxied.config["limits"] = {"headerTimeout": "300ms", "idleTimeout": "1h"}
    with gateways.running(proxied) as gateway, gateway.connect() as connection:
        connection.send(said)
        answer = connection.read()
        # Half a request is answered; before that there is nobody to answer.
        assert answer is None or (b"POST" in said and answer.status == 408)


def test_ended_in_the_header(proxied, upstream):
    with gateways.running(proxied) as gateway:
        for content in (b"", b"PROXY TCP4 203.0", SIGNATURE + b"\x21\x11\0\x0c\1"):
            with gateway.connect() as connection:
                connection.send(content)
                connection.socket.shutdown(socket.SHUT_WR)
                assert is_closed_unanswered(connection)
        # Nobody has to hear of one who only looked whether the port is open.
        metrics = gateway.admin_request("/metrics").body.decode()
        assert 'gatehouse_connections_refused_total{limit="proxyProtocol"} 2\n' in metrics
        until(lambda: "gatehouse_connections 0\n" in gateway.admin_request("/metrics").body.decode(), "a connection is left")


def test_rate_of_a_source_is_of_whom_the_header_names(proxied, upstream):
    proxied.config["rateLimit"]["perSourceAddress"] = {"requestsPerSecond": 0.001, "burst": 2}
    with gateways.running(proxied) as gateway:
        statuses = {}
        for source in ("203.0.113.7", "203.0.113.8"):
            for _ in range(3):
                with gateway.connect() as connection:
                    answer = connection.exchange(line(source) + create())
                    statuses.setdefault(source, []).append(answer.status)
        assert set(map(tuple, statuses.values())) == {(201, 201, 429)}


def test_a_reload_takes_trust_away(proxied, upstream):
    with gateways.running(proxied) as gateway:
        with gateway.connect() as connection:
            assert connection.exchange(line("203.0.113.7") + create()).status == 201
        proxied.config["trustedProxies"] = ["192.0.2.1"]
        proxied.write()
        assert gateway.reload()["message"] == "reloaded"
        with gateway.connect() as connection:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                connection.send(line("203.0.113.7") + create())
            assert is_closed_unanswered(connection)


def test_check_wants_proxies(proxied):
    del proxied.config["trustedProxies"]
    result = proxied.write().command("check")
    assert result.returncode == 1 and '"proxyProtocol": true needs "trustedProxies"' in result.stdout


@contextlib.contextmanager
def haproxy(folder, servers):
    """HAProxy in TCP mode: for each `(address, options)` of `servers` a port that sends there. Gives the ports."""
    binary = shutil.which("haproxy", path="/usr/sbin:/usr/bin")
    if binary is None:
        pytest.skip("no haproxy here")
    # The ports are bound here and inherited: the kernel chose them, and nobody can take them meanwhile.
    held = [socket.create_server(("127.0.0.1", 0)) for _ in servers]
    parts = [
        f"listen p{index}\n bind fd@{listener.fileno()}\n server s {address} {options} source 127.0.0.1\n"
        for index, (listener, (address, options)) in enumerate(zip(held, servers))
    ]
    configuration = folder / "haproxy.cfg"
    configuration.write_text(
        "defaults\n mode tcp\n timeout connect 60s\n timeout client 60s\n timeout server 60s\n" + "".join(parts)
    )
    process = subprocess.Popen([binary, "-db", "-f", configuration], pass_fds=[s.fileno() for s in held])
    try:
        yield [f"127.0.0.1:{listener.getsockname()[1]}" for listener in held]
    finally:
        process.kill()
        process.wait(PATIENCE)
        for listener in held:
            listener.close()


@pytest.mark.parametrize("version", ["send-proxy", "send-proxy-v2", "send-proxy-v2 proxy-v2-options crc32c,unique-id"])
def test_behind_haproxy(make_setup, upstream, tls, tmp_path, version):
    """Plain, TLS and TLS with a client's certificate, whose names bind tenants as without a proxy."""
    server = {"certificate": str(tls / "server.pem"), "privateKey": str(tls / "server.key")}
    asking = {**server, "clientCA": str(tls / "ca.pem"), "clientCertificate": "required"}
    setup = make_setup(
        listeners=[{"address": "127.0.0.1:0", "proxyProtocol": True, **({"tls": t} if t else {})} for t in (None, server, asking)],
        trustedProxies=["127.0.0.1"],
    )
    setup.tenants = [
        gateways.tenant(operations=service.OPERATIONS),
        gateways.tenant(id="hr", keys=[HR], clientCertificates=["spiffe://corp.example/hr"]),
    ]
    plain = ssl.create_default_context(cafile=tls / "ca.pem")
    certified = ssl.create_default_context(cafile=tls / "ca.pem")
    certified.load_cert_chain(tls / "client.pem", tls / "client.key")
    with gateways.running(setup) as gateway:
        with haproxy(tmp_path, [(address, version) for address in gateway.addresses]) as ports:
            for port, context in zip(ports, (None, plain, certified)):
                with wire.Connection(port, tls=context, source="127.0.0.9") as connection:
                    for _ in range(2):
                        assert connection.exchange(create()).status == 201
            with wire.Connection(ports[2], tls=certified, source="127.0.0.8") as connection:
                assert connection.exchange(create(HR)).status == 403
            client = gateway.client(url=f"http://{ports[0]}")
            assert client.create_app_instance_user(**service.create_user())["AppInstanceUserArn"]
        assert sorted(sources(setup, 8)) == ["127.0.0.1"] + ["127.0.0.8"] + ["127.0.0.9"] * 6
