"""Errors that the doctor knows, as data in ``env/compat/known_errors``.

Each entry has these keys:

- ``id``, ``area``, ``state``: as in a finding; ``state`` is ``failure`` unless it says ``warning``
  or, for alarming lines that mean nothing, ``ok``.
- ``patterns``: regular expressions, any of which tells the error. A space stands for any white
  space, the end of a line included. Named groups become fields.
- ``summary``, ``cause``, ``fix``: a text with ``{fields}``, or several: the first whose fields are
  all known is taken. The last needs none but groups that every pattern has.
- ``sources``: upstream issues and documents.
- ``after``: ids of errors that this one is a mere consequence of, when both are in a text.
- ``explains``: ids of checks that say the same thing of the same machine.
- ``only``, ``unless``: places (``windows``, ``wsl``, ``conda``, ..., see ``places.py``) of which
  one must, or none may, be where the text comes from.
- ``wrapper: true``: the line only reports that something else went wrong.
- ``sample``: a text with the error, for the tests.
"""

import functools
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from labcore.discovery import env_dir
from labcore.doctor.check import AREAS, Area
from labcore.doctor.finding import State
from labcore.doctor.pasted.places import PLACES
from labcore.doctor.pasted.text import Pasted

__all__ = ["KnownError", "Match", "known_errors", "load_known_errors", "search"]

_LONG = 100_000
_SPACE = re.compile(r" ([+*?]?)")
_PIECE = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\{\d*,?\d*\}|.", re.DOTALL)
"""A piece of an expression: an escape, a set of characters, a count, or one character."""


@dataclass(frozen=True, kw_only=True, slots=True)
class KnownError:
    """An error that people meet, why it comes and what mends it."""

    id: str
    area: Area
    state: State = "failure"
    patterns: tuple[re.Pattern[str], ...]
    summary: tuple[str, ...]
    cause: tuple[str, ...] = ()
    fix: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    after: frozenset[str] = frozenset()
    explains: frozenset[str] = frozenset()
    only: frozenset[str] = frozenset()
    unless: frozenset[str] = frozenset()
    wrapper: bool = False
    sample: str

    def __post_init__(self) -> None:
        if self.area not in AREAS:
            raise ValueError(f"no area {self.area!r}")
        for texts in (self.summary, self.cause, self.fix):
            if not all("{" in text for text in texts[:-1]):
                raise ValueError(f"a text that needs no field hides those after it: {texts[0]}")
        strange = (self.only | self.unless) - PLACES.keys()
        if strange:
            raise ValueError(f"no place {', '.join(sorted(strange))}")

    def goes_with(self, places: frozenset[str]) -> bool:
        """Whether the entry speaks of texts from such places."""
        return (not self.only or bool(self.only & places)) and not self.unless & places


@dataclass(frozen=True, kw_only=True, slots=True)
class Match:
    """A known error found in a text."""

    error: KnownError
    start: int
    end: int
    groups: Mapping[str, str]
    count: int
    """How often it is there."""


@functools.cache
def known_errors() -> tuple[KnownError, ...]:
    """Returns every entry, in the order of the files."""
    return load_known_errors(sorted((env_dir() / "compat" / "known_errors").glob("*.yaml")))


def load_known_errors(files: Iterable[Path]) -> tuple[KnownError, ...]:
    """Reads entries from files.

    Raises:
        ValueError: An entry is not well formed; names it and its file.
    """
    # The safe loader in C, where it was built, is ten times as fast.
    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    errors: list[KnownError] = []
    for file in files:
        for row in yaml.load(file.read_text(encoding="utf-8"), Loader=loader):  # noqa: S506  # safe
            try:
                errors.append(_entry(row))
            except (KeyError, TypeError, ValueError, re.error) as error:
                raise ValueError(f"{file}: entry {row.get('id')!r}: {error}") from error
    ids = [error.id for error in errors]
    double = {each for each in ids if ids.count(each) > 1}
    if double:
        raise ValueError(f"known errors with the same id: {', '.join(sorted(double))}")
    return tuple(errors)


def search(
    pasted: Pasted,
    errors: Iterable[KnownError] | None = None,
    places: frozenset[str] | None = None,
) -> list[Match]:
    """Returns the known errors in a text, the first one first.

    Args:
        pasted: The text.
        errors: Entries to look for; all when None.
        places: Where the text comes from; None looks for the entries of every place.
    """
    found = [
        match
        for error in (known_errors() if errors is None else errors)
        if (places is None or error.goes_with(places))
        and (match := _find(pasted.text, error)) is not None
    ]
    return sorted(found, key=lambda match: (match.start, match.end))


def _find(text: str, error: KnownError) -> Match | None:
    hits = [
        hit
        for pattern in error.patterns
        if (len(text) < _LONG or literal_of(pattern.pattern) in text)
        and (hit := pattern.search(text)) is not None
    ]
    if not hits:
        return None
    hits.sort(key=lambda hit: hit.start())
    groups: dict[str, str] = {}
    for hit in hits:
        for name, value in hit.groupdict().items():
            if value is not None:
                groups.setdefault(name, " ".join(value.split()))
    return Match(
        error=error,
        start=hits[0].start(),
        end=hits[0].end(),
        groups=groups,
        count=max(sum(1 for _ in hit.re.finditer(text)) for hit in hits),
    )


def _entry(row: Any) -> KnownError:
    texts = {key: _texts(row[key]) for key in ("summary", "cause", "fix", "sources") if key in row}
    names = {
        key: frozenset(row[key]) for key in ("after", "explains", "only", "unless") if key in row
    }
    patterns = tuple(
        re.compile(_SPACE.sub(lambda space: rf"\s{space[1] or '+'}", pattern), re.MULTILINE)
        for pattern in _texts(row["patterns"])
    )
    return KnownError(**(row | texts | names | {"patterns": patterns}))


@functools.cache
def literal_of(pattern: str) -> str:
    """Returns the longest text that every match of a pattern holds; empty when there is none.

    Looking for it first makes a search of a long log twenty times as fast. What stands in groups
    is passed over: it may be one of several, or be left out.
    """
    if "(?i" in pattern:
        return ""
    runs, depth = [""], 0
    for piece in _PIECE.findall(pattern):
        if depth or piece in ("(", ")"):
            depth += (piece == "(") - (piece == ")")
            runs.append("")
        elif piece == "|":
            return ""
        elif piece[0] in "*?{":  # what is before it may be left out
            runs[-1:] = [runs[-1][:-1], ""]
        elif len(piece) == 1 and piece not in ".^$+":
            runs[-1] += piece
        elif piece[0] == "\\" and not piece[1].isalnum():
            runs[-1] += piece[1]
        else:
            runs.append("")
    return max(runs, key=len)


def _texts(value: str | Iterable[str]) -> tuple[str, ...]:
    return tuple(each.strip() for each in ([value] if isinstance(value, str) else value))
