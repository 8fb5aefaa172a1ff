"""Raw HTTP/1.1 over a socket: for what SDKs cannot send, and to see exactly what comes back."""

import dataclasses
import json
import socket

import signing
from waiting import PATIENCE


@dataclasses.dataclass(frozen=True)
class Response:
    status: int
    headers: list
    body: bytes
    version: str

    def values(self, name):
        return [value for field, value in self.headers if field.lower() == name.lower()]

    def get(self, name):
        values = self.values(name)
        assert len(values) <= 1, f"{name} stands {len(values)} times"
        return values[0] if values else None

    @property
    def error_type(self):
        return (self.get("x-amzn-ErrorType") or "").split(":")[0]

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def message(self):
        body = self.json
        return body.get("Message", body.get("message"))

    @property
    def says_close(self):
        return "close" in [value.lower() for value in self.values("Connection")]


class Connection:
    """One TCP (or TLS) connection to `HOST:PORT`."""

    def __init__(self, address, tls=None, server_name="localhost", source=None):
        self.address = address
        host, _, port = address.rpartition(":")
        self.socket = socket.create_connection(
            (host.strip("[]"), int(port)), PATIENCE, source_address=(source, 0) if source else None
        )
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls is not None:
            self.socket = tls.wrap_socket(self.socket, server_hostname=server_name)
        self._stream = self.socket.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self._stream.close()
        self.socket.close()

    def send(self, content):
        self.socket.sendall(content)

    def send_slowly(self, content):
        """One byte a segment. Stops quietly when the peer has had enough."""
        try:
            for byte in content:
                self.socket.send(bytes((byte,)))
        except (BrokenPipeError, ConnectionResetError):
            pass

    def read(self, head_request=False):
        """Reads one final response (interim 1xx are left out); None when the peer closed before it."""
        while True:
            status_line = self._line()
            if not status_line:
                return None
            version, status, *_ = status_line.decode("latin-1").rstrip("\r\n").split(" ", 2)
            headers = []
            while (line := self._line()) not in (b"\r\n", b""):
                name, _, value = line.decode("latin-1").partition(":")
                headers.append((name, value.strip()))
            response = Response(int(status), headers, b"", version)
            if response.status // 100 == 1:
                continue
            return dataclasses.replace(response, body=self._body(response, head_request))

    def exchange(self, content):
        self.send(content)
        response = self.read()
        assert response is not None, "the connection was closed without an answer"
        return response

    def is_closed(self):
        """Waits for the peer's close; False when something else came or the connection stays open."""
        try:
            return self._stream.read(1) == b""
        except (ConnectionResetError, BrokenPipeError):
            return True
        except (TimeoutError, OSError):
            return False

    def _line(self):
        try:
            return self._stream.readline()
        except ConnectionResetError:
            return b""

    def _body(self, response, head_request):
        if head_request or response.status in (204, 304):
            return b""
        if response.get("Transfer-Encoding") == "chunked":
            body = b""
            while size := int(self._stream.readline().split(b";")[0], 16):
                body += self._stream.read(size)
                assert self._stream.readline() == b"\r\n"
            while self._stream.readline() not in (b"\r\n", b""):
                pass
            return body
        length = response.get("Content-Length")
        return self._stream.read(int(length)) if length is not None else self._stream.read()


def encode(method, target, fields, body=b"", version="HTTP/1.1"):
    """A request's bytes; `fields` are pairs and are written as they are."""
    lines = [f"{method} {target} {version}"] + [f"{name}: {value}" for name, value in fields]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def chunked(body, size=7):
    chunks = [body[at : at + size] for at in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"


def signed(key, method, target, body=b"", host="gateway.test", *, extra=(), **options):
    """A correctly signed request with Content-Length; `options` as for `signing.signed_headers`.

    `extra` are unsigned fields added at the end.
    """
    fields = signing.signed_headers(key, method, target, body, host, **options)
    if body or method in ("POST", "PUT"):
        fields.append(("Content-Length", str(len(body))))
    return encode(method, target, [*fields, *extra], body)


def signed_create(key, parameters, **options):
    """A signed CreateAppInstanceUser with this body (a dict, or bytes as they are)."""
    body = parameters if isinstance(parameters, bytes) else json.dumps(parameters).encode()
    headers = (("Content-Type", "application/json"), *options.pop("headers", ()))
    return signed(key, "POST", "/app-instance-users", body, headers=headers, **options)
