"""A trial in a process of this machine: its lock, a handle of it, and a fresh process for one.

A trial holds its lock for its whole life, and a note in the file says who it is. Whoever starts the
trial takes the lock before there is a process, and the process inherits it; so there is no moment
at which a trial lives and nobody can see it, even when its starter is killed. The kernel frees the
lock when the last process of the trial is gone.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

import psutil

from labcore.errors import UsageError
from labcore.record.locks import KernelLock
from labcore.record.process import ProcessId
from labcore.record.records import read_json
from labcore.sweeps.trial import TrialRequest, TrialResult, read_result, shows_life

__all__ = [
    "TrialProcess",
    "Word",
    "holder_of",
    "kill_group",
    "name_holder",
    "start_process",
    "trial_lock",
]

Word = int | Literal["waiting", "running"] | None
"""What a starter says of a trial: its exit code, that it is still to be started, that it is there,
or nothing."""

_TELLING_S = 0.5
"""How long after its end a starter may take to tell a trial's exit code."""


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
    return ProcessId.from_row(read_json(path))


def kill_group(holder: ProcessId, lock: Path | None) -> None:
    """Kills what a trial has left behind: the group that its process led (POSIX only).

    The number of a group is used again once all of it is gone. So nothing is sent unless a member
    is known: the process itself, which may be a zombie, or one that keeps the trial's lock open.

    Args:
        holder: The trial's process.
        lock: The trial's lock; without one no member can be known.
    """
    if lock is None or sys.platform == "win32":
        return
    # A zombie is nobody's heir: its number is its own until it is waited for.
    path = str(lock.resolve())
    if holder.is_zombie() or any(_keeps_open(path, pid, holder.pid) for pid in psutil.pids()):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(holder.pid, signal.SIGKILL)


def _keeps_open(path: str, pid: int, group: int) -> bool:
    """Whether a process is of a group and has a file open."""
    try:
        files = psutil.Process(pid).open_files() if os.getpgid(pid) == group else []
    except (OSError, psutil.Error):  # gone meanwhile
        return False
    return any(file.path == path for file in files)


class TrialProcess:
    """A handle of a trial.

    The one that started it may be dead, and may have been another process than this one (the
    worker, an earlier controller): then the trial's lock and its run folder say all that is needed.

    Args:
        request: What was asked for; it has a lock and a folder, unless ``process`` is known.
        ask: Asks the starter, while there is one.
        process: The trial's, where this process has started it.
    """

    where = ""

    def __init__(
        self,
        request: TrialRequest,
        ask: Callable[[], Word] = lambda: None,
        process: ProcessId | None = None,
    ) -> None:
        self._request = request
        self._ask = ask
        self._process = process
        self._exit_code: int | None = None
        self._is_asked = self._is_told = False

    @property
    def process(self) -> ProcessId | None:
        """The trial's process, once it is known."""
        if self._process is None and self._request.lock is not None:
            return holder_of(self._request.lock)
        return self._process

    def poll(self) -> bool:
        """Whether it has ended."""
        word = self._ask()
        if word is None and not shows_life(self._request.lock, self._request.folder):
            word = self._last_word()
            self._exit_code = word if isinstance(word, int) else None
            return True
        if isinstance(word, int):
            self._exit_code = word
            return True
        process = None if word == "waiting" else self.process
        if process is None:
            return False
        if word is None and process.presence() == "gone":
            kill_group(process, self._request.lock)  # data workers that outlive it keep the lock
        elif self._is_asked and not self._is_told:
            self._is_told = True
            process.send(signal.SIGTERM)
        return False

    def stop(self) -> None:
        """Has the next :meth:`poll` ask it to write a checkpoint and end.

        It is asked once, for a second signal would cut its checkpoint short; and as soon as it is
        known who is to be asked. Only the run's own process is: a data loader's worker that got the
        signal too would be gone when the last step needs it. On Windows no process can ask, and it
        is ended.
        """
        self._is_asked = True

    def kill(self) -> None:
        """Ends it at once, with all that it has started."""
        process = self.process
        if process is not None:
            process.kill_tree()
            kill_group(process, self._request.lock)

    def result(self) -> TrialResult:
        """Says how it ended."""
        return read_result(self._request.folder, self._exit_code, self._request.log)

    def _last_word(self) -> Word:
        """Asks the starter once more: the kernel frees a lock before the starter can tell."""
        deadline = time.monotonic() + _TELLING_S
        while (word := self._ask()) is None and time.monotonic() < deadline:
            time.sleep(0.01)
        return word


def start_process(
    request: TrialRequest, command: Sequence[str] = (), *, stdin: int = subprocess.DEVNULL
) -> TrialProcess:
    """Starts a trial in a process, and a session, of its own, which outlives its starter.

    The process inherits the trial's lock and the operating system lets go of it when the process is
    gone, however it went. There is no such thing on Windows, where a run folder's own lock does.

    Args:
        request: What to run.
        command: Runs it; a plain ``lab run`` when left out.
        stdin: As in :class:`subprocess.Popen`.

    Raises:
        UsageError: Another process still holds the trial's lock.
        OSError: The disk knows no locks.
    """
    lock = None
    if request.lock is not None and sys.platform != "win32":
        lock = trial_lock(request.lock)
        if lock is None:
            raise UsageError(
                f"a trial still runs: {request.lock} is locked",
                fix="wait for it, or stop it: lab runs",
            )
    log = request.log or Path(os.devnull)
    log.parent.mkdir(parents=True, exist_ok=True)
    try:
        with log.open("ab") as output:
            started = subprocess.Popen(
                command or request.command,
                env=request.environment(),
                stdin=stdin,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C in the terminal is the starter's to pass on
                pass_fds=() if lock is None else (lock.descriptor,),
            )
            process = ProcessId.of(started.pid)  # it is not waited for yet, so there is one
        if lock is not None:
            name_holder(lock.path, started.pid)
    finally:
        if lock is not None:
            lock.close()

    def ask() -> Word:
        code = started.poll()
        return "running" if code is None else code if code >= 0 else 128 - code

    return TrialProcess(request, ask, process)
