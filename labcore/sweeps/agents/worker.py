"""The warm worker: a process that imports what every trial imports, and forks for each.

It reads one JSON object a line from its standard input and writes them to its standard output::

    -> {"plugin": "musicvae", "overrides": [...]}    once, first
    <- {"ready": true}
    -> {"start": {...}}                  a TrialRequest
    <- {"started": 7, "pid": 4711}       or {"busy": 7}: it runs already
    <- {"ended": 7, "code": 0}           128 + signal when a signal ended it

When its input ends (the controller is gone, or done) it exits; the trials go on.
"""

import json
import os
import select
import signal
import sys
from typing import Any, NoReturn

from labcore.record.process import ProcessId
from labcore.sweeps.agents.child import become_trial
from labcore.sweeps.agents.lock import kill_group, name_holder, trial_lock
from labcore.sweeps.agents.preload import preload
from labcore.sweeps.trial import TrialRequest

__all__ = ["Worker", "main"]


class Worker:
    """Starts trials and tells of their ends.

    Args:
        out: Descriptor for what it says.
    """

    def __init__(self, out: int) -> None:
        self._out = out
        self._trials: dict[int, TrialRequest] = {}
        """Process id to trial."""

    def serve(self, source: int) -> None:
        """Takes orders until there are no more.

        Args:
            source: Descriptor to read them from.
        """
        woken, wake = os.pipe()
        os.set_blocking(woken, False)
        os.set_blocking(wake, False)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        self.say({"ready": True})
        pending = b""
        while True:
            # The timeout is for a SIGCHLD that came just before.
            ready, _, _ = select.select([source, woken], [], [], 1.0)
            if woken in ready:
                os.read(woken, 4096)
            self._reap()
            if source not in ready:
                continue
            data = os.read(source, 65536)
            if not data:
                return
            *lines, pending = (pending + data).split(b"\n")
            for line in lines:
                self._start(TrialRequest.from_json(json.loads(line)["start"]))

    def say(self, event: dict[str, Any]) -> None:
        """Tells the controller something; that it is gone is found out elsewhere."""
        try:
            os.write(self._out, json.dumps(event).encode() + b"\n")
        except BrokenPipeError:
            return

    def _start(self, request: TrialRequest) -> None:
        assert request.lock is not None, "the controller gives every trial a lock"
        lock = trial_lock(request.lock)
        if lock is None:
            self.say({"busy": request.number})
            return
        pid = self._fork(request)
        name_holder(request.lock, pid)
        lock.close()
        self._trials[pid] = request
        self.say({"started": request.number, "pid": pid})

    def _fork(self, request: TrialRequest) -> int:
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        if pid == 0:
            os.close(self._out)
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
            self.say({"ended": request.number, "code": code if code >= 0 else 128 - code})


def main() -> NoReturn:
    """Serves the controller that started this process."""
    # Whatever an imported module prints must not get between the events.
    out = os.dup(1)
    os.set_inheritable(out, False)
    os.dup2(2, 1)
    setup = json.loads(_first_line(0))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    preload(setup["plugin"], setup["overrides"])
    Worker(out).serve(0)
    # No finalisation: it would take as long as the frameworks like, and there is nothing to save.
    os._exit(0)


def _first_line(source: int) -> bytes:
    """Reads a line and nothing of what follows."""
    line = b""
    while not line.endswith(b"\n"):
        byte = os.read(source, 1)
        if not byte:
            sys.exit(0)
        line += byte
    return line


if __name__ == "__main__":
    main()
