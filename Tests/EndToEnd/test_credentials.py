"""The gateway's own credentials: every source, their refresh, and what upstream says against them."""

import json
import pathlib
import sys

import pytest

import credential_fakes as fakes
import gateways
import service
import signing
import upstreams
import wire
from gateways import CRM
from waiting import until

UNAVAILABLE = "ServiceUnavailableException"


def create():
    return wire.signed_create(CRM, service.create_user())


def readiness(gateway):
    response = gateway.admin_request("/readyz")
    return response.status, response.json["checks"]["credentials"]


def ready(gateway):
    until(lambda: readiness(gateway)[0] == 200, lambda: str(readiness(gateway)))
    return readiness(gateway)[1]


@pytest.fixture
def keys(upstream):
    """The upstream takes every key that the fakes issue; the ids that signed, in order."""
    used = []
    upstream.handler = fakes.accepting(used)
    return used


def with_source(make_setup, source, **more):
    setup = make_setup()
    setup.config["upstream"]["credentials"] = {"source": source, **more}
    return setup


def serve_from(setup, fake, keys, environment, source):
    with gateways.running(setup, environment=environment) as gateway:
        check = ready(gateway)
        assert gateway.send(create()).status == 201
        assert keys == [fake.issued[-1]]
        assert check["source"] == source and check["expiry"].endswith("Z") and check["ageSeconds"] >= 0
        metrics = gateway.admin_request("/metrics").body.decode()
        assert "gatehouse_credentials_expiry_timestamp_seconds 1" in metrics
        assert f'gatehouse_credentials_info{{source="{source}"}} 1' in metrics
        said = "".join(gateway.log_text) + json.dumps(check) + metrics
        assert "secret/" not in said and "session+token/" not in said
    return gateway


def test_container(make_setup, keys, tmp_path):
    with fakes.Container() as fake:
        fake.token = "Bearer first"
        token = tmp_path / "token"
        token.write_text(fake.token + "\n")
        environment = {
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{fake.url}/v1/credentials?id=7",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": str(token),
        }
        serve_from(with_source(make_setup, "container"), fake, keys, environment, "container")
        assert fake.requests[0][1] == "/v1/credentials?id=7"


def test_container_token_file_that_rotates_is_read_anew(make_setup, keys, tmp_path):
    with fakes.Container() as fake:
        (fake.token, fake.lifetime) = ("first", 4)
        token = tmp_path / "token"
        token.write_text("first")
        environment = {
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{fake.url}/",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": str(token),
        }
        with gateways.running(with_source(make_setup, "container"), environment=environment) as gateway:
            ready(gateway)
            fake.token = "second"
            token.write_text("second")
            fake.wait_for_issued(3)
            assert gateway.send(create()).status == 201


def test_instance(make_setup, keys):
    with fakes.Instance() as fake:
        environment = {"AWS_EC2_METADATA_SERVICE_ENDPOINT": fake.url, "AWS_EC2_METADATA_DISABLED": ""}
        serve_from(with_source(make_setup, "instance"), fake, keys, environment, "instance")
        assert [request[0] for request in fake.requests] == ["PUT", "GET", "GET"]


def test_instance_is_not_asked_when_it_is_disabled(make_setup, upstream):
    with fakes.Instance() as fake:
        environment = {"AWS_EC2_METADATA_SERVICE_ENDPOINT": fake.url, "AWS_EC2_METADATA_DISABLED": "true"}
        with gateways.running(with_source(make_setup, "chain"), environment={**environment, "HOME": "/nowhere"}) as gateway:
            gateway.wait_for_log(lambda record: "no AWS credentials" in record["message"], "no AWS credentials")
            assert fake.requests == []


def test_web_identity_whose_token_rotates(make_setup, keys, tmp_path):
    with fakes.STS() as fake:
        fake.lifetime = 4
        token = tmp_path / "token"
        token.write_text("one.two.three")
        environment = {
            "AWS_WEB_IDENTITY_TOKEN_FILE": str(token), "AWS_ROLE_ARN": fakes.ROLE,
            "AWS_ROLE_SESSION_NAME": "pod-1", "AWS_ENDPOINT_URL_STS": fake.url,
        }
        with gateways.running(with_source(make_setup, "webIdentity"), environment=environment) as gateway:
            assert ready(gateway)["source"] == "webIdentity"
            form, authorization = fake.calls[0]
            assert authorization is None
            assert (form["RoleArn"], form["RoleSessionName"]) == (fakes.ROLE, "pod-1")
            assert form["WebIdentityToken"] == "one.two.three"
            token.write_text("four.five.six")
            until(lambda: fake.calls[-1][0]["WebIdentityToken"] == "four.five.six", "the new token was not sent")
            assert gateway.send(create()).status == 201
            assert "four.five.six" not in "".join(gateway.log_text)


