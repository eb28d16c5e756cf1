"""A sweep file as data, with the line of every part of it, and how much of it is read."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from labcore.errors import UsageError

__all__ = [
    "MOST_BYTES",
    "MOST_DIGITS",
    "MOST_LEVELS",
    "MOST_PARTS",
    "Document",
    "Place",
    "looks_like_a_number",
    "unfit",
    "wrong_file",
]

MOST_BYTES = 256 * 1024
"""A sweep file is written by hand; YAML of this size takes two seconds to read."""
MOST_PARTS = 50_000
"""Values in a file, those that aliases repeat included: a few lines of them can stand for 10^9."""
MOST_LEVELS = 40
"""Lists and mappings inside each other."""
MOST_DIGITS = 80
"""Characters of a whole number; what is read must fit 64 bits."""

_MOST_SHOWN = 100
"""Problems of a file that are told."""
_LONGEST_SHOWN = 500
"""Characters of each."""

Place = tuple[str | int, ...]
"""Keys and list positions that lead to a part of a file."""


@dataclass(kw_only=True, slots=True)
class Document:
    """What a file holds, and everything that is found out about it."""

    content: Any = None
    lines: dict[Place, int] = field(default_factory=dict)
    """Line of each part, where it is known; counted from 1."""
    traps: dict[Place, str] = field(default_factory=dict)
    """What is to be said of a part that YAML reads as another value than it looks like."""
    numbers_as_text: dict[Place, str] = field(default_factory=dict)
    """The same of numbers that are text to YAML."""
    problems: list[tuple[Place, str]] = field(default_factory=list)
    warnings: list[tuple[Place, str]] = field(default_factory=list)

    def problem(self, place: Place, text: str) -> None:
        """Says what is wrong with a part."""
        self.problems.append((place, text))

    def told(self, remarks: Sequence[tuple[Place, str]]) -> list[str]:
        """Returns remarks as text in the order of the file, those of no line last; each once."""
        ordered = sorted(remarks, key=lambda remark: self._line(remark[0]) or sys.maxsize)
        texts = (": ".join(filter(None, (self.where(place), text))) for place, text in ordered)
        return list(dict.fromkeys(texts))

    def where(self, place: Place) -> str:
        """Returns a place in words: ``line 12: parameters.lr.min``."""
        line = self._line(place)
        dotted = ""
        for step in place:
            dotted += f"[{step}]" if isinstance(step, int) else f".{step}" if dotted else step
        return ": ".join([*([f"line {line}"] if line is not None else []), *filter(None, [dotted])])

    def _line(self, place: Place) -> int | None:
        """Returns the line of a place, or of the nearest part around it that has one."""
        for length in range(len(place), 0, -1):
            if place[:length] in self.lines:
                return self.lines[place[:length]]
        return None


def wrong_file(path: Path, problems: list[str]) -> UsageError:
    """Returns the error that tells all problems of a file, as far as somebody will read them."""
    shown = [_printable(problem) for problem in problems[:_MOST_SHOWN]]
    if len(problems) > _MOST_SHOWN:
        shown.append(f"and {len(problems) - _MOST_SHOWN} more")
    return UsageError(f"the sweep file {path} is wrong; nothing was started", problems=shown)


def _printable(text: str) -> str:
    text = text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}..."
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def looks_like_a_number(text: str) -> bool:
    """Whether a text has digits, and Python reads it as a number."""
    try:
        float(text)
    except ValueError:
        return False
    return any(char.isdigit() for char in text)


def unfit(value: Any) -> str:
    """Says what is wrong with a number or text that can go nowhere; nothing otherwise."""
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        return "the whole number does not fit 64 bits"
    if isinstance(value, str) and any("\ud800" <= char <= "\udfff" for char in value):
        return r"the text has half a character: \ud800 to \udfff come in pairs"
    return ""
