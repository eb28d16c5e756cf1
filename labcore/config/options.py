"""Every option of a plugin as data, and values as they are typed. Needs no Hydra."""

import ast
import dataclasses
import enum
import functools
import inspect
import itertools
import textwrap
import types
import typing
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from labcore.config.root import RootConfig
from labcore.plugin import Plugin

__all__ = [
    "CORE_SECTION",
    "Option",
    "as_typed",
    "field_docs",
    "flatten",
    "list_options",
    "shorten",
    "type_words",
]

CORE_SECTION = "every run"
"""Section of the options that do not belong to the plugin."""
_VARIANT_DOC = "Which one; each has options of its own, and the name alone chooses it."


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Option:
    """One option, typed as ``path=value``."""

    path: str
    """Dotted path, such as ``optimizer.lr``."""
    type: str
    """For people: ``integer``, ``text``, ``list of number``; a choice names its values instead."""
    default: Any
    """Enum members by name; ``dataclasses.MISSING`` when the option must be given."""
    doc: str
    section: str
    """Heading: the first part of the path, the plugin's name, or :data:`CORE_SECTION`."""
    choices: tuple[str, ...] = ()
    """Names of the members, for an enum."""
    is_variant: bool = False
    """Whether it says which variant a section is, so that ``model=NAME`` sets it."""
    keys: Literal["", "flat", "nested"] = ""
    """For a mapping with keys of any name: whether ``option.a.b`` means one key or two levels."""


def list_options(plugin: Plugin, *, docs: bool = True) -> list[Option]:
    """Returns all options: the plugin's own, then its sections, then the core's.

    Args:
        plugin: Whose options.
        docs: Whether to read the help texts, which takes longer than everything else.
    """
    own = list(_options(plugin.config, prefix="", section=plugin.name, docs=docs))
    top = [option for option in own if option.section == plugin.name]
    nested = [option for option in own if option.section != plugin.name]
    return [*top, *nested, *_options(RootConfig, prefix="", section=CORE_SECTION, docs=docs)]


def _options(
    cls: type, *, prefix: str, section: str, docs: bool, instance: Any = None
) -> Iterator[Option]:
    hints = typing.get_type_hints(cls)
    texts = field_docs(cls) if docs else {}
    for field in dataclasses.fields(cls):
        path = f"{prefix}{field.name}"
        hint = hints[field.name]
        default = getattr(instance, field.name) if instance is not None else _default(field)
        inner = next((part for part in _parts(hint) if dataclasses.is_dataclass(part)), None)
        if isinstance(inner, type):
            value = default if dataclasses.is_dataclass(default) else None
            is_own = not prefix and section != CORE_SECTION
            below = field.name if is_own else section
            yield from _options(inner, prefix=f"{path}.", section=below, docs=docs, instance=value)
            continue
        is_variant = field.name == "name" and hasattr(cls, "_lab_named")
        yield Option(
            path=path,
            type=type_words(hint),
            default=default.name if isinstance(default, enum.Enum) else default,
            doc=texts.get(field.name, "") or (_VARIANT_DOC if is_variant else ""),
            section=section,
            choices=_choices(hint),
            is_variant=is_variant,
            keys=_keys(hint),
        )


def _default(field: "dataclasses.Field[Any]") -> Any:
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return dataclasses.MISSING if field.default == "???" else field.default


def _parts(hint: Any) -> tuple[Any, ...]:
    """Returns the members of an Optional, None left out, or the hint itself."""
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        return tuple(part for part in typing.get_args(hint) if part is not type(None))
    return (hint,)


def _choices(hint: Any) -> tuple[str, ...]:
    for part in _parts(hint):
        if isinstance(part, type) and issubclass(part, enum.Enum):
            return tuple(member.name for member in part)
    return ()


def _keys(hint: Any) -> Literal["", "flat", "nested"]:
    for part in _parts(hint):
        if (typing.get_origin(part) or part) is dict:
            value = (*typing.get_args(part), Any, Any)[1]
            nests = value is Any or (typing.get_origin(value) or value) is dict
            return "nested" if nests else "flat"
    return ""


def type_words(hint: Any) -> str:
    """Says in words what a type takes."""
    plain = {int: "integer", float: "number", bool: "true|false", str: "text", Any: "anything"}
    parts = _parts(hint)
    if parts != (hint,):
        return " or ".join([*(type_words(part) for part in parts), "null"])
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return "|".join(member.name for member in hint)
    origin, inner = typing.get_origin(hint) or hint, typing.get_args(hint)
    if origin is list:
        return f"list of {type_words(inner[0])}" if inner else "list"
    if origin is dict:
        return f"mapping of text to {type_words(inner[1])}" if inner else "mapping"
    return plain.get(hint, getattr(hint, "__name__", str(hint)))


@functools.cache
def field_docs(cls: type) -> Mapping[str, str]:
    """Returns field name to help text, on one line.

    A subclass inherits the texts of its bases and may replace them. Fields without a text are left
    out, and so are all fields of a class whose source cannot be read.
    """
    docs: dict[str, str] = {}
    for base in reversed(cls.__mro__):
        docs.update(_own_docs(base))
    return docs


@functools.cache
def _own_docs(cls: type) -> Mapping[str, str]:
    if "__dataclass_fields__" not in vars(cls):
        return {}
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(cls)))
    except (OSError, TypeError, SyntaxError):  # made at run time, or only bytecode is here
        return {}
    body = tree.body[0].body if isinstance(tree.body[0], ast.ClassDef) else []
    docs: dict[str, str] = {}
    for field, text in itertools.pairwise(body):
        if (
            isinstance(field, ast.AnnAssign)
            and isinstance(field.target, ast.Name)
            and isinstance(text, ast.Expr)
            and isinstance(text.value, ast.Constant)
            and isinstance(text.value.value, str)
        ):
            docs[field.target.id] = " ".join(text.value.value.split())
    return docs


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
