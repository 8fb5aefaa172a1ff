"""Unmodified SDKs and tools with endpoint and keys changed, as docs/clients.md has them: what they are told, and how often
each comes back. Those that no Python package brings are skipped where they are not installed."""

import asyncio
import dataclasses
import json
import os
import pathlib
import re
import shutil
import subprocess

import aiobotocore.session
import boto3
import botocore.config
import botocore.exceptions
import pytest

import gateways
import service
import signing
import upstreams
from gateways import CRM
from waiting import PATIENCE

CLIENTS = pathlib.Path(__file__).parent / "clients"
GOPATH = pathlib.Path("/usr/share/gocode")


@dataclasses.dataclass(frozen=True)
class Told:
    """What a client makes of an answer."""

    arn: str
    code: str
    message: str
    status: int


def environment(key, **variables):
    return gateways.clean_environment(
        AWS_ACCESS_KEY_ID=key.id,
        AWS_SECRET_ACCESS_KEY=key.secret,
        AWS_REGION="us-east-1",
        AWS_DEFAULT_REGION="us-east-1",
        AWS_CONFIG_FILE="/dev/null",
        AWS_SHARED_CREDENTIALS_FILE="/dev/null",
        AWS_EC2_METADATA_DISABLED="true",
        **variables,
    )


def run(command, key):
    result = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, env=environment(key))
    assert result.returncode == 0, result.stderr
    return Told(**json.loads(result.stdout))


def go(version):
    package = {"go-v1": "aws-sdk-go", "go-v2": "aws-sdk-go-v2"}[version]
    if not shutil.which("go") or not (GOPATH / "src/github.com/aws" / package / "service/chimesdkidentity").is_dir():
        pytest.skip(f"no Go with {package} here")

    def call(folder, url, key, body):
        binary = folder / version
        if not binary.exists():
            variables = {"GO111MODULE": "off", "GOPATH": str(GOPATH), "GOCACHE": str(folder / "cache"), "GOFLAGS": ""}
            subprocess.run(
                ["go", "build", "-o", binary, "."],
                cwd=CLIENTS / version,
                env={**os.environ, **variables},
                check=True,
            )
        return run([binary, url, json.dumps(body)], key)

    return call


def ruby(_):
    if not shutil.which("ruby") or subprocess.run(["ruby", "-e", "require 'aws-sigv4'"], capture_output=True).returncode:
        pytest.skip("no Ruby with aws-sigv4 here")
    return lambda folder, url, key, body: run(["ruby", CLIENTS / "create.rb", url, json.dumps(body)], key)


def cli(version):
    if version == "cli-2":
        aws = pathlib.Path("/usr/bin/aws")
        if not aws.exists() or "aws-cli/2." not in subprocess.run([aws, "--version"], capture_output=True, text=True).stdout:
            pytest.skip("no AWS CLI 2 here")
    else:
        aws = gateways.VENV / "aws"

    def call(folder, url, key, body):
        command = [aws, "chime-sdk-identity", "create-app-instance-user", "--output", "json", "--no-cli-pager"]
        command = command if version == "cli-2" else command[:-1]
        command += ["--endpoint-url", url, "--cli-input-json", json.dumps(body)]
        result = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, env=environment(key, AWS_MAX_ATTEMPTS=str(MOST)))
        if result.returncode == 0:
            return Told(json.loads(result.stdout)["AppInstanceUserArn"], "", "", 0)
        head, message = result.stderr.strip().split(": ", 1)
        return Told("", head.split("(", 1)[1].split(")", 1)[0], message, -1)

    return call


def python(library):
    """botocore by boto3 in each of its retry modes, and by aiobotocore."""
    retries = {"total_max_attempts": MOST, **({"mode": library.split()[1]} if " " in library else {})}

    def settings(url, key):
        return {
            "endpoint_url": url,
            "region_name": "us-east-1",
            "aws_access_key_id": key.id,
            "aws_secret_access_key": key.secret,
            "config": botocore.config.Config(
                proxies={}, connect_timeout=PATIENCE, read_timeout=PATIENCE, retries=retries
            ),
        }

    async def create(url, key, body):
        session = aiobotocore.session.get_session()
        async with session.create_client("chime-sdk-identity", **settings(url, key)) as client:
            return await client.create_app_instance_user(**body)

    def call(folder, url, key, body):
        try:
            if library == "aiobotocore":
                answer = asyncio.run(create(url, key, body))
            else:
                client = boto3.session.Session().client("chime-sdk-identity", **settings(url, key))
                answer = client.create_app_instance_user(**body)
        except botocore.exceptions.ClientError as error:
            told, metadata = error.response["Error"], error.response["ResponseMetadata"]
            return Told("", told["Code"], told["Message"], metadata["HTTPStatusCode"])
        return Told(answer["AppInstanceUserArn"], "", "", 0)

    return call


