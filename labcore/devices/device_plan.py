"""A decided device, and the environment that makes a framework see just that."""

import os
import sys
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Literal

from labcore.devices.inventory.gpu import Gpu
from labcore.devices.inventory.limits import available_cores
from labcore.devices.inventory.survey import visible_gpus
from labcore.devices.lease.desk import Lease, variables_for
from labcore.plugin import Framework, Requires

__all__ = ["DevicePlan", "make_plan", "threads_for"]

_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass(frozen=True, kw_only=True, slots=True)
class DevicePlan:
    """What a run computes on, and the environment that makes the framework see just that."""

    kind: Literal["cpu", "cuda"]
    index: int | None = None
    """Position of the (first) GPU in PCI bus order; None on a CPU."""
    uuid: str | None = None
    name: str = "CPU"
    memory_gb: float = 0.0
    """Memory of the GPU (the smallest, when there are several); 0 on a CPU."""
    compute_capability: float = 0.0
    reason: str = ""
    """Why this device, in a few words."""
    threads: int = 1
    """CPU threads of the framework."""
    env: dict[str, str] = field(default_factory=dict)
    """Environment variables that the framework's process needs."""
    uuids: tuple[str, ...] = ()
    """Every GPU of the run."""
    framework: Framework = "none"
    lease: Lease | None = field(default=None, compare=False)
    """What keeps other runs off the GPUs; None on a CPU, and for GPUs that are a parent's."""

    @property
    def torch_device(self) -> str:
        """``cpu``, or ``cuda:0``: a process sees only the GPUs of its run."""
        return "cpu" if self.kind == "cpu" else "cuda:0"

    def describe(self) -> str:
        """Returns one line for people."""
        threads = f"{self.threads} thread{'s' if self.threads != 1 else ''}"
        if self.kind == "cpu":
            return f"CPU, {threads} ({self.reason})"
        several = f"{len(self.uuids)} GPUs, first " if len(self.uuids) > 1 else ""
        return (
            f"{several}GPU {self.index}, {self.name}, {self.memory_gb:.0f} GB, {threads} "
            f"({self.reason})"
        )

    def apply(self) -> None:
        """Sets :attr:`env` in this process, and tells its children of the lease.

        Raises:
            RuntimeError: A framework that has already read one of the variables is loaded, and
                the variable would change: too late to have an effect.
        """
        late = [name for name, value in self.env.items() if self._is_late(name, value)]
        if late:
            raise RuntimeError(
                f"{', '.join(late)} cannot change any more: torch or tensorflow is already "
                "imported; apply the device plan first, or use a new process"
            )
        os.environ.update(self.env)
        if self.lease is not None:
            os.environ.update(variables_for(self.lease))

    def _is_late(self, name: str, value: str) -> bool:
        loaded = {module for module in ("torch", "tensorflow") if module in sys.modules}
        before = os.environ.get(name)
        if before == value or not loaded:
            return False
        if name == "CUDA_VISIBLE_DEVICES":
            return _has_looked_for_gpus(loaded) and _uuids(None) != _uuids(value)
        # The number of threads has a call of its own, and the GPUs are named by UUID.
        if name in {*_THREADS, "OMP_WAIT_POLICY", "CUDA_DEVICE_ORDER"}:
            return False
        return self.framework in loaded


def _has_looked_for_gpus(loaded: Collection[str]) -> bool:
    """Whether a framework knows its GPUs by now; torch asks for them when it first uses one."""
    return "tensorflow" in loaded or bool(sys.modules["torch"].cuda.is_initialized())


def _uuids(value: str | None) -> list[str]:
    environ = None if value is None else {"CUDA_VISIBLE_DEVICES": value}
    return [gpu.uuid for gpu in visible_gpus(environ)]


def threads_for(wanted: int, processes: int) -> int:
    """Returns the CPU threads of a process.

    Args:
        wanted: The user's option; 0 takes ``OMP_NUM_THREADS`` when set, else every core, shared
            among the run's processes.
        processes: Processes of the run on this machine.
    """
    value = os.environ.get("OMP_NUM_THREADS", "")
    by_variable = int(value) if value.isdecimal() else 0
    return wanted or by_variable or max(1, available_cores() // max(1, processes))


def make_plan(
    taken: Sequence[Gpu],
    requires: Requires,
    threads: int,
    reason: str,
    lease: Lease | None = None,
) -> DevicePlan:
    """Plans a run on GPUs, or with none on the CPU; all others are hidden."""
    uuids = tuple(gpu.uuid for gpu in taken)
    return DevicePlan(
        kind="cuda" if taken else "cpu",
        index=taken[0].index if taken else None,
        uuid=uuids[0] if taken else None,
        name=taken[0].name if taken else "CPU",
        memory_gb=min((gpu.memory_gb for gpu in taken), default=0.0),
        compute_capability=min((gpu.compute_capability for gpu in taken), default=0.0),
        reason=reason,
        threads=threads,
        env=_environment(",".join(uuids), requires, threads),
        uuids=uuids,
        framework=requires.framework,
        lease=lease,
    )


def _environment(visible: str, requires: Requires, threads: int) -> dict[str, str]:
    env = {
        "CUDA_DEVICE_ORDER": "PCI_BUS_ID",
        "CUDA_VISIBLE_DEVICES": visible,
        **dict.fromkeys(_THREADS, str(threads)),
        # Threads that wait by spinning take the cores from the data workers.
        "OMP_WAIT_POLICY": os.environ.get("OMP_WAIT_POLICY", "passive"),
    }
    if requires.framework == "tensorflow":
        env["TF_FORCE_GPU_ALLOW_GROWTH"] = os.environ.get("TF_FORCE_GPU_ALLOW_GROWTH", "true")
    return env | dict(requires.env)
