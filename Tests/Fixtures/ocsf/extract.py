"""Writes `api_activity-1.5.0.json` beside this file: what an event of OCSF's class API Activity must and may hold.

    git clone --branch 1.5.0 https://github.com/ocsf/ocsf-schema
    python3 extract.py ocsf-schema

Facts of the public schema (Apache-2.0): of each attribute its type, requirement and values, of each object what it must
have one of. Only the objects that Gatehouse writes are followed, and of the profiles only `cloud` is applied.
"""

import json
import pathlib
import sys

OBJECTS = [
    "account", "actor", "api", "cloud", "http_request", "http_response", "metadata", "network_endpoint",
    "product", "request", "resource_details", "response", "service", "user",
]  # fmt: skip
PROFILES = {"cloud"}


def load(root, path):
    return json.loads((root / path).read_text())


def parent_of(root, document):
    if "extends" not in document:
        return None
    # A class has an id or a category, which no object has; some names are those of both.
    folder = "events" if "uid" in document or "category" in document else "objects"
    path = next(root.glob(f"{folder}/**/{document['extends']}.json"))
    return json.loads(path.read_text())


def attributes(root, document):
    """The attributes of an object or class, those of what it extends included."""
    parent = parent_of(root, document)
    found = attributes(root, parent) if parent else {}
    for name, attribute in document["attributes"].items():
        if name == "$include":
            for path in attribute:
                profile = load(root, path)
                if profile["name"] in PROFILES:
                    merge(found, attributes(root, profile))
            continue
        if attribute.get("profile") in PROFILES | {None}:
            merge(found, {name: attribute})
    return found


def merge(found, more):
    for name, attribute in more.items():
        earlier = found.get(name, {})
        enum = earlier.get("enum", {}) | attribute.get("enum", {})
        found[name] = earlier | attribute | ({"enum": enum} if enum else {})


def constraints(root, document):
    parent = parent_of(root, document)
    return document.get("constraints") or (constraints(root, parent) if parent else {})


def described(root, dictionary, document):
    result = {}
    for name, attribute in sorted(attributes(root, document).items()):
        known = dictionary[name]
        entry = {
            "type": attribute.get("type", known["type"]),
            "requirement": attribute.get("requirement", "optional"),
        }
        if known.get("is_array"):
            entry["is_array"] = True
        if "@deprecated" in attribute or "@deprecated" in known:
            entry["deprecated"] = True
        enum = known.get("enum", {}) | attribute.get("enum", {})
        if enum:
            entry["enum"] = {value: about["caption"] for value, about in sorted(enum.items())}
        result[name] = entry
    return {"attributes": result, "constraints": constraints(root, document)}


def main():
    root = pathlib.Path(sys.argv[1])
    dictionary = load(root, "dictionary.json")["attributes"]
    event = load(root, "events/application/api_activity.json")
    category = load(root, "categories.json")["attributes"]["application"]["uid"]
    result = {
        "source": "https://github.com/ocsf/ocsf-schema, tag 1.5.0 (commit 78bf68a2)",
        "class_uid": category * 1000 + event["uid"],
        "category_uid": category,
        "event": described(root, dictionary, event),
        "objects": {
            name: described(root, dictionary, load(root, f"objects/{name}.json")) for name in OBJECTS
        },
    }
    path = pathlib.Path(__file__).with_name("api_activity-1.5.0.json")
    path.write_text(json.dumps(result, indent=1, sort_keys=True) + "\n")


main()
