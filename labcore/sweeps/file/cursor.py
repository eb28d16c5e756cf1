"""Walking through a sweep file: a value, its place, and what is to be said about it."""

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from labcore.errors import nearest, suggestion
from labcore.sweeps.file.document import Document, Place, looks_like_a_number

__all__ = ["Cursor", "Reader", "one_of", "shown"]

_MOST_NAMES = 5
"""Names that a message lists beside the nearest one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Cursor:
    """A part of the file. What is not as it should be is remarked on, and comes back as None."""

    document: Document
    place: Place
    value: Any

    def problem(self, text: str) -> None:
        """Says what is wrong here."""
        self.document.problem(self.place, text)

    def warn(self, text: str) -> None:
        """Says what is legal here and seldom meant."""
        self.document.warnings.append((self.place, text))

    def at(self, step: str | int) -> "Cursor":
        """Returns a part of a mapping or list."""
        return Cursor(document=self.document, place=(*self.place, step), value=self.value[step])

    def items(self) -> "Iterator[tuple[str, Cursor]]":
        """Yields the keys and values of a mapping."""
        for key in self.value:
            yield key, self.at(key)

    def elements(self) -> "Iterator[Cursor]":
        """Yields the values of a list, or of a mapping."""
        for step in self.value if isinstance(self.value, Mapping) else range(len(self.value)):
            yield self.at(step)

    def is_mapping(self, holds: str) -> bool:
        """Whether it is a mapping; a problem if not."""
        if isinstance(self.value, Mapping):
            return True
        self.problem(f"expected a mapping with {holds}, got {_kind(self.value)}")
        return False

    def fields(
        self, holds: str, readers: "Mapping[str, Reader]", must: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        """Reads a mapping; remarks on keys that it may not have, or has not.

        Args:
            holds: What a mapping here is for, in words.
            readers: What reads which key.
            must: Keys that there must be, and what to say to one that is missing.

        Returns:
            Key to what was read, in the order of the file. Nothing if it is no mapping.
        """
        if not self.is_mapping(holds):
            return {}
        for key, inner in self.items():
            if key not in readers:
                near = suggestion(nearest(key, readers))
                inner.problem(f"there is no such key; {near or 'there are ' + ', '.join(readers)}")
        for key, hint in (must or {}).items():
            if key not in self.value:
                self.problem(f"the key {key} is missing{hint}")
        return {key: readers[key](inner) for key, inner in self.items() if key in readers}

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
            quoted = isinstance(self.value, str) and looks_like_a_number(self.value)
            hint = f" {shown(self.value)}; take the quotes off" if quoted else ""
            self.problem(f"expected a number, got {_kind(self.value)}{hint}")
        return None

    def number_above(self, least: float, *, or_equal: bool = False) -> float | None:
        """Returns it as a number above another, or equal to it if that will do."""
        number = self.number()
        if number is None or number > least or (or_equal and number == least):
            return number
        self.problem(f"it is {number:g}; it must be {'at least' if or_equal else 'above'} {least}")
        return None

    def count(self) -> int | None:
        """Returns it as a whole number of at least 1."""
        number = self.number()
        if number is not None and number != int(number):
            self.problem(f"expected a whole number, got {number}")
        elif number is not None and number < 1:
            self.problem(f"it is {int(number)}; it must be at least 1")
        else:
            return None if number is None else int(number)
        return None

    def is_number_read_as_text(self) -> bool:
        """Whether YAML took a number without a point for text; a problem if so."""
        said = self.document.numbers_as_text.get(self.place)
        if said is not None:
            self.problem(said)
        return said is not None


Reader = Callable[[Cursor], Any]
"""Makes something of a part of a file; remarks on it, and returns None, where it is wrong."""


def one_of(*names: str) -> Reader:
    """Returns what reads one of some words."""
    return lambda at: at.choice(names)


def shown(value: Any) -> str:
    """Returns a value as it stands in a file, cut if long."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + "..."


def _kind(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return shown(value)
    if isinstance(value, int | float):
        return f"the number {value}"
    if isinstance(value, str):
        return "text"
    return "a list" if isinstance(value, list) else "a mapping"
