"""`deploy/nginx` and `deploy/haproxy` as they are shipped, but for their addresses, in front of a gateway: boto3 calls through
them over TLS, and the address that is recorded is the caller's."""

import contextlib
import os
import pathlib
import re
import shutil
import socket
import subprocess
import threading

import pytest

import gateways
import service
from waiting import PATIENCE, until

DEPLOY = gateways.ROOT / "deploy"
MODULE = pathlib.Path("/usr/lib/nginx/modules/ngx_stream_module.so")
# What the proxies connect from, so that their address is another one than the caller's, 127.0.0.1.
PROXY = "127.0.0.3"


def program(name):
    return shutil.which(name, path="/usr/sbin:/usr/bin") or pytest.skip(f"no {name} here")


def shipped(path, *changes):
    """The file's text with each of `changes`, patterns and what they are replaced by, made at least once."""
    text = path.read_text()
    for pattern, replacement in changes:
        text, count = re.subn(pattern, replacement, text)
        assert count, f"{path} has no {pattern}"
    return text


@contextlib.contextmanager
def running(command, **options):
    """The program, and the lines that it has written."""
    lines = []
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
    reader = threading.Thread(target=lambda: lines.extend(process.stdout), daemon=True)
    reader.start()
    try:
        yield lines
    finally:
        process.terminate()
        process.wait(PATIENCE)
        reader.join(PATIENCE)
        process.stdout.close()


def closed_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


@contextlib.contextmanager
def nginx(folder, gateway, listener):
    """The port is bound here, chosen by the kernel, and inherited as nginx inherits at its upgrades."""
    binary = program("nginx")
    if not MODULE.exists():
        pytest.skip("nginx has no stream module here")
    address = f"127.0.0.1:{listener.getsockname()[1]}"
    stream = shipped(
        DEPLOY / "nginx/gatehouse.conf",
        (r"listen 8443;", f"listen {address}; proxy_bind {PROXY};"),
        (r"10\.0\.0\.5:8443", gateway.address),
        (r"10\.0\.0\.6:8443", f"127.0.0.1:{closed_port()}"),
    )
    configuration = folder / "nginx.conf"
    configuration.write_text(
        f"load_module {MODULE};\ndaemon off;\npid {folder}/nginx.pid;\nerror_log stderr;\nevents {{}}\n{stream}"
    )
    environment = os.environ | {"NGINX": f"{listener.fileno()};"}
    with running([binary, "-c", configuration], env=environment, pass_fds=[listener.fileno()]) as lines:
        yield address, lines


@contextlib.contextmanager
def haproxy(folder, gateway, listener):
    configuration = folder / "haproxy.cfg"
    configuration.write_text(
        shipped(
            DEPLOY / "haproxy/haproxy.cfg",
            (r"bind :8443", f"bind fd@{listener.fileno()}"),
            (r"10\.0\.0\.5:8443", f"{gateway.address} source {PROXY}"),
            (r"10\.0\.0\.6:8443", f"127.0.0.1:{closed_port()} source {PROXY}"),
            (r"maxconn 20000", "maxconn 100"),
            (r"check port 9901", f"check port {gateway.admin.rpartition(':')[2]}"),
        )
    )
    with running([program("haproxy"), "-db", "-f", configuration], pass_fds=[listener.fileno()]) as lines:
        until(
            lambda: any("gatehouse/gatehouse-1 succeeded" in line and "code: 200" in line for line in lines),
            lambda: f"HAProxy does not find the gateway ready: {lines}",
        )
        yield f"127.0.0.1:{listener.getsockname()[1]}", lines


@pytest.mark.parametrize("proxy", [nginx, haproxy])
def test_calls_through_a_proxy_are_recorded_with_the_callers_address(make_setup, upstream, tls, tmp_path, proxy):
    certificate = {"certificate": str(tls / "server.pem"), "privateKey": str(tls / "server.key")}
    setup = make_setup(
        listeners=[{"address": "127.0.0.1:0", "proxyProtocol": True, "tls": certificate}], trustedProxies=[PROXY]
    )
    with gateways.running(setup) as gateway, socket.create_server(("127.0.0.1", 0)) as listener:
        with proxy(tmp_path, gateway, listener) as (address, lines):
            client = gateway.client(url=f"https://localhost:{address.rpartition(':')[2]}", verify=str(tls / "ca.pem"))
            for _ in range(3):
                assert client.create_app_instance_user(**service.create_user())["AppInstanceUserArn"]
        records = setup.concluded(3)
    assert {record["sourceIp"] for record in records} == {"127.0.0.1"}, lines


def test_nginx_takes_the_shipped_file(tmp_path):
    binary = program("nginx")
    if not MODULE.exists():
        pytest.skip("nginx has no stream module here")
    main = tmp_path / "nginx.conf"
    main.write_text(
        f"load_module {MODULE};\npid {tmp_path}/nginx.pid;\nerror_log stderr;\nevents {{}}\n"
        f"include {DEPLOY}/nginx/gatehouse.conf;\n"
    )
    subprocess.run([binary, "-t", "-c", main], check=True, capture_output=True)


def test_haproxy_takes_the_shipped_file():
    result = subprocess.run([program("haproxy"), "-c", "-f", DEPLOY / "haproxy/haproxy.cfg"], capture_output=True, text=True)
    assert result.returncode == 0 and "warning" not in (result.stdout + result.stderr).lower(), result.stderr
