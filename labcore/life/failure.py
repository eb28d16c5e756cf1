"""Turns whatever a task raised into a message for people."""

import errno
import traceback
from collections.abc import Callable
from pathlib import Path

from labcore.errors import LabError, RunFailed
from labcore.record.files import write_atomically
from labcore.record.folder import typed_name
from labcore.record.redaction import redact_text

__all__ = ["TRACEBACK_FILE", "Explainer", "explain", "keep_traceback"]

Explainer = Callable[[BaseException], LabError | None]
"""Says what is known of an error that comes from a library, if anything is."""

TRACEBACK_FILE = "traceback.txt"


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
