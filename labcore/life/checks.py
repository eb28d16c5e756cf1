"""What is wrong with a run, told before anything of it is started or on the disk."""

import ast
import importlib.util
from pathlib import Path
from typing import Any

from labcore.config.root import training_options
from labcore.errors import UsageError, nearest, suggestion
from labcore.hooks import HookSet, build_hooks
from labcore.plugin import Plugin, Task

__all__ = ["check_start"]


def check_start(plugin: Plugin, task: Task, config: Any) -> HookSet:
    """Looks at what a run would only meet later: its hooks, its task, its monitored metric.

    Returns:
        The hooks of the run.

    Raises:
        UsageError: Something is not what it should be; lists every problem.
    """
    problems: list[str] = []
    missing = _why_missing(task.run)
    if missing:
        problems.append(
            f"the task {task.name} of {plugin.name} is declared as {task.run}; {missing}"
        )
    problems.extend(_wrong_monitor(plugin, task, config))
    if problems:
        raise UsageError(f"{plugin.name} cannot start task={task.name}", problems=problems)
    return build_hooks(plugin, config.hooks, taps=config.taps, taps_every=config.taps_every)


def _wrong_monitor(plugin: Plugin, task: Task, config: Any) -> list[str]:
    options = training_options(config)
    known = [name.partition("/")[2] for name in plugin.metrics if name.startswith("val/")]
    if options is None or not task.trains or not known:
        return []
    # A run that trains several models has the name of each before its metrics.
    if any(name == options.monitor or name.endswith(f"/{options.monitor}") for name in known):
        return []
    hint = suggestion(nearest(options.monitor, known))
    return [
        f"train.monitor is {options.monitor!r}, which no validation gives; {hint or 'use one'} "
        f"({', '.join(known)})"
    ]


def _why_missing(path: str) -> str:
    """Says why ``package.module:object`` names nothing; empty where it may name something.

    The module's source is read and not run, since running it would load a framework.
    """
    name, _, attribute = path.partition(":")
    try:
        spec = importlib.util.find_spec(name)
    except ModuleNotFoundError as error:
        spec = None
        if not f"{name}.".startswith(f"{error.name}."):
            return ""  # a package that the module needs is missing, which is another matter
    except (ImportError, ValueError):
        return ""
    if spec is None:
        return f"there is no module {name}"
    if spec.origin is None or not spec.origin.endswith(".py"):
        return ""
    names = _names_in(Path(spec.origin).read_text(encoding="utf-8"))
    first = attribute.partition(".")[0]
    if first in names or names & {"*", "__getattr__"}:
        return ""
    hint = suggestion(nearest(first, names))
    return f"there is no {first} in {name}{hint and f'; {hint}'}"


def _names_in(source: str) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names.update((alias.asname or alias.name).partition(".")[0] for alias in node.names)
    return names
