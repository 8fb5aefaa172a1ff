"""A stand-in for the Chime SDK Identity endpoint whose signature check is botocore's.

It records every request as received and answers like the service, or misbehaves as a test tells it to.
"""

import dataclasses
import itertools
import json
import socket
import ssl
import threading

import service
import signing
from waiting import PATIENCE

KEY = signing.Key("AKIAUPSTREAMEXAMPLE1", "upstream/secret/0123456789abcdefghijklmn")


@dataclasses.dataclass(frozen=True)
class Received:
    """One request as it came in. `problem` is what botocore finds wrong with its signature, or None."""

    connection: int
    head: bytes
    body: bytes
    method: str
    target: str
    headers: list
    problem: str | None

    def values(self, name):
        return [value for field, value in self.headers if field.lower() == name.lower()]

    def value(self, name):
        values = self.values(name)
        assert len(values) == 1, f"{name}: {values}"
        return values[0]

    @property
    def names(self):
        return {name.lower() for name, _ in self.headers}

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def operation(self):
        found = service.identify(self.method, self.target)
        return found and found[0]


@dataclasses.dataclass(frozen=True)
class Answer:
    """An orderly answer; `Content-Length` is added."""

    status: int = 200
    body: object = dataclasses.field(default_factory=dict)
    headers: tuple = ()

    def encode(self, to):
        content = b"" if self.status == 204 else self.body
        if not isinstance(content, bytes):
            content = json.dumps(content).encode()
        fields = [("x-amzn-RequestId", f"upstream-{id(self):x}"), *self.headers]
        if self.status != 204:
            fields += [("Content-Type", "application/json"), ("Content-Length", str(len(content)))]
        lines = [f"HTTP/1.1 {self.status} Whatever"] + [f"{name}: {value}" for name, value in fields]
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + (b"" if to.method == "HEAD" else content)


@dataclasses.dataclass(frozen=True)
class Raw:
    """Bytes as they are, then the connection is kept or closed."""

    content: bytes
    close: bool = True


def error(status, error_type, code=None, message="as told by the test", headers=()):
    return Answer(
        status, {"Code": code or error_type, "Message": message}, (("x-amzn-ErrorType", error_type), *headers)
    )


def like_the_service(request):
    """What the real endpoint would answer, as far as these tests look at it."""
    if request.problem is not None:
        return error(403, "InvalidSignatureException", message=request.problem)
    found = service.identify(request.method, request.target)
    if found is None:
        return error(404, "UnknownOperationException")
    operation, status = found
    if operation == "CreateAppInstanceUser":
        body = request.json
        return Answer(
            status, {"AppInstanceUserArn": f"{body['AppInstanceArn']}/user/{body['AppInstanceUserId']}"}
        )
    return Answer(status)


class Upstream:
    """The server. Start with `with Upstream() as upstream:`; `upstream.requests` is what it received.

    `upstream.handler` is a function from `Received` to `Answer` or `Raw`; tests replace it (see `behaving`).
    """

    def __init__(self, tls=None, key=KEY, address=("127.0.0.1", 0)):
        """`tls` is a (certificate, private key) pair of paths."""
        self.key = key
        self.requests = []
        self.handler = like_the_service
        self.connections = 0
        self.server_names = []
        self._lock = threading.Lock()
        self._arrived = threading.Condition(self._lock)
        self._open = set()
        self._context = None
        if tls is not None:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.load_cert_chain(*tls)
            self._context.sni_callback = lambda _socket, name, _context: self.server_names.append(name)
        self._listener = socket.create_server(address, backlog=512)
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, daemon=True)

    @property
    def url(self):
        return f"{'https' if self._context else 'http'}://localhost:{self.port}"

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.drop_connections()

    def drop_connections(self):
        """Closes every connection at once, as a restarted server would."""
        with self._lock:
            connections, self._open = self._open, set()
        for connection in connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def clear(self):
        """Forgets what was received and behaves again."""
        with self._lock:
            self.requests = []
            self.handler = like_the_service

    def behaving(self, *answers, then=like_the_service):
        """Gives the next requests these answers (values or functions of the request), later ones `then`'s."""
        remaining = iter(answers)

        def handler(request):
            answer = next(remaining, then)
            return answer(request) if callable(answer) else answer

        self.handler = handler

    def wait_for(self, count):
        """Waits until `count` requests have arrived."""
        with self._arrived:
            assert self._arrived.wait_for(lambda: len(self.requests) >= count, PATIENCE), (
                f"{len(self.requests)} of {count} requests reached upstream"
            )

    @property
    def only(self):
        """The one request received since `clear`."""
        assert len(self.requests) == 1, [request.head for request in self.requests]
        return self.requests[0]

    def _accept(self):
        for number in itertools.count(1):
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections = number
            threading.Thread(target=self._serve, args=(connection, number), daemon=True).start()

    def _serve(self, connection, number):
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._context is not None:
                connection = self._context.wrap_socket(connection, server_side=True)
            with self._lock:
                self._open.add(connection)
            stream = connection.makefile("rb")
            while (request := self._read(stream, number)) is not None:
                with self._arrived:
                    self.requests.append(request)
                    self._arrived.notify_all()
                    handler = self.handler
                answer = handler(request)
                if isinstance(answer, Raw):
                    connection.sendall(answer.content)
                    if answer.close:
                        return
                else:
                    connection.sendall(answer.encode(request))
        except (OSError, ValueError):
            pass
        finally:
            with self._lock:
                self._open.discard(connection)
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            connection.close()

    def _read(self, stream, number):
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            line = stream.readline()
            if not line:
                return None
            head += line
        request_line, *lines = head[:-4].decode("latin-1").split("\r\n")
        method, target, _ = request_line.split(" ")
        headers = [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines)]
        length = [int(value) for name, value in headers if name.lower() == "content-length"]
        body = stream.read(length[0]) if length else b""
        try:
            problem = signing.problem_with(method, target, headers, body, self.key)
        except (KeyError, ValueError) as fault:
            problem = f"unreadable: {fault!r}"
        return Received(number, head, body, method, target, headers, problem)
