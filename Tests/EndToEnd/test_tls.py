"""TLS on both sides: listeners with and without client certificates, and the upstream's verification."""

import ssl

import pytest

import gateways
import service
import signing
import upstreams
import wire
from checks import assert_refused
from gateways import CRM, HR

DNS = signing.Key("GHAKDNS000000000003", "dns-secret-0a9s8d7f6g5h4j3k2l1m")
LOUD = signing.Key("GHAKLOUD0000000005", "loud-secret-p0o9i8u7y6t5r4e3w2q1")
OPEN = signing.Key("GHAKOPEN0000000004", "open-secret-q1w2e3r4t5y6u7i8o9p0")


def create(key=CRM):
    return wire.signed_create(key, service.create_user())


@pytest.fixture(scope="module")
def module_setup(tmp_path_factory, endpoint, tls):
    """Listeners: plain, TLS, TLS with optional and with required client certificates."""
    setup = gateways.Setup(tmp_path_factory.mktemp("gateway"), endpoint.url, upstreams.KEY)
    server = {"certificate": str(tls / "server.pem"), "privateKey": str(tls / "server.key")}
    asking = {**server, "clientCA": str(tls / "ca.pem")}
    setup.config["listeners"] = [
        {"address": "127.0.0.1:0"},
        {"address": "127.0.0.1:0", "tls": server},
        {"address": "127.0.0.1:0", "tls": {**asking, "clientCertificate": "optional"}},
        {"address": "127.0.0.1:0", "tls": {**asking, "clientCertificate": "required"}},
    ]
    setup.tenants = [
        gateways.tenant(clientCertificates=["spiffe://corp.example/crm"]),
        gateways.tenant(id="hr", keys=[HR], clientCertificates=["spiffe://corp.example/hr"]),
        gateways.tenant(id="dns", keys=[DNS], clientCertificates=["crm.corp.example"]),
        gateways.tenant(id="loud", keys=[LOUD], clientCertificates=["CRM.corp.EXAMPLE"]),
        gateways.tenant(id="open", keys=[OPEN]),
    ]
    return setup


PLAIN, TLS, OPTIONAL, REQUIRED = range(4)


def context(tls, client=None, **limits):
    made = ssl.create_default_context(cafile=tls / "ca.pem")
    if client is not None:
        made.load_cert_chain(tls / f"{client}.pem", tls / f"{client}.key")
    for name, value in limits.items():
        setattr(made, name, value)
    return made


def send(gateway, listener, content, made, server_name="localhost"):
    with wire.Connection(gateway.addresses[listener], tls=made, server_name=server_name) as connection:
        return connection.exchange(content)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_tls_version_is_served(gateway, upstream, tls, version):
    made = context(tls, minimum_version=version, maximum_version=version)
    assert send(gateway, TLS, create(OPEN), made).status == 201


def test_tls_on_a_plain_port_is_called_so(gateway, module_setup, tls):
    with pytest.raises(ssl.SSLError):
        send(gateway, PLAIN, create(OPEN), context(tls))
    line = gateway.wait_for_log(lambda line: "TLS handshake" in line.get("reason", ""), "the handshake")
    assert line["reason"] == "a TLS handshake, where this listener speaks plain HTTP"
    record = module_setup.audit_record(line["requestId"])
    assert (record["decision"], record["reason"]) == ("invalid", line["reason"])


def test_older_tls_is_refused(gateway, upstream, tls):
    made = context(tls, minimum_version=ssl.TLSVersion.TLSv1, maximum_version=ssl.TLSVersion.TLSv1_1)
    made.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.raises((ssl.SSLError, ConnectionError)):
        send(gateway, TLS, create(OPEN), made)


def test_boto3_speaks_to_the_tls_listener(gateway, upstream, tls):
    url = f"https://localhost:{gateway.addresses[TLS].rpartition(':')[2]}"
    client = gateway.client(OPEN, url=url, verify=str(tls / "ca.pem"))
    client.create_app_instance_user(**service.create_user())
    assert upstream.only.problem is None


