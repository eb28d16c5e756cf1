"""What a run could get of a machine, and what of that can be had at one moment."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from labcore.devices.choice import Need, choose, need_of, why_busy, why_unable
from labcore.devices.inventory.gpu import Gpu
from labcore.devices.inventory.launch import local_processes, processes_agree
from labcore.devices.lease.desk import Desk, held_uuids
from labcore.devices.lease.owner import Owner
from labcore.devices.lease.tickets import Place, promised
from labcore.devices.pool import Pool, find_pool, listed
from labcore.devices.request import DeviceRequest
from labcore.errors import LabError, RequirementError
from labcore.plugin import Requires

__all__ = ["Candidates", "Look", "find_candidates", "fits_paper", "look_at", "refusal"]

_TO_CPU = "compute on the CPU: device=cpu"


@dataclass(frozen=True, kw_only=True, slots=True)
class Candidates:
    """What a run asks for, and what it could get."""

    request: DeviceRequest
    requires: Requires
    able: tuple[Gpu, ...] = ()
    """GPUs that would do if they are free; at least as many as are needed, unless the CPU is
    taken."""
    unable: tuple[tuple[Gpu, str], ...] = ()
    """The others, each with the reason."""
    need: Need = field(default_factory=Need)
    pool: Pool = field(default_factory=Pool)
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
        return Candidates(request=request, requires=requires, on_cpu="device=cpu")
    pool = find_pool(request)
    need = need_of(request, requires, pool.gpus, processes=processes, paper=paper)
    judged = [(gpu, why_unable(gpu, need)) for gpu in pool.gpus]
    able = tuple(gpu for gpu, why in judged if not why)
    unable = tuple((gpu, why) for gpu, why in judged if why)
    if processes_agree(processes) and len(able) >= need.count:
        able = able[: need.count]
    candidates = Candidates(
        request=request, requires=requires, able=able, unable=unable, need=need, pool=pool
    )
    if able and len(able) >= need.count:
        return candidates
    # With several processes on a machine that has GPUs, but too few, the mistake is in the number.
    is_left_open = request.kind == "auto" and request.count < 2 and not request.min_memory_gb
    if is_left_open and requires.cpu and not able:
        why = pool.why_none or f"no GPU will do: {_first_reason(unable)}"
        return Candidates(request=request, requires=requires, on_cpu=why)
    raise _never(candidates, processes)


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
    candidates: Candidates, refused: Sequence[tuple[Gpu, str]], waited: str = ""
) -> RequirementError:
    """Returns the error for GPUs that would do and are in use.

    Args:
        candidates: What the run could get.
        refused: GPUs that are in use, each with the reason.
        waited: How long the run has waited.
    """
    request, count = candidates.request, candidates.need.count
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
    if candidates.requires.cpu:
        ways.append(_TO_CPU)
    head = what + (f" after {waited}" if waited else "")
    return _with_reasons(head, candidates, refused, fix=", or ".join(ways))


def _never(candidates: Candidates, processes: int) -> RequirementError:
    request, pool, cpu = candidates.request, candidates.pool, candidates.requires.cpu
    to_cpu = _TO_CPU if cpu else "run it on a machine with a larger NVIDIA GPU"
    if not pool.gpus:
        elsewhere = "run it on a machine with an NVIDIA GPU (nvidia-smi lists them)"
        if request.kind == "cuda":
            fix = _TO_CPU if cpu else elsewhere
            return RequirementError(f"{request.text}, but {pool.why_none}", fix=fix)
        what = "a GPU is asked for" if cpu else "this plugin needs a GPU"
        return RequirementError(f"{what}, and {pool.why_none}", fix=elsewhere)
    if candidates.able:
        num = f"{len(candidates.able)} of the {pool.num_visible} GPUs here will do"
        if len(candidates.able) == pool.num_visible:
            num = "there is one GPU" if pool.num_visible == 1 else f"there are {pool.num_visible}"
        count = candidates.need.count
        if processes >= count:
            return _with_reasons(
                f"the run has {processes} processes, which need a GPU each; {num}",
                candidates,
                fix="lower the number of processes (train.devices), or use device=cpu",
            )
        return _with_reasons(
            f"device.count={count}, and {num}", candidates, fix="lower device.count"
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


@dataclass(frozen=True, kw_only=True, slots=True)
class Look:
    """Which candidates can be had at one moment."""

    free: list[Gpu] = field(default_factory=list)
    lent: list[Gpu] = field(default_factory=list)
    """In use by others, and given to this process by a scheduler all the same."""
    refused: list[tuple[Gpu, str]] = field(default_factory=list)
    held: set[str] = field(default_factory=set)
    """UUIDs with a lease, of this run or of others."""
    wanted: list[Gpu] = field(default_factory=list)
    """Those worth waiting for: free but for leases."""
    tickets: dict[int, Owner] = field(default_factory=dict)
    """Who waits, by number."""

    def pick(self, count: int) -> tuple[Gpu, ...]:
        """Chooses ``count`` GPUs, free ones if possible; none when too few can be had."""
        return choose(self.free, count) or choose([*self.free, *self.lent], count)


def look_at(
    candidates: Candidates,
    desk: Desk | None,
    job: str | None,
    place: Place | None = None,
    spoiled: dict[str, str] | None = None,
) -> Look:
    """Sorts candidates by whether they can be had now.

    Args:
        candidates: What the run could get.
        desk: Knows the leases; None where there are none.
        job: Of a scheduler that has chosen the GPUs; see :func:`scheduler_job`.
        place: This process's place in the queue.
        spoiled: UUID to the reason why a GPU that seemed free was not.
    """
    look = Look()
    mine = held_uuids(desk)
    holders = {
        gpu.uuid: desk.holder(gpu) if desk is not None and gpu.uuid not in mine else None
        for gpu in candidates.able
    }
    if desk is not None:
        look.tickets.update(desk.queue.tickets())
    unheld = {uuid for uuid, holder in holders.items() if holder is None and uuid not in mine}
    next_for = promised(look.tickets, unheld, before=None if place is None else place.number)
    for gpu in candidates.able:
        holder = holders[gpu.uuid]
        why = (spoiled or {}).get(gpu.uuid) or why_busy(gpu, candidates.need)
        if gpu.uuid in mine:
            look.free.append(gpu)
            look.held.add(gpu.uuid)
            continue
        if holder is not None or not why:
            look.wanted.append(gpu)
        if holder is not None:
            look.held.add(gpu.uuid)
            why = f"leased by {holder.describe()}"
        if why and job is not None and (holder is None or not job or holder.job != job):
            look.lent.append(gpu)
        elif why:
            look.refused.append((gpu, why))
        elif gpu.uuid in next_for:
            look.refused.append((gpu, f"next for {next_for[gpu.uuid].describe()}, in the queue"))
        else:
            look.free.append(gpu)
    return look
