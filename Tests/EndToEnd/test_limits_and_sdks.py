"""What unmodified SDKs do with a 429 of ours, as `docs/limits.md` tells, and that the settings it recommends work."""

import concurrent.futures
import json
import pathlib

import botocore.exceptions
import pytest

import gateways
import service
from gateways import CRM

ROOT = pathlib.Path(__file__).parents[2]
NEVER = 0.001


def limited(make_setup, limit, **rate_limit):
    setup = make_setup()
    setup.tenants = [gateways.tenant(operations=service.OPERATIONS, rateLimit=limit)]
    setup.config["rateLimit"].update(rate_limit)
    return setup


@pytest.mark.parametrize(
    ("mode", "error_type", "is_retried"),
    [
        ("legacy", "ThrottledClientException", True),
        ("legacy", "TooManyRequestsException", True),
        ("standard", "ThrottledClientException", False),
        ("standard", "TooManyRequestsException", True),
        ("adaptive", "ThrottledClientException", False),
        ("adaptive", "TooManyRequestsException", True),
    ],
)
def test_boto3_retries_by_mode_and_name(make_setup, upstream, mode, error_type, is_retried):
    setup = limited(make_setup, {"requestsPerSecond": NEVER, "burst": 1}, errorType=error_type)
    with gateways.running(setup) as gateway:
        client = gateway.client(retries=mode, attempts=2)
        client.create_app_instance_user(**service.create_user())
        with pytest.raises(botocore.exceptions.ClientError) as raised:
            client.create_app_instance_user(**service.create_user())
        response = raised.value.response
        assert response["Error"]["Code"] == error_type
        assert response["ResponseMetadata"]["RetryAttempts"] == int(is_retried)
        setup.concluded(2 + is_retried)
    assert len(upstream.requests) == 1


@pytest.mark.parametrize("error_type", ["ThrottledClientException", "TooManyRequestsException"])
def test_aws_cli_retries_any_429(make_setup, upstream, error_type):
    setup = limited(make_setup, {"requestsPerSecond": NEVER, "burst": 1}, errorType=error_type)
    with gateways.running(setup) as gateway:
        for _ in range(2):
            result = gateways.aws_cli(
                gateway.url,
                CRM,
                *("describe-app-instance-user", "--app-instance-user-arn", service.user_arn("crm-alice")),
                attempts=2,
            )
        assert result.returncode != 0 and error_type in result.stderr
        assert "tenant crm may make" in result.stderr
        setup.concluded(1 + 2)
    assert len(upstream.requests) == 1


def recommended():
    """What the sample configuration and the page on limits have."""
    sample = json.loads((ROOT / "deploy/samples/gatehouse.json").read_text())["rateLimit"]
    page = (ROOT / "docs/limits.md").read_text()
    block = page.rsplit('    "rateLimit": {', 1)[1].split("\n\n", 1)[0]
    assert json.loads("{" + block) == sample
    return sample


@pytest.mark.parametrize("mode", ["legacy", "standard", "adaptive"])
def test_what_is_recommended_works_for_a_slow_tenant(make_setup, upstream, mode):
    """Eight reads at once of a tenant that may make four a second: some wait, some come back, and all are served."""
    setup = limited(make_setup, {"requestsPerSecond": 4, "burst": 2}, **recommended())
    with gateways.running(setup) as gateway, concurrent.futures.ThreadPoolExecutor(8) as pool:
        client = gateway.client(retries=mode, attempts=3)
        arn = service.user_arn("crm-alice")
        reads = [pool.submit(client.describe_app_instance_user, AppInstanceUserArn=arn) for _ in range(8)]
        assert [read.result()["ResponseMetadata"]["HTTPStatusCode"] for read in reads] == [200] * 8


def test_what_is_recommended_works_for_many_callers_of_the_budget(make_setup, upstream):
    """Fifty callers of one request each, where the budget has twenty at once and twenty a second."""
    setup = limited(make_setup, {"requestsPerSecond": 1000, "burst": 1000}, **recommended())
    with gateways.running(setup) as gateway, concurrent.futures.ThreadPoolExecutor(50) as pool:
        client = gateway.client(attempts=3)
        calls = [pool.submit(client.create_app_instance_user, **service.create_user()) for _ in range(50)]
        assert [call.result()["ResponseMetadata"]["HTTPStatusCode"] for call in calls] == [201] * 50


def test_page_tells_the_defaults_and_the_refusal_as_they_are(make_setup, upstream):
    page = (ROOT / "docs/limits.md").read_text()
    schema = json.loads(gateways.run("check", "--schema", "config").stdout)
    limits = json.dumps(schema["properties"]["rateLimit"])
    for number in ("500", "1000", "20"):
        assert f'"default": {number}' in limits or f'"default": {number}.0' in limits, number
    # The example, but for what depends on the moment.
    setup = limited(
        make_setup,
        {"requestsPerSecond": 10, "burst": 20, "operations": {"CreateAppInstanceUser": {"requestsPerSecond": 2, "burst": 1}}},
        perSourceAddress={"requestsPerSecond": 500, "burst": 1000},
        upstreamBudget={"requestsPerSecond": 20, "burst": 20},
    )
    with gateways.running(setup) as gateway:
        client = gateway.client()
        client.create_app_instance_user(**service.create_user())
        with pytest.raises(botocore.exceptions.ClientError) as raised:
            client.create_app_instance_user(**service.create_user())
    headers = raised.value.response["ResponseMetadata"]["HTTPHeaders"]
    policy = headers["ratelimit-policy"].replace("q=1;w=1", "q=10;w=5")
    assert f"RateLimit-Policy: {policy}\n" in page
    message = raised.value.response["Error"]["Message"].replace("burst 1)", "burst 10)")
    assert json.dumps(message)[1:-1] in page
    for field in ("retry-after", "x-amz-retry-after"):
        assert f"{field}: {headers[field]}\n" in page.lower()
