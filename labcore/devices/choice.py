"""Which GPUs will do for a run, and which of those to take. Pure functions of what is known."""

import os
from collections.abc import Sequence
from dataclasses import dataclass

from labcore.devices.inventory.gpu import Gpu
from labcore.devices.request import DeviceRequest
from labcore.plugin import Requires

__all__ = ["Need", "choose", "need_of", "ranked", "why_busy", "why_unable"]

_DESKTOP_MIB = 1536
_DESKTOP_SHARE = 0.1
"""Memory that a display and the driver may hold on a card that is free, in MiB or as a share."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Need:
    """What a run asks of its GPUs: the user's request and the plugin's declaration together."""

    count: int = 0
    memory_gb: float = 0.0
    """Memory of each."""
    compute_capability: float = 0.0
    share: bool = False
    """Whether a GPU that other programs use will do."""
    note: str = ""
    """What the user should know, such as a wish that no GPU here can meet."""


def need_of(
    request: DeviceRequest,
    requires: Requires,
    pool: Sequence[Gpu],
    *,
    processes: int = 0,
    paper: bool = False,
) -> Need:
    """Merges a request with a declaration.

    What the user asks for is binding. What the plugin declares gives way where no GPU of the pool
    can meet it: fewer GPUs than it likes, or less memory than its paper preset wants.

    Args:
        request: The user's.
        requires: The plugin's declaration.
        pool: The GPUs that may be taken.
        processes: Processes of the run on this machine, each with a GPU of its own.
        paper: Whether the run has the paper preset, whose memory the plugin declares.
    """
    memory, note = request.min_memory_gb, ""
    if paper and requires.min_memory_gb > memory:
        if any(gpu.memory_gb >= requires.min_memory_gb for gpu in pool):
            memory = requires.min_memory_gb
        else:
            note = f"too small for preset=paper, which needs {requires.min_memory_gb:g} GB"
    whole = [
        gpu
        for gpu in pool
        if gpu.parent_uuid is None and gpu.compute_capability >= requires.min_compute_capability
    ]
    liked = min(requires.num_gpus, len(whole))
    asked = max(request.count, processes)
    return Need(
        count=asked or max(1, liked),
        memory_gb=memory,
        compute_capability=requires.min_compute_capability,
        share=request.share,
        note=note,
    )


def why_unable(gpu: Gpu, need: Need) -> str:
    """Says why a GPU will never do for a need; empty when it will."""
    if gpu.compute_capability < need.compute_capability:
        return (
            f"compute capability {gpu.compute_capability}, "
            f"the plugin needs {need.compute_capability}"
        )
    if gpu.memory_gb < need.memory_gb:
        return f"{gpu.memory_gb:.1f} GB of memory, the run needs {need.memory_gb:g}"
    if gpu.compute_mode == "Prohibited":
        return "closed to computing (compute mode Prohibited)"
    if gpu.parent_uuid is not None and need.count > 1:
        return "a MIG slice: the processes of one run cannot use several"
    return ""


def why_busy(gpu: Gpu, need: Need) -> str:
    """Says why a GPU cannot be had now, by what its driver tells; empty when it can.

    A process that computes is a sure sign. None is no proof of the contrary, since containers and
    other users' processes may be hidden: then the memory in use decides.
    """
    used = f"{gpu.used_gb:.1f} of {gpu.memory_gb:.1f} GB in use"
    if not need.share:
        others = [process.pid for process in gpu.processes or () if process.pid != os.getpid()]
        if others:
            listed = ", ".join(map(str, others[:3])) + (" ..." if len(others) > 3 else "")
            word = "process" if len(others) == 1 else "processes"
            return f"used by {word} {listed} ({used})"
        held = max(_DESKTOP_MIB, _DESKTOP_SHARE * gpu.memory_total_mib)
        if gpu.memory_used_mib > held and not gpu.processes:
            return f"used by a process that cannot be seen from here ({used})"
    if gpu.free_gb < need.memory_gb:
        return f"{gpu.free_gb:.1f} GB free, the run needs {need.memory_gb:g}"
    return ""


def choose(free: Sequence[Gpu], count: int) -> tuple[Gpu, ...]:
    """Chooses ``count`` of the GPUs that will do, so that the large ones stay free.

    One GPU is the smallest: a MIG slice before a whole card. Several are of one kind if there are
    enough of it, since the slowest sets the pace. Equals go by their number.

    Returns:
        The GPUs in PCI bus order; none when there are too few.
    """
    if len(free) < count:
        return ()
    by_size = ranked(free)
    for first in by_size:
        alike = [gpu for gpu in by_size if gpu.kind == first.kind]
        if len(alike) >= count:
            return tuple(sorted(alike[:count], key=lambda gpu: gpu.index))
    return tuple(sorted(by_size[:count], key=lambda gpu: gpu.index))


def ranked(free: Sequence[Gpu]) -> list[Gpu]:
    """Returns GPUs in the order in which they should be taken: smallest first."""
    return sorted(free, key=_size)


def _size(gpu: Gpu) -> tuple[bool, int, int]:
    return (gpu.parent_uuid is None, gpu.memory_total_mib, gpu.index)