def test_assumed_role_over_static_keys(make_setup, keys):
    with fakes.STS() as fake:
        role = {"roleArn": fakes.ROLE, "externalId": "ext-1", "sessionName": "gate-1"}
        setup = make_setup()
        setup.config["upstream"]["credentials"].update(assumeRole=role, stsEndpoint=fake.url)
        with gateways.running(setup) as gateway:
            ready(gateway)
            assert gateway.send(create()).status == 201
        form, authorization = fake.calls[0]
        assert f"Credential={upstreams.KEY.id}/" in authorization and "/us-east-1/sts/aws4_request" in authorization
        assert (form["Action"], form["RoleSessionName"], form["ExternalId"]) == ("AssumeRole", "gate-1", "ext-1")
        assert keys == [fake.issued[0]]


def test_profile_with_a_role_and_a_source_profile(make_setup, keys, tmp_path):
    with fakes.STS() as fake:
        config = gateways.write_secret(
            tmp_path / "aws-config",
            f"[profile base]\naws_access_key_id = AKIABASE\naws_secret_access_key = s\n"
            f"[profile chime]\nrole_arn = {fakes.ROLE}\nsource_profile = base\nrole_session_name = p-1\n",
        )
        environment = {
            "AWS_CONFIG_FILE": str(config), "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
            "AWS_PROFILE": "chime", "AWS_ENDPOINT_URL_STS": fake.url,
        }
        serve_from(with_source(make_setup, "chain"), fake, keys, environment, "profile")
        assert fake.calls[0][0]["RoleSessionName"] == "p-1"


def program(folder, text):
    path = folder / "give me"
    path.write_text(f"#!{sys.executable}\n{text}")
    path.chmod(0o700)
    return path


def test_process_without_a_shell(make_setup, keys, tmp_path):
    path = program(
        tmp_path,
        "import json, os, sys\n"
        "assert sys.argv[1:] == ['a b', '$HOME', ';', 'c'], sys.argv\n"
        "assert 'GATEHOUSE_MASTER_KEY' not in os.environ and os.environ['HELPER'] == 'x'\n"
        "print('a secret/on-stderr', file=sys.stderr)\n"
        "print(json.dumps({'Version': 1, 'AccessKeyId': 'AKIAPROCESS', 'SecretAccessKey': 'secret/AKIAPROCESS',"
        " 'SessionToken': 'session+token/AKIAPROCESS=='}))\n",
    )
    setup = with_source(make_setup, "process", command=f'"{path}" "a b" $HOME ; c')
    environment = {"HELPER": "x", "GATEHOUSE_MASTER_KEY": "a2V5LWtleS1rZXkta2V5LWtleS1rZXkta2V5LWtleSE="}
    with gateways.running(setup, environment=environment) as gateway:
        check = ready(gateway)
        assert (check["source"], check["expiry"]) == ("process", None)
        assert gateway.send(create()).status == 201
        assert "on-stderr" not in "".join(gateway.log_text)
    assert keys == ["AKIAPROCESS"]


def test_process_that_hangs_is_killed_with_its_group_at_exit(make_setup, upstream, tmp_path):
    pids = tmp_path / "pids"
    path = program(
        tmp_path,
        "import os, signal, subprocess, sys\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "child = subprocess.Popen(['sleep', '1000'])\n"
        f"open({str(pids)!r}, 'w').write(f'{{os.getpid()}} {{child.pid}}\\n')\n"
        "child.wait()\n",
    )
    with gateways.running(with_source(make_setup, "process", command=f'"{path}"')) as gateway:
        until(lambda: pids.exists() and pids.read_text().endswith("\n"), "the program did not begin")
        # Neither start nor requests wait for it.
        assert gateway.send(create()).status == 503
        assert readiness(gateway)[0] == 503
    for pid in pids.read_text().split():
        until(lambda: not alive(pid), f"{pid} runs on")


