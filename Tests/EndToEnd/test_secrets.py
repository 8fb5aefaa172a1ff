"""No secret that the gateway is given, and none that a caller shows, stands in anything it writes or says."""

import base64
import dataclasses
import gzip
import json
import urllib.parse

import pytest

import gateways
import postgres
import service
import signing
import upstreams
import wire
from gateways import CRM, HR

TOKEN = "crm-session-token+/with=what-needs-escapes"
ADMIN_TOKEN = "admin-token-0123456789abcdef0123456789"
AUDIT_KEY = bytes(range(160, 200))
MASTER_KEY = bytes(range(100, 132))
UPSTREAM_TOKEN = "upstream-session-token+/0123456789"
QUERY_TOKEN = "token-in-a-query-4711/+"
HELD = signing.Key("GHAKTOK00000000003", "token-holder-secret/6g7h8j9k+0l1z2x3c", TOKEN)


def forms(secret):
    """The secret as it is, in base64 at each alignment, in hex and percent-encoded."""
    yield secret
    for offset in range(3):
        encoded = base64.b64encode(b"\0" * offset + secret)
        # Without the characters that the bytes before and after take part in.
        inner = encoded[4 if offset else 0 : len(encoded) // 4 * 4 - 4]
        yield inner
        yield inner.translate(bytes.maketrans(b"+/", b"-_"))
    yield secret.hex().encode()
    yield secret.hex().upper().encode()
    yield urllib.parse.quote_from_bytes(secret, safe="").encode()


def found(secrets, outputs):
    return [
        (secret, where)
        for secret, content in secrets.items()
        for form in forms(content)
        for where, output in outputs.items()
        if form in output
    ]


def test_the_search_finds_each_form():
    secret = b"tell-nobody/4711+x"
    encoded = base64.b64encode(b"ab" + secret + b"c")
    for form in [secret, encoded, secret.hex().encode(), b"tell-nobody%2F4711%2Bx"]:
        assert found({"secret": secret}, {"output": b"before " + form + b" after"})


def signature_of(content):
    return content.split(b"Signature=")[1].split(b"\r\n")[0]


@pytest.fixture(scope="module")
def server():
    server = postgres.Server()
    yield server
    server.remove()


@pytest.fixture
def database(server):
    server.query("DROP SCHEMA IF EXISTS gatehouse CASCADE")
    return server


def file_with(path, content, mode=0o600):
    path.touch(mode)
    path.write_bytes(content)
    return str(path)


def admin_outputs(gateway, tokens=("",)):
    outputs = {}
    for path in ("/metrics", "/healthz", "/readyz", "/", "/api/requests", "/nowhere", f"/nowhere?token={ADMIN_TOKEN}x"):
        for token in tokens:
            answer = gateway.admin_request(path, headers=[("Authorization", f"Bearer {token}")])
            outputs[f"admin {path[:20]} {len(token)}"] = str(answer.headers).encode() + answer.body
    return outputs


def command_outputs(setup, *commands):
    outputs = {}
    for command in commands:
        result = setup.command(*command)
        assert result.returncode in (0, 1, 2), (command, result.stderr)
        outputs[f"command {command}"] = (result.stdout + result.stderr).encode()
    return outputs


def journal_outputs(setup, folder):
    """What commands say about the journal, what they write, and what lies in its folder."""
    exports = {form: folder / f"as-{form}" for form in ("csv", "cloudtrail", "ocsf")}
    (folder / "other").mkdir()
    other = {"policy": "other", "rules": {"name": {"forbidden": [".*"]}, "metadata": {"maxBytes": 1}}}
    (folder / "other/other.json").write_text(json.dumps(other))
    outputs = command_outputs(
        setup,
        ("audit", "verify"),
        ("audit", "query"),
        ("audit", "query", "--format", "json"),
        ("audit", "query", "--format", "csv"),
        ("audit", "reconcile", "--format", "json"),
        ("audit", "reconcile"),
        ("replay", "--against", folder / "other"),
        ("replay", "--against", folder / "other", "--format", "json"),
        *(("audit", "export", "--as", form, "--output", where) for form, where in exports.items()),
    )
    for where in (setup.audit_folder, *exports.values()):
        files = [path for path in where.rglob("*") if path.is_file()]
        assert files, where
        for path in files:
            content = path.read_bytes()
            if content[:2] == b"\x1f\x8b":
                content = gzip.decompress(content)
            outputs[str(path.relative_to(folder))] = content
    assert any(where.endswith("index.sqlite") for where in outputs)
    assert any(where.endswith("checkpoints") for where in outputs)
    return outputs


def rows(database, setup):
    """Everything in the database, once it has all that the journal has."""
    found = database.query("SELECT row_to_json(j)::text FROM gatehouse.journal j")
    lines = sum(path.read_bytes().count(b"\n") for path in setup.segments())
    assert int(database.value("SELECT count(*) FROM gatehouse.journal")) == lines > 0
    return "\n".join("|".join(row) for row in found).encode()


def test_no_output_holds_a_secret(make_setup, upstream, database, tmp_path):
    gateways.write_secret(tmp_path / "audit.key", AUDIT_KEY)
    setup = make_setup()
    setup.config["admin"]["tokenFile"] = file_with(tmp_path / "admin.token", ADMIN_TOKEN.encode())
    setup.config["audit"]["postgres"] = {
        "url": database.url(),
        "passwordFile": file_with(tmp_path / "pg.password", postgres.PASSWORD.encode()),
    }
    keys = gateways.run("audit", "keygen", "--private", tmp_path / "sign.key", "--public", tmp_path / "sign.pub")
    assert keys.returncode == 0
    setup.config["audit"]["checkpoint"] = {"signingKey": str(tmp_path / "sign.key")}
    setup.config["upstream"]["credentials"]["sessionToken"] = UPSTREAM_TOKEN
    setup.config["audit"]["sensitive"] = {
        "name": "hash",
        "tagValues": "hash",
        "keyFile": str(tmp_path / "audit.key"),
    }
    setup.config["log"]["level"] = "debug"
    setup.tenants = [gateways.tenant(keys=(CRM, HELD), operations=service.OPERATIONS)]
    body = service.create_user(AppInstanceUserId="crm-1")
    wrong = signing.Key(CRM.id, CRM.secret + "-wrong")
    stale = signing.Key(HELD.id, HELD.secret, "another-token-that-nobody-issued")
    sent = [wire.signed_create(key, body) for key in (CRM, HELD, wrong, stale)]
    sent.append(sent[0])
    sent.append(wire.signed_create(CRM, b"{not json"))
    sent.append(wire.signed(CRM, "GET", "/app-instances"))
    sent.append(wire.signed_create(CRM, service.create_user(AppInstanceUserId="crm-2", Metadata="lost")))
    # The query form, which is refused, has signature and token in the target.
    query = f"X-Amz-Signature={'5ec7e7' * 10}aaaa&X-Amz-Security-Token={urllib.parse.quote(QUERY_TOKEN)}"
    asked = wire.encode("GET", f"/app-instances?{query}", [("Host", "gateway.test")])

    outputs = {}
    environment = {"GATEHOUSE_MASTER_KEY": base64.b64encode(MASTER_KEY).decode()}

    def answer(request):
        # The stand-in's own key has no session token; whether the gateway signs well is not asked here.
        assert request.value("x-amz-security-token") == UPSTREAM_TOKEN
        if b"lost" in request.body:
            return upstreams.Raw(b"")
        return upstreams.like_the_service(dataclasses.replace(request, problem=None))

    upstream.handler = answer
    with gateways.running(setup, environment=environment) as gateway:
        outputs["answer to the query form"] = repr(gateway.send(asked)).encode()
        for number, content in enumerate(sent):
            answer = gateway.send(content)
            outputs[f"answer {number}"] = repr(answer).encode() + answer.body
        gateway.reload()
        outputs |= admin_outputs(gateway, (ADMIN_TOKEN, "wrong"))
        authorized = [("Authorization", f"Bearer {ADMIN_TOKEN}")]
        outputs["admin reload"] = repr(gateway.admin_request("/reload", "POST", headers=authorized)).encode()
    assert [b"201" in outputs[f"answer {number}"] for number in range(2)] == [True, True]
    outputs["log"] = "".join(gateway.log_text).encode()
    outputs["stdout"] = "".join(gateway.output).encode()

    outputs["database"] = rows(database, setup)

    (tmp_path / "body.json").write_bytes(body if isinstance(body, bytes) else json.dumps(body).encode())
    (setup.folder / "policies/base.test.json").write_text(
        json.dumps({"cases": [{"name": "any", "tenant": {"id": "crm"}, "operation": "CreateAppInstanceUser",
                               "request": {}, "expect": {"decision": "allowed"}}]})
    )
    outputs |= command_outputs(
        setup,
        ("check",),
        ("check", "--format", "json"),
        ("test",),
        ("tenant", "list"),
        ("tenant", "list", "--format", "json"),
        ("tenant", "show", "crm"),
        ("tenant", "show", "crm", "--format", "json"),
        ("explain", "--tenant", "crm", "--operation", "CreateAppInstanceUser", tmp_path / "body.json"),
        ("explain", "--tenant", "crm", "--format", "json", tmp_path / "body.json"),
        ("audit", "query", "--name", "Alice", "--format", "json"),
    )
    outputs |= journal_outputs(setup, tmp_path)

    secrets = {
        "second upstream token": UPSTREAM_TOKEN.encode(),
        "token in a query": QUERY_TOKEN.encode(),
        "signature in a query": b"5ec7e7" * 10,
        "database password": postgres.PASSWORD.encode(),
        "signing key": base64.b64decode(
            b"".join((tmp_path / "sign.key").read_bytes().splitlines()[1:-1]))[-32:],
        "master key": MASTER_KEY,
        "tenant secret": CRM.secret.encode(),
        "second tenant secret": HELD.secret.encode(),
        "session token": TOKEN.encode(),
        "refused session token": stale.token.encode(),
        "upstream secret": upstreams.KEY.secret.encode(),
        "admin token": ADMIN_TOKEN.encode(),
        "audit key": AUDIT_KEY,
    }
    # A refusal for a wrong signature may not quote it either: it would be the right one.
    secrets |= {f"signature {number}": signature_of(content) for number, content in enumerate(sent)}
    # Nor what the gateway signs with its own key.
    own = [signature_of(request.head) for request in upstream.requests]
    assert len(own) >= 3
    secrets |= {f"own signature {number}": signature for number, signature in enumerate(own)}
    assert found(secrets, outputs) == []


HIDDEN = {
    "name": b"Zaphod B. Hidden",
    "metadata": b"hidden metadata 4711",
    "tag": b"hidden-tag-value",
    "other name": b"Renamed Hidden",
}


@pytest.mark.parametrize("treatment", ["omit", "hash"])
def test_hidden_values_stand_nowhere_in_plain(make_setup, upstream, database, tmp_path, treatment):
    setup = make_setup()
    gateways.write_secret(tmp_path / "audit.key", AUDIT_KEY)
    setup.config["audit"] |= {
        "sensitive": {"name": treatment, "metadata": treatment, "tagValues": treatment,
                      "keyFile": str(tmp_path / "audit.key")},
        "postgres": {"url": database.url(),
                     "passwordFile": file_with(tmp_path / "pg.password", postgres.PASSWORD.encode())},
    }
    setup.config["log"]["level"] = "debug"
    setup.tenants = [
        gateways.tenant(operations=service.OPERATIONS),
        gateways.tenant("hr", keys=(HR,), operations=service.OPERATIONS),
    ]
    # Findings quote what they are about: as warnings for one tenant, as denials for the other.
    rules = {
        "name": {"forbidden": ["Hidden"], "pattern": "[a-z]+"},
        "tags": {"required": [{"key": "Team", "values": ["red"]}]},
        "metadata": {"maxBytes": 3, "forbidden": ["hidden"]},
    }
    setup.policies = {
        "warning": {"mode": "warn", "match": {"tenants": ["crm"]}, "rules": rules},
        "enforced": {"match": {"tenants": ["hr"]}, "rules": rules},
    }
    name, metadata, tag, renamed = (value.decode() for value in HIDDEN.values())
    values = {"Name": name, "Metadata": metadata, "Tags": [{"Key": "Team", "Value": tag}]}
    user = service.user_arn("crm-1").replace(":", "%3A").replace("/", "%2F")

    def answer(request):
        if b"crm-lost" in request.body:
            return upstreams.Raw(b"")
        if b"crm-refused" in request.body:
            return upstreams.error(400, "BadRequestException", message=f"{name} {metadata} {tag}")
        return upstreams.like_the_service(request)

    upstream.handler = answer
    outputs = {}
    with gateways.running(setup) as gateway:
        statuses = [
            gateway.send(content).status
            for content in (
                *(wire.signed_create(CRM, service.create_user(AppInstanceUserId=f"crm-{user}", **values))
                  for user in ("1", "lost", "refused")),
                wire.signed_create(HR, service.create_user(AppInstanceUserId="hr-1", **values)),
                wire.signed_create(CRM, service.create_user(**values | {"Name": name * 50})),
                wire.signed(CRM, "PUT", f"/app-instance-users/{user}",
                            body=json.dumps({"Name": renamed, "Metadata": metadata}).encode()),
                wire.signed(CRM, "POST", "/tags?operation=tag-resource", body=json.dumps(
                    {"ResourceARN": service.user_arn("crm-1"), "Tags": values["Tags"]}).encode()),
            )
        ]
        gateway.reload()
        outputs |= admin_outputs(gateway)
    assert (statuses[0], statuses[2:5]) == (201, [400, 403, 400]) and statuses[5:] == [200, 204], statuses
    outputs["log"] = "".join(gateway.log_text).encode()
    outputs["stdout"] = "".join(gateway.output).encode()
    outputs["database"] = rows(database, setup)
    # The one that was lost is there: reconcile compares it with what upstream has.
    upstream.handler = lambda _: upstreams.Answer(
        200, {"AppInstanceUser": {"Name": name, "Metadata": metadata, "CreatedTimestamp": 1}})
    outputs |= journal_outputs(setup, tmp_path)
    assert found(HIDDEN, outputs) == []
    # The test looks where they would be.
    assert b"crm-lost" in outputs["database"] and b"name.forbidden" in outputs["database"]
    assert (b"hmac-sha256:" in outputs["database"]) == (treatment == "hash")


def test_check_does_not_quote_secrets_of_a_broken_file(make_setup, tmp_path):
    secret = "not-to-be-quoted/4711"
    setup = make_setup().write()
    path = setup.folder / "tenants.json"
    key = {"id": CRM.id, "status": "active"}
    broken = [
        {**key, "secret": [secret]}, {**key, "secret": {"value": secret}}, {**key, "secret": secret, "x": 1},
        {**key, "secret": secret, "status": "no"}, {**key, "sealedSecret": secret}, {**key, "secrte": secret},
        {**key, "secret": secret, "sessionToken": 5}, {**key, "secret": secret, "secretFile": "x"},
    ]  # fmt: skip
    contents = [
        json.dumps({"tenants": [gateways.tenant() | {"accessKeys": [entry]}]}) for entry in broken
    ]
    contents += [
        # Cut and without a comma right at the secret.
        contents[2][: contents[2].index(secret) + len(secret)],
        contents[2].replace(f'"{secret}"', f'"{secret}" "x"'),
        contents[2].replace(secret, secret + "\\q"),
    ]
    for content in contents:
        path.write_text(content)
        for options in ((), ("--format", "json")):
            result = setup.command("check", *options)
            assert result.returncode == 1, content
            assert found({"secret": secret.encode()}, {"check": (result.stdout + result.stderr).encode()}) == []
        for command in (("serve",), ("tenant", "list"), ("audit", "query")):
            result = setup.command(*command)
            assert secret not in result.stdout + result.stderr, (content, command)
