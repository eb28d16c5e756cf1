"""Finds what is wrong with a hook, or with its state, before a run depends on it."""

import inspect
import sys
from collections.abc import Sequence

import pluggy

from labcore.errors import UsageError, nearest, suggestion

__all__ = ["check_hook", "check_state"]

_PLAIN = (type(None), bool, int, float, str, bytes)


def check_hook(
    manager: pluggy.PluginManager, moments: Sequence[str], name: str, hook: object
) -> None:
    """Compares the ``@hookimpl`` methods of a hook with the moments that exist.

    Args:
        manager: Knows the hook specifications.
        moments: Names of all moments.
        name: What the hook is called in messages.
        hook: The object to look at.

    Raises:
        UsageError: Something does not fit; lists every problem with the nearest right name.
    """
    problems: list[str] = []
    listens = False
    for attribute in dir(hook):
        options = manager.parse_hookimpl_opts(hook, attribute)
        if options is None:
            if attribute in moments and callable(getattr(hook, attribute)):
                problems.append(f"{attribute} is the name of a moment; mark it with @hookimpl")
            continue
        listens = True
        moment = options.get("specname") or attribute
        if moment not in moments:
            hint = suggestion(nearest(moment, moments))
            problems.append(f"there is no moment {moment!r}{'; ' if hint else ''}{hint}")
        elif options.get("wrapper") or options.get("hookwrapper"):
            problems.append(f"{moment} is a wrapper; hooks of a run only observe")
        else:
            problems.extend(_check_arguments(manager, moment, getattr(hook, attribute)))
    if not listens and not problems:
        problems.append("it listens to no moment; mark its methods with @hookimpl")
    if problems:
        kind = hook if isinstance(hook, type) else type(hook)
        where = f"{kind.__module__}.{kind.__qualname__}"
        raise UsageError(
            f"the hook {name} ({where}) does not fit the moments of a run",
            problems=problems,
            fix="the moments and their arguments are in labcore/hooks/specs.py",
        )


def check_state(state: object, path: str = "state") -> None:
    """Checks that a hook's state will load with ``weights_only=True``.

    Raises:
        TypeError: It holds something else; the message says where.
    """
    torch = sys.modules.get("torch")  # a value can only be a tensor if torch is here already
    if type(state) in _PLAIN or (torch is not None and isinstance(state, torch.Tensor)):
        return
    if isinstance(state, dict):
        for key, value in state.items():
            check_state(key, f"key {key!r} of {path}")
            check_state(value, f"{path}[{key!r}]")
    elif type(state) in (list, tuple):
        for index, value in enumerate(state):  # type: ignore[arg-type]  # a list or a tuple
            check_state(value, f"{path}[{index}]")
    else:
        raise TypeError(
            f"{path} is a {type(state).__module__}.{type(state).__qualname__}; a checkpoint takes "
            "tensors, numbers, text, None, lists, tuples and dicts"
        )


def _check_arguments(manager: pluggy.PluginManager, moment: str, method: object) -> list[str]:
    spec = getattr(manager.hook, moment).spec
    offered = tuple(spec.argnames)
    parameters = inspect.signature(method).parameters.values()  # type: ignore[arg-type]  # callable
    return [
        f"{moment} has no argument {parameter.name!r}; it has {', '.join(offered)}"
        for parameter in parameters
        if parameter.default is parameter.empty and parameter.name not in offered
    ]
