"""`/api/…` of the admin listener: what the dashboard shows, as JSON."""

import dataclasses
import json
import re
import subprocess
import sys
import urllib.parse

import pytest
from jsonschema import Draft202012Validator, FormatChecker

import gateways
import service
import upstreams
import wire
from gateways import CRM, HR

TOKEN = "s3cret-admin-token-0123456789"
BEARER = [("Authorization", f"Bearer {TOKEN}")]
OPENAPI = json.loads((gateways.ROOT / "dashboard/openapi.json").read_text())
MARKUP = "<img src=x onerror=alert(1)>"

POLICIES = {
    "org-baseline": {
        "description": "What every user must look like",
        "owner": "identity@example.com",
        "severity": "high",
        "rules": {
            "name": {"minLength": 2, "maxLength": 80},
            "tags": {"required": [{"key": "CostCenter", "values": ["4711", "48*"]}], "set": {"CreatedVia": "gatehouse"}},
            "expiration": {"defaultDays": 30},
        },
    },
    "trial": {"mode": "warn", "when": {"tags.CostCenter": ["4711"]}, "rules": {"metadata": {"maxBytes": 10}}},
}


@pytest.fixture(scope="module")
def shown(tmp_path_factory, endpoint):
    """A gateway with a token, two tenants, policies, an exception and some requests of each kind."""
    setup = gateways.Setup(tmp_path_factory.mktemp("shown"), endpoint.url, upstreams.KEY)
    gateways.write_secret(setup.folder / "admin.token", TOKEN)
    setup.config["admin"]["tokenFile"] = "admin.token"
    # So that records stand in the order of the requests.
    setup.config["workers"] = 1
    setup.tenants = [
        gateways.tenant(operations=service.OPERATIONS, description="CRM", labels={"owner": "crm@example.com"}),
        gateways.tenant("hr", keys=[HR], rateLimit={"requestsPerSecond": 1, "burst": 1, "concurrency": 4}),
    ]
    setup.policies = POLICIES
    setup.write()
    exception = {
        "exception": "hr-import", "reason": "an import", "until": "2099-01-31", "policies": ["org-baseline"],
        "rules": ["tags.required"], "match": {"tenants": ["hr"]},
    }
    write_policies = setup.write_policies

    def write():
        write_policies()
        (setup.folder / "policies/hr.exception.json").write_text(json.dumps(exception))

    setup.write_policies = write
    with gateways.running(setup) as gateway:
        for request in requests():
            gateway.send(request)
        setup.concluded(len(requests()))
        yield gateway


def requests():
    return [
        wire.signed_create(CRM, service.create_user(AppInstanceUserId="crm-alice", Name=MARKUP)),
        wire.signed_create(CRM, service.create_user(AppInstanceUserId="crm-bob", Name="Bob", Tags=None)),
        wire.signed_create(CRM, service.create_user(AppInstanceUserId="crm-carol", Name="C")),
        wire.signed_create(HR, service.create_user(AppInstanceUserId="hr-dave", Name="Dave", Tags=None)),
        wire.signed_create(HR, service.create_user(AppInstanceUserId="hr-erin", Name="Erin", Tags=None)),
        wire.signed_create(dataclasses.replace(CRM, secret="wrong"), service.create_user()),
    ]


def get(gateway, path, headers=BEARER, **parameters):
    if parameters:
        path += "?" + urllib.parse.urlencode(parameters, doseq=True, quote_via=urllib.parse.quote)
    return gateway.admin_request(path, headers=headers)


def post(gateway, path, body, headers=BEARER):
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    fields = [("Host", gateway.admin), ("Content-Length", str(len(body))), *headers]
    with wire.Connection(gateway.admin) as connection:
        return connection.exchange(wire.encode("POST", path, fields, body))


def validate(response, path, method="get"):
    """Holds an answer to what openapi.json says of it."""
    described = OPENAPI["paths"][path][method]["responses"]
    assert str(response.status) in described, (path, response.status, response.body)
    schema = described[str(response.status)]["content"]["application/json"]["schema"]
    whole = {**schema, "components": OPENAPI["components"]}
    errors = list(Draft202012Validator(whole, format_checker=FormatChecker()).iter_errors(response.json))
    assert not errors, [(list(error.absolute_path), error.message) for error in errors]
    return response.json


