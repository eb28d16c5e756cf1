"""Ray: trials as detached actors, on a cluster of this machine or an existing one."""

import json
import os
import select
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from labcore.errors import LabError, RequirementError, RunFailed
from labcore.sweeps.launchers.handle import JobState
from labcore.sweeps.launchers.notes import Job, Order, Place

__all__ = ["Node", "RayCluster", "check_reachable"]

_CONNECT_S = 120.0
_ANSWER_S = 60.0
_REACH_S = 5.0
_LOOK_S = 0.5


@dataclass(frozen=True, kw_only=True, slots=True)
class Node:
    """A machine of the cluster."""

    host: str
    cpus: int
    gpus: int


class _BrokerGoneError(Exception):
    """The broker has died, or does not answer."""


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
        self._setup = {"address": address, "num_cpus": num_cpus, "num_gpus": num_gpus}
        self._address = address
        self._log = log
        self._names: set[str] = set()
        """Jobs whose actors there were at the last look."""
        self._looked = 0.0
        self._broker: subprocess.Popen[bytes] | None = None
        self._pending = b""
        self.trial_cpus = 1
        self.trial_gpus = 0
        self.nodes: Sequence[Node] = self._connect()
        """Machines of the cluster, when it was connected to."""

    def submit(self, order: Order) -> Job:
        """Makes a detached actor; it waits for room by itself."""
        need = {"num_cpus": self.trial_cpus, "num_gpus": self.trial_gpus}
        self._ask({"do": "submit", "order": order.to_json(), **need})
        self._names.add(order.name)
        return Job(name=order.name)

    def state(self, job: Job) -> JobState:
        """Says whether the actor is there; all are asked for at once."""
        is_new = job.name not in self._names
        self._names.add(job.name)
        if is_new or time.monotonic() > self._looked + _LOOK_S:
            self._looked = time.monotonic()
            self._names = set(self._ask({"do": "alive", "names": sorted(self._names)})["alive"])
        return "running" if job.name in self._names else "gone"

    def stop(self, job: Job, place: Place | None) -> None:
        """Lets the actor ask its trial; one that waits for room is taken away."""
        self._ask({"do": "withdraw" if place is None else "stop", "name": job.name})

    def kill(self, job: Job, place: Place | None) -> None:
        """Lets the actor kill its trial."""
        self._ask({"do": "withdraw" if place is None else "kill", "name": job.name})

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

    def close(self) -> None:
        """Ends the broker, and a cluster that it started; Ray says good-bye to its processes."""
        broker, self._broker = self._broker, None
        if broker is None:
            return
        assert broker.stdin is not None
        assert broker.stdout is not None
        broker.stdin.close()
        try:
            broker.wait(timeout=_ANSWER_S)
        except subprocess.TimeoutExpired:
            broker.kill()
            broker.wait()
        broker.stdout.close()

    def _connect(self) -> Sequence[Node]:
        if self._address:
            check_reachable(self._address)
        self._start_broker()
        try:
            answer = self._exchange({"do": "connect", **self._setup}, _CONNECT_S)
        except _BrokerGoneError:
            answer = {"error": f"no answer within {_CONNECT_S:.0f} seconds"}
        if "error" in answer:
            self.close()
            raise _unreachable(self._address, answer["error"].partition(". ")[0])
        return [Node(**row) for row in answer["nodes"]]

    def _ask(self, row: dict[str, Any]) -> dict[str, Any]:
        """Asks the broker; one that has died is replaced once.

        On an existing cluster the new one finds all actors. On one of this machine they died with
        it, and their trials wrote a checkpoint.
        """
        try:
            if self._broker is None:
                self._connect()
            answer = self._exchange(row, _ANSWER_S)
        except _BrokerGoneError:
            self._bury()
            self._connect()
            try:
                answer = self._exchange(row, _ANSWER_S)
            except _BrokerGoneError:
                self._bury()
                answer = {"error": "its process has died twice"}
        if "error" in answer:
            raise RunFailed(
                f"Ray could not {row['do']}: {answer['error']}",
                fix=f"see {self._log}; then go on: lab sweep --resume",
            )
        return answer

    def _start_broker(self) -> None:
        variables = {
            "RAY_USAGE_STATS_ENABLED": "0",
            # A trial on the CPU says so itself; Ray would hide the GPUs and warn about it.
            "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
        }
        stream = subprocess.DEVNULL if self._log is None else self._log.open("ab")
        try:
            self._broker = subprocess.Popen(
                [sys.executable, "-m", "labcore.sweeps.launchers.ray_broker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stream,
                env={**os.environ, **variables},
                start_new_session=True,
                bufsize=0,
            )
        finally:
            if not isinstance(stream, int):
                stream.close()
        self._pending = b""

    def _exchange(self, row: dict[str, Any], patience_s: float) -> dict[str, Any]:
        assert self._broker is not None
        assert self._broker.stdin is not None
        try:
            self._broker.stdin.write(json.dumps(row).encode() + b"\n")
        except BrokenPipeError:
            raise _BrokerGoneError from None
        answer: dict[str, Any] = json.loads(self._line(time.monotonic() + patience_s))
        return answer

    def _line(self, deadline: float) -> bytes:
        assert self._broker is not None
        assert self._broker.stdout is not None
        descriptor = self._broker.stdout.fileno()
        while b"\n" not in self._pending:
            left = deadline - time.monotonic()
            ready, _, _ = select.select([descriptor], [], [], max(0.0, left))
            data = os.read(descriptor, 65536) if ready else b""
            if not data:
                raise _BrokerGoneError
            self._pending += data
        line, _, self._pending = self._pending.partition(b"\n")
        return line

    def _bury(self) -> None:
        broker, self._broker = self._broker, None
        if broker is None:
            return
        broker.kill()
        broker.wait()
        for stream in (broker.stdin, broker.stdout):
            if stream is not None:
                stream.close()


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
