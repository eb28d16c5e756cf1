"""Starting a run and finding earlier ones.

A run is started as the command line does it, in a process of its own: the device is chosen before
a framework is loaded, signals mean what they mean there, and this process keeps no half-trained
model.
"""

import os
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from labcore.api.finished import FinishedRun
from labcore.config.facts import where_all
from labcore.config.multirun import run_child
from labcore.errors import Interrupted, LabError, RunFailed, UsageError
from labcore.record.failure import ERROR_VARIABLE, error_left
from labcore.record.folder import RUNS_DIR
from labcore.record.records import read_json
from labcore.record.store import list_runs
from labcore.record.trial import RESULT_VARIABLE
from labcore.sweeps.overrides import as_overrides

__all__ = ["run", "runs"]


def run(
    plugin: str, overrides: Iterable[str] | Mapping[str, Any] = (), /, **options: Any
) -> FinishedRun:
    """Runs an experiment in a process of its own and waits for it: ``lab run`` from Python.

    What the run prints is shown. Ctrl-C and SIGTERM are passed on to it, so that it ends with a
    checkpoint; this call then raises :class:`labcore.Interrupted`.

    Args:
        plugin: Which experiment family.
        overrides: What keywords cannot say: words of the command line (``["model=flat"]``), or
            dotted options to values (``{"optimizer.lr": 1e-3}``).
        **options: Options to values: ``preset="smoke"``, ``seed=3``, ``run=`` an earlier run.

    Returns:
        The finished run.

    Raises:
        LabError: What ended the run, as the command line would tell it.
    """
    words = as_overrides({name: _plain(value) for name, value in options.items()})
    if isinstance(overrides, Mapping):
        words += as_overrides({name: _plain(value) for name, value in overrides.items()})
    else:
        words += [overrides] if isinstance(overrides, str) else overrides
    flags = [word for word in words if word.startswith("-")]
    if flags:
        raise UsageError(f"{flags[0]} is for the command line; give options: seed=3")
    command = [sys.executable, "-m", "labcore", "run", f"plugin={plugin}", *words]
    with tempfile.TemporaryDirectory(prefix="lab-") as place:
        result, failure = Path(place) / "result.json", Path(place) / "error.json"
        # A notebook has put something else in the place of the terminal.
        shown = None if sys.stdout is sys.__stdout__ else _show
        code, _ = run_child(
            command,
            {
                **os.environ,
                "PYTHONUNBUFFERED": "1",
                RESULT_VARIABLE: str(result),
                ERROR_VARIABLE: str(failure),
            },
            write=shown,
        )
        left = read_json(result) or {}
        if code != 0:
            raise error_left(failure) or _ended(code)
    return FinishedRun(Path(left["run"]))


def runs(
    plugin: str | None = None,
    *,
    where: Mapping[str, Any] | None = None,
    runs_dir: str | Path = RUNS_DIR,
) -> list[FinishedRun]:
    """Returns earlier runs, oldest first.

    Args:
        plugin: Only runs of this plugin.
        where: Only runs with these values of options, task, preset, state, sweep or metrics:
            ``{"seed": 3, "optimizer.lr": 1e-3}``.
        runs_dir: Folder that holds all runs.
    """
    conditions = [f"{name}={value}" for name, value in (where or {}).items()]
    found = where_all(list_runs(Path(runs_dir), plugin), conditions)
    return [FinishedRun(stored.folder) for stored in found]


def _plain(value: Any) -> Any:
    return value.folder if isinstance(value, FinishedRun) else value


def _show(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


def _ended(code: int) -> LabError:
    """The error of a process that left none: it was killed, or the command line was misread."""
    if code in {130, 143}:
        return Interrupted(code - 128)
    if code > 128:
        return RunFailed(
            f"the process of the run was ended by signal {code - 128}",
            fix="go on where it stopped: lab resume latest",
        )
    return RunFailed(f"the process of the run ended with exit code {code}")
