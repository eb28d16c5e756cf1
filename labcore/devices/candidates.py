"""A request weighed against this machine: the GPUs that would do, or that the CPU has to."""

from collections.abc import Sequence
from dataclasses import dataclass

from labcore.devices.choice import Need, need_of, why_unable
from labcore.devices.inventory.gpu import Gpu
from labcore.devices.inventory.launched import local_processes, processes_agree
from labcore.devices.pool import Pool, find_pool
from labcore.devices.request import DeviceRequest
from labcore.devices.wording import listed
from labcore.errors import LabError, RequirementError
from labcore.plugin import Requires

__all__ = ["Candidates", "find_candidates", "fits_paper", "refusal"]

_TO_CPU = "compute on the CPU: device=cpu"


@dataclass(frozen=True, kw_only=True, slots=True)
class Candidates:
    """What a run could get."""

    able: tuple[Gpu, ...] = ()
    """GPUs that would do if they are free; at least as many as are needed, unless the CPU is
    taken."""
    unable: tuple[tuple[Gpu, str], ...] = ()
    """The others, each with the reason."""
    need: Need
    pool: Pool
    on_cpu: str = ""
    """Why the run computes on the CPU; empty when it does not."""


def find_candidates(
    request: DeviceRequest, requires: Requires, *, processes: int = 0, paper: bool = False
) -> Candidates:
    """Looks which GPUs would do, used or not. Imports no framework.

    ``auto`` comes down to the CPU only where no GPU would ever do: who has GPUs wants one.

    Args:
        request: What the user asks for.
        requires: What the plugin needs.
        processes: Processes of the run on this machine, each with a GPU of its own.
        paper: Whether the run has the paper preset.

    Raises:
        UsageError: The request names a GPU that is not there.
        RequirementError: A GPU is asked for or needed and none, or too few, will ever do.
    """
    processes = max(processes, local_processes())
    if request.kind == "cpu":
        if not requires.cpu:
            raise RequirementError(
                "this plugin cannot run on a CPU", fix="use device=auto on a machine with a GPU"
            )
        return _cpu("device=cpu")
    pool = find_pool(request)
    need = need_of(request, requires, pool.gpus, processes=processes, paper=paper)
    judged = [(gpu, why_unable(gpu, need)) for gpu in pool.gpus]
    able = tuple(gpu for gpu, why in judged if not why)
    unable = tuple((gpu, why) for gpu, why in judged if why)
    if processes_agree(processes) and len(able) >= need.count:
        able = able[: need.count]
    candidates = Candidates(able=able, unable=unable, need=need, pool=pool)
    if able and len(able) >= need.count:
        return candidates
    # With several processes on a machine that has GPUs, but too few, the mistake is in the number.
    is_left_open = request.kind == "auto" and request.count < 2 and not request.min_memory_gb
    if is_left_open and requires.cpu and not able:
        return _cpu(pool.why_none or f"no GPU will do: {_first_reason(unable)}")
    raise _never(request, requires, candidates, processes)


def fits_paper(request: DeviceRequest, requires: Requires) -> bool:
    """Whether a GPU that the request may get can carry the paper preset; ``preset=auto`` asks.

    A GPU in use counts: a run that waits for it should not be a smaller one.
    """
    try:
        found = find_candidates(request, requires, paper=True)
    except LabError:  # told when the run asks for its device
        return False
    return any(gpu.memory_gb >= requires.min_memory_gb for gpu in found.able)


def refusal(
    request: DeviceRequest,
    requires: Requires,
    candidates: Candidates,
    refused: Sequence[tuple[Gpu, str]],
    waited: str = "",
) -> RequirementError:
    """Returns the error for GPUs that would do and are in use.

    Args:
        request: What the user asked for.
        requires: What the plugin needs.
        candidates: What the run could get.
        refused: GPUs that are in use, each with the reason.
        waited: How long the run has waited.
    """
    count = candidates.need.count
    if request.names_one:
        what = f"{request.text} is not free"
    elif count > 1:
        what = f"the run needs {count} GPUs, and fewer are free"
    else:
        what = "no GPU is free for this run"
    ways = ["wait for one: device.wait=10m" if not waited else "wait longer: device.wait=2h"]
    if request.names_one:
        ways.append("take another: device=cuda")
    if any("process" in why and "lease" not in why for _, why in refused):
        ways.append("use it beside the other program: device.share=true")
    if requires.cpu:
        ways.append(_TO_CPU)
    head = what + (f" after {waited}" if waited else "")
    return _with_reasons(head, candidates, refused, fix=", or ".join(ways))


def _never(
    request: DeviceRequest, requires: Requires, candidates: Candidates, processes: int
) -> RequirementError:
    pool, need = candidates.pool, candidates.need
    to_cpu = _TO_CPU if requires.cpu else "run it on a machine with a larger NVIDIA GPU"
    if not pool.gpus:
        if request.kind == "cuda":
            fix = _TO_CPU if requires.cpu else "run it on a machine with an NVIDIA GPU"
            return RequirementError(f"{request.text}, but {pool.why_none}", fix=fix)
        what = "this plugin needs a GPU" if not requires.cpu else "a GPU is asked for"
        return RequirementError(
            f"{what}, and {pool.why_none}",
            fix="run it on a machine with an NVIDIA GPU (nvidia-smi lists them)",
        )
    if candidates.able:
        num = f"{len(candidates.able)} of the {pool.num_visible} GPUs here will do"
        if len(candidates.able) == pool.num_visible:
            num = "there is one GPU" if pool.num_visible == 1 else f"there are {pool.num_visible}"
        if processes >= need.count:
            return _with_reasons(
                f"the run has {processes} processes, which need a GPU each; {num}",
                candidates,
                fix="lower the number of processes (train.devices), or use device=cpu",
            )
        return _with_reasons(
            f"device.count={need.count}, and {num}", candidates, fix="lower device.count"
        )
    if request.names_one:
        return _with_reasons(
            f"{request.text} will not do", candidates, fix=f"use device=auto, or {to_cpu}"
        )
    asked = "lower device.min_memory_gb" if request.min_memory_gb else to_cpu
    return _with_reasons("no GPU of this machine will do for this run", candidates, fix=asked)


def _with_reasons(
    head: str, candidates: Candidates, refused: Sequence[tuple[Gpu, str]] = (), *, fix: str
) -> RequirementError:
    reasons = sorted([*refused, *candidates.unable], key=lambda each: each[0].index)
    lines = [f"  - {line}" for line in (*listed(reasons), *candidates.pool.lost)]
    return RequirementError("\n".join([head, *lines]), fix=fix)


def _first_reason(unable: Sequence[tuple[Gpu, str]]) -> str:
    gpu, why = max(unable, key=lambda each: (each[0].compute_capability, each[0].memory_gb))
    return f"{gpu.name}: {why}"


def _cpu(reason: str) -> Candidates:
    return Candidates(need=Need(count=0), pool=Pool(gpus=(), num_visible=0), on_cpu=reason)
