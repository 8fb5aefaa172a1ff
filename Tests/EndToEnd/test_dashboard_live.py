"""`/api/live`: requests as they end, as server-sent events."""

import json
import select
import signal
import socket

import pytest

import gateways
import service
import wire
from gateways import CRM
from waiting import until

MOST = 16


class Watcher:
    """A reader of the event stream."""

    def __init__(self, gateway, headers=()):
        host, _, port = gateway.admin.rpartition(":")
        self.socket = socket.create_connection((host, int(port)), timeout=30)
        lines = [f"Host: {gateway.admin}", *(f"{name}: {value}" for name, value in headers)]
        self.socket.sendall(("GET /api/live HTTP/1.1\r\n" + "\r\n".join(lines) + "\r\n\r\n").encode())
        self.stream = self.socket.makefile("rb")
        self.status = int(self.stream.readline().split()[1])
        self.fields = {}
        while (line := self.stream.readline().strip()) != b"":
            name, _, value = line.decode().partition(":")
            self.fields[name.lower()] = value.strip()
        if self.status == 200:
            assert (self.stream.readline(), self.stream.readline()) == (b"retry: 2000\n", b"\n")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.stream.close()
        self.socket.close()

    def event(self):
        """The next event as (name, id, data); None at the end."""
        name, number, data = "message", None, None
        for line in self.stream:
            line = line.decode().rstrip("\n")
            if not line:
                if data is not None:
                    return name, number, data
                continue
            field, _, value = line.partition(": ")
            if field == "event":
                name = value
            elif field == "id":
                number = int(value)
            elif field == "data":
                data = json.loads(value)
        return None


def create(gateway, **changes):
    response = gateway.send(wire.signed_create(CRM, service.create_user(**changes)))
    return response.get("x-gatehouse-request-id")


def test_requests_come_as_they_end(gateway, upstream):
    with Watcher(gateway) as watcher:
        assert watcher.status == 200
        assert watcher.fields["content-type"] == "text/event-stream"
        assert watcher.fields["connection"] == "close"
        first = watcher_sees(watcher, gateway, "crm-live-1")
        assert first["decision"] == "allowed"
        request = gateway.send(wire.signed(CRM, "GET", "/nothing")).get("x-gatehouse-request-id")
        name, _, data = watcher.event()
        assert (name, data["requestId"], data["decision"]) == ("request", request, "invalid")
    assert gateway.setup.audit_record(request) == data


def watcher_sees(watcher, gateway, user):
    """Sends creations until the watcher sees one, and returns the last: the journal's end is looked for when the first watcher
    comes, and what ends before that is not shown."""
    while True:
        request = create(gateway, AppInstanceUserId=user)
        if select.select([watcher.socket], [], [], 2)[0]:
            break
    while (event := watcher.event())[2]["requestId"] != request:
        pass
    return event[2]


def test_text_of_strangers_is_data(gateway, upstream):
    text = "a\n\nevent: forged\ndata: {}\n\nb"
    with Watcher(gateway) as watcher:
        watcher_sees(watcher, gateway, "crm-live-2")
        create(gateway, Name=text)
        name, _, data = watcher.event()
        assert (name, data["name"]) == ("request", text)
        request = create(gateway)
        assert watcher.event()[2]["requestId"] == request


def test_one_that_comes_back_goes_on_where_it_was(gateway, upstream):
    with Watcher(gateway) as watcher, Watcher(gateway) as other:
        watcher_sees(watcher, gateway, "crm-live-3")
        create(gateway, AppInstanceUserId="crm-live-4")
        _, seen, _ = watcher.event()
        missed = [create(gateway, AppInstanceUserId=f"crm-live-5{index}") for index in range(3)]
        while other.event()[2]["requestId"] != missed[-1]:
            pass
        with Watcher(gateway, [("Last-Event-ID", seen)]) as again:
            assert [again.event()[2]["requestId"] for _ in missed] == missed
        with Watcher(gateway, [("Last-Event-ID", 1)]) as late:
            assert late.event() == ("skipped", None, {"count": None})


def test_there_are_only_so_many_watchers(make_setup):
    with gateways.running(make_setup()) as gateway:
        watchers = [Watcher(gateway) for _ in range(MOST)]
        try:
            assert {watcher.status for watcher in watchers} == {200}
            with Watcher(gateway) as one_more:
                assert (one_more.status, one_more.fields["retry-after"]) == (503, "5")
            assert gateway.admin_request("/readyz").status == 200
        finally:
            for watcher in watchers:
                watcher.close()

        def is_free():
            with Watcher(gateway) as again:
                return again.status == 200

        until(is_free, lambda: "the places of those who are gone are not given back")


def test_a_busy_gateway_tells_how_many_are_not_shown(gateway, upstream):
    with Watcher(gateway) as watcher:
        watcher_sees(watcher, gateway, "crm-live-6")
        request = wire.signed(CRM, "GET", "/nothing")
        count = 400
        with gateway.connect() as connection:
            connection.send(request * count)
            for _ in range(count):
                assert connection.read().status == 404
        seen = skipped = 0
        while seen + skipped < count:
            name, _, data = watcher.event()
            if name == "skipped":
                skipped += data["count"]
            else:
                seen += 1
        assert seen + skipped == count and skipped > 0


def test_draining_ends_it(make_setup):
    with gateways.running(make_setup()) as gateway, Watcher(gateway) as watcher:
        assert watcher.status == 200
        gateway.signal(signal.SIGTERM)
        assert watcher.event() is None
        assert gateway.wait() == 0


def test_logging_out_ends_it(make_setup):
    setup = make_setup()
    setup.config["admin"]["tokenFile"] = "admin.token"
    gateways.write_secret(setup.folder / "admin.token", "first-token-0123456789")
    with gateways.running(setup) as gateway:
        with Watcher(gateway) as stranger:
            assert stranger.status == 401
        with Watcher(gateway, [("Authorization", "Bearer first-token-0123456789")]) as watcher:
            assert watcher.status == 200
            gateways.write_secret(setup.folder / "admin.token", "second-token-0123456789")
            gateway.reload()
            assert watcher.event() is None


@pytest.mark.parametrize("field", [("Origin", "http://attacker.example"), ("Sec-Fetch-Site", "cross-site")])
def test_a_page_of_elsewhere_takes_no_place(gateway, field):
    with Watcher(gateway, [field]) as watcher:
        assert watcher.status == 403
