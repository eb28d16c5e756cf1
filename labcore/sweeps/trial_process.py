"""A trial in a process of this machine: a handle of it, and a fresh process for one."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

from labcore.errors import UsageError
from labcore.record.locks import is_held
from labcore.record.process import ProcessId
from labcore.sweeps.trial import TrialRequest, TrialResult, read_result, says_it_runs
from labcore.sweeps.trial_lock import holder_of, kill_group, name_holder, trial_lock

__all__ = ["TrialProcess", "Word", "start_process"]

Word = int | Literal["waiting", "running"] | None
"""What a starter says of a trial: its exit code, that it is still to be started, that it is there,
or nothing."""

_TELLING_S = 0.5
"""How long after its end a starter may take to tell a trial's exit code."""


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
        if word is None and not self._shows_life():
            word = self._last_word()
            self._exit_code = word if isinstance(word, int) else None
            return True
        if isinstance(word, int):
            self._exit_code = word
            return True
        if word is None and (process := self.process) and process.presence() == "gone":
            self._kill_rest(process)  # data workers that outlive it keep the lock
        elif word != "waiting" and self._is_asked:
            self._tell()
        return False

    def stop(self) -> None:
        """Asks it to write a checkpoint and end; on Windows, where no process can ask, ends it.

        It is asked once, for a second signal would cut its checkpoint short; and as soon as it is
        known who is to be asked. Only the run's own process is: a data loader's worker that got the
        signal too would be gone when the last step needs it.
        """
        self._is_asked = True
        if self._ask() != "waiting":
            self._tell()

    def kill(self) -> None:
        """Ends it at once, with all that it has started."""
        process = self.process
        if process is not None:
            process.kill_tree()
            self._kill_rest(process)

    def result(self) -> TrialResult:
        """Says how it ended."""
        return read_result(self._request.folder, self._exit_code, self._request.log)

    def _shows_life(self) -> bool:
        lock = self._request.lock
        return (lock is not None and is_held(lock)) or says_it_runs(self._request.folder)

    def _last_word(self) -> Word:
        """Asks the starter once more: the kernel frees a lock before the starter can tell."""
        deadline = time.monotonic() + _TELLING_S
        word = self._ask()
        while word is None and time.monotonic() < deadline:
            time.sleep(0.01)
            word = self._ask()
        return word

    def _tell(self) -> None:
        process = self.process
        if process is not None and not self._is_told:
            self._is_told = True
            process.send(signal.SIGTERM)

    def _kill_rest(self, process: ProcessId) -> None:
        if self._request.lock is not None:
            kill_group(process, self._request.lock)


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
