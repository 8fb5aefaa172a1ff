"""Compares events with what Tests/Fixtures/ocsf has of the public schema of OCSF."""

import ipaddress
import json
import pathlib

SCHEMA = json.loads(
    (pathlib.Path(__file__).resolve().parents[1] / "Fixtures/ocsf/api_activity-1.5.0.json").read_text()
)
LONGEST_USERNAME = LONGEST_STRING = 65535
TYPES = {
    "integer_t": lambda value: type(value) is int and abs(value) < 2**31,
    "long_t": lambda value: type(value) is int,
    "timestamp_t": lambda value: type(value) is int and value > 10**12,
    "boolean_t": lambda value: type(value) is bool,
    "ip_t": lambda value: ipaddress.ip_address(value) is not None,
    "object": lambda value: type(value) is dict,
    "json_t": lambda value: True,
}
"""By type; all other simple types are texts."""


def problems(event):
    """What is wrong with an event of the class API Activity, one text each."""
    found = list(object_problems(event, SCHEMA["event"], "event"))
    for name in ("class_uid", "category_uid"):
        if event.get(name) != SCHEMA[name]:
            found.append(f"{name} is {event.get(name)}")
    if event.get("type_uid") != SCHEMA["class_uid"] * 100 + event.get("activity_id", 0):
        found.append(f"type_uid is {event.get('type_uid')}")
    return found


def object_problems(value, schema, where):
    attributes = schema["attributes"]
    for name, about in attributes.items():
        if about["requirement"] == "required" and value.get(name) is None:
            yield f"{where} lacks {name}"
    for names in [schema["constraints"].get("at_least_one")]:
        if names and not any(value.get(name) is not None for name in names):
            yield f"{where} has none of {names}"
    for name, content in value.items():
        if name not in attributes:
            yield f"{where} has {name}, which is not in the schema"
            continue
        if attributes[name].get("deprecated"):
            yield f"{where} has {name}, which is deprecated"
        if attributes[name].get("is_array") is not (type(content) is list or None):
            yield f"{where}.{name} is a list, or should be one"
            continue
        for item in content if type(content) is list else [content]:
            yield from value_problems(item, attributes[name], value, f"{where}.{name}", name)


def value_problems(item, about, owner, where, name):
    kind = about["type"]
    if kind in SCHEMA["objects"]:
        yield from object_problems(item, SCHEMA["objects"][kind], where)
        return
    if not TYPES.get(kind, lambda value: type(value) is str and len(value) <= LONGEST_STRING)(item):
        yield f"{where} is {item!r} and not of type {kind}"
    # Class and category are those of every event; the schema lists them elsewhere.
    if "enum" in about and name not in ("class_uid", "category_uid"):
        caption = about["enum"].get(str(item))
        if caption is None:
            yield f"{where} is {item!r} and none of {list(about['enum'])}"
        sibling = owner.get({"activity_id": "activity_name"}.get(name, name.removesuffix("_id")))
        if name.endswith("_id") and sibling is not None and sibling != caption:
            yield f"{where} is {item!r}, which is {caption} and not {sibling}"
