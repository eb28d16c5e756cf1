"""Trials that run on other machines, seen from the controller: handed over, found again, ended."""

import contextlib
import dataclasses
import math
import os
import secrets
import time
from collections.abc import Mapping
from typing import Protocol

from labcore.record.files import disk_time
from labcore.record.redaction import is_secret_name
from labcore.sweeps.launchers.notes import Job, Notes, Order, Place
from labcore.sweeps.trial import (
    TrialRequest,
    TrialResult,
    read_result,
    shows_life,
    thread_variables,
)

__all__ = ["Cluster", "RemoteStarter", "RemoteTrial", "carried"]

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

    def is_gone(self, job: Job) -> bool:
        """Whether a job neither waits nor runs; False when the scheduler cannot be asked now."""

    def end(self, job: Job, place: Place | None, *, at_once: bool) -> None:
        """Asks a job to write its checkpoint and end, or ends it at once.

        One that has not started its trial, and so has no place, is withdrawn.
        """

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
        if not self._has_ended and now >= self._next_look:
            self._next_look = now + _LOOK_S
            self._has_ended = self._look(now)
        return self._has_ended

    def _look(self, now: float) -> bool:
        self._read_place()
        if self._place is not None and self._place.exit_code is not None:
            return True
        is_gone = self._job is None or self._cluster.is_gone(self._job)
        if not is_gone or shows_life(self._request.lock, self._request.folder):
            self._gone_since = math.inf
            return False
        self._gone_since = min(self._gone_since, now)
        with contextlib.suppress(OSError):
            disk_time(self._lock.parent)
        return self._job is None or now - self._gone_since > _ARRIVAL_S

    def _read_place(self) -> None:
        if self._job is not None:
            self._place = Notes(self._lock).read_place(self._job.name)

    def stop(self, *, at_once: bool = False) -> None:
        """Asks it to write a checkpoint and end."""
        if self._job is not None:
            self._read_place()
            self._cluster.end(self._job, self._place, at_once=at_once)

    def kill(self) -> None:
        """Ends it at once."""
        self.stop(at_once=True)

    def result(self) -> TrialResult:
        """Says how it ended."""
        code = None if self._place is None else self._place.exit_code
        result = read_result(self._request.folder, code, self._request.log)
        if result.state == "not started" and self._place is None and self._job is not None:
            return dataclasses.replace(result, error=self._cluster.advice(self._job))
        return result


class RemoteStarter:
    """Hands trials over to a scheduler, and finds those that an earlier controller handed over.

    Args:
        cluster: The scheduler.
        threads: CPU threads of each trial.
        env: Variables that the framework reads when it is imported.
    """

    def __init__(self, cluster: Cluster, *, threads: int, env: Mapping[str, str]) -> None:
        self._cluster = cluster
        self._env = {**thread_variables(threads), **env}

    def start(self, request: TrialRequest) -> RemoteTrial:
        """Hands a trial over; its name is written down first, so that no other is lost sight of."""
        assert request.lock is not None, "the controller gives every trial a lock"
        name = f"{request.sweep}-{request.number:04}-{secrets.token_hex(4)}"
        notes = Notes(request.lock)
        notes.write(Job(name=name))
        env = {**carried(os.environ), **self._env, **request.env}
        request = dataclasses.replace(request, env=env)
        folder = os.getcwd()  # noqa: PTH109  # text is sent
        job = self._cluster.submit(Order(name=name, request=request, folder=folder))
        notes.write(job)
        return RemoteTrial(request, self._cluster, job)

    def adopt(self, request: TrialRequest) -> RemoteTrial:
        """Finds a trial that an earlier controller handed over, whatever has become of it."""
        assert request.lock is not None
        return RemoteTrial(request, self._cluster, Notes(request.lock).read_job())

    def close(self) -> None:
        """Lets the cluster go; trials under way go on where it lives longer than this process."""
        self._cluster.close()


def carried(environ: Mapping[str, str]) -> dict[str, str]:
    """Returns the variables that a trial needs on whichever machine it runs.

    Secrets stay here: what is handed over is written to files and sent through the network.
    """
    return {
        name: value
        for name, value in environ.items()
        if (name.startswith("LAB_") or name == "PYTHONPATH") and not is_secret_name(name)
    }
