"""What runs a trial on its machine: inside a worker of Ray, or as the job of Slurm."""

import dataclasses
import os
import signal
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Any

from labcore.errors import UsageError
from labcore.record.process import ProcessId
from labcore.sweeps.launchers.notes import Order, Place
from labcore.sweeps.launchers.tied import words_of
from labcore.sweeps.trial import TrialRequest
from labcore.sweeps.trial_process import ProcessTrial

__all__ = ["Supervisor", "supervise"]

_LOOK_S = 0.1
_TASK = ("SLURM_NTASKS", "SLURM_NPROCS", "SLURM_PROCID", "SLURM_LOCALID", "SLURM_NODEID")
"""What makes a process one of several that srun has started. A trial is none: when it computes on
several GPUs, it starts its own others."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _TiedRequest(TrialRequest):
    """A trial that ends when this process does."""

    @property
    def command(self) -> list[str]:
        return words_of(ProcessId.current(), self.words)


class Supervisor:
    """Runs one trial and writes down where it is and how it ended.

    Args:
        order: The trial.
    """

    def __init__(self, order: Order) -> None:
        self._order = order
        self._asked = threading.Event()
        self._killed = threading.Event()

    def stop(self) -> None:
        """Asks the trial to write a checkpoint and end."""
        self._asked.set()

    def kill(self) -> None:
        """Ends the trial at once."""
        self._killed.set()

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
        try:
            trial = _start(self._order.request)
        except UsageError:
            return None
        place = Place(name=self._order.name, owner=_process_of(trial).to_row())
        notes.write_place(place)
        while not trial.poll():
            if self._killed.is_set():
                trial.kill()
            elif self._asked.is_set():
                trial.stop()
            time.sleep(_LOOK_S)
        code = trial.result().exit_code
        notes.write_place(dataclasses.replace(place, exit_code=code))
        return code


def supervise(row: Mapping[str, Any]) -> int | None:
    """Runs a trial as the main thing of this process, heeding the signals of a scheduler.

    SIGUSR2 comes some time before the job's limit, SIGTERM when it is cancelled or makes room for
    another. Both let the trial write its checkpoint; the controller goes on with it in a new job.
    To put this one back into the queue would be as good only as long as the queue allows it, and
    would leave two who think of starting the trial.

    Args:
        row: An :class:`Order` as JSON.

    Returns:
        The trial's exit code; None when it was not started.
    """
    supervisor = Supervisor(Order.from_json(row))
    with _heeding(supervisor):
        return supervisor.run()


@contextmanager
def _heeding(supervisor: Supervisor) -> Iterator[None]:
    def stop(number: int, frame: FrameType | None) -> None:
        supervisor.stop()

    names = ("SIGTERM", "SIGUSR1", "SIGUSR2", "SIGINT")
    numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]
    previous = {number: signal.signal(number, stop) for number in numbers}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _start(request: TrialRequest) -> ProcessTrial:
    """Starts the trial with its lock held, where the disk knows locks.

    Raises:
        UsageError: Another process holds the lock.
    """
    fields = {each.name: getattr(request, each.name) for each in dataclasses.fields(request)}
    try:
        return ProcessTrial(_TiedRequest(**fields))
    except OSError:
        return ProcessTrial(_TiedRequest(**{**fields, "lock": None}))


def _process_of(trial: ProcessTrial) -> ProcessId:
    process = ProcessId.of(trial.pid)
    assert process is not None, "a child has its number until it is waited for"
    return process
