"""Turns whatever a task raised into a message for people."""

import errno
import traceback
from pathlib import Path

from labcore.errors import LabError, RunFailed
from labcore.run.files import write_atomically

__all__ = ["TRACEBACK_FILE", "explain", "keep_traceback"]

TRACEBACK_FILE = "traceback.txt"


def explain(error: BaseException, folder: Path) -> LabError:
    """Returns the error that the user reads: what is wrong, where, and what to do."""
    if isinstance(error, LabError):
        return error
    if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}:
        where = error.filename or folder
        return RunFailed(
            f"the disk is full: {where} could not be written",
            fix="free some space, then go on where it stopped: lab resume latest",
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
    return RunFailed(text, fix=f"the traceback is in {folder / TRACEBACK_FILE}")


def keep_traceback(error: BaseException, folder: Path) -> None:
    """Writes the traceback beside the run; on a full disk there is none."""
    try:
        write_atomically(folder / TRACEBACK_FILE, "".join(traceback.format_exception(error)))
    except OSError:
        return
