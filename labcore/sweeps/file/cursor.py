"""Walking through a sweep file: a value, its place, and what is to be said about it."""

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from labcore.errors import nearest, suggestion
from labcore.sweeps.file.document import Document, Place

__all__ = ["Cursor", "Remarks", "shown"]

_MOST_NAMES = 5
"""Names that a message lists beside the nearest one."""


@dataclass(kw_only=True, slots=True)
class Remarks:
    """Everything that is found out about a file."""

    document: Document
    problems: list[tuple[Place, str]] = field(default_factory=list)
    warnings: list[tuple[Place, str]] = field(default_factory=list)

    def lines(self, remarks: Sequence[tuple[Place, str]]) -> list[str]:
        """Returns remarks as text in the order of the file, each once."""
        ordered = sorted(remarks, key=lambda remark: self._line(remark[0]) or 0)
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
            if place[:length] in self.document.lines:
                return self.document.lines[place[:length]]
        return None


@dataclass(frozen=True, kw_only=True, slots=True)
class Cursor:
    """A part of the file. What is not as it should be is remarked on, and comes back as None."""

    remarks: Remarks
    place: Place
    value: Any

    def problem(self, text: str) -> None:
        """Says what is wrong here."""
        self.remarks.problems.append((self.place, text))

    def warn(self, text: str) -> None:
        """Says what is legal here and seldom meant."""
        self.remarks.warnings.append((self.place, text))

    def get(self, key: str) -> "Cursor | None":
        """Returns what a mapping has under a key, or None."""
        return self.at(key) if key in self.value else None

    def at(self, step: str | int) -> "Cursor":
        """Returns a part of a mapping or list."""
        return Cursor(remarks=self.remarks, place=(*self.place, step), value=self.value[step])

    def items(self) -> "Iterator[tuple[str, Cursor]]":
        """Yields the keys and values of a mapping."""
        for key in self.value:
            yield key, self.at(key)

    def elements(self) -> "Iterator[Cursor]":
        """Yields the items of a list."""
        for index in range(len(self.value)):
            yield self.at(index)

    def is_mapping(self, holds: str) -> bool:
        """Whether it is a mapping; a problem if not."""
        if isinstance(self.value, Mapping):
            return True
        self.problem(f"expected a mapping with {holds}, got {_kind(self.value)}")
        return False

    def check_keys(self, known: Sequence[str]) -> None:
        """Remarks on the keys of a mapping that are none of the known ones."""
        for key, inner in self.items():
            if key not in known:
                near = suggestion(nearest(key, known))
                inner.problem(f"there is no such key; {near or 'there are ' + ', '.join(known)}")

    def text(self) -> str | None:
        """Returns it as text."""
        if isinstance(self.value, str):
            return self.value
        hint = "" if isinstance(self.value, Mapping | list) else "; put it in quotes"
        self.problem(f"expected text, got {_kind(self.value)}{hint}")
        return None

    def choice(self, names: Sequence[str]) -> str | None:
        """Returns it as one of some words."""
        if isinstance(self.value, str) and self.value in names:
            return self.value
        near = suggestion(nearest(self.value, names)) if isinstance(self.value, str) else ""
        # Of a long list, the nearest is enough.
        one_of = "" if near and len(names) > _MOST_NAMES else f"it is one of {', '.join(names)}"
        self.problem(f"there is no {shown(self.value)}; {' '.join(filter(None, (near, one_of)))}")
        return None

    def boolean(self) -> bool | None:
        """Returns it as true or false."""
        if isinstance(self.value, bool):
            return self.value
        self.problem(f"expected true or false, got {_kind(self.value)}")
        return None

    def number(self) -> float | None:
        """Returns it as a finite number, whole ones as int."""
        if isinstance(self.value, int | float) and not isinstance(self.value, bool):
            if math.isfinite(self.value):
                return self.value
            self.problem(f"expected a finite number, got {self.value}")
        elif not self.is_number_read_as_text():
            hint = ""
            if isinstance(self.value, str) and _is_number(self.value):
                hint = f" {shown(self.value)}; take the quotes off"
            self.problem(f"expected a number, got {_kind(self.value)}{hint}")
        return None

    def integer(self, *, at_least: int | None = None) -> int | None:
        """Returns it as a whole number."""
        number = self.number()
        if number is None:
            return None
        if number != int(number):
            self.problem(f"expected a whole number, got {number}")
            return None
        if at_least is not None and number < at_least:
            self.problem(f"it is {int(number)}; it must be at least {at_least}")
            return None
        return int(number)

    def is_number_read_as_text(self) -> bool:
        """Whether YAML took a number without a point for text; a problem if so."""
        trap = self.remarks.document.traps.get(self.place)
        if trap is None or trap.kind != "number read as text":
            return False
        self.problem(
            f"YAML reads {trap.text} as text, not as a number; write {_with_point(trap.text)}"
        )
        return True


def shown(value: Any) -> str:
    """Returns a value as it stands in a file, cut if long."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + "..."


def _kind(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return f"{shown(value)}"
    if isinstance(value, int | float):
        return f"the number {value}"
    return (
        "text"
        if isinstance(value, str)
        else f"a {'list' if isinstance(value, list) else 'mapping'}"
    )


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def _with_point(text: str) -> str:
    """Writes a number so that YAML 1.1 reads it as one: ``1e5`` as ``1.0e+5``."""
    if text.lstrip("+-").isdigit():
        return str(int(text))  # 08, which is no octal number
    mantissa, letter, exponent = text.lower().partition("e")
    mantissa = re.sub(r"^([+-]?)\.", r"\g<1>0.", mantissa)
    if not letter:
        return mantissa
    if "." not in mantissa:
        mantissa += ".0"
    sign = "" if exponent.startswith(("+", "-")) else "+"
    return f"{mantissa}e{sign}{exponent}"
