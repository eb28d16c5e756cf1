"""Trials in processes of their own on this machine: a fresh ``lab run`` for each."""

import contextlib
import os
import subprocess
import time
from pathlib import Path
from typing import Any

from labcore.errors import UsageError
from labcore.record.locks import KernelLock
from labcore.record.process import kill_tree
from labcore.sweeps.trial import TrialRequest, TrialResult, read_result

__all__ = ["ProcessTrial"]

_GRACE_S = 120.0
"""Time for a checkpoint, the report and the last uploads."""


class ProcessTrial:
    """A lab run in a process, and a session, of its own, which outlives its starter.

    Args:
        request: What to run.
        grace_s: Seconds between the request to stop and the kill.

    Raises:
        UsageError: Another process still holds the trial's lock.
    """

    where = ""

    def __init__(self, request: TrialRequest, *, grace_s: float = _GRACE_S) -> None:
        self._request = request
        self._grace_s = grace_s
        self._kill_at: float | None = None
        with _output(request.log) as output, _held(request.lock) as locks:
            self._process = subprocess.Popen(
                request.command,
                env=request.environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C in the terminal is the starter's to pass on
                pass_fds=locks,
            )

    @property
    def pid(self) -> int:
        """Id of the trial's process."""
        return self._process.pid

    def poll(self) -> bool:
        """Whether it has ended; kills it when it has been asked to stop and takes too long."""
        if self._process.poll() is not None:
            return True
        if self._kill_at is not None and time.monotonic() > self._kill_at:
            self.kill()
        return False

    def stop(self) -> None:
        """Asks it to write a checkpoint and end; on Windows, where no process can ask, ends it.

        Only the run's own process is asked: a data loader's worker that got the signal too would
        be gone when the last step needs it.
        """
        if self._kill_at is None and self._process.poll() is None:
            self._kill_at = time.monotonic() + self._grace_s
            self._process.terminate()

    def kill(self) -> None:
        """Ends it and everything that it started, at once."""
        kill_tree(self._process.pid)

    def result(self) -> TrialResult:
        """Says how it ended; waits for the end."""
        code = self._process.wait()
        return read_result(
            self._request.folder, 128 - code if code < 0 else code, self._request.log
        )


@contextlib.contextmanager
def _output(log: Path | None) -> Any:
    if log is None:
        yield subprocess.DEVNULL
        return
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as stream:
        yield stream


@contextlib.contextmanager
def _held(lock: Path | None) -> Any:
    """Locks the file for the process that is started inside the block, and for as long as it lives.

    The lock belongs to the open file, which the process inherits; the operating system lets go of
    it when the process is gone, however it went. There is no such thing on Windows, where a run
    folder's own lock has to do.
    """
    if lock is None or os.name == "nt":
        yield ()
        return
    lock.parent.mkdir(parents=True, exist_ok=True)
    held = KernelLock(lock)
    if not held.take():
        raise UsageError(
            f"a trial still runs: {lock} is locked", fix="wait for it, or stop it: lab runs"
        )
    try:
        os.ftruncate(held.descriptor, 0)  # what it said of an earlier process
        yield (held.descriptor,)
    finally:
        held.close()
