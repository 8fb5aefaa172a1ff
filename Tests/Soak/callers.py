"""Several tenants at once, who call in every way that the gateway answers differently."""

import collections
import dataclasses
import random
import threading
import time

import gateways
import service
import signing
import wire
from gateways import CRM, HR

SLOW = signing.Key("GHAKSLOW0000000003", "slow-secret-a1b2c3d4e5f6g7h8j9k0l1m2")


@dataclasses.dataclass(frozen=True)
class Seen:
    """What a caller was told, and for which tenant the gateway must have recorded it."""

    status: int
    tenant: str | None


def tenants():
    slow = {"rateLimit": {"requestsPerSecond": 2, "burst": 4}}
    return [
        gateways.tenant(operations=service.OPERATIONS),
        gateways.tenant("hr", (HR,), operations=service.OPERATIONS),
        gateways.tenant("slow", (SLOW,), operations=service.OPERATIONS, **slow),
    ]


def policies():
    return {"names": {"rules": {"name": {"pattern": "[A-Za-z ]+"}}}}


class Crowd:
    """Threads that call until stopped.

    `answers` is what was told under each request id, `created` the users of whom callers were told that they exist,
    `unanswered` how many calls ended without an answer.
    """

    THREADS = 8

    def __init__(self, address, rate):
        self.answers, self.created, self.unanswered = {}, set(), 0
        self._address = address
        self._pause = self.THREADS / rate
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, args=(random.Random(number),), daemon=True)
            for number in range(self.THREADS)
        ]
        for thread in self._threads:
            thread.start()

    def summary(self):
        with self._lock:
            counts = collections.Counter(seen.status for seen in self.answers.values())
        return f"{sum(counts.values())} answers {dict(sorted(counts.items()))}"

    def stop(self):
        self._stopping.set()
        for thread in self._threads:
            thread.join(60)
            assert not thread.is_alive(), "a call was never answered"

    def one_more(self, gateway):
        """A good request on a connection of its own."""
        with gateway.connect() as connection:
            user = service.create_user()
            answer = self._exchange(connection, wire.signed_create(CRM, user), "crm")
            self._note_user(answer, user)
        return answer

    def _run(self, chance):
        while not self._stopping.is_set():
            try:
                with wire.Connection(self._address) as connection:
                    self._use(connection, chance)
            except (OSError, ConnectionError):
                with self._lock:
                    self.unanswered += 1

    def _use(self, connection, chance):
        kinds = {
            self._create: 60, self._list: 15, self._denied: 8, self._invalid: 5, self._forged: 5, self._slow: 5,
            self._repeated: 4,
        }
        while not self._stopping.is_set():
            time.sleep(self._pause * chance.uniform(0.5, 1.5))
            call = chance.choices(list(kinds), kinds.values())[0]
            if call(connection, chance).says_close or chance.random() < 0.02:
                return

    def _exchange(self, connection, content, tenant):
        connection.send(content)
        answer = connection.read()
        if answer is None:
            raise ConnectionError("closed without an answer")
        with self._lock:
            self.answers[answer.get("x-gatehouse-request-id")] = Seen(answer.status, tenant)
        return answer

    def _note_user(self, answer, user):
        if answer.status == 201:
            with self._lock:
                self.created.add(user["AppInstanceUserId"])
        return answer

    def _create(self, connection, chance):
        key, tenant = chance.choice([(CRM, "crm"), (HR, "hr")])
        user = service.create_user()
        return self._note_user(self._exchange(connection, wire.signed_create(key, user), tenant), user)

    def _list(self, connection, _):
        return self._exchange(connection, wire.signed(HR, "GET", "/app-instances"), "hr")

    def _denied(self, connection, _):
        return self._exchange(connection, wire.signed_create(CRM, service.create_user(Name="Nobody 7")), "crm")

    def _invalid(self, connection, chance):
        body = chance.choice([b"{", b'{"AppInstanceArn":1}', b'{"Name":"a","Name":"b"}'])
        return self._exchange(connection, wire.signed_create(HR, body), "hr")

    def _forged(self, connection, _):
        stranger = signing.Key(CRM.id, "not the secret")
        return self._exchange(connection, wire.signed_create(stranger, service.create_user()), None)

    def _slow(self, connection, _):
        user = service.create_user()
        return self._note_user(self._exchange(connection, wire.signed_create(SLOW, user), "slow"), user)

    def _repeated(self, connection, _):
        """The same call twice, as an SDK repeats one whose answer it did not see."""
        user = service.create_user()
        self._note_user(self._exchange(connection, wire.signed_create(CRM, user), "crm"), user)
        return self._note_user(self._exchange(connection, wire.signed_create(CRM, user), "crm"), user)
