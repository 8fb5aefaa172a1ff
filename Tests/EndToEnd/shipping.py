"""What the tests of `audit.postgres` share."""

import threading

import gateways
import postgres
import service
import wire
from gateways import CRM


def add_postgres(setup, url, **changes):
    """Lets the setup ship to the database under the name of its folder."""
    setup.folder.mkdir(parents=True, exist_ok=True)
    password = setup.folder / "pg.password"
    password.touch(0o600)
    password.write_text(postgres.PASSWORD + "\n")
    setup.config["audit"]["postgres"] = {
        "url": url,
        "passwordFile": "pg.password",
        "gatewayId": setup.folder.name,
        **changes,
    }
    return setup


def create(**changes):
    return wire.signed_create(CRM, service.create_user(**changes))


def unshipped(gateway):
    text = gateway.admin_request("/metrics").body.decode()
    values = [line for line in text.splitlines() if line.startswith("gatehouse_audit_unshipped_records ")]
    assert len(values) == 1, text
    return int(values[0].split()[1])


class Traffic:
    """Creates users from two threads until it is stopped."""

    def __init__(self, gateway):
        self.gateway = gateway
        self.done = threading.Event()
        self.created = []
        self.threads = [threading.Thread(target=self._run) for _ in range(2)]
        for thread in self.threads:
            thread.start()

    def _run(self):
        with self.gateway.connect() as connection:
            while not self.done.is_set():
                assert connection.exchange(create()).status == 201
                self.created.append(1)

    def stop(self):
        self.done.set()
        for thread in self.threads:
            thread.join()
