"""The JSON Schemas: shipped as the binary prints them, and at one with what `gatehouse check` accepts.

Files that `check` calls good are mutated in many ways (seeded); schema and loader must agree on each, wherever the
fault is one of form. What a schema cannot say is listed in `BEYOND_SCHEMAS`.
"""

import copy
import json
import pathlib
import random
import re

import jsonschema
import pytest

import gateways

ROOT = gateways.ROOT
KINDS = ("config", "tenants", "policy")
SEED = 20_261_127
MUTATIONS = 160

BEYOND_SCHEMAS = [
    # What a policy puts in and itself refuses.
    r"\bits own (allowedKeys|forbiddenKeys|required tags|maxCount|minDays|maxDays)\b",
    # What hangs on another key, another file or the environment.
    r'needs "keyFile"|needs "clientCA"|cannot read|cannot be read|is not set',
    r"another (listener|tenant) has|is already one of tenant|is required twice",
    r'is more than "max|there is no public endpoint|only one of|no policies in',
    # Numbers in words: octets, ports and blocks in range, durations that fit 64 bits.
    r"expected an IP address|expected .*(duration|size)",
    # PCRE2 decides what an expression is, and the service model which operations a glob can mean.
    r"invalid pattern|unknown operation",
    # Labels stand in the tenants file.
    r"has no value for tenant",
    # A sealed secret is opened, not read; the mode of a file is no part of it.
    r"sealed secret|may read it",
    # `1.0` is a whole number to JSON Schema, and not to this gateway.
    r"whole number .*found [0-9]+\.0$",
]
"""Messages of `check` about files that the schema may call good."""


def schema_of(kind):
    return json.loads((ROOT / f"schemas/{kind}.json").read_text())


def validator(kind):
    return jsonschema.Draft202012Validator(schema_of(kind))


@pytest.mark.parametrize("kind", (*KINDS, "exception", "test"))
def test_the_shipped_schema_is_the_one_that_check_prints(kind):
    result = gateways.run("check", "--schema", kind)
    assert result.returncode == 0, result.stderr
    assert (ROOT / f"schemas/{kind}.json").read_text() == result.stdout, (
        f"run: gatehouse check --schema {kind} > schemas/{kind}.json"
    )


@pytest.mark.parametrize("kind", (*KINDS, "exception", "test"))
def test_the_schema_is_one_and_describes_every_key(kind):
    schema = schema_of(kind)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$id"] == f"urn:gatehouse:schema:{kind}"
    assert schema["title"] and schema["description"]
    undescribed = []

    def visit(node, path):
        if isinstance(node, list):
            for index, element in enumerate(node):
                visit(element, f"{path}/{index}")
        elif isinstance(node, dict):
            # A choice of required keys repeats their names only.
            if not path.split("/")[-2:-1] == ["oneOf"] or "type" in node:
                for name, property in node.get("properties", {}).items():
                    if not property.get("description"):
                        undescribed.append(f"{path}/{name}")
            if node.get("type") == "object":
                assert "additionalProperties" in node, path
            for name, value in node.items():
                visit(value, f"{path}/{name}")

    visit(schema, "")
    assert undescribed == []


CONFIG = {
    "$schema": "../schemas/config.json",
    "listeners": [
        {"address": "127.0.0.1:8080"},
        {
            "address": "[::1]:8443",
            "tls": {
                "certificate": "server.pem",
                "privateKey": "server.key",
                "clientCA": "server.pem",
                "clientCertificate": "optional",
            },
            "proxyProtocol": False,
        },
    ],
    "admin": {"address": "127.0.0.1:9901"},
    "upstream": {
        "region": "us-east-1",
        "endpoint": "https://identity-chime.us-east-1.amazonaws.com",
        "caFile": None,
        "credentials": {"source": "static", "accessKeyId": "AKIA", "secretAccessKey": "x"},
        "connectTimeout": "2s",
        "requestTimeout": "10s",
        "maxConnections": 128,
        "retry": {"attempts": 3, "budgetPercent": 20},
        "circuitBreaker": {"consecutiveFailures": 5, "openFor": "5s"},
    },
    "tenants": "tenants.json",
    "policies": "policies",
    "authentication": {"clockSkew": "5m", "replayWindow": "0s"},
    "rateLimit": {
        "store": {"type": "local"},
        "mode": "warn",
        "errorType": "ThrottledClientException",
        "perSourceAddress": None,
        "upstreamBudget": {"requestsPerSecond": 0.5, "burst": 20, "adaptive": True, "queueFor": "250ms"},
    },
    "audit": {
        "directory": "audit",
        "durability": "interval",
        "segmentSize": "128MiB",
        "retain": None,
        "sensitive": {"name": "plain", "metadata": "omit", "tagValues": "plain", "keyFile": None},
        "checkpoint": {"every": "60s"},
    },
    "limits": {"headerBytes": 16384, "bodyBytes": "256KiB", "connections": 10000, "idleTimeout": "75s"},
    "trustedProxies": ["10.0.0.0/8", "::1"],
    "workers": 2,
    "drainTimeout": "30s",
    "log": {"level": "info", "format": "json"},
}

