"""Writes `sarif-2.1.0.json` beside this file: what a SARIF log may and must hold.

    git clone https://github.com/oasis-tcs/sarif-spec
    python3 extract.py sarif-spec

Facts of the public schema of OASIS: every definition with its members, types and bounds, without the prose.
"""

import json
import pathlib
import sys


def without_prose(node):
    if isinstance(node, list):
        return [without_prose(item) for item in node]
    if not isinstance(node, dict):
        return node
    # A member may be named "description"; prose is a string, a member's schema is none.
    return {
        key: without_prose(value)
        for key, value in node.items()
        if not (key in ("description", "title") and isinstance(value, str))
    }


if __name__ == "__main__":
    source = pathlib.Path(sys.argv[1]) / "sarif-2.1/schema/sarif-schema-2.1.0.json"
    schema = without_prose(json.loads(source.read_text()))
    target = pathlib.Path(__file__).with_name("sarif-2.1.0.json")
    target.write_text(json.dumps(schema, separators=(",", ":")) + "\n")
