"""One word for a section: ``device=cuda`` says ``device.name=cuda``, and so in files."""

from collections.abc import Mapping
from typing import Any

__all__ = ["SCHEME", "SECTIONS", "expand_override", "expand_tree"]

SCHEME = "lab"
"""What an entry of Hydra's search path starts with to be read by :mod:`labcore.config.sources`."""
_FIELDS = {"device": "name"}
"""Section to the option that a lone word means."""
SECTIONS = tuple(_FIELDS)


def expand_override(text: str) -> str:
    """Writes an override of a section by a word in full; others stay as they are."""
    key, separator, value = text.partition("=")
    section = key.lstrip("+")
    if not separator or section not in _FIELDS or value.lstrip().startswith("{"):
        return text
    return f"{section}.{_FIELDS[section]}={value}"


def expand_tree(tree: Mapping[Any, Any]) -> dict[Any, Any]:
    """Writes the words at the top of a config in full; the rest stays as it is."""
    return {
        key: {_FIELDS[key]: value}
        if key in _FIELDS and value is not None and not isinstance(value, Mapping)
        else value
        for key, value in tree.items()
    }