RESOURCES = ["overview", "health", "requests", "counts", "tenants", "policies", "openapi.json"]


@pytest.mark.parametrize("resource", RESOURCES)
def test_each_answer_is_as_described(shown, resource):
    path = f"/api/{resource}"
    response = get(shown, path)
    if resource == "counts":
        # What is to be counted is not said.
        validate(response, path)
        response = get(shown, path, countBy="tenant,actor,operation,decision,outcome,rule,appInstanceArn,day,hour")
    assert (response.status, response.get("Cache-Control")) == (200, "no-store")
    validate(response, path)


@pytest.mark.parametrize("resource", RESOURCES + ["requests/x"])
def test_each_needs_the_token(shown, resource):
    response = get(shown, f"/api/{resource}", headers=[])
    assert response.status == 401
    assert post(shown, "/api/explain", {"tenant": "crm"}, headers=[]).status == 401


def test_the_document_is_the_one_of_the_repository(shown):
    assert get(shown, "/api/openapi.json").json == OPENAPI


def test_no_secret_is_shown(shown):
    for path in ["/", *[f"/api/{resource}" for resource in RESOURCES]]:
        body = get(shown, path).body
        for secret in (CRM.secret, HR.secret, TOKEN, upstreams.KEY.secret):
            assert secret.encode() not in body, path


@pytest.mark.parametrize(
    "parameters",
    [
        {"countBy": "tenant,decision"},
        {"countBy": "day"},
        {"countBy": "rule", "decision": "denied"},
        {"countBy": "outcome", "tenant": "crm", "limit": 1},
        {"countBy": "actor,appInstanceArn", "withoutTag": "CostCenter", "since": "1h"},
        {"countBy": "tenant", "userId": "nobody"},
    ],
)
def test_counts_are_those_of_audit_query(shown, parameters):
    answer = validate(get(shown, "/api/counts", **parameters), "/api/counts")
    options = []
    for name, value in parameters.items():
        options += ["--" + re.sub("([A-Z])", lambda match: "-" + match[1].lower(), name), str(value)]
    result = shown.setup.command("audit", "query", "--format", "json", *options)
    assert result.returncode == 0, result.stderr
    assert answer["counts"] == [json.loads(line) for line in result.stdout.splitlines()]
    assert (answer["complete"], answer["since"], answer["altered"]) == (True, None, [])
    assert answer["kinds"] >= len(answer["counts"])


def test_what_cannot_be_counted_is_said(shown):
    for parameters, words in [
        ({}, "`countBy` is missing"),
        ({"countBy": "tenants"}, "did you mean `tenant`?"),
        ({"countBy": "tenant", "tenant": "cmr"}, "did you mean `crm`?"),
        ({"countBy": "tenant", "before": "1-1"}, "unknown parameter `before`"),
    ]:
        response = get(shown, "/api/counts", **parameters)
        assert response.status == 400 and words in validate(response, "/api/counts")["error"]


def test_a_repeat_creates_nobody(make_setup, upstream):
    setup = make_setup(admin={"address": "127.0.0.1:0"})
    with gateways.running(setup) as gateway:
        once = wire.signed_create(CRM, service.create_user(AppInstanceUserId="crm-alice"))
        assert [gateway.send(once).status for _ in range(3)] == [201, 201, 201]
        assert gateway.send(wire.signed_create(CRM, service.create_user(AppInstanceUserId="crm-bob"))).status == 201
        overview = get(gateway, "/api/overview", headers=[]).json
        (tenant,) = get(gateway, "/api/tenants", headers=[]).json["tenants"]
        metrics = gateway.admin_request("/metrics").body.decode()
        setup.concluded(4)
        counted = get(gateway, "/api/counts", headers=[], countBy="outcome").json["counts"]
    assert len(upstream.requests) == 2
    assert (overview["lastHour"]["requests"], overview["lastHour"]["created"]) == (4, 2)
    assert (overview["sinceStart"]["created"], overview["minutes"][-1]["created"]) == (2, 2)
    assert (tenant["usage"]["requests"], tenant["usage"]["created"]) == (4, 2)
    assert 'gatehouse_users_created_total{tenant="crm"} 2\n' in metrics
    # The journal says the same.
    assert counted == [{"outcome": "created", "count": 2}, {"outcome": "notForwarded", "count": 2}]


