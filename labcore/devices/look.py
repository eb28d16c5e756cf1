"""Which of the GPUs that would do can be had at one moment."""

from dataclasses import dataclass, field

from labcore.devices.candidates import Candidates
from labcore.devices.choice import choose, why_busy
from labcore.devices.inventory.gpu import Gpu
from labcore.devices.inventory.scheduler import Assignment
from labcore.devices.lease import holding
from labcore.devices.lease.desk import Desk
from labcore.devices.lease.owner import Owner
from labcore.devices.lease.tickets import Place, Queue, Ticket

__all__ = ["Look", "look_at"]


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
    tickets: list[Ticket] = field(default_factory=list)
    """Who waits."""

    def pick(self, count: int) -> tuple[Gpu, ...]:
        """Chooses ``count`` GPUs, free ones if possible; none when too few can be had."""
        return choose(self.free, count) or choose([*self.free, *self.lent], count)


def look_at(
    candidates: Candidates,
    desk: Desk | None,
    assignment: Assignment | None,
    place: Place | None = None,
    spoiled: dict[str, str] | None = None,
) -> Look:
    """Sorts candidates by whether they can be had now.

    Args:
        candidates: What the run could get.
        desk: Knows the leases; None where there are none.
        assignment: A scheduler's.
        place: This process's place in the queue.
        spoiled: UUID to the reason why a GPU that seemed free was not.
    """
    look = Look()
    mine = holding.held_uuids(desk)
    holders = {
        gpu.uuid: desk.holder(gpu) if desk is not None and gpu.uuid not in mine else None
        for gpu in candidates.able
    }
    promised: dict[str, Owner] = {}
    if desk is not None:
        look.tickets.extend(desk.queue.tickets())
        promised = Queue.promised(
            look.tickets,
            {uuid for uuid, holder in holders.items() if holder is None and uuid not in mine},
            before=None if place is None else place.number,
        )
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
        if assignment is not None and why and _is_outside(holder, assignment):
            look.lent.append(gpu)
        elif why:
            look.refused.append((gpu, why))
        elif gpu.uuid in promised:
            look.refused.append((gpu, f"next for {promised[gpu.uuid].describe()}, in the queue"))
        else:
            look.free.append(gpu)
    return look


def _is_outside(holder: Owner | None, assignment: Assignment) -> bool:
    return holder is None or assignment.job is None or holder.job != assignment.job
