"""Alternatives with options of their own: ``model=bts`` has other options than ``model=adabins``.

A plugin declares them by dotted path (:attr:`labcore.Plugin.variants`). Which one is meant is known
before anything is composed, so the plugin is given the options of that one, and all that knows
options (help, checks, provenance, saved configs) sees a plain section.
"""

import dataclasses
import enum
import functools
from collections.abc import Iterable, Mapping
from typing import Any

from labcore.config.overrides import peek
from labcore.errors import LabError
from labcore.plugin import Plugin, load_object

__all__ = [
    "NAME",
    "applicable",
    "chosen_variants",
    "has_option",
    "made_by",
    "other_owner",
    "recipe_of",
    "specialized",
    "variant_options",
    "variant_words",
]

NAME = "name"
"""Field of every variant that says which one it is."""

Choice = tuple[tuple[str, str], ...]


def variant_words(plugin: Plugin) -> frozenset[str]:
    """Returns the options that a lone word sets: ``model=bts`` for ``model.name=bts``."""
    return frozenset({"device", *plugin.variants})


def variant_options(plugin: Plugin) -> list[str]:
    """Returns how a variant may be named in overrides: ``model`` and ``model.name``."""
    return [text for option in plugin.variants for text in (option, f"{option}.{NAME}")]


def chosen_variants(plugin: Plugin, *trees: Mapping[Any, Any]) -> dict[str, str]:
    """Returns the variant of each option: the first that a tree names, else the first declared.

    Args:
        plugin: The plugin.
        trees: Nested or dotted options, the most important first. A name that there is not is
            passed over: the check of its option tells.
    """
    chosen: dict[str, str] = {}
    for option, variants in plugin.variants.items():
        asked = [
            str(name)
            for tree in trees
            for name in (tree.get(f"{option}.{NAME}"), _name_in(tree.get(option)))
        ]
        chosen[option] = next((name for name in asked if name in variants), next(iter(variants)))
    return chosen


def _name_in(value: Any) -> Any:
    return value.get(NAME) if isinstance(value, Mapping) else value


def specialized(plugin: Plugin, chosen: Mapping[str, str]) -> Plugin:
    """Returns the plugin with the options of the chosen variants.

    Raises:
        LabError: A variant cannot be imported, or is no dataclass.
    """
    if not plugin.variants or _choice_of(plugin.config) is not None:
        return plugin
    table = tuple((option, tuple(names.items())) for option, names in plugin.variants.items())
    config = _with_variants(plugin.config, table, tuple(sorted(chosen.items())))
    return dataclasses.replace(plugin, config=config)


def other_owner(plugin: Plugin, path: str) -> str:
    """Names the variant, ``model=bts``, that has an option which the chosen one lacks."""
    option, _, rest = path.partition(".")
    for name in plugin.variants.get(option, {}):
        if rest.partition(".")[0] in _own(plugin, option, name):
            return f"{option}={name}"
    return ""


def applicable(
    plugin: Plugin, values: Mapping[str, Any], overrides: Iterable[str]
) -> dict[str, Any]:
    """Leaves out what only other variants have than the one that a trial of a sweep takes.

    Args:
        plugin: The plugin.
        values: Dotted option to the value that the sweep gave it.
        overrides: What every trial sets.
    """
    words = list(overrides)
    fixed = {name: peek(words, name) for name in variant_options(plugin)}
    chosen = chosen_variants(plugin, values, fixed)
    return {path: value for path, value in values.items() if has_option(plugin, chosen, path)}


def has_option(plugin: Plugin, chosen: Mapping[str, str], path: str) -> bool:
    """Whether the chosen variants have an option, which is no other variant's alone."""
    option, _, rest = path.partition(".")
    name = chosen.get(option)
    if name is None or not rest or rest == NAME:
        return True
    return rest.partition(".")[0] in _own(plugin, option, name) or not other_owner(plugin, path)


def _own(plugin: Plugin, option: str, name: str) -> set[str]:
    found = _load(option, name, plugin.variants[option][name])
    return {field.name for field in dataclasses.fields(found)}


def _choice_of(config: type) -> Choice | None:
    found: Choice | None = getattr(config, "_lab_choice", None)
    return found


@functools.cache
def _with_variants(
    config: type, table: tuple[tuple[str, tuple[tuple[str, str], ...]], ...], choice: Choice
) -> type:
    chosen = dict(choice)
    fields: list[tuple[str, Any, Any]] = []
    for option, variants in table:
        names = tuple(name for name, _ in variants)
        target = dict(variants)[chosen[option]]
        cls = _named(_load(option, chosen[option], target), option, chosen[option], names)
        fields.append((option, cls, dataclasses.field(default_factory=cls)))
    made = dataclasses.make_dataclass(
        config.__name__,
        fields,
        bases=(config,),
        namespace={"_lab_choice": choice, "_lab_table": table},
        kw_only=True,
    )
    made.__module__, made.__doc__ = config.__module__, config.__doc__
    return made


@functools.cache
def _named(variant: type, option: str, name: str, names: tuple[str, ...]) -> type:
    """Adds the field that says which variant it is, and that a saved config is read by."""
    choices: Any = enum.StrEnum("Variant", [(each, each) for each in names])  # type: ignore[misc]  # made here
    made = dataclasses.make_dataclass(
        variant.__name__,
        [(NAME, choices, dataclasses.field(default=choices[name]))],
        bases=(variant,),
        namespace={"__reduce__": _reduce_variant, "_lab_named": (option, name, names)},
        kw_only=True,
    )
    made.__module__, made.__doc__ = variant.__module__, variant.__doc__
    return made


def _load(option: str, name: str, target: str) -> type:
    try:
        found = load_object(target)
    except Exception as error:
        raise LabError(
            f"{option}={name} is broken: {target} cannot be imported: {error}",
            fix=f"python -c 'import {target.partition(':')[0]}'",
        ) from error
    if not dataclasses.is_dataclass(found) or not isinstance(found, type):
        raise LabError(f"{option}={name} is broken: {target} is no dataclass")
    if NAME in {field.name for field in dataclasses.fields(found)}:
        raise LabError(
            f"{option}={name} is broken: {target} has a field {NAME!r}, which every variant gets",
            fix="rename the field",
        )
    return found


def _values(instance: Any, fields: Iterable[str]) -> dict[str, Any]:
    return {name: getattr(instance, name) for name in fields}


def _reduce_variant(self: Any) -> tuple[Any, ...]:
    """Lets workers in other processes receive it, though its class has no module."""
    option, name, names = type(self)._lab_named
    own = [field.name for field in dataclasses.fields(self) if field.name != NAME]
    return _restore_variant, (type(self).__bases__[0], option, name, names, _values(self, own))


def _restore_variant(
    variant: type, option: str, name: str, names: tuple[str, ...], values: Mapping[str, Any]
) -> Any:
    return _named(variant, option, name, names)(**values)


def recipe_of(config: type) -> tuple[Any, ...]:
    """Says how :func:`specialized` made a class, so that another process can make it again."""
    if _choice_of(config) is None:
        return (config,)
    made: Any = config
    return made.__bases__[0], made._lab_table, made._lab_choice


def made_by(recipe: tuple[Any, ...]) -> type:
    """Returns the class that a recipe from :func:`recipe_of` is of."""
    made: type = recipe[0] if len(recipe) == 1 else _with_variants(*recipe)
    return made