def test_overview_counts_what_happened(shown):
    overview = get(shown, "/api/overview").json
    hour = overview["lastHour"]
    assert (hour["requests"], hour["allowed"], hour["denied"], hour["throttled"]) == (6, 2, 2, 1)
    assert hour["created"] == 2
    assert hour["invalid"] + hour["unauthenticated"] == 1
    assert overview["sinceStart"]["requests"] == 6
    assert sum(minute["requests"] for minute in overview["minutes"]) == 6
    rules = {(row["policy"], row["rule"], row["mode"]): row["count"] for row in overview["rules"]}
    assert rules[("org-baseline", "tags.required", "enforce")] == 1
    assert rules[("org-baseline", "name.length", "enforce")] == 1
    assert [(row["tenant"], row["scope"], row["count"]) for row in overview["limits"]] == [("hr", "tenant", 1)]
    assert hour["latencyMs"]["p50"] is not None
    assert overview["ready"] is True
    assert overview["journal"]["records"] >= 6
    assert overview["credentials"]["held"] is True
    assert overview["listeners"][0]["address"] == shown.address


def test_a_certificates_end_is_shown(make_setup, tls):
    setup = make_setup()
    setup.config["listeners"][0]["tls"] = {
        "certificate": str(tls / "server.pem"), "privateKey": str(tls / "server.key"),
    }
    with gateways.running(setup) as gateway:
        listener = get(gateway, "/api/overview", headers=[]).json["listeners"][0]
    assert listener["tls"] is True and listener["certificateEnd"].endswith("Z")


def test_requests_are_those_of_audit_query(shown):
    page = get(shown, "/api/requests").json
    assert page["complete"] is True and page["next"] is None
    assert page["requests"] == list(reversed(shown.setup.audit()))


@pytest.mark.parametrize(
    "parameters,users",
    [
        ({"userId": "crm-alice"}, ["crm-alice"]),
        ({"tenant": "hr"}, ["hr-erin", "hr-dave"]),
        ({"decision": "denied"}, ["crm-carol", "crm-bob"]),
        ({"rule": "tags.required", "decision": "denied"}, ["crm-bob"]),
        ({"outcome": "created"}, ["hr-dave", "crm-alice"]),
        ({"name": MARKUP}, ["crm-alice"]),
        ({"tag": "CostCenter=4711"}, ["crm-carol", "crm-alice"]),
        ({"withoutTag": "CostCenter", "operation": "CreateAppInstanceUser", "tenant": "crm"}, ["crm-bob"]),
        ({"accessKeyId": HR.id, "limit": 1}, ["hr-erin"]),
        ({"until": "2020-01-01"}, []),
        ({"since": "1h", "userId": "crm-bob"}, ["crm-bob"]),
    ],
)
def test_filters(shown, parameters, users):
    page = validate(get(shown, "/api/requests", **parameters), "/api/requests")
    assert [request["appInstanceUserId"] for request in page["requests"]] == users


def test_pages_hold_each_request_once(shown):
    seen, before = [], None
    while True:
        page = get(shown, "/api/requests", limit=2, **({"before": before} if before else {})).json
        seen += [request["requestId"] for request in page["requests"]]
        before = page["next"]
        if before is None:
            break
        assert len(page["requests"]) == 2
    assert seen == [request["requestId"] for request in reversed(shown.setup.audit())]


@pytest.mark.parametrize(
    "parameters,hint",
    [
        ({"tenant": "crn"}, "`crm`"), ({"rule": "tags.requird"}, "`tags.required`"), ({"decision": "deny"}, "`denied`"),
        ({"operaton": "x"}, "`operation`"), ({"limit": 1000}, "200"), ({"since": "soon"}, "15m"),
        ({"tag": "CostCenter"}, "KEY=VALUE"), ({"tenant": ["crm", "hr"]}, "twice"),
    ],
)
def test_what_cannot_be_meant_is_refused(shown, parameters, hint):
    response = get(shown, "/api/requests", **parameters)
    assert response.status == 400
    validate(response, "/api/requests")
    assert hint in response.json["error"]


