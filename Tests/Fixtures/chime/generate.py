#!/usr/bin/env python3
"""Writes the fixtures beside it with botocore and Python's `re`, independently of our own code.

calls.json     each operation as botocore sends it, with few and with all members
inputs.json    bodies broken in one place, and what a plain reading of the model says of them
signed.json    requests that botocore signed at a fixed time, as they stand on the wire
patterns.json  values and whether each pattern of the model matches the whole of them

The same botocore gives the same files: nothing here is random.
"""

import copy
import datetime
import json
import pathlib
import re
from unittest import mock
from urllib.parse import urlsplit

import botocore.session
from botocore.awsrequest import AWSResponse

HERE = pathlib.Path(__file__).resolve().parent
APP = "arn:aws:chime:us-east-1:123456789012:app-instance/0f4bd6bf-4c3a-4f0e-9d3a-5f1c2f6f3b11"
USER = APP + "/user/crm-alice@example.com"
BOT = APP + "/bot/5b9cbb9e-8c2f-4f4f-8f63-3d9b6a1f2f10"
LEX = "arn:aws:lex:us-east-1:123456789012:bot-alias/ABCDEFGHIJ/0123456789"
PINPOINT = "arn:aws:mobiletargeting:us-east-1:123456789012:apps/0123456789abcdef"

SAMPLES = {
    "AppInstanceArn": APP, "AppInstanceUserArn": USER, "AppInstanceBotArn": BOT, "AppInstanceAdminArn": USER,
    "ResourceARN": USER, "ResourceArn": PINPOINT, "LexBotAliasArn": LEX, "ClientRequestToken": "token-0123456789",
    "AppInstanceUserId": "crm-alice", "Name": "Alice Übermut 😀", "Metadata": "{\n \"team\": \"crm\"\n}",
    "EndpointId": "endpoint/1 ä", "NextToken": "a+b/c=d&e ü", "MaxResults": 25, "LocaleId": "en_US",
    "WelcomeIntent": "Hello_There", "DeviceToken": "device", "VoipDeviceToken": "voip", "ExpirationDays": 30,
    "RetentionDays": 7, "TagKeys": ["CostCenter", "Owner"],
    "Tags": [{"Key": "CostCenter", "Value": "4711"}, {"Key": "Öwner", "Value": "a@example.com"}],
}


def client():
    session = botocore.session.Session()
    session.set_credentials("AKIDEXAMPLE", "secret")
    return session.create_client("chime-sdk-identity", region_name="us-east-1")


def sample(name, shape, everything):
    if name in SAMPLES:
        return SAMPLES[name]
    if shape.type_name == "structure":
        return structure(shape, everything)
    return shape.enum[0]


def structure(shape, everything):
    return {name: sample(name, member, everything) for name, member in shape.members.items()
            if everything or name in shape.required_members}


def calls(identity):
    sent = []

    def capture(request, **_):
        url = urlsplit(request.url)
        body = request.body or b""
        body = body if isinstance(body, str) else body.decode()
        sent.append({"method": request.method, "path": url.path, "query": url.query, "body": body})
        return AWSResponse(request.url, 200, {}, None)

    identity.meta.events.register("before-send.*", capture)
    identity.meta.events.register("before-parameter-build.*", lambda params, **_: params)
    for name in identity.meta.service_model.operation_names:
        model = identity.meta.service_model.operation_model(name)
        for everything in (False, True):
            params = structure(model.input_shape, everything)
            try:
                identity._make_api_call(name, params)
            except Exception:  # The empty answer parses as nothing useful; the request is what we came for.
                pass
            located = {"uri": {}, "querystring": {}}
            for member, shape in model.input_shape.members.items():
                location = shape.serialization.get("location")
                if location and member in params:
                    located[location][member] = str(params[member])
            yield {"operation": name, "status": model.http.get("responseCode", 200), **sent[-1],
                   "pathMembers": located["uri"], "queryMembers": located["querystring"]}


