"""A run's life, from composed config to finished folder. Read :func:`_live` first.

The order matters: the device is leased and the environment set before the task is imported, since
that is when the framework reads them; and before there is a folder, so that a run that gets no
device leaves nothing. The lease lasts as long as the process, which holds the GPU's memory.
"""

import contextlib
import gc
import logging
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from labcore.config import Composed, load_config
from labcore.discovery import FoundPlugin
from labcore.errors import Interrupted, LabError
from labcore.hooks import HookSet
from labcore.life.checks import check_start
from labcore.life.environment import capture
from labcore.life.settle import Explainer, publish, settle, tell
from labcore.life.start import (
    locked,
    logging_to,
    new_run,
    placed,
    record_new,
    record_resumed,
    usable,
)
from labcore.plugin import Plugin, load_object
from labcore.record.process import ProcessId
from labcore.record.status import Heartbeat, read_status, write_status
from labcore.run.ranks import is_main_process, join_folder
from labcore.run.run import Run
from labcore.run.source import SourceRun

__all__ = ["execute", "resume"]

log = logging.getLogger(__name__)


def execute(
    found: FoundPlugin,
    composed: Composed,
    *,
    argv: Sequence[str],
    source: SourceRun | None = None,
    say: Callable[[str], None] = log.info,
    known: Explainer | None = None,
) -> int:
    """Runs a task in a new run folder.

    Args:
        found: The plugin.
        composed: Its composed config.
        argv: The words typed after ``lab``, for the record.
        source: The run whose model the task works with, if it does with one.
        say: Tells the user why the run has to wait, before it has a console of its own.
        known: Asked about errors that come from libraries.

    Returns:
        The exit code.

    Raises:
        RequirementError: A package, the device or the runs folder is not to be had; nothing is
            left behind.
        UsageError: A hook or the task is not what it should be; nothing is left behind.
    """
    plugin, task, config = usable(found), composed.task, composed.config
    with placed(plugin, task, config, composed.preset, argv, say) as (stop, run_with):
        if not is_main_process():
            return _help(run_with, join_folder(Path(config.runs_dir)))
        hooks = check_start(plugin, task, config)
        with stop.held():
            folder, status = new_run(plugin, composed)
            run = run_with(folder=folder, status=status, hooks=hooks)
            return _live(run, partial(record_new, composed, source), argv, known)


def resume(
    found: FoundPlugin,
    folder: Path,
    *,
    argv: Sequence[str],
    secrets: Mapping[str, str] | None = None,
    say: Callable[[str], None] = log.info,
    known: Explainer | None = None,
) -> int:
    """Goes on with a stopped run in its own folder, with the config it was started with.

    Args:
        found: The plugin.
        folder: The run folder.
        argv: The words typed after ``lab``, for the record.
        secrets: Option to value, for those that the saved config has masked.
        say: Tells the user why the run has to wait.
        known: Asked about errors that come from libraries.

    Returns:
        The exit code.
    """
    plugin, status = usable(found), read_status(folder)
    config = load_config(plugin, folder / "config.yaml", secrets=secrets or {})
    task = plugin.task(status.task)
    with placed(plugin, task, config, status.preset, argv, say) as (stop, run_with):
        if not is_main_process():
            return _help(partial(run_with, resuming=True), folder)
        hooks = check_start(plugin, task, config)
        with stop.held():
            run = run_with(folder=folder, status=status, hooks=hooks, resuming=True)
            return _live(run, partial(record_resumed, status), argv, known)


def _live(
    run: Run[Any], record: Callable[[Path], None], argv: Sequence[str], known: Explainer | None
) -> int:
    """Runs the task and settles the run, whatever ends it.

    Signals are let through while the task works and the hooks finish, and held in between, so that
    none of them cuts short what puts down how the run stands.
    """
    status, folder, hooks = run.status, run.folder, run.hooks
    has_begun = False
    raised: BaseException | None = None
    with locked(folder), logging_to(folder / "log.txt"):
        heartbeat = Heartbeat(lambda: _beat(run))
        try:
            record(folder)
            status.state = "running"
            status.started = status.started or time.time()
            status.owner = ProcessId.current().to_row()
            if run.device.lease is not None:
                run.device.lease.name_run(status.run)
            _beat(run)
            with run.stop.released():
                run.stop.raise_if_set()
                heartbeat.start()
                capture(folder, ["lab", *argv], run.device, code=_code_of(run.plugin))
                _prepare_framework(run)
                run.stop.raise_if_set()  # an import may have swallowed the interruption
                has_begun = True
                hooks.call("run_started", run=run)
                work = load_object(run.task.run)
                gc.freeze()  # what was imported stays: no collection has to walk it again
                values = work(run)
                run.stop.raise_if_set()
            if isinstance(values, Mapping):
                run.log_metrics(values, step=status.step or 0, phase="result")
        except BaseException as error:  # sys.exit and Ctrl-C end a run too, and it must say so
            raised = error
        failure = settle(run, raised, known)
        if has_begun and isinstance(failure, Interrupted):
            tell(run, "run_interrupted", signal_number=failure.signal_number)
        elif has_begun and failure is not None:
            tell(run, "run_failed", error=failure)
        heartbeat.stop()
        status.ended = time.time()
        with contextlib.suppress(OSError):  # a full disk has been reported already
            write_status(folder, status)
        if has_begun:
            tell(run, "run_ended", state=status.state)
        publish(run)
    if failure is not None:
        raise failure
    return 0


def _help(run_with: Callable[..., Run[Any]], folder: Path) -> int:
    """Takes part in a distributed run as a process that leaves no files."""
    run = run_with(folder=folder, status=read_status(folder), hooks=HookSet(), is_main=False)
    _prepare_framework(run)
    # The main process meets the same error and speaks for the run; a helper that ended with
    # another code would have it killed before it has written its report.
    with contextlib.suppress(LabError):
        load_object(run.task.run)(run)
    return 0


def _beat(run: Run[Any]) -> None:
    run.status.heartbeat = time.time()
    if run.device.lease is not None:
        run.device.lease.beat()
    write_status(run.folder, run.status)


def _code_of(plugin: Plugin) -> tuple[Path, ...]:
    """The folder with the plugin's code, whose git state belongs to the record."""
    module = sys.modules.get(plugin.config.__module__)
    file = getattr(module, "__file__", None)
    return (Path(file).parent,) if file else ()


def _prepare_framework(run: Run[Any]) -> None:
    """Tells the framework what the environment cannot."""
    if run.plugin.requires.framework == "torch":
        from labcore.devices.torch_setup import configure_torch
        from labcore.training.seeding import seed_everything

        configure_torch(run.device)
        seed_everything(run.config.seed)
    elif run.plugin.requires.framework == "tensorflow":
        from labcore.training.keras.setup import configure_tensorflow

        configure_tensorflow(run.device, run.config.seed)