def test_process_that_hangs_while_requests_are_served_is_killed_and_tried_again(make_setup, keys, tmp_path):
    """Its second run hangs: that is over after 10 s, with all that it has started, and a third one follows."""
    runs = tmp_path / "runs"
    path = program(
        tmp_path,
        "import datetime, json, os, signal, subprocess\n"
        f"runs = {str(runs)!r}\n"
        "number = len(open(runs).readlines()) + 1 if os.path.exists(runs) else 1\n"
        "child = subprocess.Popen(['sleep', '1000']) if number == 2 else None\n"
        "open(runs, 'a').write(f'{os.getpid()} {child.pid if child else 0}\\n')\n"
        "if child:\n"
        "    signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "    child.wait()\n"
        "end = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=12 if number == 1 else 3600)\n"
        "print(json.dumps({'Version': 1, 'AccessKeyId': f'AKIA{number}', 'SecretAccessKey': f'secret/AKIA{number}',"
        " 'SessionToken': f'session+token/AKIA{number}==', 'Expiration': end.strftime('%Y-%m-%dT%H:%M:%SZ')}))\n",
    )
    with gateways.running(with_source(make_setup, "process", command=f'"{path}"')) as gateway:
        ready(gateway)
        until(lambda: len(runs.read_text().splitlines()) == 2, "it is not asked again before the end")
        assert gateway.send(create()).status == 201
        line = gateway.wait_for_log(lambda record: "AWS credentials" in record["message"], "that there is no answer")
        assert "did not end within 10 s" in line["problem"]
        for pid in runs.read_text().splitlines()[1].split():
            until(lambda: not alive(pid), f"{pid} runs on")
        gateway.wait_for_log(lambda record: "refreshed again" in record["message"], "the recovery")
        assert gateway.send(create()).status == 201
    assert keys == ["AKIA1", "AKIA3"]


