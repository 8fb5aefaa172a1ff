"""Requests that are read in two ways are not read at all: RFC 9112 framing by raw socket.

Every case goes in whole, byte by byte, and with a smuggled good request behind it.
"""

import json

import pytest

import gateways
import service
import signing
import upstreams
import wire
from checks import assert_good_request_works, assert_refused
from gateways import CRM

TARGET = "/app-instance-users"


def parts():
    """A good signed request as (head without its last empty line, body)."""
    head, _, body = wire.signed_create(CRM, service.create_user()).partition(b"\r\n\r\n")
    return head, body


def with_lines(*lines, drop=None):
    """A good request with head lines added, and the ones whose name is `drop` taken out."""
    head, body = parts()
    kept = [line for line in head.split(b"\r\n") if drop is None or not line.lower().startswith(drop)]
    return b"\r\n".join([*kept, *lines]) + b"\r\n\r\n" + body


def framed(*lines, content=None):
    """A good request whose framing fields are `lines`."""
    head, body = parts()
    kept = [line for line in head.split(b"\r\n") if not line.startswith(b"Content-Length:")]
    return b"\r\n".join([*kept, *lines]) + b"\r\n\r\n" + (body if content is None else content(body))


def request_line(change):
    head, body = parts()
    first, rest = head.split(b"\r\n", 1)
    return change(first) + b"\r\n" + rest + b"\r\n\r\n" + body


def true_length(pattern):
    """A good request whose Content-Length lines come from `pattern`, N standing for the true number."""
    head, body = parts()
    kept = [line for line in head.split(b"\r\n") if not line.startswith(b"Content-Length:")]
    number = str(len(body)).encode()
    return b"\r\n".join([*kept, pattern.replace(b"N", number)]) + b"\r\n\r\n" + body


def chunks(content):
    return framed(b"Transfer-Encoding: chunked", content=content)


def whole_chunk(body, size=None, end=b"\r\n"):
    return (size or b"%x" % len(body)) + end + body + b"\r\n0\r\n\r\n"


def target(path):
    """A GET of `path`, signed for exactly what is sent."""
    return lambda: wire.signed(CRM, "GET", path)


def raw_target(path):
    """A GET of `path` signed as something harmless, for paths that no signer takes."""
    return lambda: wire.signed(CRM, "GET", "/app-instances").replace(b"/app-instances", path, 1)


TE = b"Transfer-Encoding: "

