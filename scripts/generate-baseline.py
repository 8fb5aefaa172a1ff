#!/usr/bin/env python3
"""Writes Sources/gatehouse/Generated/Baseline.swift from policies/*.json, so that the binary has them in it.

    scripts/generate-baseline.py           write the file
    scripts/generate-baseline.py --check   exit 1 if it is not what would be written
"""

import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
TARGET = ROOT / "Sources/gatehouse/Generated/Baseline.swift"


def literal(text):
    hashes = "#"
    while f'"""{hashes}' in text or f"\\{hashes}" in text:
        hashes += "#"
    lines = "".join(f"      {line}\n" if line else "\n" for line in text.split("\n"))
    return f'{hashes}"""\n{lines}      """{hashes}'


def generated():
    files = sorted(path for path in (ROOT / "policies").glob("*.json"))
    entries = "\n".join(f'    (\n      "{path.name}",\n      {literal(path.read_text())}\n    ),' for path in files)
    return f"""// Made by scripts/generate-baseline.py from policies/*.json; edit these and run it.

/// The policies that come with gatehouse, for a demo that needs the binary alone.
enum Baseline {{
  static let files: [(name: String, text: String)] = [
{entries}
  ]
}}
"""


def main():
    text = generated()
    if sys.argv[1:] == ["--check"]:
        if TARGET.exists() and TARGET.read_text() == text:
            return 0
        print(f"{TARGET.relative_to(ROOT)} is not what policies/*.json give; run scripts/generate-baseline.py", file=sys.stderr)
        return 1
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
