"""How the page writes the values of parameters."""

import json
from collections.abc import Iterable
from typing import Any

from labcore.report.wording import format_number

__all__ = ["short_names", "write_value"]

_LONGEST = 60


def write_value(value: Any) -> str:
    """Writes the value of a parameter as short as it can be told."""
    if isinstance(value, float):
        return format_number(value)
    if isinstance(value, int) and not isinstance(value, bool):
        # No separators: a batch size is typed as it is read.
        return str(value)
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def short_names(names: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Splits dotted names into a beginning to print small and an end that tells them apart."""
    names = list(names)
    split: dict[str, tuple[str, str]] = {}
    for name in names:
        parts = name.split(".")
        for count in range(1, len(parts) + 1):
            end = ".".join(parts[-count:])
            others = sum(other == end or other.endswith(f".{end}") for other in names)
            if others == 1:
                break
        split[name] = (name.removesuffix(end), end)
    return split
