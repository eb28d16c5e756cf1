"""The best trial of a sweep as a file, and ``+best=NAME``, which sets what it set."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from labcore.config import peek
from labcore.errors import UsageError
from labcore.record.files import write_atomically
from labcore.sweeps.folder import SweepFolder, find_sweep
from labcore.sweeps.overrides import as_overrides

__all__ = ["expand_best", "read_best", "rerun_command", "write_best"]

_PREFIX = "+best="
_SWEEPS_DIR = Path("sweeps")


def write_best(
    folder: SweepFolder,
    *,
    plugin: str,
    trial: int,
    metric: str,
    value: float,
    values: dict[str, Any],
    fixed: Sequence[str],
) -> None:
    """Writes ``best.yaml`` in the sweep's folder.

    Args:
        folder: The sweep's.
        plugin: Whose run it is.
        trial: Number of the trial.
        metric: Name of the metric.
        value: Its best value.
        values: What the sweep set in that trial, by dotted option.
        fixed: What every trial set; ``plugin=`` is left out.
    """
    import yaml

    overrides = [text for text in fixed if not text.startswith("plugin=")]
    content = {
        "plugin": plugin,
        "sweep": folder.name,
        "trial": trial,
        "metric": {"name": metric, "value": value},
        "parameters": values,
        "overrides": [*overrides, *as_overrides(values)],
    }
    head = f"# {rerun_command(folder, plugin)} sets the overrides below; others may follow them.\n"
    text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True)
    write_atomically(folder.best_file, head + text)


def rerun_command(folder: SweepFolder, plugin: str) -> str:
    """Returns the command that runs the best trial again."""
    named = folder.name if folder.path.parent == _SWEEPS_DIR else folder.path
    return f"lab run plugin={plugin} {_PREFIX}{named}"


def read_best(folder: SweepFolder) -> dict[str, Any]:
    """Reads ``best.yaml``.

    Raises:
        UsageError: There is none, or it is damaged.
    """
    import yaml

    try:
        content = yaml.safe_load(folder.best_file.read_text(encoding="utf-8"))
        overrides = content["overrides"]
        if not isinstance(overrides, list) or not all(isinstance(text, str) for text in overrides):
            raise TypeError("overrides must be a list of text")
    except FileNotFoundError:
        raise UsageError(
            f"sweep {folder.name} has no best trial yet",
            fix=f"see how it stands: lab sweep status {folder.name}",
        ) from None
    except (yaml.YAMLError, KeyError, TypeError) as error:
        raise UsageError(
            f"{folder.best_file} is damaged: {error}",
            fix=f"write it again: lab sweep best {folder.name}",
        ) from error
    return dict(content)


def expand_best(overrides: Sequence[str]) -> tuple[str, ...]:
    """Puts the overrides of a sweep's best trial in the place of ``+best=NAME``.

    NAME is a sweep in ``sweeps/``, or a path of a sweep's folder. What else is typed wins.

    Raises:
        UsageError: There is no such sweep, it has no best trial, or is of another plugin.
    """
    named = [text for text in overrides if text.startswith(_PREFIX)]
    if not named:
        return tuple(overrides)
    if len(named) > 1:
        raise UsageError(f"give {_PREFIX}NAME once: {' '.join(named)}")
    folder = find_sweep(_SWEEPS_DIR, named[0].removeprefix(_PREFIX).strip("'\""))
    best = read_best(folder)
    typed = [text for text in overrides if text != named[0]]
    plugin = peek(typed, "plugin")
    if plugin not in (None, best["plugin"]):
        raise UsageError(
            f"sweep {folder.name} is of plugin {best['plugin']}, and plugin={plugin} is asked for",
            fix=rerun_command(folder, best["plugin"]),
        )
    names = {text.partition("=")[0].lstrip("+") for text in typed}
    kept = [text for text in best["overrides"] if text.partition("=")[0].lstrip("+") not in names]
    first = [] if plugin else [f"plugin={best['plugin']}"]
    return (*first, *kept, *typed)
