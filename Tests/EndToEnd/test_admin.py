"""The admin listener: health, metrics, and who may see them."""

import json
import re

import pytest

import gateways
import service
import wire
from gateways import CRM


def create():
    return wire.signed_create(CRM, service.create_user())


def test_health_says_ok(gateway):
    assert gateway.admin_request("/healthz").status == 200


def test_readiness_tells_each_part(gateway):
    response = gateway.admin_request("/readyz")
    assert response.status == 200
    assert "json" in response.get("Content-Type")
    parts = json.dumps(response.json).lower()
    for part in ("polic", "credential", "journal"):
        assert part in parts, parts


def samples(gateway):
    """The metrics as {name with labels: value}."""
    response = gateway.admin_request("/metrics")
    assert response.status == 200
    assert response.get("Content-Type").startswith("text/plain")
    lines = [line for line in response.body.decode().splitlines() if line and not line.startswith("#")]
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}


def test_requests_are_counted_by_tenant_operation_decision_and_status(gateway, upstream):
    def count():
        return sum(
            value
            for name, value in samples(gateway).items()
            if name.startswith("gatehouse_requests_total{")
            and all(
                label in name
                for label in (
                    'tenant="crm"',
                    'operation="CreateAppInstanceUser"',
                    'decision="allowed"',
                    'status="201"',
                )
            )
        )

    before = count()
    for _ in range(3):
        assert gateway.send(create()).status == 201
    assert count() - before == 3


@pytest.mark.parametrize(
    "name",
    [
        "gatehouse_request_duration_seconds_bucket",
        "gatehouse_request_duration_seconds_sum",
        "gatehouse_request_duration_seconds_count",
        "gatehouse_upstream_duration_seconds_count",
        "gatehouse_audit_records_total",
        "gatehouse_audit_fsync_duration_seconds_count",
        "gatehouse_upstream_connections",
        "gatehouse_circuit_open",
        "gatehouse_connections",
        "gatehouse_config_last_reload_success_timestamp_seconds",
        "gatehouse_config_reload_failures_total",
        "gatehouse_build_info",
    ],
)
def test_metric_is_there(gateway, upstream, name):
    gateway.send(create())
    assert any(re.match(rf"{name}(\{{|$)", sample) for sample in samples(gateway)), name


def test_metrics_are_well_formed(gateway, upstream):
    gateway.send(create())
    text = gateway.admin_request("/metrics").body.decode()
    assert text.endswith("\n")
    types = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.M))
    sample = re.compile(
        r'([a-zA-Z_:][a-zA-Z0-9_:]*)(\{([a-z_]+="(\\.|[^"\\\n])*",?)*\})? ([0-9.eE+-]+|\+Inf|NaN)'
    )
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        assert (match := sample.fullmatch(line)), line
        family = re.sub(r"_(bucket|sum|count)$", "", match[1])
        assert match[1] in types or types.get(family) == "histogram", line


def test_histogram_is_cumulative(gateway, upstream):
    gateway.send(create())
    buckets = {}
    for name, value in samples(gateway).items():
        if name.startswith("gatehouse_request_duration_seconds_bucket{"):
            labels = re.sub(r'le="[^"]*",?', "", name)
            bound = re.search(r'le="([^"]*)"', name)[1]
            buckets.setdefault(labels, []).append((float(bound.replace("+Inf", "inf")), value))
    assert buckets
    for bounds in buckets.values():
        counts = [count for _, count in sorted(bounds)]
        assert counts == sorted(counts) and max(bounds)[0] == float("inf")


def test_label_values_from_outside_do_not_grow_without_bound(gateway, upstream):
    for index in range(50):
        gateway.send(wire.signed(CRM, "GET", f"/nothing-{index}"))
    assert not any("nothing-" in name for name in samples(gateway))


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", ""])
def test_host_is_checked(gateway, host):
    with wire.Connection(gateway.admin) as connection:
        connection.send(wire.encode("GET", "/metrics", [("Host", host)]))
        response = connection.read()
    assert response is not None and response.status in (400, 403, 421), response
    assert b"gatehouse_" not in response.body


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1"])
def test_loopback_hosts_are_taken(gateway, name):
    port = gateway.admin.rpartition(":")[2]
    assert gateway.admin_request("/metrics", host=f"{name}:{port}").status == 200


def test_unknown_path_and_method_are_refused(gateway):
    assert gateway.admin_request("/nothing").status == 404
    response = gateway.admin_request("/healthz", method="DELETE")
    assert response.status in (404, 405)
    assert gateway.admin_request("/reload").status in (404, 405), "a GET changes nothing"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory, endpoint):
    """A gateway whose admin listener wants a token."""
    setup = gateways.Setup(tmp_path_factory.mktemp("guarded"), endpoint.url)
    (setup.folder / "admin.token").write_text("s3cret-admin-token-0123456789\n")
    (setup.folder / "admin.token").chmod(0o600)
    setup.config["admin"]["tokenFile"] = "admin.token"
    with gateways.running(setup) as gateway:
        yield gateway


