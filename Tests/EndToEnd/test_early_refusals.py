"""Requests that are refused for their heads, with bodies that never come."""

import select

import pytest

import gateways
import service
import signing
import upstreams
import wire
from gateways import CRM
from waiting import PATIENCE, until

NOBODY = signing.Key("GHAKNOBODY0000000001", "a-secret-that-nobody-has")
SIZES = {"little": 100, "much": 200 << 10}


def head_of(request, announced):
    """The head of a signed request without its body, of which so much is announced; signed or not for that."""
    head = request.partition(b"\r\n\r\n")[0]
    lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"content-length:")]
    framing = b"Transfer-Encoding: chunked" if announced is None else b"Content-Length: %d" % announced
    return b"\r\n".join([*lines, framing]) + b"\r\n\r\n"


def create(key=CRM, **options):
    return wire.signed_create(key, service.create_user(), **options)


def without(name, request):
    head, _, body = request.partition(b"\r\n\r\n")
    lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(name)]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


BAD = {
    "no authorization": (lambda: without(b"authorization:", create()), "MissingAuthenticationTokenException"),
    "no date": (lambda: without(b"x-amz-date:", create()), "IncompleteSignatureException"),
    "unreadable": (
        lambda: create().replace(b"AWS4-HMAC-SHA256 ", b"AWS4-HMAC-SHA1 "),
        "IncompleteSignatureException",
    ),
    "unknown key": (lambda: create(NOBODY), "UnrecognizedClientException"),
    "other service": (lambda: create().replace(b"/chime/", b"/sns/"), "InvalidSignatureException"),
    "field not signed": (lambda: create(extra=[("x-amz-other", "1")]), "InvalidSignatureException"),
}


@pytest.fixture(scope="module")
def patient_setup(tmp_path_factory, endpoint):
    """A gateway that waits for bodies for longer than any test does."""
    setup = gateways.Setup(tmp_path_factory.mktemp("patient"), endpoint.url, upstreams.KEY)
    setup.config["limits"] = {"bodyTimeout": "1h"}
    return setup


@pytest.fixture(scope="module")
def patient(patient_setup):
    with gateways.running(patient_setup) as gateway:
        yield gateway


@pytest.mark.parametrize("announced", [*SIZES.values(), None], ids=[*SIZES, "chunked"])
@pytest.mark.parametrize("fault", BAD)
def test_head_that_is_enough_to_refuse_is_refused_without_its_body(patient, fault, announced):
    make, error_type = BAD[fault]
    with patient.connect() as connection:
        connection.send(head_of(make(), announced))
        response = connection.read()
        assert (response.status, response.error_type, response.says_close) == (403, error_type, True)
        assert connection.is_closed()
    record = patient.setup.audit_record(response.get("x-gatehouse-request-id"))
    assert (record["decision"], record["outcome"], record["status"]) == ("unauthenticated", "notForwarded", 403)
    assert record["operation"] == "CreateAppInstanceUser"


def test_the_same_refusal_is_given_to_a_whole_request(patient):
    for make, error_type in BAD.values():
        with patient.connect() as connection:
            response = connection.exchange(make())
            assert (response.status, response.error_type, response.says_close) == (403, error_type, False)


def test_unknown_operation_is_refused_without_its_body(patient):
    with patient.connect() as connection:
        connection.send(head_of(wire.signed(CRM, "POST", "/no-such-thing", b"x"), 200 << 10))
        assert connection.read().status == 404
        assert connection.is_closed()


def test_nobody_is_asked_to_continue_who_is_refused_anyway(patient):
    with patient.connect() as connection:
        head = head_of(create(NOBODY), 100).replace(b"\r\n\r\n", b"\r\nExpect: 100-continue\r\n\r\n")
        connection.send(head)
        assert connection._line().startswith(b"HTTP/1.1 403 ")


def test_body_beyond_the_limit_is_refused_from_the_head(patient):
    with patient.connect() as connection:
        connection.send(head_of(create(), 300 << 10))
        assert connection.read().status == 413
        assert connection.is_closed()


