"""How a run ends: explained to people, put down in its status, told to hooks and starter."""

import errno
import logging
import os
import signal
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from labcore.errors import Interrupted, LabError, RunFailed
from labcore.record.files import write_atomically
from labcore.record.folder import typed_name
from labcore.record.records import write_json
from labcore.record.redaction import redact_text
from labcore.record.trial import RESULT_VARIABLE
from labcore.report import build as build_report
from labcore.run.run import Run

__all__ = ["TRACEBACK_FILE", "Explainer", "explain", "keep_traceback", "publish", "settle", "tell"]

Explainer = Callable[[BaseException], LabError | None]
"""Says what is known of an error that comes from a library, if anything is."""

TRACEBACK_FILE = "traceback.txt"
log = logging.getLogger(__name__)


def explain(error: BaseException, folder: Path, known: Explainer | None = None) -> LabError:
    """Returns the error that the user reads: what is wrong, where, and what to do.

    Args:
        error: What was raised.
        folder: The run folder.
        known: Asked about what the lab itself does not know.
    """
    if isinstance(error, LabError):
        return error
    if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}:
        where = error.filename or folder
        return RunFailed(
            f"the disk is full: {where} could not be written",
            fix=f"free some space, then go on where it stopped: lab resume {typed_name(folder)}",
        )
    if isinstance(error, OSError) and error.errno in {errno.EACCES, errno.EROFS}:
        return RunFailed(
            f"{error.filename or folder} cannot be written: {error.strerror}",
            fix="choose a writable folder: runs_dir=/path/to/runs",
        )
    if isinstance(error, MemoryError):
        return RunFailed("out of memory", fix="lower batch_size, or choose a smaller preset")
    line = str(error).strip().splitlines()
    text = f"{type(error).__name__}: {line[0]}" if line else type(error).__name__
    where = f"the traceback is in {folder / TRACEBACK_FILE}"
    if isinstance(error, SystemExit):
        return RunFailed(f"the task ended its process: sys.exit({error.code!r})", fix=where)
    told = known(error) if known is not None else None
    if told is None:
        return RunFailed(text, fix=where)
    told.fix = f"{told.fix}\n       ({where})"
    return told


def keep_traceback(error: BaseException, folder: Path) -> None:
    """Writes the traceback beside the run; on a full disk there is none."""
    try:
        text = redact_text("".join(traceback.format_exception(error)))
        write_atomically(folder / TRACEBACK_FILE, text)
    except OSError:
        return


def settle(run: Run[Any], raised: BaseException | None, known: Explainer | None) -> LabError | None:
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


def tell(run: Run[Any], moment: str, **details: Any) -> None:
    """Tells the hooks how the run ended, which nothing that they do can change any more."""
    try:
        with run.stop.released():
            run.hooks.call(moment, run=run, **details)
    except Interrupted:
        log.warning("stopped while the hooks were told that the run is over")
    except Exception:
        log.exception("a hook failed at %s", moment)


def publish(run: Run[Any]) -> None:
    """Writes the report, and the outcome for the process that started this run, if it asks."""
    followers = [task.name for task in run.plugin.tasks if task.needs_run]
    try:
        build_report(run.folder, model_tasks=followers)
    except Exception:  # the run is what counts; a page that could not be made must not fail it
        log.exception("report.html could not be written")
    target, status = os.environ.get(RESULT_VARIABLE), run.status
    if target:
        result = {
            "run": str(run.folder),
            "state": status.state,
            "exit_code": status.exit_code,
            "metrics": status.metrics,
        }
        write_json(Path(target), result)


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
