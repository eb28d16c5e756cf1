"""Hands trials over to a scheduler, and finds those that an earlier controller handed over."""

import dataclasses
import os
import secrets
from collections.abc import Mapping

from labcore.record.redaction import is_secret_name
from labcore.sweeps.launchers.handle import Cluster, RemoteTrial
from labcore.sweeps.launchers.notes import Job, Notes, Order
from labcore.sweeps.trial import TrialRequest

__all__ = ["RemoteStarter", "carried"]

_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


class RemoteStarter:
    """Starts trials through a cluster.

    Args:
        cluster: The scheduler.
        env: Variables that the framework reads when it is imported.
    """

    def __init__(self, cluster: Cluster, *, env: Mapping[str, str] | None = None) -> None:
        self._cluster = cluster
        self._env = dict(env or {})

    def start(self, request: TrialRequest) -> RemoteTrial:
        """Hands a trial over; its name is written down first, so that no other is lost sight of."""
        assert request.lock is not None, "the controller gives every trial a lock"
        name = f"{request.sweep}-{request.number:04}-{secrets.token_hex(4)}"
        notes = Notes(request.lock)
        notes.write_job(Job(name=name))
        threads = dict.fromkeys(_THREADS, str(request.threads))
        env = {**carried(os.environ), "OMP_WAIT_POLICY": "passive", **threads, **self._env}
        request = dataclasses.replace(request, env={**env, **request.env})
        job = self._cluster.submit(Order.make(name, request))
        notes.write_job(job)
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
