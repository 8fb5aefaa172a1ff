"""No secret that the gateway is given, and none that a caller shows, stands in anything it writes or says."""

import base64
import urllib.parse

import gateways
import service
import signing
import upstreams
import wire
from gateways import CRM

TOKEN = "crm-session-token+/with=what-needs-escapes"
ADMIN_TOKEN = "admin-token-0123456789abcdef0123456789"
AUDIT_KEY = bytes(range(160, 200))
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


def test_no_output_holds_a_secret(make_setup, upstream, tmp_path):
    (tmp_path / "audit.key").write_bytes(AUDIT_KEY)
    (tmp_path / "admin.token").write_text(ADMIN_TOKEN)
    (tmp_path / "admin.token").chmod(0o600)
    setup = make_setup()
    setup.config["admin"]["tokenFile"] = str(tmp_path / "admin.token")
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

    outputs = {}
    with gateways.running(setup) as gateway:
        for number, content in enumerate(sent):
            answer = gateway.send(content)
            outputs[f"answer {number}"] = repr(answer).encode() + answer.body
        gateway.reload()
        for path in ("/metrics", "/healthz", "/readyz", "/", "/nowhere"):
            for token in (ADMIN_TOKEN, "wrong"):
                answer = gateway.admin_request(path, headers=[("Authorization", f"Bearer {token}")])
                outputs[f"admin {path} {len(token)}"] = str(answer.headers).encode() + answer.body
    assert [b"201" in outputs[f"answer {number}"] for number in range(2)] == [True, True]
    outputs["log"] = "".join(gateway.log_text).encode()
    outputs["stdout"] = "".join(gateway.output).encode()

    (tmp_path / "body.json").write_text("{}")
    commands = [
        ("check",),
        ("tenant", "list"),
        ("explain", "--tenant", "crm", "--operation", "CreateAppInstanceUser", tmp_path / "body.json"),
        ("audit", "verify"),
        ("audit", "query"),
        ("audit", "query", "--format", "json"),
        ("audit", "query", "--format", "csv"),
        ("audit", "query", "--name", "Alice", "--format", "json"),
    ]
    exports = {form: tmp_path / form for form in ("csv", "cloudtrail", "ocsf")}
    commands += [
        ("audit", "export", "--as", form, "--output", folder) for form, folder in exports.items()
    ]
    for command in commands:
        result = setup.command(*command)
        outputs[f"command {command}"] = (result.stdout + result.stderr).encode()
    for folder in (setup.audit_folder, *exports.values()):
        files = [path for path in folder.rglob("*") if path.is_file()]
        assert files, folder
        outputs |= {str(path.relative_to(tmp_path)): path.read_bytes() for path in files}
    assert any(where.endswith("index.sqlite") for where in outputs)

    secrets = {
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
    assert found(secrets, outputs) == []
