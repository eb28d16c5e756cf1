"""A report to paste into an issue: findings for people, facts for another doctor."""

import getpass
import json
import re
import socket
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from labcore.doctor.finding import STATES, Finding
from labcore.doctor.machine import Machine
from labcore.doctor.plain import from_plain, to_plain
from labcore.record.redaction import redact_text

__all__ = ["SCHEMA", "Scrub", "from_report", "make_scrub", "to_report"]

SCHEMA = "lab-doctor-report/1"

Scrub = Callable[[str], str]

_UUID = re.compile(r"\b(GPU|MIG)-([0-9a-fA-F]{8})-[0-9a-fA-F-]{27}\b")
_HOME = re.compile(r"(?<![\w.])(?:/(?:home|Users)/[^/\s:\"']+|[A-Za-z]:\\Users\\[^\\:\"']+)")
_JSON = re.compile(r"```json\s*\n(.*?)```", re.DOTALL)
_COMMON_NAMES = frozenset({"root", "user", "admin", "lab", "docker", "localhost", "ubuntu"})
_SHORTEST_NAME = 3
_WORDS = {"failure": "FAILURE", "warning": "WARNING", "unknown": "NOT KNOWN", "ok": "ok"}


def make_scrub(
    *, home: str | None = None, user: str | None = None, host: str | None = None
) -> Scrub:
    """Returns a function that takes personal data out of a text.

    Home folders become ``~``, the names of the user and the machine USER and HOST; logins in URLs
    and values named like a secret are masked; of a GPU's UUID the first part stays.

    Args:
        home: Home folder; this user's by default.
        user: Login name; this user's by default.
        host: Name of the machine; this one's by default.
    """
    home = str(Path.home()) if home is None else home
    names = {_user() if user is None else user: "USER"}
    full_host = socket.gethostname() if host is None else host
    names |= {full_host: "HOST", full_host.partition(".")[0]: "HOST"}
    words = {
        name: mark
        for name, mark in names.items()
        if len(name) >= _SHORTEST_NAME and name.lower() not in _COMMON_NAMES
    }

    def scrub(text: str) -> str:
        if len(home) > 1:
            text = re.sub(rf"{re.escape(home)}(?![\w.-])", "~", text)
        text = _HOME.sub("~", text)
        for name, mark in sorted(words.items(), key=lambda item: -len(item[0])):
            text = re.sub(rf"(?<![A-Za-z0-9]){re.escape(name)}(?![A-Za-z0-9])", mark, text)
        return redact_text(_UUID.sub(r"\1-\2", text))

    return scrub


def to_report(machine: Machine, findings: Sequence[Finding], scrub: Scrub | None = None) -> str:
    """Returns one block of Markdown: findings, worst first, and the facts as JSON.

    Args:
        machine: The facts.
        findings: What the checks said.
        scrub: Takes personal data out; that of this machine and user when None.
    """
    scrub = scrub or make_scrub()
    facts = _scrubbed(to_plain(machine), scrub)
    lines = ["### lab doctor", ""]
    for state in STATES:
        chosen = [finding for finding in findings if finding.state == state]
        if state == "ok":
            lines += ["", "<details><summary>what is fine</summary>", ""]
        for finding in chosen:
            lines.append(f"- {_WORDS[state]} `{finding.check}` {scrub(finding.summary)}")
            if state != "ok" and finding.cause:
                lines.append(f"  - why: {scrub(finding.cause)}")
            if finding.fix:
                lines.append(f"  - fix: {scrub(finding.fix)}")
        if state == "ok":
            lines += ["", "</details>"]
    body = json.dumps({"schema": SCHEMA, "machine": facts}, ensure_ascii=False)
    lines += [
        "",
        "<details><summary>facts, for lab doctor --from</summary>",
        "",
        "```json",
        body,
        "```",
        "",
        "</details>",
    ]
    return "\n".join(lines) + "\n"


def from_report(text: str) -> Machine | None:
    """Reads the facts out of a report, pasted as it may be; None when there is none in the text.

    Args:
        text: A text that may hold the block of :func:`to_report`, quoted or indented.
    """
    for candidate in (text, re.sub(r"^[>\s|]+", "", text, flags=re.MULTILINE)):
        for body in (*_JSON.findall(candidate), *_bare(candidate)):
            try:
                plain = json.loads(body)
            except ValueError:
                continue
            if isinstance(plain, dict) and str(plain.get("schema", "")).startswith(
                SCHEMA.partition("/")[0]
            ):
                facts = plain.get("machine")
                return from_plain(Machine, {**facts, "origin": "report"}) if facts else None
    return None


def _bare(text: str) -> list[str]:
    """The line with the facts, when the fence around it was lost in pasting."""
    return [line for line in text.splitlines() if line.lstrip().startswith('{"schema"')]


def _scrubbed(value: Any, scrub: Scrub) -> Any:
    if isinstance(value, str):
        return scrub(value)
    if isinstance(value, list):
        return [_scrubbed(item, scrub) for item in value]
    if isinstance(value, dict):
        return {scrub(key): _scrubbed(item, scrub) for key, item in value.items()}
    return value


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container's user without a name
        return ""
