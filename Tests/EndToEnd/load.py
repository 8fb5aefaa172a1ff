"""A bounded load of signed creations, each thread on a connection of its own."""

import threading

import gateways
import service
import wire


class Load:
    """Threads that create users one after the other until stopped.

    `acknowledged` are the user ids answered with 201, `failed` the other answers, `broken` the
    connections that ended without an answer.
    """

    def __init__(self, gateway, threads=6, key=gateways.CRM):
        self.acknowledged = []
        self.failed = []
        self.broken = 0
        self._gateway = gateway
        self._key = key
        self._progress = threading.Condition()
        self._stopping = threading.Event()
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(threads)]
        for thread in self._threads:
            thread.start()

    def _run(self):
        try:
            while not self._stopping.is_set():
                with self._gateway.connect() as connection:
                    self._use(connection)
        except OSError:
            self.broken += 1

    def _use(self, connection):
        """Until the gateway says close or the load is stopped."""
        while not self._stopping.is_set():
            user = service.create_user()
            connection.send(wire.signed_create(self._key, user))
            response = connection.read()
            if response is None:
                raise ConnectionError("closed without an answer")
            with self._progress:
                if response.status == 201:
                    self.acknowledged.append(user["AppInstanceUserId"])
                else:
                    self.failed.append(response)
                self._progress.notify_all()
            if response.says_close:
                return

    def wait_for(self, count):
        """Waits until `count` more requests than now were answered."""
        with self._progress:
            goal = len(self.acknowledged) + len(self.failed) + count
            done = self._progress.wait_for(
                lambda: len(self.acknowledged) + len(self.failed) >= goal or not self._alive(), 30
            )
        assert done, "the load came to a halt"

    def _alive(self):
        return any(thread.is_alive() for thread in self._threads)

    def stop(self):
        self._stopping.set()
        for thread in self._threads:
            thread.join(30)
        assert not self._alive()
