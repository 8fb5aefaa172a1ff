"""Two regions behind one gateway: each request goes where its signature says, and one region's trouble is its own."""

import contextlib
import dataclasses
import json

import botocore.exceptions
import pytest

import credential_fakes as fakes
import gateways
import service
import signing
import upstreams
import wire
from gateways import CRM, HR
from waiting import until

HERE, THERE = "us-east-1", "eu-central-1"
UPSTREAM = upstreams.KEY


def app(region):
    return service.APP.replace(HERE, region)


def user(region, **more):
    return service.create_user(AppInstanceArn=app(region), **more)


def two_regions(folder, here, there, **tenants):
    """A gateway's setup: `crm` may call in both regions, `hr` there alone."""
    setup = gateways.Setup(folder, here, UPSTREAM)
    setup.config["upstream"]["otherRegions"] = [{"region": THERE, "endpoint": there}]
    anywhere = ["arn:aws:chime:*:123456789012:app-instance/*"]
    setup.tenants = [
        gateways.tenant(operations=service.OPERATIONS, apps=anywhere, **tenants.get("crm", {})),
        gateways.tenant("hr", (HR,), operations=service.OPERATIONS, apps=anywhere, regions=[THERE]),
    ]
    return setup


@pytest.fixture(scope="module")
def sandboxes(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sandboxes")
    with contextlib.ExitStack() as stack:
        found = []
        for region in (HERE, THERE):
            found.append(gateways.Sandbox(folder, UPSTREAM, region))
            stack.callback(found[-1].stop)
        yield found


@pytest.fixture
def gateway(tmp_path, sandboxes):
    with gateways.running(two_regions(tmp_path / "gateway", *(sandbox.url for sandbox in sandboxes))) as gateway:
        yield gateway


def refusal(call):
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        call()
    return caught.value.response["Error"]["Code"], caught.value.response["Error"]["Message"]


@pytest.mark.parametrize("region", [HERE, THERE])
def test_a_request_goes_to_the_region_of_its_signature(gateway, region):
    client = gateway.client(region=region)
    parameters = user(region)
    arn = client.create_app_instance_user(**parameters)["AppInstanceUserArn"]
    assert arn.startswith(app(region))
    # The sandboxes know nothing of each other, and take signatures of their own region alone.
    assert client.describe_app_instance_user(AppInstanceUserArn=arn)["AppInstanceUser"]["Name"] == parameters["Name"]
    other = HERE if region == THERE else THERE
    code, _ = refusal(lambda: gateway.client(region=other).describe_app_instance_user(AppInstanceUserArn=arn))
    # Upstream's own answer about what is elsewhere.
    assert code == "ForbiddenException"


def test_a_region_that_is_not_served_is_refused_with_those_that_are(gateway):
    code, message = refusal(lambda: gateway.client(region="us-west-2").create_app_instance_user(**user(HERE)))
    assert code == "InvalidSignatureException"
    assert message == "the credential scope is for another region; expected `us-east-1` or `eu-central-1`"


def test_with_one_region_the_refusal_names_it(make_setup):
    with gateways.running(make_setup()) as gateway:
        code, message = refusal(lambda: gateway.client(region=THERE).create_app_instance_user(**user(HERE)))
    assert code == "InvalidSignatureException"
    assert message == "the credential scope is for another region; expected `us-east-1`"


def test_a_tenant_calls_in_its_regions_alone(gateway):
    assert gateway.client(HR, region=THERE).create_app_instance_user(**user(THERE))
    code, message = refusal(lambda: gateway.client(HR, region=HERE).create_app_instance_user(**user(HERE)))
    assert code == "ForbiddenException"
    assert "gatehouse: tenant.region: region: tenant hr may not call in us-east-1; accepted: `eu-central-1`" in message
    record = gateway.setup.concluded(1, lambda record: record["decision"] == "denied")[0]
    assert record["tenant"] == "hr" and record["outcome"] == "notForwarded"
    assert [violation["rule"] for violation in record["violations"]] == ["tenant.region"]
    # One who cannot sign learns nothing of a tenant's regions.
    stranger = signing.Key(HR.id, "not the secret")
    code, _ = refusal(lambda: gateway.client(stranger, region=HERE).create_app_instance_user(**user(HERE)))
    assert code == "InvalidSignatureException"


def test_a_reload_takes_over_a_tenants_regions_and_no_other_endpoint(gateway):
    gateway.setup.tenants[1]["regions"] = [HERE]
    gateway.setup.write()
    assert gateway.reload()["message"] == "reloaded"
    assert gateway.client(HR, region=HERE).create_app_instance_user(**user(HERE))
    gateway.setup.config["upstream"]["otherRegions"][0]["endpoint"] = "http://127.0.0.1:9"
    gateway.setup.write()
    assert "`upstream.otherRegions` can change at a restart only" in gateway.reload()["problem"]
    assert gateway.client(region=THERE).create_app_instance_user(**user(THERE))


def test_one_region_that_fails_is_left_alone_and_the_other_serves(tmp_path, upstream):
    setup = two_regions(tmp_path / "gateway", upstream.url, "http://127.0.0.1:1")
    setup.config["upstream"]["circuitBreaker"] = {"consecutiveFailures": 2, "openFor": "1h"}
    setup.config["upstream"]["retry"] = {"attempts": 1}
    with gateways.running(setup) as gateway:
        for _ in range(3):
            code, _ = refusal(lambda: gateway.client(region=THERE).create_app_instance_user(**user(THERE)))
            assert code == "ServiceUnavailableException"
        assert gateway.client().create_app_instance_user(**user(HERE))
        line = gateway.wait_for_log(lambda record: record["message"] == "circuit open", "circuit open")
        assert line["region"] == THERE
        ready = gateway.admin_request("/readyz")
        detail = ready.json["checks"]["upstream"]["detail"]
        assert ready.status == 200 and detail.startswith("us-east-1: no problem known; eu-central-1: unreachable: ")
        metrics = gateway.admin_request("/metrics").body.decode()
        assert 'gatehouse_circuit_open{region="us-east-1"} 0' in metrics
        assert 'gatehouse_circuit_open{region="eu-central-1"} 1' in metrics
        idle = 'gatehouse_upstream_connections{region="us-east-1",state="idle"} 1'
        until(lambda: idle in gateway.admin_request("/metrics").body.decode(), idle)


def test_the_accounts_quota_is_one_for_each_region(tmp_path, sandboxes):
    setup = two_regions(tmp_path / "gateway", *(sandbox.url for sandbox in sandboxes))
    setup.config["rateLimit"]["upstreamBudget"] = {"requestsPerSecond": 0.0001, "burst": 1}
    with gateways.running(setup) as gateway:
        for region in (HERE, THERE):
            client = gateway.client(region=region)
            client.create_app_instance_user(**user(region))
            code, _ = refusal(lambda: client.create_app_instance_user(**user(region)))
            assert code == "ThrottledClientException"


def test_a_token_that_is_used_in_two_regions_is_two_requests(gateway):
    """The first went to a region where the AppInstance is not: that is no answer for the second."""
    parameters = user(THERE, ClientRequestToken="one-and-the-same")
    code, _ = refusal(lambda: gateway.client(region=HERE).create_app_instance_user(**parameters))
    assert code == "ForbiddenException"
    assert gateway.client(region=THERE).create_app_instance_user(**parameters)


def test_a_tenants_role_signs_in_each_region(tmp_path, upstream):
    scopes = []

    def elsewhere(request):
        scopes.append(request.value("Authorization").partition("Credential=")[2].split(",")[0])
        return upstreams.like_the_service(dataclasses.replace(request, problem=None))

    with fakes.STS() as sts, upstreams.Upstream() as other:
        for server in (upstream, other):
            server.handler = elsewhere
        role = {"assumeRole": {"roleArn": fakes.ROLE}}
        setup = two_regions(tmp_path / "gateway", upstream.url, other.url, crm=role)
        setup.config["upstream"]["credentials"]["stsEndpoint"] = sts.url
        with gateways.running(setup) as gateway:
            for region in (HERE, THERE, HERE):
                gateway.send(wire.signed_create(CRM, user(region), region=region))
    # One session, which signs for both.
    assert len(sts.calls) == 1
    session = sts.issued[0]
    assert [(scope.split("/")[0], scope.split("/")[2]) for scope in scopes] == [
        (session, HERE), (session, THERE), (session, HERE)
    ]
    assert len(other.requests) == 1


def test_reconcile_asks_in_the_region_of_each_user(tmp_path, sandboxes):
    with upstreams.Upstream() as silent:
        silent.handler = lambda request: upstreams.Raw(b"")
        setup = two_regions(tmp_path / "gateway", silent.url, silent.url)
        setup.config["upstream"]["retry"] = {"attempts": 1}
        with gateways.running(setup) as gateway:
            for region in (HERE, THERE):
                parameters = user(region, AppInstanceUserId=f"in-{region}")
                gateway.send(wire.signed_create(CRM, parameters, region=region))
                # Each is where it should be, and nowhere else.
                sandbox = sandboxes[region == THERE]
                gateways.boto3_client(sandbox.url, UPSTREAM, region=region).create_app_instance_user(**parameters)
    (setup.config["upstream"]["endpoint"], there) = (sandbox.url for sandbox in sandboxes)
    setup.config["upstream"]["otherRegions"][0]["endpoint"] = there
    setup.write()
    result = setup.command("audit", "reconcile", "--format", "json", "--dry-run")
    found = [json.loads(line) for line in result.stdout.splitlines()]
    assert {one["appInstanceUserId"]: one["outcome"] for one in found} == {
        f"in-{HERE}": "created", f"in-{THERE}": "created"
    }, result.stderr


def test_explain_and_check_know_regions(gateway, tmp_path):
    body = '{"AppInstanceArn":"%s","AppInstanceUserId":"a","Name":"A","ClientRequestToken":"token-1"}' % app(HERE)
    explain = ("explain", "--tenant", "hr", "-")
    assert gateway.setup.command(*explain, stdin=body).returncode == 0
    refused = gateway.setup.command(*explain, "--region", HERE, stdin=body)
    assert refused.returncode == 2 and "tenant.region" in refused.stdout
    misspelt = gateway.setup.command(*explain, "--region", "eu-centrl-1", stdin=body)
    assert misspelt.returncode == 64 and "did you mean `eu-central-1`?" in misspelt.stderr
    shown = gateway.setup.command("tenant", "show", "hr")
    assert "region: eu-central-1" in shown.stdout

    setup = two_regions(tmp_path / "bad", "http://127.0.0.1:9", "http://127.0.0.1:9")
    setup.tenants[1]["regions"] = ["eu-centrl-1"]
    setup.write()
    bad = setup.command("check")
    assert bad.returncode == 1
    assert 'the configuration serves no region "eu-centrl-1"; did you mean "eu-central-1"?' in bad.stdout + bad.stderr