def test_many_requests_over_one_tls_connection(gateway, upstream, tls):
    with wire.Connection(gateway.addresses[TLS], tls=context(tls)) as connection:
        for _ in range(30):
            assert connection.exchange(create(OPEN)).status == 201
        connection.send(create(OPEN) + create(OPEN) + create(OPEN))
        assert [connection.read().status for _ in range(3)] == [201] * 3
        connection.send_slowly(create(OPEN))
        assert connection.read().status == 201


@pytest.mark.parametrize(
    ("listener", "client", "key", "allowed"),
    [
        (PLAIN, None, OPEN, True),
        (PLAIN, None, CRM, False),
        (TLS, None, CRM, False),
        (TLS, "client", CRM, False),
        (OPTIONAL, None, OPEN, True),
        (OPTIONAL, None, CRM, False),
        (OPTIONAL, "client", CRM, True),
        (OPTIONAL, "client", OPEN, True),
        (OPTIONAL, "client", HR, False),
        (OPTIONAL, "stranger", CRM, False),
        (OPTIONAL, "dns-client", CRM, False),
        (OPTIONAL, "dns-client", DNS, True),
        (OPTIONAL, "loud-client", DNS, True),
        (OPTIONAL, "loud-client", LOUD, True),
        (OPTIONAL, "dns-client", LOUD, True),
        (OPTIONAL, "client", LOUD, False),
        (OPTIONAL, "posing-client", CRM, False),
        (REQUIRED, "client", CRM, True),
        (REQUIRED, "client", HR, False),
        (REQUIRED, "stranger", OPEN, True),
    ],
)
def test_client_certificate_binds_a_tenant(gateway, upstream, tls, listener, client, key, allowed):
    made = None if listener == PLAIN else context(tls, client)
    response = send(gateway, listener, create(key), made)
    if allowed:
        assert response.status == 201, response
        return
    assert_refused(response, 403, "ForbiddenException", "AccessDenied")
    assert upstream.requests == []
    record = gateway.setup.audit_record(response.get("x-gatehouse-request-id"))
    assert record["outcome"] == "notForwarded" and record["decision"] in ("denied", "unauthenticated")


@pytest.mark.parametrize(
    ("listener", "client"), [(REQUIRED, None), (REQUIRED, "other-client"), (OPTIONAL, "other-client")]
)
def test_handshake_fails_with(gateway, upstream, tls, listener, client):
    """No certificate where one is required, or one of an authority that is not trusted."""
    with pytest.raises((ssl.SSLError, ConnectionError, AssertionError)):
        send(gateway, listener, create(CRM), context(tls, client))
    assert upstream.requests == []
    assert gateway.send(create(OPEN)).status == 201


def test_plain_http_on_a_tls_listener_and_the_reverse_do_no_harm(gateway, upstream, tls):
    with wire.Connection(gateway.addresses[TLS]) as connection:
        connection.send(create(OPEN))
        response = connection.read()
        assert response is None or response.status == 400
    with pytest.raises((ssl.SSLError, ConnectionError)):
        send(gateway, PLAIN, create(OPEN), context(tls))
    assert upstream.requests == []
    assert gateway.send(create(OPEN)).status == 201


def test_reload_takes_new_certificates(make_setup, upstream, tls, tmp_path):
    certificate, key = tmp_path / "server.pem", tmp_path / "server.key"

    def install(name):
        certificate.write_bytes((tls / f"{name}.pem").read_bytes())
        key.write_bytes((tls / f"{name}.key").read_bytes())
        key.chmod(0o600)

    install("server")
    setup = make_setup(
        listeners=[
            {"address": "127.0.0.1:0", "tls": {"certificate": str(certificate), "privateKey": str(key)}}
        ]
    )
    with gateways.running(setup) as gateway:
        kept = wire.Connection(gateway.address, tls=context(tls))
        assert kept.exchange(create()).status == 201
        install("wrong-name")
        gateway.reload()
        made = context(tls)
        with wire.Connection(gateway.address, tls=made, server_name="elsewhere.example") as connection:
            assert connection.exchange(create()).status == 201
        assert kept.exchange(create()).status == 201
        kept.close()


