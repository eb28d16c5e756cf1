"""A run's life, from composed config to finished folder. Read :func:`_live` first.

The order matters: the device is leased and the environment set before the task is imported, since
that is when the framework reads them; and before there is a folder, so that a run that gets no
device leaves nothing. The lease lasts as long as the process, which holds the GPU's memory.
"""

import contextlib
import json
import logging
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from labcore.config import Composed, load_config
from labcore.devices import DevicePlan
from labcore.discovery import FoundPlugin
from labcore.errors import Interrupted, LabError, RequirementError, UsageError
from labcore.hooks import HookSet, build_hooks
from labcore.plugin import Plugin, Task, load_object
from labcore.report import build as build_report
from labcore.run.environment import capture
from labcore.run.failure import explain, keep_traceback
from labcore.run.files import write_atomically
from labcore.run.folder import create_run_folder
from labcore.run.placement import place
from labcore.run.process import current_owner
from labcore.run.ranks import announce_folder, is_main_process, join_folder
from labcore.run.run import Run
from labcore.run.signals import StopSignal
from labcore.run.source import SourceRun
from labcore.run.status import Heartbeat, Status, read_status, write_status
from labcore.run.trial import take_trial_folder, trial_of_environment

__all__ = ["execute", "resume"]

RESULT_VARIABLE = "LAB_RESULT_FILE"
"""Names a file where the outcome is left for the process that started this run."""

log = logging.getLogger(__name__)


def execute(
    found: FoundPlugin,
    composed: Composed,
    *,
    argv: Sequence[str],
    say: Callable[[str], None] = log.info,
) -> int:
    """Runs a task in a new run folder.

    Args:
        found: The plugin.
        composed: Its composed config.
        argv: The words typed after ``lab``, for the record.
        say: Tells the user why the run has to wait, before it has a console of its own.

    Returns:
        The exit code.

    Raises:
        RequirementError: A package, the device or the runs folder is not to be had; nothing is
            left behind.
        UsageError: The task works on an earlier run and there is none.
    """
    plugin = _usable(found)
    config = composed.config
    runs_dir = Path(config.runs_dir)
    if composed.task.needs_run and is_main_process():
        # Refuses before a GPU is waited for, and before a folder is made.
        SourceRun.find(plugin, config.run or "latest", runs_dir)
    device = place(
        plugin, config, task=composed.task.name, preset=composed.preset, argv=argv, say=say
    )
    if not is_main_process():
        return _live_as_helper(plugin, composed.task, config, join_folder(runs_dir), device)
    folder = take_trial_folder() or create_run_folder(runs_dir, plugin.name, composed.run_name)
    sweep, trial = trial_of_environment()
    status = Status(
        run=f"{plugin.name}/{folder.name}",
        plugin=plugin.name,
        task=composed.task.name,
        preset=composed.preset or "",
        sweep=sweep,
        trial=trial,
    )
    write_status(folder, status)
    write_atomically(folder / "config.yaml", composed.to_yaml())
    origins = json.dumps(composed.origins, indent=1, ensure_ascii=False)
    write_atomically(folder / "origins.json", origins + "\n")
    announce_folder(runs_dir, folder)
    return _live(plugin, composed.task, config, folder, device, status, argv=argv)


def resume(
    found: FoundPlugin,
    folder: Path,
    *,
    argv: Sequence[str],
    say: Callable[[str], None] = log.info,
) -> int:
    """Goes on with a stopped run in its own folder, with the config it was started with.

    Args:
        found: The plugin.
        folder: The run folder.
        argv: The words typed after ``lab``, for the record.
        say: Tells the user why the run has to wait.

    Returns:
        The exit code.
    """
    plugin = _usable(found)
    config = load_config(plugin, folder / "config.yaml")
    status = read_status(folder)
    device = place(plugin, config, task=status.task, preset=status.preset, argv=argv, say=say)
    task = plugin.task(status.task)
    if not is_main_process():
        return _live_as_helper(plugin, task, config, folder, device)
    status.resumes += 1
    status.error = None
    status.ended = None
    status.message = ""
    announce_folder(folder.parent.parent, folder)
    return _live(plugin, task, config, folder, device, status, argv=argv, resuming=True)


def _usable(found: FoundPlugin) -> Plugin:
    if found.plugin is None or found.missing:
        raise RequirementError(
            f"plugin {found.name} cannot run here: {found.reason}", fix=found.fix
        )
    return found.plugin


