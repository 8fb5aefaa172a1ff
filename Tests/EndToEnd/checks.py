"""What every answer of the gateway, and every refusal, must have in common."""

import datetime
import email.utils

import gateways
import service
import wire
from waiting import PATIENCE


def assert_has_the_gateways_marks(response):
    """An accurate Date and a request id stand on every answer."""
    assert response.get("x-gatehouse-request-id"), response.headers
    date = email.utils.parsedate_to_datetime(response.get("Date"))
    age = datetime.datetime.now(datetime.timezone.utc) - date
    # Not from the future; the answer may have waited a while for its reader.
    assert -2 <= age.total_seconds() <= PATIENCE, f"Date is off by {age}"


def assert_refused(response, status, error_type, code=None):
    """The answer is the gateway's own, in the shape that AWS SDKs read."""
    assert response is not None, "closed without an answer"
    got = (response.status, response.error_type)
    assert got == (status, error_type), f"{got} with {response.body!r}"
    assert_has_the_gateways_marks(response)
    assert response.get("x-amzn-RequestId")
    assert "json" in response.get("Content-Type")
    assert response.message, response.body
    assert response.json.get("Code") == code, response.body


def assert_good_request_works(gateway, connection, key=None):
    """The next good request on this connection is served."""
    response = connection.exchange(wire.signed_create(key or gateways.CRM, service.create_user()))
    assert response.status == 201, response