@pytest.mark.parametrize("over", ["plain", "TLS"])
@pytest.mark.parametrize("mebibytes", [1, 3, 20])
def test_whoever_writes_all_of_a_large_body_first_reads_the_answer(patient_setup, endpoint, tls, over, mebibytes, tmp_path):
    """As SDKs do, which do not look for an answer before they have written everything."""
    setup = gateways.Setup(tmp_path / "large", endpoint.url, upstreams.KEY)
    files = {"certificate": str(tls / "server.pem"), "privateKey": str(tls / "server.key")}
    setup.config["listeners"].append({"address": "127.0.0.1:0", "tls": files})
    with gateways.running(setup) as gateway:
        url = f"https://localhost:{gateway.addresses[1].rsplit(':', 1)[1]}" if over == "TLS" else gateway.url
        client = gateway.client(url=url, **({"verify": str(tls / "ca.pem")} if over == "TLS" else {}))
        with pytest.raises(client.exceptions.BadRequestException) as refused:
            client.create_app_instance_user(**service.create_user(Metadata="x" * (mebibytes << 20)))
    metadata = refused.value.response["ResponseMetadata"]
    assert metadata["HTTPStatusCode"] == 413
    assert "larger than the limit" in refused.value.response["Error"]["Message"]


def test_nobody_writes_without_end_behind_an_answer(patient):
    with patient.connect() as connection:
        connection.send(head_of(create(), 1 << 40))
        assert connection.read().status == 413
        sent = 0
        with pytest.raises(OSError):
            while sent < 1 << 30:
                sent += connection.socket.send(b"x" * (1 << 20))
        assert sent < 100 << 20


@pytest.mark.parametrize("pieces", [1, 2, 40])
def test_good_request_in_pieces_is_served(patient, upstream, pieces):
    head, _, body = create().partition(b"\r\n\r\n")
    with patient.connect() as connection:
        for _ in range(2):
            connection.send(head + b"\r\n\r\n")
            size = -(-len(body) // pieces)
            for at in range(0, len(body), size):
                connection.send(body[at : at + size])
            assert connection.read().status == 201


def test_head_that_passes_is_not_answered_before_its_body(patient, upstream):
    head, _, body = create().partition(b"\r\n\r\n")
    with patient.connect() as connection:
        connection.send(head + b"\r\n\r\n")
        # For longer than the gateway waits before it looks at the head.
        assert select.select([connection.socket], [], [], 0.5) == ([], [], [])
        connection.send(body)
        assert connection.read().status == 201


def test_body_is_asked_for_when_its_head_passes(patient, upstream):
    request = wire.signed_create(CRM, service.create_user(), headers=[("Expect", "100-continue")])
    head, _, body = request.partition(b"\r\n\r\n")
    with patient.connect() as connection:
        connection.send(head + b"\r\n\r\n")
        assert connection._line().startswith(b"HTTP/1.1 100 ")
        assert connection._line() == b"\r\n"
        connection.send(body)
        assert connection.read().status == 201


def test_bodies_that_nobody_has_judged_are_bounded_in_all(make_setup, upstream):
    setup = make_setup(limits={"bodyTimeout": "1h", "connectionsPerSource": 10_000})
    announced = 256 << 10
    held = []
    with gateways.running(setup) as gateway:
        try:
            before = gateway.resident_bytes()
            # 64 MiB are full with 256 of them. Which one finds no room depends on whose turn it was.
            for _ in range(260):
                connection = gateway.connect()
                held.append(connection)
                connection.send(head_of(create(), announced) + b" " * (announced - 1))
            ready, _, _ = select.select([connection.socket for connection in held], [], [], PATIENCE)
            refused = next(connection for connection in held if connection.socket in ready).read()
            assert (refused.status, refused.error_type) == (503, "ServiceUnavailableException")
            assert gateway.resident_bytes() - before < 200 << 20
            # Those whose bodies come at once are served.
            assert gateway.send(create()).status == 201
        finally:
            for connection in held:
                connection.close()

        def is_awaited():
            """Whether there is room for another."""
            with gateway.connect() as connection:
                connection.send(head_of(create(), announced))
                return not select.select([connection.socket], [], [], 0.2)[0]

        until(is_awaited, "what was given is not given back")