def upstream_with_tls(make_setup, server, ca):
    setup = make_setup(url=server.url)
    setup.config["upstream"]["caFile"] = str(ca)
    return setup


def test_upstream_over_tls_is_verified_and_kept(make_setup, tls):
    with upstreams.Upstream(tls=(tls / "server.pem", tls / "server.key")) as server:
        with gateways.running(upstream_with_tls(make_setup, server, tls / "ca.pem")) as gateway:
            with gateway.connect() as connection:
                for _ in range(10):
                    assert connection.exchange(create()).status == 201
        assert {request.problem for request in server.requests} == {None}
        assert server.connections == 1
        assert server.server_names == ["localhost"]


@pytest.mark.parametrize(
    ("certificate", "ca"),
    [("other-server", "ca"), ("server", "other-ca"), ("wrong-name", "ca")],
    ids=["unknown authority", "another authority trusted", "another name"],
)
def test_upstream_that_cannot_be_verified_is_503(make_setup, tls, certificate, ca):
    with upstreams.Upstream(tls=(tls / f"{certificate}.pem", tls / f"{certificate}.key")) as server:
        with gateways.running(upstream_with_tls(make_setup, server, tls / f"{ca}.pem")) as gateway:
            response = gateway.send(create())
            assert_refused(response, 503, "ServiceUnavailableException", "ServiceUnavailable")
        assert server.requests == []


def test_upstream_is_by_default_verified_with_the_systems_authorities(make_setup, tls):
    with upstreams.Upstream(tls=(tls / "server.pem", tls / "server.key")) as server:
        with gateways.running(make_setup(url=server.url)) as gateway:
            assert gateway.send(create()).status == 503
        assert server.requests == []


def test_upstream_that_speaks_no_tls_is_refused(make_setup, tls):
    with upstreams.Upstream() as server:
        setup = make_setup(url=server.url.replace("http:", "https:"))
        setup.config["upstream"] |= {"caFile": str(tls / "ca.pem"), "requestTimeout": "3s", "connectTimeout": "500ms"}
        with gateways.running(setup) as gateway:
            response = gateway.send(create())
            # It never answers the handshake: unreachable or too slow, as one sees it.
            assert response.status in (503, 504)
            assert response.error_type == "ServiceUnavailableException"
        assert server.requests == []


@pytest.mark.parametrize("key", ["certificate", "privateKey", "clientCA"])
def test_check_finds_a_tls_file_that_is_missing(make_setup, tls, key):
    files = {
        "certificate": str(tls / "server.pem"),
        "privateKey": str(tls / "server.key"),
        "clientCA": str(tls / "ca.pem"),
        "clientCertificate": "optional",
    }
    files[key] = "absent.pem"
    setup = make_setup(listeners=[{"address": "127.0.0.1:0", "tls": files}]).write()
    result = setup.command("check")
    assert result.returncode == 1
    assert "absent.pem" in result.stdout + result.stderr


def test_check_finds_a_key_of_another_certificate(make_setup, tls):
    files = {"certificate": str(tls / "server.pem"), "privateKey": str(tls / "wrong-name.key")}
    setup = make_setup(listeners=[{"address": "127.0.0.1:0", "tls": files}]).write()
    assert setup.command("check").returncode == 1


@pytest.mark.parametrize(
    ("name", "place", "reason"),
    [("small", "certificate", "ee key too small"), ("sha1", "certificate", "md too weak")],
)
def test_check_finds_what_openssl_will_refuse(make_setup, tls, name, place, reason):
    files = {"certificate": str(tls / f"{name}.pem"), "privateKey": str(tls / f"{name}.key")}
    setup = make_setup(listeners=[{"address": "127.0.0.1:0", "tls": files}]).write()
    result = setup.command("check")
    assert result.returncode == 1 and reason in result.stdout and "expected" in result.stdout, result.stdout
    line = next(line for line in setup.config_file.read_text().splitlines() if f'"{place}"' in line)
    number = setup.config_file.read_text().splitlines().index(line) + 1
    assert result.stdout.startswith(f"{setup.config_file}:{number}:"), result.stdout
    assert setup.command("serve").returncode == 78