@pytest.mark.parametrize(
    "authorization", [None, "Bearer wrong", "Bearer ", "Basic czNjcmV0", "s3cret-admin-token-0123456789"]
)
def test_metrics_need_the_token(guarded, authorization):
    headers = [("Authorization", authorization)] if authorization is not None else []
    response = guarded.admin_request("/metrics", headers=headers)
    assert response.status in (401, 403)
    assert b"gatehouse_" not in response.body


def test_metrics_come_with_the_token(guarded):
    headers = [("Authorization", "Bearer s3cret-admin-token-0123456789")]
    assert guarded.admin_request("/metrics", headers=headers).status == 200


def test_reload_needs_the_token(guarded):
    response = guarded.admin_request("/reload", method="POST", headers=[("Content-Length", "0")])
    assert response.status in (401, 403)


def test_health_needs_no_token(guarded):
    assert guarded.admin_request("/healthz").status == 200
    assert guarded.admin_request("/readyz").status in (200, 503)


def test_admin_beyond_loopback_without_a_token_is_refused_at_start(make_setup):
    setup = make_setup(admin={"address": "0.0.0.0:0"}).write()
    result = setup.command("serve")
    assert result.returncode not in (0, None)
    assert "tokenFile" in result.stderr


def test_data_listener_serves_no_admin_paths(gateway, upstream):
    for path in ("/healthz", "/metrics", "/readyz"):
        response = gateway.send(wire.signed(CRM, "GET", path))
        assert (response.status, response.error_type) == (404, "UnknownOperationException")
    assert upstream.requests == []


def reload_from(gateway, *headers, host=None):
    return gateway.admin_request("/reload", method="POST", host=host, headers=[("Content-Length", "0"), *headers])


def reloads(gateway):
    return sum(record.get("message") == "reloaded" for record in gateway.log)


def test_a_page_of_another_origin_reloads_nothing(gateway):
    before = samples(gateway)["gatehouse_config_last_reload_success_timestamp_seconds"], reloads(gateway)
    for headers in (
        [("Origin", "http://attacker.example")], [("Origin", "null")], [("Sec-Fetch-Site", "cross-site")],
        [("Origin", f"http://localhost:{gateway.admin.rpartition(':')[2]}")],
        [("Origin", f"http://{gateway.admin}"), ("Origin", "http://attacker.example")],
    ):
        assert reload_from(gateway, *headers).status == 403, headers
    assert before == (samples(gateway)["gatehouse_config_last_reload_success_timestamp_seconds"], reloads(gateway))
    ours = [("Origin", f"http://{gateway.admin}"), ("Sec-Fetch-Site", "same-origin")]
    assert reload_from(gateway, *ours).status == 200
    assert reload_from(gateway).status == 200


def test_further_names_of_the_admin_listener(make_setup):
    setup = make_setup(admin={"address": "127.0.0.1:0", "hosts": ["Gateway.Corp.example"]})
    with gateways.running(setup) as gateway:
        assert gateway.admin_request("/readyz", host="gateway.corp.example").status == 200
        assert gateway.admin_request("/readyz", host="GATEWAY.corp.example:9901").status == 200
        assert gateway.admin_request("/readyz", host="other.corp.example").status == 421
        ours = ("Origin", "https://gateway.corp.example")
        assert reload_from(gateway, ours, host="gateway.corp.example").status == 200
        assert reload_from(gateway, ours, host="127.0.0.1").status == 403
        setup.config["admin"]["hosts"] = ["other.corp.example"]
        setup.write()
        gateway.reload()
        assert gateway.admin_request("/readyz", host="gateway.corp.example").status == 421
        assert gateway.admin_request("/readyz", host="other.corp.example").status == 200


def test_reload_takes_another_token_and_never_none(make_setup):
    setup = make_setup()
    setup.config["admin"]["tokenFile"] = "admin.token"
    token = gateways.write_secret(setup.folder / "admin.token", "first-token-0123456789")

    def status(gateway, word):
        return gateway.admin_request("/metrics", headers=[("Authorization", f"Bearer {word}")]).status

    with gateways.running(setup) as gateway:
        assert (status(gateway, "first-token-0123456789"), status(gateway, "second-token-012345678")) == (200, 401)
        token.write_text("second-token-012345678")
        gateway.reload()
        assert (status(gateway, "first-token-0123456789"), status(gateway, "second-token-012345678")) == (401, 200)
        setup.config["admin"]["tokenFile"] = None
        setup.write()
        gateway.reload()
        assert (status(gateway, ""), status(gateway, "second-token-012345678")) == (401, 200)