def alive(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def test_process_that_fails_is_tried_again(make_setup, keys, tmp_path):
    good = tmp_path / "good"
    answer = json.dumps(
        {"Version": 1, "AccessKeyId": "AKIAP", "SecretAccessKey": "secret/AKIAP", "SessionToken": "session+token/AKIAP=="}
    )
    path = program(
        tmp_path, f"import os, sys\nif not os.path.exists({str(good)!r}): sys.exit(3)\nprint({answer!r})\n"
    )
    with gateways.running(with_source(make_setup, "process", command=f'"{path}"')) as gateway:
        line = gateway.wait_for_log(lambda record: "no AWS credentials" in record["message"], "no AWS credentials")
        assert "status 3" in line["problem"]
        assert not [record for record in gateway.log if record["message"] == "ready"]
        good.touch()
        gateway.wait_for_log(lambda record: "refreshed again" in record["message"], "the recovery")
        gateway.wait_for_log(lambda record: record["message"] == "ready", "ready")
        assert gateway.send(create()).status == 201
        assert len([record for record in gateway.log if "no AWS credentials" in record["message"]]) == 1


def test_metadata_service_that_hangs_holds_up_nothing_and_is_recovered_from(make_setup, keys):
    with fakes.Instance() as fake:
        fake.hanging = True
        environment = {"AWS_EC2_METADATA_SERVICE_ENDPOINT": fake.url, "AWS_EC2_METADATA_DISABLED": ""}
        with gateways.running(with_source(make_setup, "chain"), environment={**environment, "HOME": "/nowhere"}) as gateway:
            fake.wait_for(1)
            response = gateway.send(create())
            assert (response.status, response.error_type) == (503, UNAVAILABLE)
            assert gateway.reload()["level"] == "info"
            fake.hanging = False
            ready(gateway)
            assert gateway.send(create()).status == 201


def test_credentials_are_refreshed_before_they_end_and_serve_while_that_fails(make_setup, keys):
    with fakes.Container() as fake:
        fake.lifetime = 8
        environment = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{fake.url}/"}
        with gateways.running(with_source(make_setup, "container"), environment=environment) as gateway:
            first = ready(gateway)
            fake.failing = 500
            gateway.wait_for_log(lambda record: "not refreshed" in record["message"], "that it is not refreshed")
            # Well before their end, and they still serve.
            assert gateway.send(create()).status == 201
            status, check = readiness(gateway)
            assert status == 200 and check["expiry"] == first["expiry"] and "500" in check["detail"]
            until(lambda: readiness(gateway)[0] == 503, "it is ready with credentials that have ended")
            response = gateway.send(create())
            assert (response.status, response.error_type) == (503, UNAVAILABLE)
            fake.failing = None
            ready(gateway)
            assert gateway.send(create()).status == 201
            assert len([r for r in gateway.log if "not refreshed" in r["message"]]) == 1
            assert len([r for r in gateway.log if "refreshed again" in r["message"]]) == 1


def test_an_unchanged_source_keeps_its_credentials_at_a_reload(make_setup, keys):
    with fakes.Container() as fake:
        environment = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{fake.url}/"}
        setup = with_source(make_setup, "container")
        with gateways.running(setup, environment=environment) as gateway:
            ready(gateway)
            fake.failing = 500
            assert gateway.reload()["level"] == "info"
            assert gateway.send(create()).status == 201
            assert len(fake.requests) == 1
            # Another source takes over, and fails: there are none.
            setup.config["upstream"]["credentials"] = {"source": "webIdentity"}
            setup.write()
            assert gateway.reload()["level"] == "info"
            assert gateway.send(create()).status == 503


def test_a_profile_that_changed_is_read_at_a_reload(make_setup, upstream):
    upstream.handler = fakes.accepting(used := [], None)
    setup = with_source(make_setup, "profile", file="aws")

    def write(id):
        gateways.write_secret(
            setup.folder / "aws",
            f"[default]\naws_access_key_id={id}\naws_secret_access_key=secret/{id}\naws_session_token=session+token/{id}==\n",
        )

    write("AKIAFIRST")
    with gateways.running(setup) as gateway:
        assert gateway.send(create()).status == 201
        write("AKIASECOND")
        gateway.reload()
        assert gateway.send(create()).status == 201
    assert used == ["AKIAFIRST", "AKIASECOND"]


EXPIRED = upstreams.error(403, "ExpiredTokenException", message="The security token session+token/x is expired")


@pytest.mark.parametrize("operation", ["CreateAppInstanceUser", "UpdateAppInstanceUser", "DeleteAppInstanceUser", "DescribeAppInstanceUser"])
def test_expired_token_makes_one_refresh_and_one_more_attempt(make_setup, upstream, operation):
    with fakes.Container() as fake:
        upstream.handler = fakes.accepting(used := [], lambda id: EXPIRED if id == fake.issued[0] else None)
        environment = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{fake.url}/"}
        setup = with_source(make_setup, "container")
        setup.config["upstream"]["retry"] = {"attempts": 1, "budgetPercent": 0}
        with gateways.running(setup, environment=environment) as gateway:
            ready(gateway)
            call = getattr(gateway.client(), service.method_name(operation))
            answer = call(**service.minimal(operation))
            assert answer["ResponseMetadata"]["HTTPStatusCode"] in (200, 201, 204)
            assert used == fake.issued[:2] and len(fake.issued) == 2
            record = setup.concluded(1)[0]
            assert record["outcome"] in ("created", "succeeded") and record["attempts"] == 2
            assert b"session+token" not in setup.journal_bytes()


def test_concurrent_refusals_share_one_refresh(make_setup, upstream):
    import concurrent.futures

    with fakes.Container() as fake:
        upstream.handler = fakes.accepting([], lambda id: EXPIRED if id == fake.issued[0] else None)
        environment = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{fake.url}/"}
        with gateways.running(with_source(make_setup, "container"), environment=environment) as gateway:
            ready(gateway)
            with concurrent.futures.ThreadPoolExecutor(16) as pool:
                answers = list(pool.map(lambda _: gateway.send(create()).status, range(32)))
            assert answers == [201] * 32
            assert len(fake.issued) == 2


def test_token_that_stays_expired_is_503_with_the_body_withheld(make_setup, upstream):
    upstream.handler = lambda request: EXPIRED
    with gateways.running(make_setup()) as gateway:
        response = gateway.send(create())
        assert (response.status, response.error_type) == (503, UNAVAILABLE)
        assert b"session+token" not in response.body
        assert len(upstream.requests) == 2
        record = gateway.setup.audit_record(response.get("x-gatehouse-request-id"))
        assert (record["status"], record["upstreamStatus"], record["outcome"]) == (503, 403, "rejected")


@pytest.mark.parametrize(
    "type",
    [
        "InvalidSignatureException", "SignatureDoesNotMatch", "UnrecognizedClientException", "InvalidClientTokenId",
        "IncompleteSignatureException", "MissingAuthenticationTokenException",
    ],
)
@pytest.mark.parametrize("named_in", ["header", "body"])
def test_upstream_that_refuses_our_signature_is_503_with_the_body_withheld(gateway, upstream, type, named_in):
    message = "The canonical string was … session+token/leak"
    if named_in == "header":
        answer = upstreams.error(403, f"{type}:http://internal.amazon.com/", message=message)
    else:
        answer = upstreams.Answer(403, {"__type": f"com.amazon.coral.service#{type}", "message": message})
    upstream.handler = lambda request: answer
    response = gateway.send(create())
    assert (response.status, response.error_type, response.json["Code"]) == (503, UNAVAILABLE, "ServiceUnavailable")
    assert b"leak" not in response.body and len(upstream.requests) == 1
    record = gateway.setup.audit_record(response.get("x-gatehouse-request-id"))
    assert (record["decision"], record["outcome"], record["upstreamStatus"]) == ("refused", "rejected", 403)
    assert type.removesuffix("Exception") in record["reason"]
    assert "leak" not in json.dumps(record) + "".join(gateway.log_text)


def test_that_upstream_refuses_us_is_logged_when_it_begins_and_when_it_ends(make_setup, upstream):
    refuses, takes = "upstream refuses the gateway's credentials", "upstream takes the gateway's credentials again"
    with gateways.running(make_setup()) as gateway:
        upstream.handler = lambda request: upstreams.error(403, "UnrecognizedClientException", message="not known")
        for _ in range(3):
            assert gateway.send(create()).status == 503
        ready = gateway.admin_request("/readyz")
        assert ready.status == 200
        assert ready.json["checks"]["upstream"]["detail"] == "refuses the gateway's credentials: UnrecognizedClient"
        # One that does not look at signatures says nothing about them.
        upstream.handler = lambda request: upstreams.error(429, "ThrottledClientException")
        gateway.send(create())
        upstream.handler = upstreams.like_the_service
        for _ in range(2):
            assert gateway.send(create()).status == 201
        line = gateway.wait_for_log(lambda record: record["message"] == takes, takes)
        assert line["level"] == "notice" and line["region"] == "us-east-1"
        [begun] = [record for record in gateway.log if record["message"] == refuses]
        assert (begun["level"], begun["errorType"]) == ("error", "UnrecognizedClient")
        assert len([record for record in gateway.log if record["message"] == takes]) == 1
        assert gateway.admin_request("/readyz").json["checks"]["upstream"]["detail"] == "no problem known"


def test_what_the_gateways_role_may_not_do_is_403_and_its_name_only_recorded(gateway, upstream):
    message = "User: arn:aws:sts::123456789012:assumed-role/gate/x is not authorized to perform: chime:CreateAppInstanceUser"
    upstream.handler = lambda request: upstreams.error(403, "AccessDeniedException", message=message)
    response = gateway.send(create())
    assert (response.status, response.error_type, response.json["Code"]) == (403, "ForbiddenException", "AccessDenied")
    assert b"assumed-role" not in response.body
    record = gateway.setup.audit_record(response.get("x-gatehouse-request-id"))
    assert (record["outcome"], record["upstreamStatus"]) == ("rejected", 403) and message in record["reason"]


def test_what_upstream_forbids_the_caller_passes_through(gateway, upstream):
    upstream.handler = lambda request: upstreams.error(403, "ForbiddenException", "Forbidden", "not yours")
    response = gateway.send(create())
    assert (response.status, response.error_type, response.message) == (403, "ForbiddenException", "not yours")


# Tenants with a role of their own.


@pytest.fixture
def with_roles(make_setup):
    def make(sts, **roles):
        setup = make_setup()
        setup.config["upstream"]["credentials"]["stsEndpoint"] = sts.url
        setup.tenants[0]["assumeRole"] = {"roleArn": fakes.ROLE, "sourceIdentity": True}
        setup.tenants.append(gateways.tenant("hr", [gateways.HR], operations=service.OPERATIONS))
        return setup

    return make


def test_a_tenants_calls_are_signed_with_its_roles_session(with_roles, upstream):
    with fakes.STS() as sts:
        upstream.handler = fakes.accepting(used := [])
        with gateways.running(with_roles(sts)) as gateway:
            assert sts.calls == []
            assert [gateway.send(create()).status for _ in range(2)] == [201, 201]
        form, authorization = sts.calls[0]
        assert len(sts.calls) == 1 and f"Credential={upstreams.KEY.id}/" in authorization
        assert (form["RoleArn"], form["RoleSessionName"], form["SourceIdentity"]) == (fakes.ROLE, "crm", "crm")
        assert used == [sts.issued[0]] * 2


def test_a_tenant_whose_role_fails_gets_503_and_never_the_gateways_own(with_roles, upstream):
    with fakes.STS() as sts:
        sts.refused.add(fakes.ROLE)
        with gateways.running(with_roles(sts)) as gateway:
            responses = [gateway.send(create()) for _ in range(3)]
            assert {(response.status, response.error_type) for response in responses} == {(503, UNAVAILABLE)}
            assert upstream.requests == []
            # Others are served, and it is ready.
            assert gateway.send(wire.signed_create(gateways.HR, service.create_user())).status == 201
            assert readiness(gateway)[0] == 200
            line = gateway.wait_for_log(lambda record: record.get("tenant") == "crm" and "problem" in record, "the failure")
            assert "AccessDenied" in line["problem"]
            sts.refused.clear()
            upstream.handler = fakes.accepting([])
            until(lambda: gateway.send(create()).status == 201, "the role is not assumed again")


def test_a_tenants_session_is_refreshed_when_upstream_takes_it_for_expired(with_roles, upstream):
    with fakes.STS() as sts:
        upstream.handler = fakes.accepting(used := [], lambda id: EXPIRED if id == sts.issued[0] else None)
        with gateways.running(with_roles(sts)) as gateway:
            assert gateway.send(create()).status == 201
        assert used == sts.issued[:2]


def test_sts_that_hangs_holds_up_nobody_else(with_roles, upstream):
    with fakes.STS() as sts:
        sts.hanging = True
        with gateways.running(with_roles(sts)) as gateway, gateway.connect() as waiting:
            waiting.send(create())
            sts.wait_for(1)
            assert gateway.send(wire.signed_create(gateways.HR, service.create_user())).status == 201
            assert waiting.read().status == 503


def test_check_refuses_ids_that_sts_would_refuse(make_setup):
    setup = make_setup()
    setup.tenants = [gateways.tenant("x", assumeRole={"roleArn": fakes.ROLE})]
    setup.write()
    checked = setup.command("check")
    assert checked.returncode == 1 and "role session" in checked.stdout
    setup.tenants = [gateways.tenant("xy", assumeRole={"roleArn": "arn:aws:iam::1:role/x"})]
    setup.write()
    assert "ARN of an IAM role" in setup.command("check").stdout


def test_sts_is_verified_by_the_bundle_of_authorities(with_roles, upstream, tls):
    server = (tls / "server.pem", tls / "server.key")
    with fakes.STS(tls=server) as sts:
        upstream.handler = fakes.accepting(used := [])
        environment = {"AWS_CA_BUNDLE": str(tls / "ca.pem")}
        with gateways.running(with_roles(sts), environment=environment) as gateway:
            assert gateway.send(create()).status == 201
        assert used == sts.issued and len(sts.calls) == 1
        for variables in ({"AWS_CA_BUNDLE": str(tls / "other-ca.pem")}, {}):
            with gateways.running(with_roles(sts), environment=variables) as gateway:
                assert gateway.send(create()).status == 503
                line = gateway.wait_for_log(lambda record: record.get("tenant") == "crm" and "problem" in record, "why")
                assert "certificate" in line["problem"], line
        assert len(sts.calls) == 1


def test_sessions_are_bounded_in_number(make_setup, upstream):
    """1000 are held; the one that was used longest ago makes room, and is made anew when it is wanted."""
    most = 1000
    setup = make_setup()
    callers = [signing.Key(f"GHAKMANY{number:010d}", f"secret-of-{number}") for number in range(most + 1)]
    setup.tenants = [
        gateways.tenant(f"many-{number}", [key], assumeRole={"roleArn": fakes.ROLE})
        for number, key in enumerate(callers)
    ]
    with fakes.STS() as sts:
        setup.config["upstream"]["credentials"]["stsEndpoint"] = sts.url
        upstream.handler = fakes.accepting([])

        def call(number):
            response = gateway.send(wire.signed_create(callers[number], service.create_user()))
            assert response.status == 201, response

        with gateways.running(setup) as gateway:
            for number in range(most):
                call(number)
            # The first is used again, so the second is the oldest.
            call(0)
            assert len(sts.calls) == most
            call(most)
            call(0)
            assert len(sts.calls) == most + 1
            call(1)
            assert len(sts.calls) == most + 2
