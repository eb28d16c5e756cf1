"""Ray: trials as detached actors, on a cluster of this machine or an existing one."""

import contextlib
import socket
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from labcore.errors import LabError, RequirementError, RunFailed
from labcore.sweeps.companion import Companion
from labcore.sweeps.launchers import ray_broker
from labcore.sweeps.launchers.notes import Job, Order, Place

__all__ = ["Node", "RayCluster", "check_reachable"]

_CONNECT_S = 120.0
_ANSWER_S = 60.0
_REACH_S = 5.0
_LOOK_S = 0.5
_VARIABLES = {
    "RAY_USAGE_STATS_ENABLED": "0",
    # A trial on the CPU says so itself; Ray would hide the GPUs and warn about it.
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}


class Node(NamedTuple):
    """A machine of the cluster."""

    cpus: int
    gpus: int


class RayCluster:
    """Runs trials through Ray; connects when it is made.

    Args:
        address: Of an existing cluster; empty starts one of this machine.
        num_cpus: Of a cluster of this machine.
        num_gpus: Of a cluster of this machine.
        log: Takes what Ray has to say.

    Raises:
        RequirementError: There is no such cluster.
    """

    def __init__(self, *, address: str, num_cpus: int, num_gpus: int, log: Path | None) -> None:
        self._setup = (address, num_cpus, num_gpus)
        self._address = address
        self._log = log
        self._names: set[str] = set()
        """Of the actors that there were at the last look."""
        self._looked = 0.0
        self._broker: Companion | None = None
        self.trial_cpus = 1
        self.trial_gpus = 0
        self.nodes: Sequence[Node] = self._connect()
        """Machines of the cluster, when it was connected to."""

    def submit(self, order: Order) -> Job:
        """Makes a detached actor; it waits for room by itself."""
        self._ask(ray_broker.submit, order, self.trial_cpus, self.trial_gpus)
        self._looked = 0.0  # there is another actor
        return Job(name=order.name)

    def is_gone(self, job: Job) -> bool:
        """Whether there is no such actor; all are asked for at once."""
        if not self._looked or time.monotonic() > self._looked + _LOOK_S:
            self._looked = time.monotonic()
            self._names = self._ask(ray_broker.alive)
        return job.name not in self._names

    def end(self, job: Job, place: Place | None, *, at_once: bool) -> None:
        """Lets the actor end its trial; one that waits for room is taken away."""
        self._ask(ray_broker.end, job.name, place is not None, at_once)

    def where(self, job: Job, place: Place | None) -> str:
        """Returns the machine."""
        if place is None:
            return "waits for Ray"
        return place.host if self._address else "ray"

    def advice(self, job: Job) -> str:
        """Says where to look when a trial never began."""
        return (
            "Ray ended its worker before the trial began; every node needs this Python "
            "environment, and the folders of sweep and runs on a disk that it sees"
        )

    def close(self, patience_s: float = _ANSWER_S) -> None:
        """Ends the broker, and a cluster that it started; Ray says good-bye to its processes."""
        broker, self._broker = self._broker, None
        if broker is not None:
            broker.close(patience_s)

    def _connect(self) -> Sequence[Node]:
        if self._address:
            check_reachable(self._address)
        self._broker = Companion(ray_broker.__name__, log=self._log, env=_VARIABLES)
        late: tuple[Any, str] = [], f"no answer within {_CONNECT_S:.0f} seconds"
        nodes, error = self._exchange(_CONNECT_S, ray_broker.connect, *self._setup) or late
        if error:
            self.close()
            raise _unreachable(self._address, error.partition(". ")[0])
        return [Node(*each) for each in nodes]

    def _ask(self, do: Callable[..., Any], *arguments: Any) -> Any:
        """Asks the broker; one that has died is replaced once.

        On an existing cluster the new one finds all actors. On one of this machine they died with
        it, and their trials wrote a checkpoint.
        """
        for _ in range(2):
            if self._broker is None:
                self._connect()
            if answer := self._exchange(_ANSWER_S, do, *arguments):
                break
            self.close(0.0)
        result, error = answer or (None, "its process has died twice")
        if error:
            raise RunFailed(
                f"Ray could not {do.__name__}: {error}",
                fix=f"see {self._log}; then go on: lab sweep --resume",
            )
        return result

    def _exchange(self, patience_s: float, *call: Any) -> tuple[Any, str] | None:
        """Returns what the broker answers; None when it has died, or takes too long."""
        assert self._broker is not None
        answer: tuple[Any, str] | None = None
        with contextlib.suppress(EOFError, OSError):
            self._broker.pipe.send(call)
            if self._broker.pipe.poll(patience_s):
                answer = self._broker.pipe.recv()
        return answer


def check_reachable(address: str) -> None:
    """Sees that something listens there; Ray would try for minutes.

    Args:
        address: ``auto`` or ``HOST:PORT``.

    Raises:
        RequirementError: Nothing does.
    """
    if address == "auto":
        return
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=_REACH_S).close()
    except OSError as error:
        raise _unreachable(address, error.strerror or str(error)) from None


def _unreachable(address: str, why: str) -> LabError:
    if not address:
        return RunFailed(f"Ray could not be started on this machine: {why}")
    return RequirementError(
        f"no Ray cluster answers at {address}: {why}",
        fix="start one: ray start --head, or leave --ray-address out to use this machine",
    )