AMBIGUOUS = {
    # Length given in two ways.
    "Content-Length with Transfer-Encoding": lambda: with_lines(TE + b"chunked"),
    "Transfer-Encoding with Content-Length and a chunked body": lambda: framed(
        b"Content-Length: 3", TE + b"chunked", content=wire.chunked
    ),
    "two equal Content-Lengths": lambda: true_length(b"Content-Length: N\r\nContent-Length: N"),
    "two different Content-Lengths": lambda: true_length(b"Content-Length: N\r\nContent-Length: 0"),
    "a list of Content-Lengths": lambda: true_length(b"Content-Length: N, N"),
    # Numbers.
    "Content-Length with plus": lambda: true_length(b"Content-Length: +N"),
    "Content-Length with minus": lambda: true_length(b"Content-Length: -N"),
    "Content-Length in hex": lambda: true_length(b"Content-Length: 0xN"),
    "Content-Length with a space inside": lambda: true_length(b"Content-Length: N 0"),
    "Content-Length empty": lambda: true_length(b"Content-Length:"),
    "Content-Length with a fraction": lambda: true_length(b"Content-Length: N.0"),
    "Content-Length beyond 64 bits": lambda: true_length(b"Content-Length: 18446744073709551617"),
    "Content-Length in quotes": lambda: true_length(b'Content-Length: "N"'),
    # Transfer codings.
    "identity": lambda: framed(TE + b"identity"),
    "gzip then chunked": lambda: framed(TE + b"gzip, chunked", content=wire.chunked),
    "chunked then identity": lambda: framed(TE + b"chunked, identity", content=wire.chunked),
    "chunked twice": lambda: framed(TE + b"chunked, chunked", content=wire.chunked),
    "chunked in two lines": lambda: framed(TE + b"chunked", TE + b"chunked", content=wire.chunked),
    "xchunked": lambda: framed(TE + b"xchunked", content=wire.chunked),
    "chunked with a parameter": lambda: framed(TE + b"chunked;q=1", content=wire.chunked),
    "chunked in quotes": lambda: framed(TE + b'"chunked"', content=wire.chunked),
    "chunked with a vertical tab": lambda: framed(TE + b"\x0bchunked", content=wire.chunked),
    "empty Transfer-Encoding": lambda: framed(TE, content=wire.chunked),
    "chunked with an empty list element": lambda: framed(TE + b",chunked", content=wire.chunked),
    "Transfer-Encoding in HTTP/1.0": lambda: framed(TE + b"chunked", content=wire.chunked).replace(
        b"HTTP/1.1", b"HTTP/1.0", 1
    ),
    # Chunks.
    "chunk size no number": lambda: chunks(lambda body: whole_chunk(body, b"zz")),
    "chunk size empty": lambda: chunks(lambda body: b"\r\n" + body + b"\r\n0\r\n\r\n"),
    "chunk size with minus": lambda: chunks(lambda body: whole_chunk(body, b"-%x" % len(body))),
    "chunk size with plus": lambda: chunks(lambda body: whole_chunk(body, b"+%x" % len(body))),
    "chunk size with 0x": lambda: chunks(lambda body: whole_chunk(body, b"0x%x" % len(body))),
    "chunk size with a space before": lambda: chunks(lambda body: whole_chunk(body, b" %x" % len(body))),
    "chunk size with a space after": lambda: chunks(lambda body: whole_chunk(body, b"%x " % len(body))),
    "chunk size beyond 64 bits": lambda: chunks(lambda body: whole_chunk(body, b"1" + b"0" * 17)),
    "chunk size line ended by LF": lambda: chunks(lambda body: whole_chunk(body, end=b"\n")),
    "chunk size line ended by CR": lambda: chunks(lambda body: whole_chunk(body, end=b"\r")),
    "chunk without its line break": lambda: chunks(lambda body: b"%x\r\n%s0\r\n\r\n" % (len(body), body)),
    "chunk longer than its size": lambda: chunks(lambda body: whole_chunk(body, b"%x" % (len(body) - 1))),
    "chunk extension with a bare LF": lambda: chunks(lambda body: whole_chunk(body, b"%x;a\nb" % len(body))),
    "chunk extension with NUL": lambda: chunks(lambda body: whole_chunk(body, b"%x;a\x00b" % len(body))),
    "last chunk ended by LF": lambda: chunks(lambda body: b"%x\r\n%s\r\n0\n\n" % (len(body), body)),
    # Lines.
    "lines ended by LF": lambda: wire.signed_create(CRM, service.create_user()).replace(b"\r\n", b"\n"),
    "one line ended by LF": lambda: wire.signed_create(CRM, service.create_user()).replace(
        b"\r\nContent-Type", b"\nContent-Type"
    ),
    "bare CR in a value": lambda: with_lines(b"X-Odd: a\rb"),
    "bare CR before a field": lambda: with_lines(b"X-Odd: a\rTransfer-Encoding: chunked"),
    "obsolete line folding": lambda: with_lines(b"X-Odd: a\r\n b"),
    "line folding by tab": lambda: with_lines(b"X-Odd: a\r\n\tb"),
    "folding before the first field": lambda: request_line(lambda line: line + b"\r\n X-Odd: a"),
    # Names and values.
    "space before the colon": lambda: with_lines(b"X-Odd : a"),
    "tab before the colon": lambda: with_lines(b"X-Odd\t: a"),
    "space before the colon of Content-Length": lambda: true_length(b"Content-Length : N"),
    "space before the colon of Transfer-Encoding": lambda: framed(
        b"Transfer-Encoding : chunked", content=wire.chunked
    ),
    "space inside a name": lambda: with_lines(b"X Odd: a"),
    "no name": lambda: with_lines(b": a"),
    "no colon": lambda: with_lines(b"X-Odd"),
    "parenthesis in a name": lambda: with_lines(b"X(Odd): a"),
    "control byte in a name": lambda: with_lines(b"X\x01Odd: a"),
    "byte over 127 in a name": lambda: with_lines(b"X\xffOdd: a"),
    "NUL in a value": lambda: with_lines(b"X-Odd: a\x00b"),
    "control byte in a value": lambda: with_lines(b"X-Odd: a\x01b"),
    "DEL in a value": lambda: with_lines(b"X-Odd: a\x7fb"),
    # Host.
    "Host missing": lambda: with_lines(drop=b"host:"),
    "Host twice": lambda: with_lines(b"Host: gateway.test"),
    "Host twice and different": lambda: with_lines(b"Host: evil.example"),
    "Host with a space": lambda: with_lines(b"Host: gateway.test evil", drop=b"host:"),
    "Host with a path": lambda: with_lines(b"Host: gateway.test/x", drop=b"host:"),
    "Host with a user": lambda: with_lines(b"Host: a@gateway.test", drop=b"host:"),
    "Host a list": lambda: with_lines(b"Host: gateway.test, evil.example", drop=b"host:"),
    # Request line.
    "HTTP/0.9": lambda: b"GET /app-instances\r\n\r\n",
    "HTTP/2.0": lambda: request_line(lambda line: line.replace(b"HTTP/1.1", b"HTTP/2.0")),
    "HTTP/1.1 in small letters": lambda: request_line(lambda line: line.replace(b"HTTP", b"http")),
    "HTTP/1.1 with another digit": lambda: request_line(lambda line: line + b"1"),
    "space after the version": lambda: request_line(lambda line: line + b" "),
    "two spaces after the method": lambda: request_line(lambda line: line.replace(b"POST ", b"POST  ")),
    "two spaces before the version": lambda: request_line(lambda line: line.replace(b" HTTP", b"  HTTP")),
    "tab in the request line": lambda: request_line(lambda line: line.replace(b" HTTP", b"\tHTTP")),
    "space before the method": lambda: request_line(lambda line: b" " + line),
    "method no token": lambda: request_line(lambda line: line.replace(b"POST", b"PO(ST")),
    "absolute-form": lambda: request_line(lambda line: line.replace(b" /", b" http://gateway.test/")),
    "authority-form": lambda: b"CONNECT gateway.test:443 HTTP/1.1\r\nHost: gateway.test:443\r\n\r\n",
    "target without slash": lambda: request_line(lambda line: line.replace(b" /", b" ")),
    "fragment in the target": raw_target(b"/app-instances#x"),
    "raw byte over 127 in the target": raw_target(b"/app-instances/\xc3\xa9"),
    "quote in the target": raw_target(b'/app-instances/"'),
    "backslash in the target": raw_target(b"/app-instances\\x"),
    "control byte in the target": raw_target(b"/app-instances\x01"),
    # Paths not in normal form.
    "empty first segment": target("//app-instances"),
    "empty segment inside": target("/app-instances//admins"),
    "dot segment": target("/./app-instances"),
    "dot segment at the end": target("/app-instances/."),
    "dot-dot segment": target("/x/../app-instances"),
    "encoded dot-dot segment": raw_target(b"/x/%2e%2e/app-instances"),
    "half-encoded dot-dot segment": raw_target(b"/x/.%2E/app-instances"),
    "encoded dot segment": raw_target(b"/%2e/app-instances"),
    "malformed percent-encoding": raw_target(b"/app-instances/%zz"),
    "percent at the end": raw_target(b"/app-instances/%"),
    "percent and one digit at the end": raw_target(b"/app-instances/%4"),
    "double percent-encoding": target("/app-instances/%252e"),
    "double percent-encoded ARN": target(
        "/app-instances/" + service.APP.replace(":", "%253A").replace("/", "%252F")
    ),
    "encoded NUL": target("/app-instances/a%00b"),
    "encoded CR": target("/app-instances/a%0Db"),
    "encoded LF": target("/app-instances/a%0Ab"),
}