# How often each comes to upstream that answers 503, or 429 by the name that the model has. Those that would come five times
# and take a minute for it are told to come three times.
MOST = 3
TRIES = {
    "go-v1": (go, 4, 4),
    "go-v2": (go, 3, 1),
    "ruby": (ruby, 1, 1),
    "cli-1": (cli, 3, 3),
    "cli-2": (cli, 3, 1),
    "boto3 legacy": (python, 3, 3),
    "boto3 standard": (python, 3, 1),
    "boto3 adaptive": (python, 3, 1),
    "aiobotocore": (python, 3, 3),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("clients")


@pytest.fixture(scope="module")
def patient_setup(tmp_path_factory, endpoint):
    """A gateway that does not try again itself, nor leaves upstream alone."""
    setup = gateways.Setup(tmp_path_factory.mktemp("gateway"), endpoint.url, upstreams.KEY)
    setup.config["upstream"].update(retry={"attempts": 1}, circuitBreaker={"consecutiveFailures": 1000})
    setup.config["rateLimit"]["upstreamBudget"]["adaptive"] = False
    setup.policies = {"p": {"rules": {"name": {"forbidden": ["bad"]}}}}
    return setup


@pytest.fixture(scope="module")
def gateway(patient_setup):
    with gateways.running(patient_setup) as gateway:
        yield gateway


@pytest.fixture(params=TRIES)
def client(request, folder, gateway):
    """(its name, what creates a user with it: `call(key, body)`)."""
    call = TRIES[request.param][0](request.param)
    return request.param, lambda key, **changes: call(folder, gateway.url, key, service.create_user(**changes))


def test_it_creates(client, upstream):
    name, create = client
    user = "crm-" + name.replace(" ", "-")
    assert create(CRM, AppInstanceUserId=user) == Told(f"{service.APP}/user/{user}", "", "", 0)
    assert len(upstream.requests) == 1


def test_a_refusal_by_policy_is_read(client, upstream):
    _, create = client
    told = create(CRM, Name="bad")
    assert told.code in ("ForbiddenException", "Forbidden") and told.status in (403, -1)
    assert "name.forbidden" in told.message and not upstream.requests


@pytest.mark.parametrize(
    "key, code, words",
    [
        (signing.Key(CRM.id, "y" * 40), "InvalidSignatureException", "the request signature does not match"),
        (signing.Key("GHAKNOBODY0000000000", "y" * 40), "UnrecognizedClientException", "unknown, revoked or expired"),
    ],
)
def test_a_refusal_of_the_key_is_read(client, upstream, key, code, words):
    _, create = client
    told = create(key)
    assert told.code == code and words in told.message and told.status in (403, -1)
    assert not upstream.requests


@pytest.mark.parametrize("status", [503, 429])
def test_it_comes_back_as_often_as_it_does_for_the_service(client, upstream, status):
    name, create = client
    error = {503: "ServiceUnavailableException", 429: "ThrottledClientException"}[status]
    upstream.handler = lambda request: upstreams.error(status, error)
    told = create(CRM)
    # Go v2 prefers the body's `Code` to the type.
    assert told.status in (status, -1) and told.code in (error, error.removesuffix("Exception"))
    assert len(upstream.requests) == TRIES[name][1 if status == 503 else 2]
    # The token is the same, so that no try is a second creation.
    assert len({request.json["ClientRequestToken"] for request in upstream.requests}) == 1


PAGE = (gateways.ROOT / "docs/clients.md").read_text()


def block(containing):
    """The block of the page that holds these words."""
    lines = [re.sub("(?m)^    ", "", text) for text in re.findall(r"(?m)(?:^    .*\n(?:\n(?=    ))?)+", PAGE)]
    return next(text for text in lines if containing in text)


@pytest.mark.parametrize("tool", ["boto3", "cli-1"])
def test_the_profile_of_the_page_is_enough(tool, gateway, upstream, tmp_path):
    """Endpoint and key come from the profile, the key from the gateway's own command."""
    config = tmp_path / "config"
    config.write_text(block("[services gatehouse]").replace("https://gatehouse.internal:8443", gateway.url))
    binaries = tmp_path / "bin"
    binaries.mkdir()
    (binaries / "gatehouse").symlink_to(gateways.BINARY)
    variables = gateways.clean_environment(
        AWS_CONFIG_FILE=str(config), AWS_SHARED_CREDENTIALS_FILE="/dev/null", AWS_PROFILE="crm",
        AWS_EC2_METADATA_DISABLED="true", GATEHOUSE_CONFIG=str(gateway.setup.config_file),
        PATH=f"{binaries}:{os.environ['PATH']}",
    )  # fmt: skip
    body = json.dumps(service.create_user(AppInstanceUserId="crm-profile"))
    if tool == "cli-1":
        command = [gateways.VENV / "aws", "chime-sdk-identity", "create-app-instance-user", "--cli-input-json", body]
    else:
        script = "import boto3, json, sys; boto3.client('chime-sdk-identity')"
        script += ".create_app_instance_user(**json.loads(sys.argv[1]))"
        command = [gateways.VENV / "python", "-c", script, body]
    result = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, env=variables)
    assert result.returncode == 0, result.stderr
    assert upstream.only.json["AppInstanceUserId"] == "crm-profile"


def test_the_actor_of_the_page_is_recorded(gateway, upstream):
    client = gateway.client()
    exec(block("X-Gatehouse-Actor"), {"client": client})
    answer = client.create_app_instance_user(**service.create_user())
    request_id = answer["ResponseMetadata"]["HTTPHeaders"]["x-gatehouse-request-id"]
    assert gateway.setup.audit_record(request_id)["actor"] == "alice@corp.example"


@pytest.mark.parametrize("flag", ["AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT"])
def test_flags_that_name_another_endpoint_do_not_win(gateway, upstream, flag):
    body = json.dumps(service.create_user())
    command = [gateways.VENV / "aws", "chime-sdk-identity", "create-app-instance-user", "--cli-input-json", body]
    command += ["--endpoint-url", gateway.url]
    result = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, env=environment(CRM, **{flag: "true"}))
    assert result.returncode == 0, result.stderr
    assert len(upstream.requests) == 1
