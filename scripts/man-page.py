#!/usr/bin/env python3
"""Writes gatehouse(1) in roff: man-page.py BINARY >gatehouse.1

Commands and options are those that the binary tells of itself, so that the page cannot lag behind it.
"""

import json
import os
import subprocess
import sys
import time

DESCRIPTION = """\
Gatehouse is a reverse proxy in front of the Amazon Chime SDK Identity API. It verifies who calls, holds what callers
create to policies, writes it into an audit journal, and signs it anew with the AWS credentials that it alone has."""

FILES = [
    ("/etc/gatehouse/gatehouse.json", "The configuration of the service."),
    ("/etc/gatehouse/policies", "Its policies, one JSON document a file."),
    ("/etc/gatehouse/environment", "Variables of the service, such as AWS keys; readable by root alone."),
    ("/var/lib/gatehouse/tenants.json", "Tenants and their keys."),
    ("/var/lib/gatehouse/audit", "The audit journal."),
    ("/usr/share/gatehouse/schemas", "JSON Schemas of these files, for editors."),
]
VARIABLES = [
    ("GATEHOUSE_CONFIG", "The configuration that is read when no --config is given."),
    ("GATEHOUSE_MASTER_KEY", "32 bytes in base64; seals the secrets that `gatehouse tenant create` writes."),
]
EXIT_CODES = [
    ("0", "Done, or allowed."),
    ("1", "What was asked about is bad: an invalid configuration, a failed test, a broken journal."),
    ("2", "A denied request in `gatehouse explain`."),
    ("64", "Wrong usage."),
    ("70", "A fault of Gatehouse."),
    ("78", "The configuration cannot be loaded by a command that needs it."),
]


def escape(text):
    """Text as roff prints it: hyphens that can be copied, no line that would be taken for a request."""
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("`", "\\(ga")
    return "\n".join("\\&" + line if line[:1] in (".", "'") else line for line in text.splitlines())


def bold(text):
    return f"\\fB{escape(text)}\\fR"


def italic(text):
    return f"\\fI{escape(text)}\\fR"


def option_name(name):
    return ("-" if name["kind"] == "short" else "--") + name["name"]


def usage_of(argument):
    """How an argument stands in a synopsis."""
    value = italic(argument["valueName"].upper())
    if argument["kind"] == "positional":
        shown = value
    else:
        shown = bold(option_name(argument["preferredName"]))
        if argument["kind"] == "option":
            shown += " " + value
    shown += "..." if argument["isRepeating"] else ""
    return f"[{shown}]" if argument["isOptional"] else shown


def term_of(argument):
    """How an argument stands at the head of its paragraph."""
    value = italic(argument["valueName"].upper())
    if argument["kind"] == "positional":
        return value
    names = ", ".join(bold(option_name(name)) for name in argument["names"])
    return f"{names} {value}" if argument["kind"] == "option" else names


def paragraph_of(argument):
    text = argument.get("abstract", "")
    notes = []
    if "allValues" in argument:
        notes.append("one of " + ", ".join(argument["allValues"]))
    if "defaultValue" in argument:
        notes.append("default " + argument["defaultValue"])
    if notes:
        text = f"{text} ({'; '.join(notes)})"
    return f".TP\n{term_of(argument)}\n{escape(text)}"


def arguments_of(command):
    """What is worth a line: `--help` and `--version`, which every command has, are not."""
    shown = [argument for argument in command.get("arguments", []) if argument["shouldDisplay"]]
    return [a for a in shown if a.get("preferredName", {}).get("name") not in ("help", "version")]


def discussion_of(command):
    """The discussion of a command; indented lines in it are examples and stay as they are."""
    lines, example = [], False
    for line in command.get("discussion", "").splitlines():
        if line.startswith("  ") != example and line.strip():
            example = not example
            lines.append(".EX" if example else ".EE\n.PP")
        if line.strip():
            lines.append(escape(line))
        elif not example and lines:
            lines.append(".PP")
    return [*lines, *([".EE"] if example else [])]


def section_of(command, path):
    """The section of a command and those of its subcommands."""
    names = [*path, command["commandName"]]
    subcommands = [c for c in command.get("subcommands", []) if c["commandName"] != "help" and c["shouldDisplay"]]
    if subcommands:
        return [line for subcommand in subcommands for line in section_of(subcommand, names)]
    arguments = arguments_of(command)
    usage = " ".join([bold(" ".join(names)), *map(usage_of, arguments)])
    lines = [f'.SS "{escape(" ".join(names[1:]))}"', usage, ".PP", escape(command["abstract"])]
    if discussion := discussion_of(command):
        lines += [".PP", *discussion]
    return lines + [paragraph_of(argument) for argument in arguments]


def list_of(entries):
    return [f".TP\n{bold(term)}\n{escape(text)}" for term, text in entries]


def main():
    binary = sys.argv[1]
    said = lambda option: subprocess.run([binary, option], check=True, capture_output=True, text=True).stdout
    root = json.loads(said("--experimental-dump-help"))["command"]
    version = said("--version").split()[-1]
    date = time.strftime("%Y-%m-%d", time.gmtime(int(os.environ.get("SOURCE_DATE_EPOCH", time.time()))))
    lines = [
        f'.TH GATEHOUSE 1 "{date}" "gatehouse {version}" "User commands"',
        ".SH NAME",
        "gatehouse \\- policy gateway for the Amazon Chime SDK Identity API",
        ".SH SYNOPSIS",
        f"{bold('gatehouse')} {italic('COMMAND')} [{italic('OPTION')}...]",
        ".br",
        f"{bold('gatehouse')} {italic('COMMAND')} {bold('--help')}",
        ".br",
        f"{bold('gatehouse')} {bold('--version')}",
        ".SH DESCRIPTION",
        escape(DESCRIPTION),
        ".SH COMMANDS",
        *section_of(root, []),
    ]
    for heading, entries in (("EXIT STATUS", EXIT_CODES), ("ENVIRONMENT", VARIABLES), ("FILES", FILES)):
        lines += [f'.SH "{heading}"', *list_of(entries)]
    print("\n".join(lines))


main()