def smuggled():
    return wire.signed_create(CRM, service.create_user(AppInstanceUserId="crm-smuggled"))


def refuse(gateway, upstream, response, connection):
    assert_refused(response, 400, "BadRequestException", "BadRequest")
    assert response.says_close
    assert connection.is_closed(), "another answer came, or the connection stayed open"
    assert upstream.requests == []


@pytest.mark.parametrize("case", AMBIGUOUS)
def test_ambiguous_request_is_refused_and_the_connection_closed(gateway, upstream, case):
    request = AMBIGUOUS[case]()
    with gateway.connect() as connection:
        connection.send(request + smuggled())
        refuse(gateway, upstream, connection.read(), connection)
    with gateway.connect() as connection:
        connection.send_slowly(request)
        refuse(gateway, upstream, connection.read(), connection)
    with gateway.connect() as connection:
        assert_good_request_works(gateway, connection)


def test_unreadable_request_is_audited_as_invalid(gateway, upstream):
    response = gateway.send(AMBIGUOUS["Content-Length with Transfer-Encoding"]())
    record = gateway.setup.audit_record(response.get("x-gatehouse-request-id"))
    assert (record["decision"], record["outcome"], record["status"]) == ("invalid", "notForwarded", 400)


def test_good_request_before_an_ambiguous_one_is_served_alone(gateway, upstream):
    with gateway.connect() as connection:
        connection.send(
            wire.signed_create(CRM, service.create_user(AppInstanceUserId="crm-first"))
            + AMBIGUOUS["Content-Length with Transfer-Encoding"]()
            + smuggled()
        )
        assert connection.read().status == 201
        assert connection.read().status == 400
        assert connection.is_closed()
    assert upstream.only.json["AppInstanceUserId"] == "crm-first"