SIGNED = [
    ("CreateAppInstance", {"Name": "crm", "ClientRequestToken": "app-1"}),
    ("CreateAppInstanceUser", {"AppInstanceArn": APP, "AppInstanceUserId": "crm-alice", "Name": "Alice Übermut",
                               "ClientRequestToken": "user-1", "Tags": SAMPLES["Tags"]}),
    ("DescribeAppInstanceUser", {"AppInstanceUserArn": APP + "/user/crm-alice"}),
    ("ListAppInstanceUsers", {"AppInstanceArn": APP, "MaxResults": 5}),
    ("TagResource", {"ResourceARN": APP + "/user/crm-alice", "Tags": [{"Key": "Team", "Value": "ü"}]}),
]


def signed(identity):
    """Requests on the wire, signed at 2026-11-23T13:00:00Z with AKIDEXAMPLE and `secret`."""
    sent = []

    def capture(request, **_):
        url = urlsplit(request.url)
        target = url.path + ("?" + url.query if url.query else "")
        fields = {"Host": url.netloc, **request.headers}
        lines = [f"{name}: {value.decode() if isinstance(value, bytes) else value}" for name, value in fields.items()
                 if name.lower() in ("host", "content-type", "content-length", "x-amz-date", "authorization")]
        body = request.body or b""
        body = body if isinstance(body, str) else body.decode()
        sent.append("\r\n".join([f"{request.method} {target} HTTP/1.1", *lines, "", body]))
        return AWSResponse(request.url, 200, {}, None)

    identity.meta.events.register("before-send.*", capture)
    now = datetime.datetime(2026, 11, 23, 13)
    for name, params in SIGNED:
        with mock.patch("botocore.auth.get_current_datetime", return_value=now):
            try:
                identity._make_api_call(name, params)
            except Exception:  # As above.
                pass
        yield {"operation": name, "request": sent[-1]}


# A plain reading of the model: what contract and documentation say, without any eye on speed.

READINGS = {
    # XML's character range written wrongly: characters count that the letter of it or its meaning allows.
    r"[\u0009\u000A\u000D\u0020-\u007E\u0085\u00A0-\uD7FF\uE000-\uFFFD\u10000-\u10FFFF]*":
        r"[\u0009\u000A\u000D\u0020-\u007E\u0085\u00A0-\uD7FF\uE000-\uFFFD\u10000-\u10FFFF\U00010000-\U0010FFFF]*",
}


def matches(pattern, value):
    return re.fullmatch(READINGS.get(pattern, pattern), value, re.DOTALL | re.ASCII) is not None


def violation(shape, value, path=""):
    """The path of the first member that breaks the model, or None."""
    kind, traits = shape.type_name, shape.metadata
    if kind == "structure":
        return path if not isinstance(value, dict) else structure_violation(shape, value, path)
    if kind == "list":
        if not isinstance(value, list):
            return path
        for index, element in enumerate(value[:traits["max"]]):
            found = violation(shape.member, element, f"{path}[{index}]")
            if found is not None:
                return found
        if not traits["min"] <= len(value) <= traits["max"]:
            return path
        keys = [element.get("Key") for element in value if isinstance(element, dict)]
        for index, key in enumerate(keys):
            if key in keys[:index]:
                return f"{path}[{index}].Key"
        return None
    if kind == "integer":
        good = isinstance(value, int) and not isinstance(value, bool) and traits["min"] <= value <= traits["max"]
        return None if good else path
    good = isinstance(value, str)
    if good and "enum" in traits:
        good = value in traits["enum"]
    elif good:
        good = traits.get("min", 0) <= len(value) <= traits.get("max", len(value))
        good = good and matches(shape_pattern(shape), value)
    return None if good else path


def shape_pattern(shape):
    return identity_shapes[shape.name].get("pattern", ".*")


def structure_violation(shape, value, path):
    def at(name):
        return f"{path}.{name}" if path else name

    for name, member in value.items():
        if name not in shape.members or "location" in shape.members[name].serialization:
            return at(name)
        if member is not None:
            found = violation(shape.members[name], member, at(name))
            if found is not None:
                return found
    for name in shape.members:
        required = name in shape.required_members and "location" not in shape.members[name].serialization
        if required and not shape.members[name].metadata.get("idempotencyToken") and value.get(name) is None:
            return at(name)
    return None


def places(value, path=()):
    yield path, value
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, element in items:
        yield from places(element, path + (key,))


def shape_at(shape, path):
    for key in path:
        shape = shape.member if shape.type_name == "list" else shape.members[key]
    return shape