def test_one_request_with_its_records_and_its_way(shown):
    (created,) = get(shown, "/api/requests", userId="crm-alice").json["requests"]
    found = validate(get(shown, f"/api/requests/{created['requestId']}"), "/api/requests/{id}")
    assert found["request"] == created
    assert [record["record"] for record in found["records"]] == ["intent", "outcome"]
    assert {stage["standing"] for stage in found["stages"]} == {"passed"}
    (denied,) = get(shown, "/api/requests", userId="crm-bob").json["requests"]
    found = get(shown, f"/api/requests/{denied['requestId']}", time=denied["time"]).json
    standings = {stage["stage"]: stage["standing"] for stage in found["stages"]}
    assert (standings["validate"], standings["decide"], standings["forward"]) == ("passed", "ended", "notReached")


def test_a_request_that_there_is_not(shown):
    for path in ("/api/requests/nothing", "/api/requests/" + "x" * 100):
        response = get(shown, path)
        assert response.status == 404
        validate(response, "/api/requests/{id}")
    (known,) = get(shown, "/api/requests", userId="crm-bob").json["requests"]
    wrong = get(shown, f"/api/requests/{known['requestId']}", time="2020-01-01T00:00:00Z")
    assert wrong.status == 404
    assert get(shown, f"/api/requests/{known['requestId']}", time="then").status == 400


def test_tenants_with_limits_and_use(shown):
    crm, hr = get(shown, "/api/tenants").json["tenants"]
    assert (crm["id"], crm["labels"], crm["rateLimit"]) == ("crm", {"owner": "crm@example.com"}, None)
    assert crm["accessKeys"] == [{"id": CRM.id, "status": "active", "notAfter": None}]
    assert hr["rateLimit"] == {"requestsPerSecond": 1, "burst": 1, "concurrency": 4}
    usage = hr["usage"]
    assert (usage["requests"], usage["created"], usage["throttled"], usage["inFlight"]) == (2, 1, 1, 0)
    assert crm["usage"]["denied"] == 2


def test_policies_with_owners_and_exceptions(shown):
    answer = get(shown, "/api/policies").json
    baseline, trial = answer["policies"]
    assert (baseline["policy"], baseline["owner"], baseline["severity"]) == ("org-baseline", "identity@example.com", "high")
    assert baseline["violations"] >= 2
    says = {rule["rule"]: rule["says"] for rule in baseline["rules"]}
    assert says["tag CostCenter"] == "required; one of `4711`, `48*`"
    assert says["tags"] == "sets CreatedVia to `gatehouse`"
    assert (trial["mode"], trial["when"]) == ("warn", "tags.CostCenter is `4711`")
    (exception,) = answer["exceptions"]
    assert (exception["exception"], exception["until"], exception["ended"]) == ("hr-import", "2099-01-31", False)
    assert exception["used"] >= 1 and exception["daysLeft"] > 20_000


def explain(gateway, **question):
    return validate(post(gateway, "/api/explain", question), "/api/explain", "post")


def test_explain_says_what_the_command_says(shown, tmp_path):
    body = service.create_user(AppInstanceUserId="crm-zoe", Name="Z", Tags=None)
    (tmp_path / "body.json").write_text(json.dumps(body))
    command = shown.setup.command("explain", "--tenant", "crm", "--format", "json", tmp_path / "body.json")
    answer = explain(shown, tenant="crm", request=body)
    report = answer.pop("report")
    assert answer == json.loads(command.stdout)
    assert answer["decision"] == "denied"
    assert any("CostCenter" in line for line in report)
    assert shown.setup.audit("--user-id", "crm-zoe") == [], "nothing is recorded"


def test_explain_of_what_breaks_the_model(shown):
    assert explain(shown, tenant="crm", request={"Name": "x"})["decision"] == "invalid"
    assert explain(shown, tenant="crm")["decision"] == "invalid"


