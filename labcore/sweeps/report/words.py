"""How the page writes the names of parameters."""

from collections.abc import Iterable

__all__ = ["short_names"]


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
