"""A run's life, from composed config to finished folder. Read :func:`_live` first.

The order matters: the device is leased and the environment set before the task is imported, since
that is when the framework reads them; and before there is a folder, so that a run that gets no
device leaves nothing. The lease lasts as long as the process, which holds the GPU's memory.
"""

import contextlib
import logging
import os
import signal
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
from labcore.hooks import HookSet
from labcore.life.checks import check_start
from labcore.life.environment import capture
from labcore.life.failure import Explainer, explain, keep_traceback
from labcore.life.placement import place
from labcore.plugin import Plugin, Task, load_object
from labcore.record.files import remove_unfinished, write_atomically
from labcore.record.folder import create_run_folder, typed_name
from labcore.record.process import ProcessId
from labcore.record.records import write_json
from labcore.record.redaction import RedactingFormatter
from labcore.record.status import Heartbeat, Status, read_status, write_status
from labcore.record.trial import take_trial_folder, trial_of_environment
from labcore.report import build as build_report
from labcore.run.ranks import announce_folder, is_main_process, join_folder
from labcore.run.run import Run
from labcore.run.signals import StopSignal
from labcore.run.source import SourceRun, record_source

__all__ = ["execute", "resume"]

RESULT_VARIABLE = "LAB_RESULT_FILE"
"""Names a file where the outcome is left for the process that started this run."""

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
    plugin, task, config = _usable(found), composed.task, composed.config
    runs_dir = Path(config.runs_dir)
    stop = StopSignal()
    with stop.installed():
        device = place(plugin, config, task=task.name, preset=composed.preset, argv=argv, say=say)
        device.apply()
        if not is_main_process():
            return _live_as_helper(plugin, task, config, join_folder(runs_dir), device, stop)
        hooks = check_start(plugin, task, config)
        with stop.held():
            name = composed.run_name
            folder = take_trial_folder() or create_run_folder(runs_dir, plugin.name, name)
            sweep, trial = trial_of_environment()
            run = Run(
                plugin=plugin,
                task=task,
                config=config,
                folder=folder,
                device=device,
                hooks=hooks,
                status=Status(
                    run=f"{plugin.name}/{folder.name}",
                    plugin=plugin.name,
                    task=task.name,
                    preset=composed.preset or "",
                    sweep=sweep,
                    trial=trial,
                ),
                stop=stop,
                read_weights=_read_weights,
            )

            def record() -> None:
                write_atomically(folder / "config.yaml", composed.to_yaml())
                write_json(folder / "origins.json", composed.origins)
                write_json(folder / "changed.json", list(composed.changed))
                if source is not None:
                    record_source(folder, source)
                announce_folder(runs_dir, folder)

            return _live(run, record, argv=argv, known=known)


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
    plugin = _usable(found)
    config = load_config(plugin, folder / "config.yaml", secrets=secrets or {})
    status = read_status(folder)
    task = plugin.task(status.task)
    stop = StopSignal()
    with stop.installed():
        device = place(plugin, config, task=task.name, preset=status.preset, argv=argv, say=say)
        device.apply()
        if not is_main_process():
            return _live_as_helper(plugin, task, config, folder, device, stop, resuming=True)
        hooks = check_start(plugin, task, config)
        with stop.held():
            run = Run(
                plugin=plugin,
                task=task,
                config=config,
                folder=folder,
                device=device,
                hooks=hooks,
                status=status,
                stop=stop,
                resuming=True,
                read_weights=_read_weights,
            )

            def record() -> None:
                remove_unfinished(folder)
                status.resumes += 1
                status.error = status.ended = status.exit_code = None
                status.message = ""
                announce_folder(folder.parent.parent, folder)

            return _live(run, record, argv=argv, known=known)


def _usable(found: FoundPlugin) -> Plugin:
    if found.plugin is None or found.missing:
        raise RequirementError(
            f"plugin {found.name} cannot run here: {found.reason}", fix=found.fix
        )
    return found.plugin


