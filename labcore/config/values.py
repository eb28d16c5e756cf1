"""Config values as a flat list of options, and as they are typed on the command line."""

from collections.abc import Mapping
from typing import Any

__all__ = ["as_typed", "flatten", "shorten"]


def flatten(tree: Mapping[Any, Any], prefix: str = "") -> dict[str, Any]:
    """Returns dotted path to value; lists and empty mappings count as values.

    Args:
        tree: Nested mappings.
        prefix: Dotted path of ``tree`` itself.
    """
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        path = f"{prefix}.{key}" if prefix else str(key)
        if isinstance(value, Mapping) and value:
            flat.update(flatten(value, path))
        else:
            flat[path] = value
    return flat


def as_typed(value: Any) -> str:
    """Returns ``null``, ``true``, ``[a,b]`` or ``{key:value}`` for what Python writes otherwise."""
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{key}:{as_typed(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(as_typed(inner) for inner in value) + "]"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return str(value)


def shorten(text: str, length: int = 80) -> str:
    """Cuts what is too long for a message."""
    return text if len(text) <= length else f"{text[: length - 3]}..."