def _live(
    plugin: Plugin,
    task: Task,
    config: Any,
    folder: Path,
    device: DevicePlan,
    status: Status,
    *,
    argv: Sequence[str],
    resuming: bool = False,
) -> int:
    stop = StopSignal()
    with _locked(folder), _logging_to(folder / "log.txt"), stop.installed():
        status.state = "running"
        status.started = status.started or time.time()
        status.owner = _owner_row()
        if device.lease is not None:
            device.lease.name_run(status.run)
        _beat(folder, status, device)
        heartbeat = Heartbeat(lambda: _beat(folder, status, device))
        heartbeat.start()
        hooks = HookSet()
        try:
            capture(folder, ["lab", *argv], device, code=_code_of(plugin))
            _prepare_framework(plugin, device, config.seed)
            hooks = _hooks(plugin, config)
            run = Run(
                plugin=plugin,
                task=task,
                config=config,
                folder=folder,
                device=device,
                hooks=hooks,
                status=status,
                stop=stop,
                resuming=resuming,
            )
        except BaseException as error:
            heartbeat.stop()
            _fail(folder, status, error)
            _beat(folder, status, device)
            _write_report(folder, plugin)
            raise explain(error, folder) from error
        failure = _do(run)
        heartbeat.stop()
        status.ended = time.time()
        with contextlib.suppress(OSError):  # a full disk has been reported already
            write_status(folder, status)
        hooks.call("run_ended", run=run, state=status.state)
        _write_report(folder, plugin)
        _leave_result(folder, status)
    if failure is not None:
        raise failure
    return 0


def _do(run: Run[Any]) -> LabError | None:
    """Runs the task and settles the status; returns what went wrong."""
    status, folder = run.status, run.folder
    try:
        run.hooks.call("run_started", run=run)
        function = load_object(run.task.run)
        values = function(run)
        if isinstance(values, Mapping):
            run.log_metrics(values, step=status.step or 0, phase="test")
    except Interrupted as error:
        status.state = "interrupted"
        status.exit_code = error.exit_code
        status.message = f"stopped by signal {error.signal_number}"
        run.hooks.call("run_interrupted", run=run, signal_number=error.signal_number)
        error.fix = f"go on where it stopped: lab resume {run.id}" if run.task.trains else None
        return error
    except Exception as error:
        failure = _fail(folder, status, error)
        log.error("the run failed", exc_info=error)
        run.hooks.call("run_failed", run=run, error=failure)
        return failure
    status.state = "finished"
    status.exit_code = 0
    return None


def _fail(folder: Path, status: Status, error: BaseException) -> LabError:
    failure = explain(error, folder)
    if failure is not error:
        keep_traceback(error, folder)
    status.state = "failed"
    status.exit_code = failure.exit_code
    status.error = {
        "message": failure.message,
        "fix": failure.fix or "",
        "kind": type(failure).__name__,
    }
    return failure


def _live_as_helper(
    plugin: Plugin, task: Task, config: Any, folder: Path, device: DevicePlan
) -> int:
    """Takes part in a distributed run as a process that leaves no files."""
    _prepare_framework(plugin, device, config.seed)
    stop = StopSignal()
    with stop.installed():
        run = Run(
            plugin=plugin,
            task=task,
            config=config,
            folder=folder,
            device=device,
            hooks=HookSet(),
            status=read_status(folder),
            stop=stop,
            is_main=False,
        )
        # The main process meets the same error and speaks for the run; a helper that ended with
        # another code would have it killed before it has written its report.
        with contextlib.suppress(LabError):
            load_object(task.run)(run)
    return 0


def _code_of(plugin: Plugin) -> tuple[Path, ...]:
    """The folder with the plugin's code, whose git state belongs to the record."""
    module = sys.modules.get(plugin.config.__module__)
    file = getattr(module, "__file__", None)
    return (Path(file).parent,) if file else ()


def _prepare_framework(plugin: Plugin, device: DevicePlan, seed: int) -> None:
    """Sets the environment, then tells the framework what the environment cannot."""
    device.apply()
    if plugin.requires.framework == "torch":
        from labcore.devices.torch_setup import configure_torch
        from labcore.training.seeding import seed_everything

        configure_torch(device)
        seed_everything(seed)


def _hooks(plugin: Plugin, config: Any) -> HookSet:
    return build_hooks(plugin, config.hooks, taps=config.taps, taps_every=config.taps_every)


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    lock = FileLock(folder / ".lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise UsageError(
            f"{folder} is in use by another process", fix="wait for it, or stop it: lab runs"
        ) from None
    try:
        yield
    finally:
        lock.release()


@contextlib.contextmanager
def _logging_to(path: Path) -> Iterator[None]:
    handler = logging.FileHandler(path, encoding="utf-8", delay=True)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)-7s %(name)s: %(message)s"))
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


def _owner_row() -> dict[str, Any]:
    owner = current_owner()
    return {"host": owner.host, "pid": owner.pid, "started": owner.started}


def _beat(folder: Path, status: Status, device: DevicePlan) -> None:
    status.heartbeat = time.time()
    if device.lease is not None:
        device.lease.beat()
    write_status(folder, status)


def _write_report(folder: Path, plugin: Plugin) -> None:
    followers = [task.name for task in plugin.tasks if task.needs_run]
    try:
        build_report(folder, model_tasks=followers)
    except Exception:  # the run is what counts; a page that could not be made must not fail it
        log.exception("report.html could not be written")


def _leave_result(folder: Path, status: Status) -> None:
    target = os.environ.get(RESULT_VARIABLE)
    if target:
        result = {
            "run": str(folder),
            "state": status.state,
            "exit_code": status.exit_code,
            "metrics": status.metrics,
        }
        write_atomically(Path(target), json.dumps(result))
