"""The lock that a trial holds for its whole life, and the note in it that says who it is.

Whoever starts the trial takes the lock before there is a process, and the process inherits it; so
there is no moment at which a trial lives and nobody can see it, even when its starter is killed.
The kernel frees the lock when the last process of the trial is gone.
"""

import json
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil

from labcore.record.locks import KernelLock
from labcore.record.process import ProcessId

__all__ = ["holder_of", "kill_group", "name_holder", "trial_lock"]


def trial_lock(path: Path) -> KernelLock | None:
    """Takes the lock of a trial that is to be started.

    Args:
        path: The file; what it said of an earlier process is removed.

    Returns:
        The lock, whose ``descriptor`` the trial inherits; None when it runs already.

    Raises:
        OSError: The file cannot be made, or its disk knows no locks.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = KernelLock(path)
    if not lock.take():
        return None
    os.ftruncate(lock.descriptor, 0)
    return lock


def name_holder(path: Path, pid: int) -> None:
    """Writes down whose lock it is, for those who find it held."""
    process = ProcessId.of(pid)
    if process is not None:
        path.write_text(json.dumps(process.to_row()) + "\n", encoding="utf-8")


def holder_of(path: Path) -> ProcessId | None:
    """Returns the process that last held the lock, once it has been written down."""
    try:
        return ProcessId.from_row(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, RecursionError):
        return None


def kill_group(holder: ProcessId, lock: Path) -> None:
    """Kills what a trial has left behind: the group that its process led (POSIX only).

    The number of a group is used again once all of it is gone. So nothing is sent unless a member
    is known: the process itself, which may be a zombie, or one that keeps the trial's lock open.

    Args:
        holder: The trial's process.
        lock: The trial's lock.
    """
    if sys.platform == "win32":
        return
    # A zombie is nobody's heir: its number is its own until it is waited for.
    if holder.is_zombie() or any(_has_open(pid, lock) for pid in _members(holder.pid)):
        try:
            os.killpg(holder.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            return


def _members(group: int) -> Iterator[int]:
    for pid in psutil.pids():
        try:
            if os.getpgid(pid) == group:
                yield pid
        except OSError:  # gone meanwhile
            continue


def _has_open(pid: int, path: Path) -> bool:
    try:
        return str(path.resolve()) in {file.path for file in psutil.Process(pid).open_files()}
    except psutil.Error:
        return False
