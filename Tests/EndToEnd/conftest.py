"""Fixtures: the test upstream, gateways and sandboxes, all on loopback, none waited for by sleeping."""

import os
import pathlib
import subprocess

import pytest

import collectors
import gateways
import postgres
import service
import upstreams


def pytest_configure(config):
    # What tests make is as on most machines: with 002 others could write policies, which the gateway refuses.
    os.umask(0o022)
    gateways.raise_file_limit()


@pytest.fixture(scope="session")
def tls(tmp_path_factory):
    """A folder with the test authority's certificates (see Tests/Fixtures/tls/make.sh)."""
    folder = tmp_path_factory.mktemp("tls")
    script = pathlib.Path(__file__).resolve().parents[1] / "Fixtures/tls/make.sh"
    subprocess.run([script, folder], check=True)
    return folder


@pytest.fixture(scope="module")
def server():
    """One PostgreSQL for the tests of a module; tests use it as `database`, which has no tables."""
    server = postgres.Server()
    yield server
    server.remove()


@pytest.fixture
def database(server):
    if server.process.poll() is not None:
        server.start()
    server.query("DROP SCHEMA IF EXISTS gatehouse CASCADE")
    return server


@pytest.fixture
def collector():
    made = collectors.Collector()
    yield made
    made.close()


@pytest.fixture(scope="module")
def endpoint():
    """One upstream for the tests of a module; tests use it as `upstream`, which forgets the test before."""
    with upstreams.Upstream() as server:
        yield server


@pytest.fixture
def upstream(endpoint):
    endpoint.clear()
    return endpoint


@pytest.fixture
def make_setup(tmp_path, endpoint):
    """A function that makes a `Setup` towards the module's upstream, to be changed and run."""

    def make(name="gateway", url=None, **config):
        setup = gateways.Setup(tmp_path / name, url or endpoint.url, upstreams.KEY)
        setup.config.update(config)
        return setup

    return make


@pytest.fixture(scope="module")
def module_setup(tmp_path_factory, endpoint):
    """The setup of the module's shared gateway: tenant crm may call all operations, no policies."""
    return gateways.Setup(tmp_path_factory.mktemp("gateway"), endpoint.url, upstreams.KEY)


@pytest.fixture(scope="module")
def module_gateway(module_setup):
    with gateways.running(module_setup) as gateway:
        yield gateway


@pytest.fixture
def gateway(module_gateway, upstream):
    """The module's shared gateway, its upstream cleared. A test must not leave it changed."""
    return module_gateway


@pytest.fixture
def client(gateway):
    return gateway.client()


@pytest.fixture
def user():
    """Parameters of a valid CreateAppInstanceUser."""
    return service.create_user()
