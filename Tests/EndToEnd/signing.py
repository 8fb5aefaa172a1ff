"""AWS Signature Version 4 by botocore: what the tests sign with, and what the test upstream checks with.

Nothing here computes a hash of a canonical request on its own: botocore's `SigV4Auth` does, and it is
told only which headers are signed and what time it is.
"""

import dataclasses
import datetime
import hashlib
import hmac

from botocore.auth import SIGV4_TIMESTAMP, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.compat import HTTPHeaders
from botocore.credentials import Credentials

REGION = "us-east-1"
SERVICE = "chime"
ALGORITHM = "AWS4-HMAC-SHA256"


class _GivenHeadersAuth(SigV4Auth):
    """botocore's signer over exactly the headers that are named as signed, whoever named them."""

    def __init__(self, credentials, region, service, signed):
        super().__init__(credentials, service, region)
        self._signed = signed

    def headers_to_sign(self, request):
        chosen = HTTPHeaders()
        for name, value in request.headers.items():
            if name.lower() in self._signed:
                chosen[name.lower()] = value
        return chosen


def signature(method, target, headers, body, signed, timestamp, key_id, secret, region, service):
    """Returns the hex signature that botocore gives this request.

    `headers` is a list of pairs; of these, `signed` (lower-case names) take part.
    """
    request = AWSRequest(method=method, url=f"http://signer.invalid{target}", data=body)
    request.headers = HTTPHeaders()
    for name, value in headers:
        request.headers[name] = value
    request.context["timestamp"] = timestamp
    auth = _GivenHeadersAuth(Credentials(key_id, secret), region, service, signed)
    return auth.signature(auth.string_to_sign(request, auth.canonical_request(request)), request)


def timestamp(offset_seconds=0):
    """The time now, shifted, in the form of X-Amz-Date."""
    now = datetime.datetime.now(datetime.timezone.utc)
    return (now + datetime.timedelta(seconds=offset_seconds)).strftime(SIGV4_TIMESTAMP)


@dataclasses.dataclass(frozen=True)
class Key:
    """An access key as a tenant holds it."""

    id: str
    secret: str
    token: str | None = None


def signed_headers(
    key,
    method,
    target,
    body,
    host,
    *,
    headers=(),
    unsigned=(),
    date=None,
    region=REGION,
    service=SERVICE,
    scope_date=None,
    leave_unsigned=(),
    content_sha256=None,
):
    """Returns the head fields of a signed request, as pairs: Host, X-Amz-Date, `headers`, Authorization, `unsigned`.

    `unsigned` fields are added after signing; names in `leave_unsigned` are present but not signed.
    """
    date = date or timestamp()
    fields = [("Host", host), ("X-Amz-Date", date), *headers]
    if key.token is not None:
        fields.append(("X-Amz-Security-Token", key.token))
    if content_sha256 is not None:
        fields.append(("X-Amz-Content-Sha256", content_sha256))
    not_signed = {"connection", "expect", "transfer-encoding", "user-agent", "content-length"}
    not_signed |= {name.lower() for name in leave_unsigned}
    names = sorted({name.lower() for name, _ in fields} - not_signed)
    value = signature(method, target, fields, body, set(names), date, key.id, key.secret, region, service)
    credential = f"{key.id}/{scope_date or date[:8]}/{region}/{service}/aws4_request"
    authorization = f"{ALGORITHM} Credential={credential}, SignedHeaders={';'.join(names)}, Signature={value}"
    return [*fields, ("Authorization", authorization), *unsigned]


def problem_with(method, target, headers, body, key, region=REGION, service=SERVICE):
    """Checks a received request the way AWS does; returns what is wrong with it, or None.

    `headers` are pairs as received; `key` is the one credential that is accepted.
    """
    fields = {}
    for name, value in headers:
        fields.setdefault(name.lower(), []).append(value)
    authorizations = fields.get("authorization", [])
    if len(authorizations) != 1 or not authorizations[0].startswith(ALGORITHM + " "):
        return f"{len(authorizations)} usable Authorization headers"
    parameters = dict(part.strip().split("=", 1) for part in authorizations[0][len(ALGORITHM) :].split(","))
    signed = parameters["SignedHeaders"].split(";")
    date = fields.get("x-amz-date", [""])[0]
    expected_credential = f"{key.id}/{date[:8]}/{region}/{service}/aws4_request"
    if parameters["Credential"] != expected_credential:
        return f"credential {parameters['Credential']!r}, expected {expected_credential!r}"
    if signed != sorted(signed) or "host" not in signed:
        return f"signed headers {signed}"
    absent = [name for name in signed if name not in fields]
    if absent:
        return f"signed but absent: {absent}"
    loose = [name for name in fields if name.startswith("x-amz-") and name not in signed]
    if loose:
        return f"x-amz headers that are not signed: {loose}"
    sent = datetime.datetime.strptime(date, SIGV4_TIMESTAMP).replace(tzinfo=datetime.timezone.utc)
    if abs((datetime.datetime.now(datetime.timezone.utc) - sent).total_seconds()) > 300:
        return f"date {date} is off"
    if fields.get("x-amz-security-token", [None]) != [key.token]:
        return "session token"
    digest = fields.get("x-amz-content-sha256")
    if digest is not None and digest != [hashlib.sha256(body).hexdigest()]:
        return f"x-amz-content-sha256 {digest} is not the hash of the body"
    expected = signature(
        method, target, headers, body, set(signed), date, key.id, key.secret, region, service
    )
    if not hmac.compare_digest(expected, parameters["Signature"]):
        return "the signature does not match"
    return None
