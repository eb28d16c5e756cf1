"""A trial that runs in a process of this machine, whoever started it."""

import signal
import time
from collections.abc import Callable
from typing import Literal

from labcore.sweeps.agents.lock import holder_of, is_held, kill_group
from labcore.sweeps.trial import TrialRequest, TrialResult, read_result, says_it_runs

__all__ = ["TrialProcess", "Word"]

Word = int | Literal["waiting"] | None
"""What a starter says of a trial: its exit code, that it is still to be started, or nothing."""

_TELLING_S = 0.5
"""How long after its end a starter may take to tell a trial's exit code."""


class TrialProcess:
    """A handle of a trial.

    The one that started it may be dead, and may have been another process than this one (the
    worker, an earlier controller): the trial's lock and its run folder say all that is needed.

    Args:
        request: What was asked for; it has a lock and a folder.
        ask: Asks the starter, while there is one.
    """

    where = ""

    def __init__(self, request: TrialRequest, ask: Callable[[], Word] = lambda: None) -> None:
        assert request.lock is not None
        self.request = request
        self._lock = request.lock
        self._ask = ask
        self._exit_code: int | None = None
        self._owed: int | None = None
        """A signal to be sent as soon as it is known to whom."""

    def poll(self) -> bool:
        """Whether it has ended."""
        word = self._ask()
        if word is None and not is_held(self._lock) and not says_it_runs(self.request.folder):
            word = self._last_word()
            self._exit_code = word if isinstance(word, int) else None
            return True
        if isinstance(word, int):
            self._exit_code = word
            return True
        if word == "waiting":
            return False
        holder = holder_of(self._lock)
        if holder is None:
            return False
        if holder.presence() == "gone":
            kill_group(holder, self._lock)  # data workers that outlive it keep the lock
        elif self._owed is not None:
            number, self._owed = self._owed, None
            holder.send(number)
        return False

    def _last_word(self) -> Word:
        """Asks the starter once more: the kernel frees a lock before the starter can tell."""
        deadline = time.monotonic() + _TELLING_S
        word = self._ask()
        while word is None and time.monotonic() < deadline:
            time.sleep(0.01)
            word = self._ask()
        return word

    def stop(self) -> None:
        """Asks it to write a checkpoint and end."""
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """Ends it at once, with all that it has started."""
        holder = holder_of(self._lock)
        if holder is not None:
            holder.kill_tree()
            kill_group(holder, self._lock)

    def result(self) -> TrialResult:
        """Says how it ended."""
        return read_result(self.request.folder, self._exit_code, self.request.log)

    def _signal(self, number: int) -> None:
        holder = holder_of(self._lock)
        if holder is None:
            self._owed = number
        else:
            holder.send(number)
