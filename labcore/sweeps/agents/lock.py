"""A lock that a trial holds for its whole life, and that says who it is.

Whoever starts the trial takes the lock before there is a process, and the process inherits it; so
there is no moment at which a trial lives and nobody can see it, even when its starter is killed.
The kernel frees the lock when the last process of the trial is gone.
"""

import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

import psutil

__all__ = ["Holder", "TrialLock", "holder_of", "is_held", "kill_group", "name_holder"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Holder:
    """The process of a trial."""

    pid: int
    started: float

    def is_alive(self) -> bool:
        """Whether it still runs."""
        try:
            process = psutil.Process(self.pid)
            return (
                abs(process.create_time() - self.started) < 1.0
                and process.status() != psutil.STATUS_ZOMBIE
            )
        except psutil.NoSuchProcess:
            return False


class TrialLock:
    """The lock of one trial (POSIX; elsewhere it always lets in, and nobody sees it as held).

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def take(self) -> bool:
        """Takes the lock if it is free."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0))
        if sys.platform != "win32":
            import fcntl

            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(descriptor)
                return False
        self._descriptor = descriptor
        os.ftruncate(descriptor, 0)
        return True

    def let_go(self) -> None:
        """Closes this process's copy; the trial keeps its own."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def is_held(path: Path) -> bool:
    """Whether a trial has the lock."""
    if not path.exists() or sys.platform == "win32":
        return False
    import fcntl

    descriptor = os.open(path, os.O_RDWR)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # a shared disk without locks: others tell by the trial's heartbeat
        return False
    finally:
        os.close(descriptor)
    return False


def name_holder(path: Path, pid: int) -> None:
    """Writes down whose lock it is, for those who find it held."""
    try:
        started = psutil.Process(pid).create_time()
    except psutil.NoSuchProcess:
        return
    path.write_text(f"{pid} {started!r}\n", encoding="utf-8")


def holder_of(path: Path) -> Holder | None:
    """Returns the process that last held the lock, once it has been written down."""
    try:
        pid, started = path.read_text(encoding="utf-8").split()
        return Holder(pid=int(pid), started=float(started))
    except (OSError, ValueError):
        return None


def kill_group(pid: int) -> None:
    """Kills what is left of the session that a trial's process led (POSIX only)."""
    if sys.platform == "win32":
        return
    try:
        os.killpg(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return
