"""Dataclasses to plain JSON values and back; what does not fit is left at its default."""

import dataclasses
import types
import typing
from collections.abc import Mapping
from typing import Any, TypeVar

__all__ = ["from_plain", "to_plain"]

T = TypeVar("T")


def to_plain(value: Any) -> dict[str, Any]:
    """Returns the fields of a dataclass, those at their default left out."""
    plain: dict[str, Any] = {}
    for each in dataclasses.fields(value):
        held = getattr(value, each.name)
        if each.default_factory is not dataclasses.MISSING:
            default = each.default_factory()
        else:
            default = each.default
        if held != default:
            plain[each.name] = _plain(held)
    return plain


def from_plain(kind: type[T], plain: Mapping[str, Any]) -> T:
    """Makes a dataclass from what :func:`to_plain` gave, perhaps in another version of it.

    A field that is unknown here, or whose value is of another type, is passed over.

    Raises:
        TypeError: A field without a default is missing.
    """
    hints = typing.get_type_hints(kind)
    fitting: dict[str, Any] = {}
    for each in dataclasses.fields(kind):  # type: ignore[arg-type]  # T is a dataclass
        if each.name in plain:
            try:
                fitting[each.name] = _made(hints[each.name], plain[each.name])
            except (TypeError, ValueError):
                continue
    return kind(**fitting)


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return to_plain(value)
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    return value


def _made(hint: Any, value: Any) -> Any:
    """Turns a plain value into what a type hint names; TypeError or ValueError when it cannot."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in {typing.Union, types.UnionType}:
        return _first_that_fits(arguments, value)
    if origin is typing.Literal:
        if value not in arguments:
            raise ValueError(value)
        return value
    if origin is tuple:
        return tuple(_made(arguments[0], item) for item in _is_a(list, value))
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return {str(key): _made(arguments[1], item) for key, item in _is_a(dict, value).items()}
    if dataclasses.is_dataclass(hint):
        return from_plain(typing.cast(type, hint), _is_a(dict, value))
    if hint is float:
        return float(_is_a((int, float), value))
    if isinstance(hint, type) and hint is not object:
        return _is_a(hint, value)
    return value


def _first_that_fits(hints: tuple[Any, ...], value: Any) -> Any:
    for hint in hints:
        try:
            return _made(hint, value)
        except (TypeError, ValueError):
            continue
    raise TypeError(value)


def _is_a(kind: Any, value: Any) -> Any:
    # A bool is an int to Python, and no number to us.
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise TypeError(value)
    return value