def test_an_authority_that_openssl_cannot_read_is_an_error_of_check(make_setup, tls, tmp_path):
    broken = tmp_path / "broken.pem"
    text = (tls / "ca.pem").read_text()
    broken.write_text(text + text.replace("MII", "AAA", 1))
    setup = make_setup(url="https://127.0.0.1:9")
    setup.config["upstream"]["caFile"] = str(broken)
    assert setup.write().command("check").returncode == 1
    assert setup.command("serve").returncode == 78


def test_an_expired_certificate_and_a_chain_in_another_order_are_warned_about(make_setup, upstream, tls, tmp_path):
    chain = tmp_path / "chain.pem"
    chain.write_text("".join((tls / f"{name}.pem").read_text() for name in ("expired", "other-ca", "ca")))
    files = {"certificate": str(chain), "privateKey": str(tls / "expired.key")}
    setup = make_setup(listeners=[{"address": "127.0.0.1:0", "tls": files}]).write()
    result = setup.command("check")
    assert result.returncode == 0, result.stdout
    assert "certificate 1 ended on 20" in result.stdout
    assert "certificate 2 is not the issuer of certificate 1" in result.stdout
    with gateways.running(setup) as gateway:
        gateway.wait_for_log(lambda record: "certificate 1 ended" in record.get("problem", ""), "the warning")
    chain.write_text("".join((tls / f"{name}.pem").read_text() for name in ("server", "ca")))
    files["privateKey"] = str(tls / "server.key")
    result = setup.write().command("check")
    assert result.returncode == 0 and ": certificate " not in result.stdout, result.stdout


def test_reload_takes_new_authorities_for_upstream_and_drops_connections_of_the_old(make_setup, tls, tmp_path):
    authorities = tmp_path / "authorities.pem"
    authorities.write_bytes((tls / "ca.pem").read_bytes())
    with upstreams.Upstream(tls=(tls / "server.pem", tls / "server.key")) as server:
        setup = upstream_with_tls(make_setup, server, authorities)
        setup.config["workers"] = 1
        with gateways.running(setup) as gateway:
            assert [gateway.send(create()).status for _ in range(3)] == [201] * 3
            # The same authorities: connections stay.
            assert gateway.reload()["level"] == "info"
            assert gateway.send(create()).status == 201
            assert server.connections == 1
            # Others, under the same name: neither the kept connection nor a new one will do.
            authorities.write_bytes((tls / "other-ca.pem").read_bytes())
            assert gateway.reload()["level"] == "info"
            seen = len(server.requests)
            assert gateway.send(create()).status == 503
            assert len(server.requests) == seen
            authorities.write_text("junk")
            assert gateway.reload()["level"] == "error"
            # Both, and the upstream serves again.
            authorities.write_bytes((tls / "other-ca.pem").read_bytes() + (tls / "ca.pem").read_bytes())
            assert gateway.reload()["level"] == "info"
            assert gateway.send(create()).status == 201


def test_reload_takes_another_client_authority(make_setup, upstream, tls, tmp_path):
    authority = tmp_path / "clients.pem"
    authority.write_bytes((tls / "ca.pem").read_bytes())
    files = {
        "certificate": str(tls / "server.pem"), "privateKey": str(tls / "server.key"),
        "clientCA": str(authority), "clientCertificate": "required",
    }
    setup = make_setup(listeners=[{"address": "127.0.0.1:0", "tls": files}])
    with gateways.running(setup) as gateway:

        def status(client):
            try:
                with wire.Connection(gateway.address, tls=context(tls, client)) as connection:
                    return connection.exchange(create()).status
            except (ssl.SSLError, ConnectionError, AssertionError):
                return None

        assert (status("client"), status("other-client")) == (201, None)
        authority.write_bytes((tls / "other-ca.pem").read_bytes())
        assert gateway.reload()["level"] == "info"
        assert (status("client"), status("other-client")) == (None, 201)