def replacements(shape, value):
    """Values to stand in place of `value`, right and wrong ones."""
    yield from (None, True, 7, 1.5, "text", [], {}, [None])
    traits = shape.metadata
    if shape.type_name == "integer":
        yield from (traits["min"], traits["max"], traits["min"] - 1, traits["max"] + 1, float(traits["min"]), "7")
    if shape.type_name == "string":
        yield from ("", " ", "\n", "ü", "😀", "\u0085", "\ufffe", "\x7f", "\u3000", value + "\n", "\t" + value, value.upper())
        for length in {traits.get("min", 1), traits.get("max", 8)}:
            for count in (length - 1, length, length + 1):
                yield from ("a" * count, "ü" * count, "😀" * count)
    if shape.type_name == "list":
        for count in (traits["min"], traits["max"], traits["max"] + 1):
            yield [numbered(value[0], index) for index in range(count)]
        yield value + [value[0]]
        yield value + [None]
    if shape.type_name == "structure":
        yield {**value, "Unknown": 1}
        yield {**value, "name": "x"}
        for name in value:
            yield {key: member for key, member in value.items() if key != name}


def numbered(element, index):
    return f"{element}{index}" if isinstance(element, str) else {**element, "Key": f"{element['Key']}{index}"}


def put(root, path, value):
    if not path:
        return value
    root = copy.deepcopy(root)
    holder = root
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = value
    return root


def inputs(identity):
    tried = set()
    for name in identity.meta.service_model.operation_names:
        shape = identity.meta.service_model.operation_model(name).input_shape
        body = {member: sample(member, target, True) for member, target in shape.members.items()
                if "location" not in target.serialization}
        if not body:
            continue
        for path, value in places(body):
            target = shape_at(shape, path)
            # Each kind of value once; the inputs themselves all differ.
            if target.name in tried:
                continue
            tried.add(target.name)
            for replacement in replacements(target, value):
                broken = put(body, path, replacement)
                text = json.dumps(broken, ensure_ascii=False, separators=(",", ":"))
                yield {"operation": name, "body": text, "violation": violation(shape, broken)}


def patterns():
    alphabet = ["", "a", "Z", "5", "_", "-", ".", ":", "@", "/", " ", "\t", "\n", "\r", "\x0b", "\x0c", "\x01", "\x1f",
                "\x7f", "\x80", "\x85", "\x9f", "\xa0", "ß", "٣", "\u3000", "\ud7ff", "\ue000", "\uf900", "\ufffd",
                "\ufffe", "\uffff", "\U00010000", "😀", "\U0010ffff"]
    values = set(alphabet) | {first + second for first in alphabet for second in alphabet}
    values |= {f"a{middle}b" for middle in alphabet} | {"a" * 63, "a" * 64, "a" * 65, "a_" * 5, "a__b", "_a"}
    for base in (APP, USER, BOT, LEX, PINPOINT, "arn:a::::x", "arn:::::x", "arn:aws:chime", "arn:a::::/x", "arn:a::::"):
        values |= {base} | {base + letter for letter in alphabet} | {letter + base for letter in alphabet}
        for index in range(len(base)):
            values |= {base[:index] + base[index + 1:], base[:index] + "A" + base[index:], base[:index] + "-" + base[index + 1:]}
    for length in (62, 63, 64):
        values |= {f"arn:{'a' * length}::::x", f"arn:a:{'b.-' * 21}{'c' * (length - 63)}:::x"}
    for length in (1022, 1023, 1024, 1025):
        values |= {"arn:a::::" + "ü" * length, "arn:a::::" + "x\n" * (length // 2)}
    wanted = sorted({shape["pattern"] for shape in identity_shapes.values() if "pattern" in shape})
    ordered = sorted(values)
    for pattern in wanted:
        yield {"pattern": pattern, "matching": [index for index, value in enumerate(ordered) if matches(pattern, value)]}
    yield {"values": ordered}


def write(name, rows):
    lines = [json.dumps(row, ensure_ascii=False, separators=(",", ":")) for row in rows]
    text = "[\n" + ",\n".join(lines) + "\n]\n"
    (HERE / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    identity = client()
    identity_shapes = identity.meta.service_model._service_description["shapes"]
    write("calls.json", calls(identity))
    write("signed.json", signed(client()))
    write("inputs.json", inputs(identity))
    write("patterns.json", patterns())
