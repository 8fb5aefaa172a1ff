"""Stand-ins for what gives AWS credentials: the instance's metadata service (IMDSv2), a container's endpoint, STS.

`test_credential_fakes.py` shows that botocore gets its credentials from them, so that they are like the real ones.
"""

import contextlib
import datetime
import http.server
import itertools
import json
import ssl
import threading
import urllib.parse

from waiting import PATIENCE

IMDS_TOKEN = "imds-token-9c1f"
ROLE = "arn:aws:iam::123456789012:role/gatehouse"


def rfc3339(seconds):
    """The time that many seconds from now."""
    moment = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


class Fake:
    """A small HTTP server. `issued` are the key ids that it gave, in order; `lifetime` is that of the next ones.

    `requests` has (method, target, headers, body) of each request. While `failing` is a status, it answers that; while
    `hanging`, nothing.
    """

    def __init__(self, tls=None):
        """`tls` is a (certificate, private key) pair of paths."""
        self.issued = []
        self.requests = []
        self.lifetime = 3600
        self.failing = None
        self.hanging = False
        self._release = threading.Event()
        self._changed = threading.Condition()
        self._numbers = itertools.count(1)
        fake = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _serve(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                with fake._changed:
                    fake.requests.append((self.command, self.path, dict(self.headers), body.decode()))
                    fake._changed.notify_all()
                if fake.hanging:
                    fake._release.wait(PATIENCE)
                    self.close_connection = True
                    return
                status, content, kind = (fake.failing, b"", "text/plain") if fake.failing else fake.answer(self, body)
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_PUT = do_POST = _serve

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        if tls is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._release.set()
        self._server.shutdown()
        self._server.server_close()

    def wait_for(self, count):
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.requests) >= count, PATIENCE), self.requests

    def wait_for_issued(self, count):
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.issued) >= count, PATIENCE), (self.issued, self.requests)

    def issue(self, prefix):
        """Keys that nobody had before, as (id, secret, token, expiration)."""
        number = next(self._numbers)
        id = f"ASIA{prefix}{number:08d}"
        with self._changed:
            self.issued.append(id)
            self._changed.notify_all()
        return id, f"secret/{id}", f"session+token/{id}==", rfc3339(self.lifetime)


class Container(Fake):
    """What ECS and EKS Pod Identity give; asks for `token` if it is set."""

    token = None

    def answer(self, request, body):
        if self.token is not None and request.headers.get("Authorization") != self.token:
            return 401, b'{"code":"Unauthorized","message":"the token is wrong"}', "application/json"
        id, secret, token, end = self.issue("CONT")
        answer = {"AccessKeyId": id, "SecretAccessKey": secret, "Token": token, "Expiration": end}
        return 200, json.dumps(answer).encode(), "application/json"


class Instance(Fake):
    """IMDSv2: without its token nothing is given."""

    def answer(self, request, body):
        folder = "/latest/meta-data/iam/security-credentials/"
        if request.command == "PUT" and request.path == "/latest/api/token":
            if "X-aws-ec2-metadata-token-ttl-seconds" not in request.headers:
                return 400, b"", "text/plain"
            return 200, IMDS_TOKEN.encode(), "text/plain"
        if request.headers.get("X-aws-ec2-metadata-token") != IMDS_TOKEN:
            return 401, b"", "text/plain"
        if request.path == folder:
            return 200, b"chime-role", "text/plain"
        if request.path == folder + "chime-role":
            id, secret, token, end = self.issue("INST")
            answer = {
                "Code": "Success", "Type": "AWS-HMAC", "LastUpdated": rfc3339(0), "AccessKeyId": id,
                "SecretAccessKey": secret, "Token": token, "Expiration": end,
            }
            return 200, json.dumps(answer).encode(), "application/json"
        return 404, b"", "text/plain"


class STS(Fake):
    """AssumeRole and AssumeRoleWithWebIdentity. `refused` are role ARNs that it does not give."""

    def __init__(self, **options):
        super().__init__(**options)
        self.refused = set()
        self.calls = []

    def answer(self, request, body):
        form = dict(urllib.parse.parse_qsl(body.decode(), strict_parsing=True))
        self.calls.append((form, request.headers.get("Authorization")))
        if form["RoleArn"] in self.refused:
            return 403, (
                "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type>"
                "<Code>AccessDenied</Code><Message>not authorized to perform: sts:AssumeRole</Message></Error>"
                "<RequestId>1</RequestId></ErrorResponse>"
            ).encode(), "text/xml"
        id, secret, token, end = self.issue("ROLE")
        action = form["Action"]
        return 200, (
            f'<{action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><{action}Result>'
            f"<AssumedRoleUser><AssumedRoleId>ARO123EXAMPLE123:x</AssumedRoleId><Arn>{form['RoleArn']}</Arn></AssumedRoleUser>"
            f"<Credentials><AccessKeyId>{id}</AccessKeyId><SecretAccessKey>{secret}</SecretAccessKey>"
            f"<SessionToken>{token}</SessionToken><Expiration>{end}</Expiration></Credentials>"
            f"</{action}Result><ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></{action}Response>"
        ).encode(), "text/xml"


def accepting(keys_of, refuse=None):
    """An upstream's handler: good signatures of any key whose secret is `secret/ID` are taken, others refused.

    `keys_of` is a list that the key ids are appended to, in order."""
    import signing
    import upstreams

    def handler(request):
        id = request.value("Authorization").partition("Credential=")[2].partition("/")[0]
        keys_of.append(id)
        key = signing.Key(id, f"secret/{id}", f"session+token/{id}==")
        problem = signing.problem_with(request.method, request.target, request.headers, request.body, key)
        if problem is not None:
            return upstreams.error(403, "InvalidSignatureException", message=problem)
        if refuse is not None and (answer := refuse(id)) is not None:
            return answer
        import dataclasses

        return upstreams.like_the_service(dataclasses.replace(request, problem=None))

    return handler


@contextlib.contextmanager
def all_fakes():
    with Container() as container, Instance() as instance, STS() as sts:
        yield container, instance, sts
