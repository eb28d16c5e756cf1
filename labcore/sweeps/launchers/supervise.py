"""What runs a trial on its machine: inside a worker of Ray, or as the job of Slurm.

The trial ends, after a checkpoint, when its supervisor is gone: a worker of Ray that was killed, a
job that was cut off. Otherwise it would go on where nobody knows of it, with the memory and the GPU
that the scheduler believes to be free. So it is tied by a pipe in place of its standard input,
whose other end the supervisor holds and never writes to.
"""

import dataclasses
import os
import runpy
import signal
import sys
import threading
import time

from labcore.errors import UsageError
from labcore.sweeps.launchers.notes import Notes, Order, Place
from labcore.sweeps.trial_process import TrialProcess, start_process

__all__ = ["Supervisor", "TrialActor", "become_tied_trial", "end_with", "supervise"]

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
        request = self._order.request
        code = f"from {__name__} import become_tied_trial as main; main()"
        command = [sys.executable, "-c", code, *request.words]
        tie, end = os.pipe()
        try:
            try:
                trial = start_process(request, command, stdin=tie)
            except OSError:  # the disk knows no locks
                request = dataclasses.replace(request, lock=None)
                trial = start_process(request, command, stdin=tie)
            return self._watch(trial, notes)
        except UsageError:  # another process holds the trial's lock
            return None
        finally:
            os.close(end)
            os.close(tie)

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
            _leave()


def _leave() -> None:
    """Ends this actor of Ray, which would otherwise report that its worker has crashed."""
    import ray

    ray.kill(ray.get_runtime_context().current_actor)


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


def become_tied_trial() -> None:
    """Does what ``lab`` does in the process that a supervisor has started."""
    # Slurm sends its warning to every process of a job; only the supervisor is to act on it.
    for number in (signal.SIGUSR1, signal.SIGUSR2):
        signal.signal(number, signal.SIG_IGN)
    tie, null = os.dup(0), os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    threading.Thread(target=end_with, args=(tie,), name="lab-tie", daemon=True).start()
    sys.argv[0] = "lab"
    runpy.run_module("labcore", run_name="__main__", alter_sys=True)


def end_with(tie: int) -> None:
    """Asks this process to end as soon as the other end of a pipe is closed; returns then."""
    os.read(tie, 1)
    os.kill(os.getpid(), signal.SIGTERM)
