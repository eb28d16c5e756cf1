"""Finds what is wrong with a hook before a run depends on it."""

import inspect
from collections.abc import Sequence

import pluggy

from labcore.errors import UsageError, nearest, suggestion

__all__ = ["check_hook"]


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
            problems.append(f"there is no moment {moment!r}{_nearest(moment, moments)}")
        elif options.get("wrapper") or options.get("hookwrapper"):
            problems.append(f"{moment} is a wrapper; hooks of a run only observe")
        else:
            problems.extend(_check_arguments(manager, moment, getattr(hook, attribute)))
    if not listens and not problems:
        problems.append("it listens to no moment; mark its methods with @hookimpl")
    if problems:
        raise UsageError(
            f"the hook {name} ({_class_name(hook)}) does not fit the moments of a run",
            problems=problems,
            fix="the moments and their arguments are in labcore/hooks/specs.py",
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


def _nearest(name: str, known: Sequence[str]) -> str:
    hint = suggestion(nearest(name, known))
    return f"; {hint}" if hint else ""


def _class_name(hook: object) -> str:
    kind = hook if isinstance(hook, type) else type(hook)
    return f"{kind.__module__}.{kind.__qualname__}"