TENANTS = {
    "$schema": "../schemas/tenants.json",
    "tenants": [
        {
            "id": "crm",
            "description": "CRM back office",
            "accessKeys": [
                {"id": "GHAKCRM1", "secret": "s3cret", "status": "active", "notAfter": "2027-01-01T00:00:00Z"},
                {"id": "GHAKCRM2", "secret": "s4cret", "sessionToken": "token"},
            ],
            "clientCertificates": ["spiffe://corp.example/crm"],
            "appInstances": ["arn:aws:chime:us-east-1:123456789012:app-instance/*"],
            "operations": ["CreateAppInstanceUser", "DescribeAppInstanceUser"],
            "rateLimit": {
                "requestsPerSecond": 10,
                "burst": 20,
                "concurrency": 8,
                "operations": {
                    "CreateAppInstanceUser": {"requestsPerSecond": 2, "burst": 4},
                    "read": {"requestsPerSecond": 0.5},
                },
                "perAppInstance": {"requestsPerSecond": 5, "burst": 10},
            },
            "labels": {"costCenter": "4711", "owner": "crm@example.com"},
        }
    ],
}

POLICY = {
    "$schema": "../schemas/policy.json",
    "policy": "org-baseline",
    "description": "What every user must look like",
    "mode": "enforce",
    "match": {"tenants": ["*"], "appInstances": ["*"], "operations": ["*"]},
    "rules": {
        "appInstanceUserId": {"prefix": "${tenant.id}-", "pattern": "[a-z0-9-]+", "minLength": 3, "maxLength": 48},
        "name": {"pattern": "[^@]+", "forbidden": ["(?i)test"], "trimmed": True, "singleScript": True},
        "tags": {
            "required": [
                {"key": "CostCenter", "values": ["4711", "48*"]},
                {"key": "Owner", "pattern": "[^@]+@example\\.com", "default": "${tenant.labels.owner}"},
            ],
            "allowedKeys": ["CostCenter", "Owner", "Env*"],
            "forbiddenKeys": ["aws:*"],
            "maxCount": 20,
            "set": {"CreatedVia": "gatehouse/${tenant.id}"},
        },
        "expiration": {"required": True, "minDays": 1, "maxDays": 90, "defaultDays": 30, "onExcess": "clamp"},
        "metadata": {"maxBytes": 512, "format": "json", "forbidden": ["[\\w.]+@[\\w.]+"]},
    },
}

GOOD = {"config": CONFIG, "tenants": TENANTS, "policy": POLICY}

VALUES = [
    None, True, 0, 1, -1, 7, 5475, 10**12, 0.5, "", "x", "5m", "0s", "16KiB", "*", "deny", "active", "json", "${ENV:HOME}",
    "${tenant.id}", "${tenant.nothing}", "enforce", [], {}, ["x"], [1], {"a": "b"}, {"source": "chain"},
]  # fmt: skip


