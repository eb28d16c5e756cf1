"""Typed values as Hydra overrides that set exactly these values.

``str()`` will not do: Hydra reads ``None`` as the text None, ``a,b`` as a sweep over two values,
``1`` out of quotes as a number, and a dictionary's ``repr`` as an error.
"""

import enum
import re
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from labcore.errors import UsageError

__all__ = ["as_override", "as_overrides", "as_value"]

_BARE = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*\Z")
"""Text that needs no quotes (an ID of Hydra's grammar), unless it is a word of the grammar."""
_WORDS = frozenset({"null", "true", "false", "inf", "nan"})
_NUMBER = re.compile(r"[+-]?(\d[\d_]*\.?\d*|\.\d+)([eE][+-]?\d+)?\Z")
_REFERENCE = re.compile(r"(\\*)\$\{")
_BACKSLASHES_AT_THE_END = re.compile(r"\\+\Z")
_BACKSLASHES_BEFORE_A_QUOTE = re.compile(r"(\\*)'")
_SPECIAL_IN_KEY = re.compile(r"([\\()\[\]{}:=, \t])")
_KEY = re.compile(r"[A-Za-z0-9_/+.$%*@?|\\()\[\]{}:=, \t-]+\Z")
"""Characters that a key of Hydra's mappings may have, escaped or not."""


def as_overrides(values: Mapping[str, Any]) -> list[str]:
    """Returns one override for each option.

    Args:
        values: Dotted option, or config group, to its value: None, truth values, numbers (NumPy's
            too), text, lists and mappings of these.

    Raises:
        UsageError: A value is of another kind, or Hydra's grammar cannot say it.
    """
    return [as_override(name, value) for name, value in values.items()]


def as_override(name: str, value: Any) -> str:
    """Returns ``name=value`` for one option; see :func:`as_overrides`."""
    try:
        return f"{name}={as_value(value)}"
    except ValueError as error:
        raise UsageError(f"{name} cannot be set from here: {error}") from None


def as_value(value: Any) -> str:
    """Returns a value as Hydra's grammar writes it.

    Raises:
        ValueError: It cannot be written.
    """
    if hasattr(value, "tolist") and not isinstance(value, type):
        value = (
            value.tolist()
        )  # NumPy's scalars and arrays; np.float64 is a float with another repr
    if isinstance(value, enum.Enum):
        value = value.name
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, str | PurePath):
        return _text(str(value))
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(as_value, value)) + "]"
    if isinstance(value, Mapping):
        pairs = (f"{_key(key)}:{as_value(inner)}" for key, inner in value.items())
        return "{" + ",".join(pairs) + "}"
    raise ValueError(
        f"a config holds no {type(value).__name__}; use text, numbers, true or false, null, lists "
        "and mappings"
    )


def _text(text: str) -> str:
    if _BARE.match(text) and text.lower() not in _WORDS:
        return text
    # A reference to another option is for files; a sweep's value is what it says (OmegaConf's rule:
    # one backslash before ${ keeps it as it is, and those already there are doubled).
    text = _REFERENCE.sub(r"\1\1\\${", text)
    # In quotes, a backslash is itself unless a quote follows: then each must be doubled.
    text = _BACKSLASHES_BEFORE_A_QUOTE.sub(r"\1\1\\'", text)
    text = _BACKSLASHES_AT_THE_END.sub(lambda found: found[0] * 2, text)
    return f"'{text}'"


def _key(key: Any) -> str:
    if isinstance(key, bool | int | float) or key is None:
        return as_value(key)
    if not isinstance(key, str):
        raise ValueError(f"a mapping has a key of type {type(key).__name__}; use text or a number")
    if key.lower() in _WORDS or _NUMBER.match(key):
        raise ValueError(f"Hydra reads the mapping's key {key!r} as something else than text")
    if not _KEY.match(key) or key != key.strip():
        raise ValueError(f"Hydra's grammar has no way to write the mapping's key {key!r}")
    return _SPECIAL_IN_KEY.sub(r"\\\1", key)
