"""A sweep file as data, with the line of every part of it, and how much of it is read."""

from collections.abc import Mapping
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


@dataclass(frozen=True, kw_only=True, slots=True)
class Document:
    """What a file holds."""

    content: Any
    lines: Mapping[Place, int]
    """Line of each part, where it is known; counted from 1."""
    traps: Mapping[Place, str] = field(default_factory=dict)
    """What is to be said of a part that YAML reads as another value than it looks like."""
    numbers_as_text: Mapping[Place, str] = field(default_factory=dict)
    """The same of numbers that are text to YAML."""
    problems: tuple[tuple[Place, str], ...] = ()
    """What is wrong with the file as JSON or YAML, though it can be read."""


def wrong_file(path: Path, problems: list[str]) -> UsageError:
    """Returns the error that tells all problems of a file, as far as somebody will read them."""
    shown = [_printable(problem) for problem in problems[:_MOST_SHOWN]]
    if len(problems) > _MOST_SHOWN:
        shown.append(f"and {len(problems) - _MOST_SHOWN} more")
    return UsageError(f"the sweep file {path} is wrong; nothing was started", problems=shown)


def _printable(text: str) -> str:
    text = text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}..."
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def unfit(value: Any) -> str:
    """Says what is wrong with a number or text that can go nowhere; nothing otherwise."""
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        return "the whole number does not fit 64 bits"
    if isinstance(value, str) and any("\ud800" <= char <= "\udfff" for char in value):
        return r"the text has half a character: \ud800 to \udfff come in pairs"
    return ""
