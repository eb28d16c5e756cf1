"""Where a run computes, decided and put into the environment before a framework is imported."""

import os
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from labcore.devices.cores import available_cores
from labcore.devices.inventory import Gpu, gpus, visible_gpus
from labcore.errors import RequirementError, UsageError
from labcore.plugin import Framework, Requires

__all__ = ["DevicePlan", "meets", "plan"]

_TO_CPU = "compute on the CPU: device=cpu"
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
        """Sets :attr:`env` in this process.

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

    def _is_late(self, name: str, value: str) -> bool:
        loaded = {module for module in ("torch", "tensorflow") if module in sys.modules}
        before = os.environ.get(name)
        if before == value or not loaded:
            return False
        if name == "CUDA_VISIBLE_DEVICES":
            return visible_gpus() != visible_gpus({name: value})
        # The number of threads has a call of its own, and the GPUs are named by UUID.
        if name in {*_THREADS, "OMP_WAIT_POLICY", "CUDA_DEVICE_ORDER"}:
            return False
        return self.framework in loaded


def plan(request: str, requires: Requires, threads: int = 0, *, count: int = 0) -> DevicePlan:
    """Decides where a run computes. Imports no framework, and changes nothing yet.

    ``auto`` takes the GPU with the most free memory among those that have the memory the plugin
    declares for its paper preset, else the largest smaller one, else the CPU. GPUs that
    ``CUDA_VISIBLE_DEVICES`` hides do not exist.

    Args:
        request: ``auto``, ``cpu``, ``cuda``, or ``cuda:N`` (the N-th visible GPU).
        requires: What the plugin needs.
        threads: CPU threads of a process; 0 takes ``OMP_NUM_THREADS`` when set, else every core,
            shared among the run's processes.
        count: Processes of the run on this machine, each with a GPU of its own when it runs on
            GPUs; 0 takes the plugin's ``num_gpus`` or as many as there are.

    Raises:
        UsageError: ``request`` is none of these, or there is no such GPU.
        RequirementError: A GPU is asked for or needed and none will do, or there are too few.
    """
    match = re.fullmatch(r"(auto|cpu|cuda)|cuda:(\d+)", request.strip())
    if match is None:
        raise UsageError(
            f"device={request} is not a device",
            fix="use device=auto, device=cpu, device=cuda, or one GPU as device=cuda:0",
        )
    count = max(count, _local_processes())
    number = threads or _threads_of_user() or max(1, available_cores() // max(1, count))
    if request.strip() == "cpu":
        if not requires.cpu:
            raise RequirementError(
                "this plugin cannot run on a CPU", fix="use device=auto on a machine with a GPU"
            )
        return _on_cpu(requires, number, "device=cpu")
    visible = visible_gpus()
    able = [g for g in visible if g.compute_capability >= requires.min_compute_capability]
    if match[2] is not None:
        chosen = _numbered(int(match[2]), visible, requires)
        _check_count(count, [chosen], f"device={request.strip()} names one")
        return _on_gpus([chosen], requires, number, f"device={request.strip()}")
    if able:
        _check_count(count, able, f"{len(able)} of {len(visible)} GPUs will do")
        taken = _best(able, requires, count)
        reason = "the only GPU" if len(visible) == 1 else f"best of {len(visible)} GPUs"
        if min(gpu.memory_gb for gpu in taken) < requires.min_memory_gb:
            reason += f"; too small for preset=paper, which needs {requires.min_memory_gb:g} GB"
        return _on_gpus(taken, requires, number, reason)
    why = _why_none(visible, requires)
    if request.strip() == "cuda":
        raise RequirementError(f"device=cuda, but {why}", fix=_no_gpu_fix(requires))
    if not requires.cpu:
        raise RequirementError(
            f"this plugin needs a GPU, and {why}",
            fix="run it on a machine with an NVIDIA GPU (nvidia-smi lists them)",
        )
    return _on_cpu(requires, number, why)


def meets(device: DevicePlan, requires: Requires) -> bool:
    """Whether ``device`` is a GPU that can carry the paper preset; ``preset=auto`` asks."""
    return (
        device.kind == "cuda"
        and device.memory_gb >= requires.min_memory_gb
        and device.compute_capability >= requires.min_compute_capability
    )


def _best(able: Sequence[Gpu], requires: Requires, count: int) -> list[Gpu]:
    """Chooses GPUs; in PCI order, so that every process of a run gives rank N the same one."""
    if _local_processes() > 1:
        # torchrun has started several processes that choose at once: free memory may change between
        # two looks, and they must agree.
        return list(able[:count])
    ranked = sorted(able, key=lambda gpu: _rank(gpu, requires), reverse=True)
    return sorted(ranked[: count or max(1, requires.num_gpus)], key=lambda gpu: gpu.index)


def _local_processes() -> int:
    """Processes that a launcher has started on this machine for this run; 0 when there is none."""
    value = os.environ.get("LOCAL_WORLD_SIZE", "")
    return int(value) if value.isdecimal() else 0


def _check_count(count: int, having: Sequence[Gpu], note: str) -> None:
    if count > len(having):
        raise RequirementError(
            f"the run has {count} processes, which need a GPU each; {note}",
            fix="lower the number of processes (train.devices), or use device=cpu",
        )


def _rank(gpu: Gpu, requires: Requires) -> tuple[bool, bool, float, int]:
    needed = requires.min_memory_gb
    return (gpu.free_gb >= needed, gpu.memory_gb >= needed, gpu.free_gb, -gpu.index)


def _numbered(number: int, visible: Sequence[Gpu], requires: Requires) -> Gpu:
    if not visible:
        raise RequirementError(
            f"device=cuda:{number}, but {_why_none(visible, requires)}", fix=_no_gpu_fix(requires)
        )
    if number >= len(visible):
        raise UsageError(
            f"device=cuda:{number}, but there are only {len(visible)} GPUs",
            problems=[f"cuda:{i} is {gpu.name}" for i, gpu in enumerate(visible)],
            fix=f"use device=cuda:{len(visible) - 1} or less, or device=auto",
        )
    gpu = visible[number]
    if gpu.compute_capability < requires.min_compute_capability:
        raise RequirementError(
            f"cuda:{number} ({gpu.name}) has compute capability {gpu.compute_capability}, "
            f"this plugin needs {requires.min_compute_capability}",
            fix="use device=auto" + (" or device=cpu" if requires.cpu else ""),
        )
    return gpu


def _why_none(visible: Sequence[Gpu], requires: Requires) -> str:
    if visible:
        best = max(gpu.compute_capability for gpu in visible)
        return (
            f"no GPU has compute capability {requires.min_compute_capability} (the best has {best})"
        )
    if os.environ.get("CUDA_VISIBLE_DEVICES") is not None and gpus():
        return f"CUDA_VISIBLE_DEVICES={os.environ['CUDA_VISIBLE_DEVICES']!r} hides every GPU"
    return "there is no NVIDIA GPU with a working driver"


def _no_gpu_fix(requires: Requires) -> str:
    return _TO_CPU if requires.cpu else "run it on a machine with an NVIDIA GPU"


def _threads_of_user() -> int:
    value = os.environ.get("OMP_NUM_THREADS", "")
    return int(value) if value.isdecimal() else 0


def _on_cpu(requires: Requires, threads: int, reason: str) -> DevicePlan:
    return DevicePlan(
        kind="cpu",
        reason=reason,
        threads=threads,
        env=_environment("", requires, threads),
        framework=requires.framework,
    )


def _on_gpus(taken: Sequence[Gpu], requires: Requires, threads: int, reason: str) -> DevicePlan:
    first = taken[0]
    uuids = tuple(gpu.uuid for gpu in taken)
    return DevicePlan(
        kind="cuda",
        index=first.index,
        uuid=first.uuid,
        name=first.name,
        memory_gb=min(gpu.memory_gb for gpu in taken),
        compute_capability=min(gpu.compute_capability for gpu in taken),
        reason=reason,
        threads=threads,
        env=_environment(",".join(uuids), requires, threads),
        uuids=uuids,
        framework=requires.framework,
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
        env["TF_USE_LEGACY_KERAS"] = "1"
        env["TF_FORCE_GPU_ALLOW_GROWTH"] = os.environ.get("TF_FORCE_GPU_ALLOW_GROWTH", "true")
    return env | dict(requires.env)
