"""The warm worker: a process that imports what every trial imports, and forks for each.

Through its pipe come the plugin and the overrides of all trials, once, and then a
:class:`TrialRequest` for each trial. Back go numbers of trials with what is to be said of them::

    {}             it is ready
    {7: None}      trial 7 was started, or runs already: its lock has to tell
    {7: 0}         it has ended; 128 + signal when a signal ended it

When the pipe breaks (the controller is gone, or done) it exits; the trials go on.
"""

import os
import signal
import sys
from multiprocessing.connection import Connection, wait
from typing import NoReturn

from labcore.record.process import ProcessId
from labcore.sweeps.agents.child import become_trial
from labcore.sweeps.agents.preload import preload
from labcore.sweeps.companion import pipe_to_starter
from labcore.sweeps.trial import TrialRequest
from labcore.sweeps.trial_lock import kill_group, name_holder, trial_lock
from labcore.sweeps.trial_process import Word

__all__ = ["Worker", "main"]


class Worker:
    """Starts trials and tells of their ends.

    Args:
        pipe: To the controller.
    """

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self._trials: dict[int, TrialRequest] = {}
        """Process id to trial."""

    def serve(self) -> None:
        """Takes orders until there are no more."""
        woken, wake = os.pipe()
        os.set_blocking(woken, False)
        os.set_blocking(wake, False)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        self._say({})
        while True:
            # The timeout is for a SIGCHLD that came just before.
            ready = wait([self._pipe, woken], timeout=1.0)
            if woken in ready:
                os.read(woken, 4096)
            self._reap()
            if self._pipe in ready:
                try:
                    self._start(self._pipe.recv())
                except (EOFError, ConnectionError):
                    return

    def _say(self, event: dict[int, Word]) -> None:
        """Tells the controller something; that it is gone is found out elsewhere."""
        try:
            self._pipe.send(event)
        except ConnectionError:
            return

    def _start(self, request: TrialRequest) -> None:
        assert request.lock is not None, "the controller gives every trial a lock"
        lock = trial_lock(request.lock)
        if lock is not None:
            pid = self._fork(request)
            name_holder(request.lock, pid)
            lock.close()
            self._trials[pid] = request
        self._say({request.number: None})

    def _fork(self, request: TrialRequest) -> int:
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        if pid == 0:
            self._pipe.close()
            become_trial(request)
        return pid

    def _reap(self) -> None:
        for pid, request in list(self._trials.items()):
            # Its number is its own until it has been waited for, so the group is cleared first.
            end = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            if end is None:
                continue
            if end.si_code != os.CLD_EXITED:
                trial = ProcessId.of(pid)
                if trial is not None and request.lock is not None:
                    # Data workers that outlive it would keep its lock and memory.
                    kill_group(trial, request.lock)
            code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
            del self._trials[pid]
            self._say({request.number: code if code >= 0 else 128 - code})


def main() -> NoReturn:
    """Serves the controller that started this process."""
    pipe = pipe_to_starter()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        plugin, overrides = pipe.recv()
        preload(plugin, overrides)
        Worker(pipe).serve()
    except (EOFError, ConnectionError):  # the controller is gone
        pass
    # No finalisation: it would take as long as the frameworks like, and there is nothing to save.
    os._exit(0)