@pytest.mark.parametrize("slowly", [False, True], ids=["whole", "byte by byte"])
@pytest.mark.parametrize(
    "build",
    [
        lambda: wire.signed_create(CRM, service.create_user()),
        lambda: chunks(wire.chunked),
        lambda: chunks(lambda body: whole_chunk(body, b"%X" % len(body))),
        lambda: chunks(lambda body: whole_chunk(body, b'000%x;name="quoted value"' % len(body))),
        lambda: with_lines(b"X-Odd:a"),
        lambda: with_lines(b"X-Odd: \t a \t "),
        lambda: with_lines(b"X-Empty:"),
        lambda: with_lines(b"!#$%&'*+-.^_`|~09Az: token"),
        lambda: framed(TE + b"Chunked", content=wire.chunked),
    ],
)
def test_unusual_but_clear_request_is_served(gateway, upstream, build, slowly):
    with gateway.connect() as connection:
        (connection.send_slowly if slowly else connection.send)(build())
        response = connection.read()
        assert response.status == 201, response
        assert_good_request_works(gateway, connection)
    assert {request.problem for request in upstream.requests} == {None}


def test_request_split_at_every_place_is_read_the_same(gateway, upstream):
    request = wire.signed_create(CRM, service.create_user(Name="Split"))
    cuts = range(1, len(request), max(1, len(request) // 40))
    for cut in cuts:
        fresh = wire.signed_create(CRM, service.create_user(Name="Split"))
        with gateway.connect() as connection:
            connection.send(fresh[:cut])
            connection.send(fresh[cut:])
            assert connection.read().status == 201
    assert len(upstream.requests) == len(cuts)


def test_bytes_that_are_no_http_are_refused(gateway, upstream):
    for garbage in (
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 64,
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ):
        with gateway.connect() as connection:
            connection.send(garbage)
            response = connection.read()
            assert_refused(response, 400, "BadRequestException", "BadRequest")
            assert connection.is_closed()
    assert upstream.requests == []


def test_connections_that_end_anywhere_do_no_harm(gateway, upstream):
    request = wire.signed_create(CRM, service.create_user())
    for length in (0, 1, 20, len(request) // 2, len(request) - 1):
        with gateway.connect() as connection:
            connection.send(request[:length])
    with gateway.connect() as connection:
        assert_good_request_works(gateway, connection)
    assert len(upstream.requests) == 1


@pytest.fixture(scope="module")
def strict_limits(tmp_path_factory, endpoint):
    """A gateway with small limits and short waits."""
    setup = gateways.Setup(tmp_path_factory.mktemp("limits"), endpoint.url, upstreams.KEY)
    setup.config["limits"] = {
        "headerBytes": "2KiB",
        "bodyBytes": "1KiB",
        "headerTimeout": "600ms",
        "bodyTimeout": "600ms",
        "idleTimeout": "800ms",
    }
    with gateways.running(setup) as gateway:
        yield gateway


def refused_and_closed(gateway, upstream, content, status):
    with gateway.connect() as connection:
        connection.send(content)
        response = connection.read()
        assert_refused(response, status, "BadRequestException", "BadRequest")
        assert response.says_close
        assert connection.is_closed()
    assert upstream.requests == []


def test_head_that_is_too_large_is_431(strict_limits, upstream):
    big = wire.signed_create(CRM, service.create_user(), extra=[("X-Big", "x" * 3000)])
    refused_and_closed(strict_limits, upstream, big, 431)


def test_endless_head_is_431(strict_limits, upstream):
    refused_and_closed(strict_limits, upstream, b"GET / HTTP/1.1\r\nX-Big: " + b"x" * 3000, 431)


def test_endless_request_line_is_431(strict_limits, upstream):
    refused_and_closed(strict_limits, upstream, b"GET /" + b"x" * 3000, 431)


def test_body_that_is_too_large_by_its_length_is_413(strict_limits, upstream):
    body = json.dumps(service.create_user(Metadata="m" * 1100)).encode()
    head, _, _ = wire.signed_create(CRM, body).partition(b"\r\n\r\n")
    refused_and_closed(strict_limits, upstream, head + b"\r\n\r\n", 413)


def test_body_that_grows_too_large_in_chunks_is_413(strict_limits, upstream):
    body = json.dumps(service.create_user(Metadata="m" * 1100)).encode()
    fields = signing.signed_headers(CRM, "POST", TARGET, body, "gateway.test")
    head = wire.encode("POST", TARGET, [*fields, ("Transfer-Encoding", "chunked")])
    refused_and_closed(strict_limits, upstream, head + wire.chunked(body, 100), 413)


def test_head_that_does_not_come_is_408(strict_limits, upstream):
    refused_and_closed(strict_limits, upstream, b"POST /app-instance-users HTTP/1.1\r\nHost: x\r\n", 408)


def test_body_that_does_not_come_is_408(strict_limits, upstream):
    request = wire.signed_create(CRM, service.create_user())
    refused_and_closed(strict_limits, upstream, request[:-1], 408)


def test_idle_connection_is_closed_without_an_answer(strict_limits):
    with strict_limits.connect() as connection:
        assert_good_request_works(strict_limits, connection)
        assert connection.read() is None


def test_connection_over_the_limit_does_not_starve_the_others(make_setup, upstream):
    setup = make_setup(limits={"connections": 4})
    with gateways.running(setup) as gateway:
        held = [gateway.connect() for _ in range(4)]
        for connection in held:
            assert_good_request_works(gateway, connection)
        with gateway.connect() as extra:
            extra.send(wire.signed_create(CRM, service.create_user()))
            response = extra.read()
            # Refused at once or left waiting is the operator's choice of limit; served it must not be.
            assert response is None or response.status == 503
        for connection in held:
            assert_good_request_works(gateway, connection)
            connection.close()