def test_explain_of_another_operation(shown):
    arn = urllib.parse.quote(f"{service.ACCOUNT}:app-instance/a/user/crm-a", safe="")
    answer = explain(
        shown, tenant="crm", operation="UpdateAppInstanceUser", path=f"/app-instance-users/{arn}",
        request={"Name": "x", "Metadata": ""},
    )
    assert answer["decision"] == "denied"


@pytest.mark.parametrize(
    "question,hint",
    [
        (b"", "strict JSON"), (b"[]", "`tenant`"), (b'{"tenant":"crm","tenant":"hr"}', "strict JSON"),
        ({"request": {}}, "`tenant`"), ({"tenant": "crn"}, "`crm`"), ({"tenant": 1}, "string"),
        ({"tenant": "crm", "operation": "CreateAppInstanceUsr"}, "`CreateAppInstanceUser`"),
        ({"tenant": "crm", "body": {}}, "`body`"), ({"tenant": "crm", "region": "mars-1"}, "`us-east-1`"),
        ({"tenant": "crm", "operation": "UpdateAppInstanceUser"}, "path"),
    ],
)
def test_questions_that_are_not_understood(shown, question, hint):
    response = post(shown, "/api/explain", question)
    assert response.status == 400
    validate(response, "/api/explain", "post")
    assert hint in response.json["error"]


def test_explain_follows_a_reload(shown):
    body = service.create_user(AppInstanceUserId="crm-zoe", Name="Zoe", Tags=None)
    assert explain(shown, tenant="crm", request=body)["decision"] == "denied"
    before = shown.setup.policies
    shown.setup.policies = {name: {**policy, "mode": "off"} for name, policy in before.items()}
    shown.setup.write()
    shown.reload()
    try:
        assert explain(shown, tenant="crm", request=body)["decision"] == "allowed"
        assert {policy["mode"] for policy in get(shown, "/api/policies").json["policies"]} == {"off"}
    finally:
        shown.setup.policies = before
        shown.setup.write()
        shown.reload()


def log_in(gateway, token=TOKEN, origin=None):
    headers = [("Origin", origin or f"http://{gateway.admin}"), ("Content-Type", "application/x-www-form-urlencoded")]
    return post(gateway, "/login", f"token={urllib.parse.quote(token)}".encode(), headers)


def test_the_login_gives_a_session(shown):
    page = shown.admin_request("/")
    assert page.status == 401 and b'action="/login"' in page.body
    answer = log_in(shown)
    assert (answer.status, answer.get("Location")) == (303, "/")
    cookie = answer.get("Set-Cookie")
    assert "HttpOnly" in cookie and "SameSite=Strict" in cookie and TOKEN not in cookie
    session = [("Cookie", cookie.partition(";")[0])]
    assert shown.admin_request("/", headers=session).status == 200
    assert get(shown, "/api/overview", headers=session).status == 200
    assert log_in(shown, "wrong").status == 401
    assert log_in(shown, origin="http://attacker.example").status == 403
    crossing = [*session, ("Origin", "http://attacker.example")]
    assert post(shown, "/reload", b"", crossing).status == 403
    assert post(shown, "/logout", b"", [*session, ("Origin", f"http://{shown.admin}")]).status == 303
    assert get(shown, "/api/overview", headers=session).status == 401


def test_another_token_ends_sessions(make_setup):
    setup = make_setup()
    setup.config["admin"]["tokenFile"] = "admin.token"
    token = gateways.write_secret(setup.folder / "admin.token", TOKEN)
    with gateways.running(setup) as gateway:
        session = [("Cookie", log_in(gateway).get("Set-Cookie").partition(";")[0])]
        assert get(gateway, "/api/health", headers=session).status == 200
        gateway.reload()
        assert get(gateway, "/api/health", headers=session).status == 200
        token.write_text("another-token-0123456789")
        gateway.reload()
        assert get(gateway, "/api/health", headers=session).status == 401


def test_generated_documents_are_those_of_the_folder():
    script = gateways.ROOT / "scripts/generate-dashboard.py"
    result = subprocess.run([sys.executable, script, "--check"], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
