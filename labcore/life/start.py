"""How a run starts: where it computes, its folder, and what it writes down before it begins."""

import contextlib
import logging
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from labcore.config import Composed
from labcore.config.root import training_options
from labcore.devices import acquire
from labcore.discovery import FoundPlugin
from labcore.errors import RequirementError, UsageError
from labcore.plugin import Plugin, Task
from labcore.record.checkpoints import first_readable, stored_in
from labcore.record.files import remove_unfinished, write_atomically
from labcore.record.folder import create_run_folder
from labcore.record.records import write_json
from labcore.record.redaction import RedactingFormatter, redact_arguments
from labcore.record.status import Status
from labcore.record.trees import ARRAYS
from labcore.record.trial import take_trial_folder, trial_of_environment
from labcore.run.ranks import announce_folder
from labcore.run.run import Run
from labcore.run.signals import StopSignal
from labcore.run.source import SourceRun, record_source

__all__ = [
    "locked",
    "logging_to",
    "new_run",
    "placed",
    "processes_of",
    "read_weights",
    "record_new",
    "record_resumed",
    "usable",
]


def usable(found: FoundPlugin) -> Plugin:
    """Returns a plugin that can run here.

    Raises:
        RequirementError: A package is missing.
    """
    if found.plugin is None or found.missing:
        raise RequirementError(
            f"plugin {found.name} cannot run here: {found.reason}", fix=found.fix
        )
    return found.plugin


def processes_of(config: Any) -> int:
    """Returns how many processes a run has on a machine: one, unless its training asks for more."""
    options = training_options(config)
    return 1 if options is None else options.devices


@contextlib.contextmanager
def placed(
    plugin: Plugin,
    task: Task,
    config: Any,
    preset: str,
    argv: Sequence[str],
    say: Callable[[str], None],
) -> Iterator[tuple[StopSignal, Callable[..., Run[Any]]]]:
    """Gets the devices of a run, whose GPUs it leases until this process ends.

    Yields:
        What a signal in the block is remembered by, and what makes the run.

    Raises:
        UsageError: A GPU is named that is not there.
        RequirementError: A GPU is asked for or needed, and none could be had.
    """
    request, processes = config.device.request(), processes_of(config)
    if request.count > processes and training_options(config) is not None:
        say(
            f"the run takes {request.count} GPUs and trains on {processes}: to train on all of "
            f"them add train.devices={request.count}"
        )
    stop = StopSignal()
    with stop.installed():
        device = acquire(
            request,
            plugin.requires,
            config.threads,
            processes=processes,
            paper=preset == "paper",
            run=f"{plugin.name}/{task.name}",
            command=redact_arguments(["lab", *argv]),
            say=say,
        )
        device.apply()
        yield (
            stop,
            partial(
                Run,
                plugin=plugin,
                task=task,
                config=config,
                device=device,
                stop=stop,
                read_weights=read_weights,
            ),
        )


def read_weights(checkpoints: Path) -> Any:
    """Reads the best weights: a ``state_dict`` of torch, or the arrays of a Keras model."""
    if any(path.suffix == ".npz" for path in stored_in(checkpoints)):
        state = first_readable(checkpoints, ARRAYS)
        return None if state is None else state["model"]["weights"]
    from labcore.training import load_weights

    return load_weights(checkpoints)


def new_run(plugin: Plugin, composed: Composed) -> tuple[Path, Status]:
    """Makes a folder that no other run has, and the status of the run in it."""
    folder = take_trial_folder() or create_run_folder(
        Path(composed.config.runs_dir), plugin.name, composed.run_name
    )
    sweep, trial = trial_of_environment()
    return folder, Status(
        run=f"{plugin.name}/{folder.name}",
        plugin=plugin.name,
        task=composed.task.name,
        preset=composed.preset or "",
        sweep=sweep,
        trial=trial,
    )


def record_new(composed: Composed, source: SourceRun | None, folder: Path) -> None:
    """Writes the config, where each value came from, and the run that the model is from."""
    write_atomically(folder / "config.yaml", composed.to_yaml())
    write_json(folder / "origins.json", composed.origins)
    write_json(folder / "changed.json", list(composed.changed))
    if source is not None:
        record_source(folder, source)
    announce_folder(Path(composed.config.runs_dir), folder)


def record_resumed(status: Status, folder: Path) -> None:
    """Clears away how the earlier process ended, and what it has left unfinished."""
    remove_unfinished(folder)
    status.resumes += 1
    status.error = status.ended = status.exit_code = None
    status.message = ""
    announce_folder(folder.parent.parent, folder)


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keeps every other process out of a run folder.

    Raises:
        UsageError: Another one is in it.
    """
    try:
        with FileLock(folder / ".lock", timeout=0):
            yield
    except Timeout:
        raise UsageError(
            f"{folder} is in use by another process", fix="wait for it, or stop it: lab runs"
        ) from None


@contextlib.contextmanager
def logging_to(path: Path) -> Iterator[None]:
    """Writes the log to a file too, without the secrets in it."""
    handler = logging.FileHandler(path, encoding="utf-8", delay=True)
    handler.setFormatter(RedactingFormatter("%(asctime)s %(levelname)-7s %(name)s: %(message)s"))
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    try:
        yield
    finally:
        root.setLevel(level)
        root.removeHandler(handler)
        handler.close()
