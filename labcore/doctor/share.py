"""A report to paste into an issue: findings for people, facts for another doctor."""

import dataclasses
import getpass
import json
import re
import socket
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from labcore.doctor.finding import STATES, Finding
from labcore.doctor.machine import Machine
from labcore.record.redaction import redact_text

__all__ = [
    "SCHEMA",
    "Scrub",
    "from_plain",
    "from_report",
    "make_scrub",
    "to_plain",
    "to_report",
]

SCHEMA = "lab-doctor-report/1"

Scrub = Callable[[str], str]
T = TypeVar("T")

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
        # The line with the facts alone: when the fence around it was lost in pasting.
        bare = [line for line in candidate.splitlines() if line.lstrip().startswith('{"schema"')]
        for body in (*_JSON.findall(candidate), *bare):
            try:
                plain = json.loads(body)
                if plain["schema"].partition("/")[0] == SCHEMA.partition("/")[0]:
                    return from_plain(Machine, {**plain["machine"], "origin": "report"})
            except (ValueError, TypeError, KeyError, AttributeError):  # others', or edited
                continue
    return None


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


def to_plain(value: Any) -> dict[str, Any]:
    """Returns the fields of a dataclass, those at their default left out."""
    plain: dict[str, Any] = {}
    for each in dataclasses.fields(value):
        held = getattr(value, each.name)
        factory = each.default_factory
        if held != (each.default if factory is dataclasses.MISSING else factory()):
            plain[each.name] = _plain(held)
    return plain


def from_plain(kind: type[T], plain: Mapping[str, Any]) -> T:
    """Makes a dataclass from what :func:`to_plain` gave, perhaps in another version of it.

    A field that is unknown here, or whose value is of another type, is passed over.

    Raises:
        TypeError: A field without a default is missing.
    """
    hints = typing.get_type_hints(kind)
    fitting: dict[str, Any] = {}
    for each in dataclasses.fields(kind):  # type: ignore[arg-type]  # T is a dataclass
        if each.name in plain:
            try:
                fitting[each.name] = _made(hints[each.name], plain[each.name])
            except (TypeError, ValueError):
                continue
    return kind(**fitting)


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return to_plain(value)
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    return value


def _made(hint: Any, value: Any) -> Any:
    """Turns a plain value into what a type hint names; TypeError or ValueError when it cannot."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in {typing.Union, types.UnionType}:
        return _first_that_fits(arguments, value)
    if origin is typing.Literal:
        if value not in arguments:
            raise ValueError(value)
        return value
    if origin is tuple:
        return tuple(_made(arguments[0], item) for item in _is_a(list, value))
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return {str(key): _made(arguments[1], item) for key, item in _is_a(dict, value).items()}
    if dataclasses.is_dataclass(hint):
        return from_plain(typing.cast(type, hint), _is_a(dict, value))
    if hint is float:
        return float(_is_a((int, float), value))
    if isinstance(hint, type) and hint is not object:
        return _is_a(hint, value)
    return value


def _first_that_fits(hints: tuple[Any, ...], value: Any) -> Any:
    for hint in hints:
        try:
            return _made(hint, value)
        except (TypeError, ValueError):
            continue
    raise TypeError(value)


def _is_a(kind: Any, value: Any) -> Any:
    # A bool is an int to Python, and no number to us.
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise TypeError(value)
    return value
