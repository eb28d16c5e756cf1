"""A trial that runs on another machine, seen from the controller."""

import contextlib
import dataclasses
import math
import time
from typing import Literal, Protocol

from labcore.record.files import disk_time
from labcore.sweeps.agents.lock import is_held
from labcore.sweeps.launchers.notes import Job, Notes, Order, Place
from labcore.sweeps.trial import TrialRequest, TrialResult, read_result, says_it_runs

__all__ = ["Cluster", "JobState", "RemoteTrial"]

JobState = Literal["waiting", "running", "gone", "unknown"]
"""As the scheduler has it; ``unknown`` when it cannot be asked now."""

_LOOK_S = 0.5
_ARRIVAL_S = 2.0
"""How long the last words of a job may take to get here through a shared disk.

They are on the server before the job ends. What would keep them from here for longer, up to 60 s on
NFS, is this host's memory of names that were missing; :func:`labcore.record.files.disk_time` ends
it.
"""


class Cluster(Protocol):
    """A scheduler that runs trials."""

    def submit(self, order: Order) -> Job:
        """Hands a trial over and returns at once."""

    def state(self, job: Job) -> JobState:
        """Says how a job stands."""

    def stop(self, job: Job, place: Place | None) -> None:
        """Asks a job to write its checkpoint and end; one that has not started is withdrawn."""

    def kill(self, job: Job, place: Place | None) -> None:
        """Ends a job at once."""

    def where(self, job: Job, place: Place | None) -> str:
        """Says in a few words where a job is."""

    def advice(self, job: Job) -> str:
        """Says where to look when a job ended and its trial never began."""

    def close(self) -> None:
        """Lets go of what it holds."""


class RemoteTrial:
    """A handle of a trial that was handed over, by this controller or an earlier one.

    A trial has ended when its place says so; or when its job is gone and there is no sign of life:
    neither is its lock held, nor does its run's status say that it is alive.

    Args:
        request: What was asked for; it has a lock and a folder.
        cluster: Runs it.
        job: How it was handed over; None when no trace of that is left.
    """

    def __init__(self, request: TrialRequest, cluster: Cluster, job: Job | None) -> None:
        assert request.lock is not None
        self._request = request
        self._lock = request.lock
        self._notes = Notes(request.lock)
        self._cluster = cluster
        self._job = job
        self._place: Place | None = None
        self._next_look = 0.0
        self._gone_since = math.inf
        self._has_ended = False

    @property
    def where(self) -> str:
        """Where it is, in a few words."""
        return "" if self._job is None else self._cluster.where(self._job, self._place)

    def poll(self) -> bool:
        """Whether it has ended; looks twice a second at most."""
        now = time.monotonic()
        if self._has_ended or now < self._next_look:
            return self._has_ended
        self._next_look = now + _LOOK_S
        self._has_ended = self._look(now)
        return self._has_ended

    def _look(self, now: float) -> bool:
        if self._job is not None:
            self._place = self._notes.read_place(self._job.name)
            if self._place is not None and self._place.exit_code is not None:
                return True
        if (self._job is not None and self._cluster.state(self._job) != "gone") or self._lives():
            self._gone_since = math.inf
            return False
        self._gone_since = min(self._gone_since, now)
        with contextlib.suppress(OSError):
            disk_time(self._lock.parent)
        return self._job is None or now - self._gone_since > _ARRIVAL_S

    def _lives(self) -> bool:
        try:
            if is_held(self._lock):
                return True
        except OSError:  # the disk knows no locks
            pass
        return says_it_runs(self._request.folder)

    def stop(self) -> None:
        """Asks it to write a checkpoint and end."""
        if self._job is not None:
            self._cluster.stop(self._job, self._notes.read_place(self._job.name))

    def kill(self) -> None:
        """Ends it at once."""
        if self._job is not None:
            self._cluster.kill(self._job, self._notes.read_place(self._job.name))

    def result(self) -> TrialResult:
        """Says how it ended."""
        code = None if self._place is None else self._place.exit_code
        result = read_result(self._request.folder, code, self._request.log)
        if result.state == "not started" and self._place is None and self._job is not None:
            return dataclasses.replace(result, error=self._cluster.advice(self._job))
        return result
