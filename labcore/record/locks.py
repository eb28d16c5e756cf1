"""Locks that the kernel frees when the last process that holds them is gone, however it went."""

import contextlib
import os
import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from labcore.errors import RequirementError

__all__ = ["KernelLock", "exclusive", "is_held"]

_PUBLIC = 0o666
"""Mode of the files: every user of the machine takes part."""


class KernelLock:
    """A lock on a file, which is made when missing and never deleted.

    On POSIX it is ``flock`` on an open descriptor. Children made by ``fork`` share the descriptor,
    and the lock is free when the last copy is closed; that is why :meth:`close` only closes, and
    why ``filelock``, which unlocks for all of them, serves on Windows alone.

    Args:
        path: The file.

    Attributes:
        descriptor: Of the open file while it is locked, for a child to inherit; -1 otherwise, and
            on Windows.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.descriptor = -1
        self._close: contextlib.ExitStack | None = None

    def take(self) -> bool:
        """Takes the lock unless somebody has it; those who only look at it are waited out."""
        while not self.try_lock():
            if is_held(self.path):
                return False
            time.sleep(random.uniform(0.0, 0.001))
        return True

    def try_lock(self, *, shared: bool = False) -> bool:
        """Takes the lock if it is free.

        Args:
            shared: Let others hold it too who ask for the same (POSIX only).

        Raises:
            OSError: The file cannot be opened, or its file system has no locks.
        """
        assert self._close is None, "locked already"
        if sys.platform == "win32":
            return self._try_lock_windows()
        import fcntl

        kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        while True:
            descriptor = _open(self.path)
            stack = contextlib.ExitStack()
            stack.callback(os.close, descriptor)
            with stack:
                try:
                    fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
                except BlockingIOError:
                    return False
                # A cleaner of temporary files may have removed it between the two calls.
                if _is_at(descriptor, self.path):
                    self._close = stack.pop_all()
                    self.descriptor = descriptor
                    return True

    def close(self) -> None:
        """Gives up this process's hold; does nothing when there is none."""
        if self._close is not None:
            self._close.close()
            self._close = None
            self.descriptor = -1

    def touch(self) -> None:
        """Makes the file look used, so that cleaners of old temporary files leave it."""
        with contextlib.suppress(OSError):
            os.utime(self.path)

    def _try_lock_windows(self) -> bool:
        from filelock import FileLock, Timeout

        lock = FileLock(self.path, thread_local=False)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            return False
        self._close = contextlib.ExitStack()
        self._close.callback(lock.release)
        return True


def is_held(path: Path) -> bool:
    """Whether somebody has taken a lock for himself; False where there is nobody to ask.

    It looks by sharing the lock for a moment. That keeps no one from it who uses
    :meth:`KernelLock.take`, where any number of lookers would make :meth:`KernelLock.try_lock` fail
    now and then.
    """
    if sys.platform == "win32":
        return False
    import fcntl

    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # a shared disk without locks: others tell by a heartbeat
        return False
    finally:
        os.close(descriptor)
    return False


@contextlib.contextmanager
def exclusive(path: Path, *, patience_s: float = 30.0) -> Iterator[None]:
    """Lets one process of the machine at a time into the block.

    Args:
        path: The file that is locked.
        patience_s: How long to wait; the blocks take milliseconds.

    Raises:
        RequirementError: Another process has stayed inside for that long.
    """
    lock = KernelLock(path)
    deadline = time.monotonic() + patience_s
    pause = 0.001
    while not lock.try_lock():
        if time.monotonic() > deadline:
            raise RequirementError(
                f"another process has kept {path} locked for {patience_s:g} s",
                fix=f"find it with fuser {path} (it may be suspended), and end it",
            )
        time.sleep(pause * random.uniform(0.5, 1.5))
        pause = min(0.02, 2 * pause)
    try:
        yield
    finally:
        lock.close()


def _open(path: Path) -> int:
    """Opens for reading and writing where allowed; a lock needs no more than reading.

    ``O_CREAT`` is given only where the file is missing: Linux refuses it for other users' files in
    a folder like /tmp (fs.protected_regular).
    """
    flags = os.O_CLOEXEC | os.O_NOFOLLOW
    while True:
        try:
            return os.open(path, os.O_RDWR | flags)
        except PermissionError:
            return os.open(path, os.O_RDONLY | flags)
        except FileNotFoundError:
            with contextlib.suppress(FileExistsError):
                descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | flags, _PUBLIC)
                os.fchmod(descriptor, _PUBLIC)  # the umask has taken some of it
                return descriptor


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False