def _live(
    run: Run[Any], record: Callable[[], None], *, argv: Sequence[str], known: Explainer | None
) -> int:
    """Runs the task and settles the run, whatever ends it.

    Signals are let through while the task works and the hooks finish, and held in between, so that
    none of them cuts short what puts down how the run stands.
    """
    status, folder, hooks = run.status, run.folder, run.hooks
    has_begun = False
    raised: BaseException | None = None
    with _locked(folder), _logging_to(folder / "log.txt"):
        heartbeat = Heartbeat(lambda: _beat(run))
        try:
            record()
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
                _prepare_framework(run.plugin, run.device, run.config.seed)
                run.stop.raise_if_set()  # an import may have swallowed the interruption
                has_begun = True
                hooks.call("run_started", run=run)
                values = load_object(run.task.run)(run)
                run.stop.raise_if_set()
            if isinstance(values, Mapping):
                run.log_metrics(values, step=status.step or 0, phase="test")
        except BaseException as error:  # sys.exit and Ctrl-C end a run too, and it must say so
            raised = error
        failure = _settle(run, raised, known)
        if has_begun and isinstance(failure, Interrupted):
            _tell(run, "run_interrupted", signal_number=failure.signal_number)
        elif has_begun and failure is not None:
            _tell(run, "run_failed", error=failure)
        heartbeat.stop()
        status.ended = time.time()
        with contextlib.suppress(OSError):  # a full disk has been reported already
            write_status(folder, status)
        if has_begun:
            _tell(run, "run_ended", state=status.state)
        _write_report(folder, run.plugin)
        _leave_result(folder, status)
    if failure is not None:
        raise failure
    return 0


def _settle(
    run: Run[Any], raised: BaseException | None, known: Explainer | None
) -> LabError | None:
    """Puts down in the status how the task ended; returns what the user is told of it."""
    status = run.status
    interrupted = _interruption(raised)
    if interrupted is not None:
        status.state = "interrupted"
        status.exit_code = interrupted.exit_code
        status.message = f"stopped by signal {interrupted.signal_number}"
        interrupted.fix = _how_to_go_on(run)
        return interrupted
    if raised is None or (isinstance(raised, SystemExit) and not raised.code):
        status.state = "finished"
        status.exit_code = 0
        return None
    failure = explain(raised, run.folder, known)
    if failure is not raised:
        keep_traceback(raised, run.folder)
    log.error("the run failed", exc_info=raised)
    status.state = "failed"
    status.exit_code = failure.exit_code
    status.error = {
        "message": failure.message,
        "fix": failure.fix or "",
        "kind": type(failure).__name__,
    }
    return failure


def _interruption(raised: BaseException | None) -> Interrupted | None:
    """Returns the interruption that an error is, or that led to it."""
    while raised is not None:
        if isinstance(raised, Interrupted):
            return raised
        if isinstance(raised, KeyboardInterrupt):
            return Interrupted(signal.SIGINT)
        raised = raised.__cause__ or raised.__context__
    return None


def _how_to_go_on(run: Run[Any]) -> str | None:
    if not run.task.trains:
        return None
    command = f"lab resume {typed_name(run.folder)}"
    if any(run.checkpoints.rglob("*.pt")):
        return f"go on where it stopped: {command}"
    return f"it was stopped before its first checkpoint; start over in its folder: {command}"


def _tell(run: Run[Any], moment: str, **details: Any) -> None:
    """Tells the hooks how the run ended, which nothing that they do can change any more."""
    try:
        with run.stop.released():
            run.hooks.call(moment, run=run, **details)
    except Interrupted:
        log.warning("stopped while the hooks were told that the run is over")
    except Exception:
        log.exception("a hook failed at %s", moment)


def _live_as_helper(
    plugin: Plugin,
    task: Task,
    config: Any,
    folder: Path,
    device: DevicePlan,
    stop: StopSignal,
    *,
    resuming: bool = False,
) -> int:
    """Takes part in a distributed run as a process that leaves no files."""
    _prepare_framework(plugin, device, config.seed)
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
        resuming=resuming,
        read_weights=_read_weights,
    )
    # The main process meets the same error and speaks for the run; a helper that ended with
    # another code would have it killed before it has written its report.
    with contextlib.suppress(LabError):
        load_object(task.run)(run)
    return 0


def _read_weights(checkpoints: Path) -> Any:
    from labcore.training import load_weights

    return load_weights(checkpoints)


def _code_of(plugin: Plugin) -> tuple[Path, ...]:
    """The folder with the plugin's code, whose git state belongs to the record."""
    module = sys.modules.get(plugin.config.__module__)
    file = getattr(module, "__file__", None)
    return (Path(file).parent,) if file else ()


def _prepare_framework(plugin: Plugin, device: DevicePlan, seed: int) -> None:
    """Tells the framework what the environment cannot."""
    if plugin.requires.framework == "torch":
        from labcore.devices.torch_setup import configure_torch
        from labcore.training.seeding import seed_everything

        configure_torch(device)
        seed_everything(seed)


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


def _beat(run: Run[Any]) -> None:
    run.status.heartbeat = time.time()
    if run.device.lease is not None:
        run.device.lease.beat()
    write_status(run.folder, run.status)


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
        write_json(Path(target), result)
