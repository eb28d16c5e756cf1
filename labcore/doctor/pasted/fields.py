"""What the texts of a known error can speak of: ``{torch}``, ``{driver_needed}`` and the like.

A field comes from the error's own text where that names it, else from what else is known of the
machine, else from the compatibility tables. One that is not to be had is missing, and then a text
without it is taken.
"""

import string
from collections.abc import Callable, Iterator, Mapping, Sequence

from labcore.doctor.machine import Machine
from labcore.doctor.tables import OsName

__all__ = ["Derived", "Fields", "fill", "names_in"]

Derived = Callable[["Fields"], "str | None"]
"""How a field is worked out from the others."""


class Fields(Mapping[str, str]):
    """Fields by name, worked out when asked for.

    Args:
        machine: What is known of the machine.
        groups: What the error's own text says.
        derived: How those that the text does not say are worked out.
        said_card: A card that the text mentions, for when the machine's is not known.
        places: Where the text comes from.
    """

    def __init__(
        self,
        machine: Machine,
        groups: Mapping[str, str],
        derived: Mapping[str, Derived],
        said_card: str | None = None,
        places: frozenset[str] = frozenset(),
    ) -> None:
        self.machine = machine
        self.derived = derived
        self.groups = groups
        self.said_card = said_card
        self.places = places

    def __getitem__(self, name: str) -> str:
        value = self.groups.get(name)
        if value is None and name in self.derived:
            try:
                value = self.derived[name](self)
            except ValueError:  # a version that is none, from somebody's text
                value = None
        if value is None:
            raise KeyError(name)
        return value

    def __iter__(self) -> Iterator[str]:
        return iter({*self.groups, *self.derived})

    def __len__(self) -> int:
        return len({*self.groups, *self.derived})

    @property
    def os(self) -> OsName:
        """The operating system; Linux where it is not known."""
        return self.machine.os or "linux"


def names_in(text: str) -> set[str]:
    """Returns the names of the fields that a text uses."""
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def fill(texts: Sequence[str], fields: Fields) -> str:
    """Returns the first text whose fields are all known, filled in; empty when there is none."""
    for text in texts:
        values = {name: fields.get(name) for name in names_in(text)}
        if all(value is not None for value in values.values()):
            return text.format_map(values)
    return ""