class Folder:
    """Files that belong together, one of which is replaced."""

    def __init__(self, path):
        self.path = path
        for name in ("server.pem", "server.key"):
            gateways.write_secret(path / name, (ROOT / "Tests/Fixtures/configuration" / name).read_text())
        (path / "policies").mkdir()
        self.places = {
            "config": path / "gatehouse.json",
            "tenants": path / "tenants.json",
            "policy": path / "policies/policy.json",
        }
        for kind, place in self.places.items():
            place.touch(0o600)
            self.put(kind, GOOD[kind])

    def put(self, kind, document):
        self.places[kind].write_text(json.dumps(document))

    def errors(self, kind):
        """What `check` has against this one file."""
        result = gateways.run("check", "--config", "gatehouse.json", "--format", "json", cwd=self.path)
        problems = [json.loads(line) for line in result.stdout.splitlines()]
        return [
            problem["message"]
            for problem in problems
            if problem["severity"] == "error" and pathlib.Path(problem["file"]).name == self.places[kind].name
        ]


@pytest.fixture
def folder(tmp_path):
    return Folder(tmp_path)


def containers(node):
    """All objects and lists of a document that are not empty."""
    if isinstance(node, dict | list) and node:
        yield node
        for value in node.values() if isinstance(node, dict) else node:
            yield from containers(value)


def misspelt(word, chance):
    place = chance.randrange(len(word))
    return word[:place] + chance.choice("xyz") + word[place + 1 :]


def mutate(document, chance):
    """Changes one place of a document; says what it did."""
    node = chance.choice(list(containers(document)))
    place = chance.choice(list(node) if isinstance(node, dict) else range(len(node)))
    match chance.randrange(5):
        case 0:
            del node[place]
            return f"removed {place}"
        case 1 if isinstance(node, dict):
            wrong = misspelt(place, chance)
            node[wrong] = node.pop(place)
            return f"renamed {place} to {wrong}"
        case 2 if isinstance(node, dict):
            node["more"] = chance.choice(VALUES)
            return f"added more: {node['more']!r}"
        case 3 if isinstance(node[place], str) and node[place]:
            node[place] = misspelt(node[place], chance)
            return f"misspelt {place} as {node[place]}"
        case _:
            node[place] = copy.deepcopy(chance.choice(VALUES))
            return f"set {place} to {node[place]!r}"


@pytest.mark.parametrize("kind", KINDS)
def test_schema_and_loader_accept_the_same_good_files(folder, kind):
    assert folder.errors(kind) == []
    assert list(validator(kind).iter_errors(GOOD[kind])) == []


@pytest.mark.parametrize("kind", KINDS)
def test_schema_and_loader_agree_on_mutations(folder, kind):
    schema = validator(kind)
    chance = random.Random(f"{SEED} {kind}")
    good = bad = 0
    disagreements = []
    for _ in range(MUTATIONS):
        document = copy.deepcopy(GOOD[kind])
        what = mutate(document, chance)
        folder.put(kind, document)
        errors = folder.errors(kind)
        faults = [f"{fault.json_path}: {fault.message[:120]}" for fault in schema.iter_errors(document)]
        of_form = [e for e in errors if not any(re.search(known, e) for known in BEYOND_SCHEMAS)]
        if faults and not errors:
            disagreements.append(f"{what}: refused by the schema alone: {faults}")
        # What a variable holds is not in the file.
        if of_form and not faults and "${ENV:" not in json.dumps(document):
            disagreements.append(f"{what}: refused by the loader alone: {of_form}")
        if faults:
            bad += 1
        else:
            good += 1
    assert disagreements == []
    assert min(good, bad) >= 20, (good, bad)


@pytest.mark.parametrize("path", sorted((ROOT / "policies").rglob("*.json")), ids=lambda path: path.name)
def test_shipped_policies_are_good_by_the_schema(path):
    if path.name.endswith((".test.json", ".tag-policy.json")):
        pytest.skip("another kind of file")
    kind = "exception" if path.name.endswith(".exception.json") else "policy"
    validator(kind).validate(json.loads(path.read_text()))


@pytest.mark.parametrize("path", sorted((ROOT / "policies").rglob("*.test.json")), ids=lambda path: path.name)
def test_shipped_policy_tests_are_good_by_the_schema(path):
    validator("test").validate(json.loads(path.read_text()))


def test_samples_are_good_by_the_schemas():
    samples = ROOT / "deploy/samples"
    validator("config").validate(json.loads((samples / "gatehouse.json").read_text()))
    validator("tenants").validate(json.loads((samples / "tenants.json").read_text()))
