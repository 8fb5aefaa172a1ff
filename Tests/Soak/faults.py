"""What goes wrong around the gateway."""

import collections
import itertools
import random
import threading
import time

import upstreams
from upstreams import Raw, error, like_the_service


class Upstream(upstreams.Upstream):
    """The tests' upstream, which now and then fails in each of the ways that a service fails.

    `users` are those whose creation reached it.
    """

    def __init__(self):
        super().__init__()
        self.users = set()
        self.is_down = False
        self._counts = collections.Counter()
        self._random = random.Random(1)
        self._own_lock = threading.Lock()
        self.handler = self._answer

    def _answer(self, request):
        with self._own_lock:
            # What was received is only counted; a soak receives too much to keep.
            self.requests.clear()
            if request.operation == "CreateAppInstanceUser":
                self.users.add(request.json["AppInstanceUserId"])
            kind = "down" if self.is_down else self._choose()
            self._counts[kind] += 1
        return self._do(kind, request)

    def _choose(self):
        kinds = {"well": 90, "error": 3, "throttled": 3, "reset": 2, "slow": 2}
        return self._random.choices(list(kinds), kinds.values())[0]

    def _do(self, kind, request):
        match kind:
            case "error":
                return error(500, "ServiceFailureException")
            case "throttled":
                return error(429, "ThrottledClientException", headers=(("Retry-After", "1"),))
            case "reset":
                return Raw(b"")
            case "down":
                return Raw(b"HTTP/1.1 50")
            case "slow":
                time.sleep(0.5)
        return like_the_service(request)

    def summary(self):
        return dict(self._counts)


class Disturbance:
    """One step after the other, in a round that repeats: reloads all the time; disk and upstream fail in turn."""

    def __init__(self, gateway, upstream, disk, store=None):
        """`store`: where limits are counted, which fails as well."""
        self._gateway, self._upstream, self._disk, self._store = gateway, upstream, disk, store
        self._tenants = list(gateway.setup.tenants)
        self._counts = collections.Counter()
        self._round = itertools.cycle(
            [self._reload, None, self._fill, None, None, self._empty, None]
            + [self._reload, None, self._break, None, self._mend, None]
            + [self._reload_mistake, None, self._drop, None, None]
            + ([self._stop_store, None, self._start_store, None, self._pause_store, None] if store else [])
        )

    def step(self):
        """Does what is next; returns what it was, or None."""
        action = next(self._round)
        if action is None:
            return None
        action()
        name = action.__name__.strip("_").replace("_", " ")
        self._counts[name] += 1
        return name

    def calm(self):
        self._upstream.is_down = False
        self._disk.empty()
        if self._store and self._store.process.poll() is not None:
            self._start_store()
        self._reload()

    def summary(self):
        return dict(self._counts)

    def _fill(self):
        self._disk.fill()

    def _empty(self):
        self._disk.empty()

    def _break(self):
        self._upstream.is_down = True

    def _mend(self):
        self._upstream.is_down = False

    def _drop(self):
        self._upstream.drop_connections()

    def _stop_store(self):
        self._store.kill()

    def _start_store(self):
        """As it is after a restart: it has kept nothing."""
        self._store.start()

    def _pause_store(self):
        with self._store.paused():
            time.sleep(1)

    def _reload(self):
        """With a tenant more or less, so that there is something new."""
        setup = self._gateway.setup
        extra = {**self._tenants[0], "id": f"extra-{self._counts['reload'] % 2}", "accessKeys": []}
        setup.tenants = [*self._tenants, extra]
        setup.write_tenants()
        self._gateway.reload()

    def _reload_mistake(self):
        tenants = self._gateway.setup.folder / "tenants.json"
        tenants.write_text('{"tenants": [}')
        self._gateway.reload()
        self._gateway.setup.write_tenants()
