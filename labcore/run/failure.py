"""Turns whatever a task raised into a message for people."""

import errno
import traceback
from pathlib import Path

from labcore.errors import LabError, RequirementError, RunFailed
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
    where = f"the traceback is in {folder / TRACEBACK_FILE}"
    return _known(error, text, where) or RunFailed(text, fix=where)


def _known(error: BaseException, text: str, where: str) -> LabError | None:
    """Returns what the doctor knows of an error that comes from a library, if it does.

    A library that cannot be loaded is a requirement that is not met, whatever it raised.
    """
    if not isinstance(error, ImportError | OSError | RuntimeError):
        return None
    from labcore.doctor.afar import read

    # Not the lines of code between: they may speak of errors that did not happen.
    told = "".join(line for each in _chain(error) for line in traceback.format_exception_only(each))
    found = next((each for each in read(told).errors if each.state == "failure"), None)
    if found is None:
        return None
    kind = RequirementError if isinstance(error, ImportError) else RunFailed
    return kind(f"{found.summary}\n  {text}\n  {found.cause}", fix=f"{found.fix}\n       ({where})")


def _chain(error: BaseException) -> list[BaseException]:
    """Returns an error with those that led to it, the first one first."""
    chain: list[BaseException] = []
    each: BaseException | None = error
    while each is not None and each not in chain:
        chain.insert(0, each)
        each = each.__cause__ or (None if each.__suppress_context__ else each.__context__)
    return chain


def keep_traceback(error: BaseException, folder: Path) -> None:
    """Writes the traceback beside the run; on a full disk there is none."""
    try:
        write_atomically(folder / TRACEBACK_FILE, "".join(traceback.format_exception(error)))
    except OSError:
        return
