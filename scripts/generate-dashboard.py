#!/usr/bin/env python3
"""Writes Sources/Admin/Generated/DashboardPage.swift from dashboard/, so that the binary has the dashboard in it.

    scripts/generate-dashboard.py           write the file
    scripts/generate-dashboard.py --check   exit 1 if it is not what would be written

A page is one document: the styles and scripts that it names in <!-- style: … --> and <!-- script: … --> stand in it, and its
Content-Security-Policy names their hashes, so that a browser runs these and nothing else.
"""

import base64
import hashlib
import json
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
SOURCE = ROOT / "dashboard"
TARGET = ROOT / "Sources/Admin/Generated/DashboardPage.swift"
INCLUDE = re.compile(r"<!-- (style|script): (\S+) -->")


def literal(text, indentation):
    """A multi-line literal, with as many # as nothing in the text needs."""
    indentation, hashes = " " * indentation, "#"
    while f'"""{hashes}' in text or f"\\{hashes}" in text:
        hashes += "#"
    lines = "".join(f"{indentation}{line}\n" if line else "\n" for line in text.rstrip("\n").split("\n"))
    return f'{hashes}"""\n{lines}{indentation}"""{hashes}'


def digest(text):
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def page(name, **values):
    """The document, and its policy."""
    text = (SOURCE / name).read_text()
    for key, value in values.items():
        text = text.replace(f"<!-- {key} -->", value)
    sources = {"style": ["'none'"], "script": ["'none'"]}

    def include(match):
        kind, pattern = match.groups()
        content = "\n" + "\n".join(path.read_text() for path in sorted(SOURCE.glob(pattern)))
        if kind == "script":
            content = f'\n"use strict";\n(() => {{{content}}})();\n'
        # HTML ends either at its end tag, wherever that stands.
        assert f"</{kind}" not in content.lower() and "<!--" not in content, pattern
        sources[kind] = [digest(content)] + [one for one in sources[kind] if one != "'none'"]
        return f"<{kind}>{content}</{kind}>"

    text = INCLUDE.sub(include, text)
    policy = [
        "default-src 'none'",
        f"script-src {' '.join(sources['script'])}",
        f"style-src {' '.join(sources['style'])}",
        "img-src data:",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    ]
    return text, "; ".join(policy)


def static_page(name, comment, document):
    text, policy = document
    return f"""  /// {comment}
  static let {name} = StaticPage(
    text: {literal(text, 6)},
    policy:
      "{policy}"
  )
"""


def generated():
    wrong = '<p class="wrong" role="alert">That is not the token.</p>'
    openapi = json.dumps(json.loads((SOURCE / "openapi.json").read_text()), separators=(",", ":"), ensure_ascii=False)
    return f"""// Made by scripts/generate-dashboard.py from dashboard/; edit that and run it.

/// The dashboard's documents.
enum DashboardPage {{
{static_page("main", "The dashboard.", page("index.html"))}
{static_page("login", "Asks for the token.", page("login.html", wrong=""))}
{static_page("loginAgain", "Asks again, since what was given is not the token.", page("login.html", wrong=wrong))}
  /// What `/api/…` takes and answers, as OpenAPI 3.1 describes it.
  static let openAPI: StaticString = {literal(openapi, 4)}
}}
"""


def main():
    text = generated()
    if sys.argv[1:] == ["--check"]:
        if TARGET.exists() and TARGET.read_text() == text:
            return 0
        print(
            f"{TARGET.relative_to(ROOT)} is not what dashboard/ gives; run scripts/generate-dashboard.py", file=sys.stderr
        )
        return 1
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
