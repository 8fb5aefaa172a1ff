"""A bounded load of signed creations, each thread on a connection or with a client of its own."""

import threading

import botocore.exceptions

import gateways
import service
import wire
from waiting import PATIENCE


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
                lambda: len(self.acknowledged) + len(self.failed) >= goal or not self._alive(), PATIENCE
            )
        assert done, "the load came to a halt"

    def _alive(self):
        return any(thread.is_alive() for thread in self._threads)

    def stop(self):
        self._stopping.set()
        for thread in self._threads:
            thread.join(PATIENCE)
        assert not self._alive()


class ClientLoad:
    """Threads with unmodified boto3 clients that create users one after the other, whichever gateway serves.

    `created` are the user ids of which boto3 was told that they were, `refused` those that were answered
    with 503, `others` those with another error, `unanswered` those of which it was told nothing because the
    connection broke.
    """

    def __init__(self, threads=4, key=gateways.CRM):
        self.created, self.refused, self.unanswered, self.others = set(), set(), set(), set()
        self._key = key
        self._changed = threading.Condition()
        self._gateway = None
        self._stopping = False
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(threads)]
        for thread in self._threads:
            thread.start()

    def send_to(self, gateway):
        """From now on the clients use this one; without one they rest after the request under way."""
        with self._changed:
            self._gateway = gateway
            self._changed.notify_all()

    def _run(self):
        former, client = None, None
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._stopping or self._gateway is not None)
                if self._stopping:
                    return
                gateway = self._gateway
            if gateway is not former:
                # One attempt, so that what boto3 reports is about one request.
                former, client = gateway, gateway.client(self._key, attempts=1)
            self._create(client, gateway)

    def _create(self, client, gateway):
        user = service.create_user()
        group = self.created
        try:
            answer = client.create_app_instance_user(**user)
            assert answer["AppInstanceUserArn"] == service.user_arn(user["AppInstanceUserId"])
        except botocore.exceptions.ClientError as error:
            is_refused = error.response["ResponseMetadata"]["HTTPStatusCode"] == 503
            group = self.refused if is_refused else self.others
        except (botocore.exceptions.HTTPClientError, botocore.exceptions.ConnectionError):
            group = self.unanswered
        with self._changed:
            group.add(user["AppInstanceUserId"])
            if group is self.unanswered and self._gateway is gateway:
                self._changed.wait_for(lambda: self._stopping or self._gateway is not gateway, PATIENCE)
            self._changed.notify_all()

    def wait_for_more(self, group, count):
        """Waits until `count` more users than now are in `group`, one of the sets."""
        with self._changed:
            goal = len(group) + count
            assert self._changed.wait_for(lambda: len(group) >= goal, PATIENCE), "the load came to a halt"

    def stop(self):
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join(PATIENCE)
        assert not any(thread.is_alive() for thread in self._threads)
