"""From the composed ``hooks`` options to the hooks of a run."""

import inspect
import types
import typing
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from labcore.config.options import type_words
from labcore.errors import UsageError, nearest, suggestion
from labcore.hooks.manager import HookSet
from labcore.hooks.taps.hook import Taps
from labcore.plugin import load_object

if TYPE_CHECKING:
    from labcore.plugin import Plugin

__all__ = ["BUILT_IN", "build_hooks"]

BUILT_IN: Mapping[str, str] = {
    "console": "labcore.hooks.console.hook:Console",
    "jsonl": "labcore.hooks.jsonl:MetricsFile",
    "timing": "labcore.hooks.timing:Timing",
    "telemetry": "labcore.hooks.telemetry:Telemetry",
    "profile": "labcore.hooks.profile:Profile",
    "tensorboard": "labcore.hooks.tensorboard:TensorBoard",
    "wandb": "labcore.hooks.wandb.hook:WeightsAndBiases",
}
"""Hooks that every plugin can use: name to dotted path."""

_OPTION_TYPES = {Any, type(None), bool, int, float, str, list, dict}


def build_hooks(
    plugin: "Plugin",
    options: Mapping[str, Mapping[str, Any] | None],
    *,
    taps: Mapping[str, Sequence[str]] | None = None,
    taps_every: int = 100,
) -> HookSet:
    """Builds the hooks that a run asks for.

    ``jsonl`` is always among them, since reports and comparisons are made from its file.

    Args:
        plugin: May declare hooks of its own.
        options: The composed ``hooks`` node: name to the hook's options, or None for off.
        taps: Layers to watch and what to log of each; empty for none.
        taps_every: Steps between two looks through the taps.

    Returns:
        The hooks, ready to be called.

    Raises:
        UsageError: A hook or one of its options does not exist or has the wrong type; lists every
            problem.
    """
    known = {**BUILT_IN, **plugin.hooks}
    wanted = {"jsonl": {}, **{name: given for name, given in options.items() if given is not None}}
    problems: list[str] = []
    hooks: dict[str, object] = {}
    for name, given in wanted.items():
        if name not in known:
            hint = suggestion(nearest(name, known)) or f"there are {', '.join(known)}"
            problems.append(f"there is no hook {name!r}; {hint}")
            continue
        try:
            hook_class = load_object(known[name])
        except (ImportError, AttributeError) as error:
            problems.append(f"hook {name} ({known[name]}) cannot be imported: {error}")
            continue
        wrong = list(_check_options(name, hook_class, given))
        problems.extend(wrong)
        if not wrong:
            try:
                hooks[name] = hook_class(**given)
            except ValueError as error:
                problems.append(f"hooks.{name}: {error}")
    if taps and plugin.requires.framework == "tensorflow":
        problems.append(f"taps= watches layers of torch, and {plugin.name} has none; leave it out")
    if problems:
        raise UsageError("the hooks of this run are wrong", problems=problems)
    hook_set = HookSet()
    for name, hook in hooks.items():
        hook_set.register(name, hook)
    if taps:
        hook_set.register("taps", Taps(taps, every=taps_every))
    return hook_set


def _check_options(name: str, hook_class: Any, given: object) -> Iterator[str]:
    """Compares options with the keyword arguments of the hook's constructor and their types."""
    if not isinstance(given, Mapping):
        yield f"hooks.{name} is {given!r}; give options such as {{}} or null to turn it off"
        return
    hints = typing.get_type_hints(hook_class.__init__)
    parameters = inspect.signature(hook_class).parameters.values()
    keywords = {p.name: hints.get(p.name, Any) for p in parameters if p.kind == p.KEYWORD_ONLY}
    # Others are what tests bring, such as a clock: no config can give it.
    known = {key: hint for key, hint in keywords.items() if _kinds(hint).keys() <= _OPTION_TYPES}
    for option, value in given.items():
        if option not in known:
            offered = ", ".join(known) or "no options"
            yield f"hooks.{name} has no option {option!r}; it has {offered}"
        elif not _fits(value, known[option]):
            yield f"hooks.{name}.{option} is {value!r}; it takes {type_words(known[option])}"


def _kinds(hint: Any) -> dict[Any, tuple[Any, ...]]:
    """Returns the types that a hint allows, several for a union, each with those of its items."""
    is_union = typing.get_origin(hint) in (types.UnionType, typing.Union)
    parts = typing.get_args(hint) if is_union else (hint,)
    return {typing.get_origin(part) or part: typing.get_args(part) for part in parts}


def _fits(value: object, hint: Any) -> bool:
    kinds = _kinds(hint)
    if Any in kinds:
        return True
    if isinstance(value, list) and list in kinds:
        return all(_fits(each, item) for each in value for item in kinds[list])
    if isinstance(value, bool):  # which Python also counts among the integers
        return bool in kinds
    return isinstance(value, (*kinds, int) if float in kinds else tuple(kinds))
