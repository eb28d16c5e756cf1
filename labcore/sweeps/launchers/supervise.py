"""What runs a trial on its machine: inside a worker of Ray, or as the job of Slurm."""

import contextlib
import dataclasses
import os
import signal
import sys
import threading
import time

from labcore.errors import UsageError
from labcore.sweeps.launchers.notes import Notes, Order, Place
from labcore.sweeps.trial_process import TrialProcess, start_process

__all__ = ["Supervisor", "TrialActor", "supervise"]

_LOOK_S = 0.1
_TASK = ("SLURM_NTASKS", "SLURM_NPROCS", "SLURM_PROCID", "SLURM_LOCALID", "SLURM_NODEID")
"""What makes a process one of several that srun has started. A trial is none: when it computes on
several GPUs, it starts its own others."""


class Supervisor:
    """Runs one trial and writes down where it is and how it ended.

    Args:
        order: The trial.
    """

    def __init__(self, order: Order) -> None:
        self._order = order
        self._is_asked = self._is_killed = False

    def end(self, *, at_once: bool = False) -> None:
        """Asks the trial to write a checkpoint and end, or ends it at once."""
        self._is_asked = True
        self._is_killed = self._is_killed or at_once

    def run(self) -> int | None:
        """Runs the trial to its end.

        Returns:
            Its exit code; None when it was not started, because another job has it.
        """
        notes = self._order.notes
        job = notes.read_job()
        if job is None or job.name != self._order.name:
            return None
        os.chdir(self._order.folder)
        for name in _TASK:
            os.environ.pop(name, None)
        tie, end = os.pipe()
        try:
            return self._watch(self._start(tie), notes)
        except UsageError:
            return None
        finally:
            os.close(end)
            os.close(tie)

    def _start(self, tie: int) -> TrialProcess:
        """Starts the trial with its lock held, where the disk knows locks.

        Raises:
            UsageError: Another process holds the lock.
        """
        request = self._order.request
        command = [sys.executable, "-m", "labcore.sweeps.launchers.tied", *request.words]
        with contextlib.suppress(OSError):
            return start_process(request, command, stdin=tie)
        request = dataclasses.replace(request, lock=None)
        return start_process(request, command, stdin=tie)

    def _watch(self, trial: TrialProcess, notes: Notes) -> int | None:
        assert trial.process is not None, "a child has its number until it is waited for"
        place = Place(name=self._order.name, owner=trial.process)
        notes.write(place)
        while not trial.poll():
            if self._is_killed:
                trial.kill()
            elif self._is_asked:
                trial.stop()
            time.sleep(_LOOK_S)
        code = trial.result().exit_code
        notes.write(dataclasses.replace(place, exit_code=code))
        return code


class TrialActor(Supervisor):
    """A supervisor as an actor of Ray, on whichever node has room for it.

    It works from the moment it is made, since whoever made it may be gone when there is room for it
    at last; and ends with its trial: an actor that is detached would keep CPUs and GPUs for ever.
    """

    def __init__(self, order: Order) -> None:
        super().__init__(order)
        threading.Thread(target=self._work, name="lab-supervisor", daemon=True).start()

    def _work(self) -> None:
        try:
            self.run()
        finally:
            os._exit(0)


def supervise(order: Order) -> int | None:
    """Runs a trial as the main thing of this process, heeding the signals of a scheduler.

    SIGUSR2 comes some time before the job's limit, SIGTERM when it is cancelled or makes room for
    another. Both let the trial write its checkpoint; the controller goes on with it in a new job.
    To put this one back into the queue would be as good only as long as the queue allows it, and
    would leave two who think of starting the trial.

    Args:
        order: The trial.

    Returns:
        The trial's exit code; None when it was not started.
    """
    supervisor = Supervisor(order)
    for number in (signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2, signal.SIGINT):
        signal.signal(number, lambda number, frame: supervisor.end())
    return supervisor.run()
