"""Getting devices: choose, lock, look again; refuse with the reasons, or wait in a queue."""

import contextlib
import uuid
from collections.abc import Callable, Sequence

from labcore.devices.candidates import Candidates, Look, find_candidates, look_at, refusal
from labcore.devices.choice import choose, why_busy
from labcore.devices.device_plan import DevicePlan, plan_cpu, plan_gpus, threads_for
from labcore.devices.inventory.gpu import Gpu
from labcore.devices.inventory.launch import find_assignment, leads_machine, local_processes
from labcore.devices.inventory.survey import survey
from labcore.devices.lease.desk import Desk, Lease, Leases, held_uuids, keep
from labcore.devices.lease.owner import Owner, this_process
from labcore.devices.request import DeviceRequest
from labcore.devices.waiting import Wait
from labcore.plugin import Requires

__all__ = ["acquire", "plan"]


def plan(
    request: DeviceRequest,
    requires: Requires,
    threads: int = 0,
    *,
    processes: int = 0,
    paper: bool = False,
) -> DevicePlan:
    """Says where a run started now would compute. Takes nothing, and imports no framework.

    Args:
        request: What the user asks for.
        requires: What the plugin needs.
        threads: CPU threads of a process; see :func:`threads_for`.
        processes: Processes of the run on this machine, each with a GPU of its own.
        paper: Whether the run has the paper preset, whose memory the plugin declares.

    Raises:
        UsageError: The request names a GPU that is not there.
        RequirementError: A GPU is asked for or needed, and none can be had.
    """
    number = threads_for(threads, max(processes, local_processes()))
    candidates = find_candidates(request, requires, processes=processes, paper=paper)
    if candidates.on_cpu:
        return plan_cpu(requires, number, candidates.on_cpu)
    leases = Leases()
    with leases.opened() if leases.exists() else contextlib.nullcontext() as desk:
        look = look_at(candidates, desk, find_assignment())
    chosen = look.pick(candidates.need.count)
    if not chosen:
        raise refusal(request, requires, candidates, look.refused)
    return plan_gpus(chosen, requires, number, _reason(request, candidates, look, chosen))


def acquire(
    request: DeviceRequest,
    requires: Requires,
    threads: int = 0,
    *,
    processes: int = 0,
    paper: bool = False,
    run: str = "",
    command: Sequence[str] = (),
    say: Callable[[str], None] = lambda text: None,
    poll_s: float = 0.5,
) -> DevicePlan:
    """Gets devices for this process and leases them until it ends.

    A GPU is locked first and looked at again then, so that no other run can come between, and a
    program that knows nothing of leases is seen. A process that a run has started uses the
    GPUs of that run.

    Args:
        request: What the user asks for.
        requires: What the plugin needs.
        threads: CPU threads of a process; see :func:`threads_for`.
        processes: Processes of the run on this machine, each with a GPU of its own.
        paper: Whether the run has the paper preset, whose memory the plugin declares.
        run: Name of the run, for the others who want the GPUs.
        command: Command line of the run, with no secrets.
        say: Tells the user why the run waits.
        poll_s: Seconds between two looks of the first in the queue; those behind look less often.

    Raises:
        UsageError: The request names a GPU that is not there.
        RequirementError: A GPU is asked for or needed, and none could be had.
    """
    number = threads_for(threads, max(processes, local_processes()))
    assignment = find_assignment()
    owner = this_process(
        run=run,
        command=command,
        job=assignment.job if assignment is not None else None,
        token=uuid.uuid4().hex,
    )
    leases = Leases()
    wait = Wait(request, say)
    spoiled: dict[str, str] = {}
    try:
        while True:
            candidates = find_candidates(request, requires, processes=processes, paper=paper)
            if candidates.on_cpu:
                return plan_cpu(requires, number, candidates.on_cpu)
            if not leads_machine():
                return plan_gpus(
                    _follow(leases, candidates), requires, number, "as the first process of the run"
                )
            with leases.opened() as desk:
                look = look_at(candidates, desk, assignment, wait.place, spoiled)
                chosen = look.pick(candidates.need.count)
                lease = _take(desk, chosen, look, owner)
                if not chosen:
                    wait.queue(desk, owner, candidates, look)
            spoiled = _gone_meanwhile(chosen, look, candidates) if lease is not None else {}
            if chosen and not spoiled:
                wait.ended(chosen)
                if lease is not None:
                    keep(lease)
                reason = _reason(request, candidates, look, chosen)
                return plan_gpus(chosen, requires, number, reason, lease)
            if lease is not None:
                lease.release()  # and look again at once, without what was spoiled
                continue
            if wait.is_over():
                raise refusal(request, requires, candidates, look.refused, wait.waited())
            wait.pause(candidates, look, poll_s)
    finally:
        wait.leave()


def _follow(leases: Leases, candidates: Candidates) -> tuple[Gpu, ...]:
    """Returns the GPUs that the process which leads the run's others on this machine leases.

    It takes these very ones, or ends the run. As its child, this process holds them too.
    """
    with leases.opened() as desk:
        held_uuids(desk)
    return choose(candidates.able, candidates.need.count)


def _take(desk: Desk, chosen: Sequence[Gpu], look: Look, owner: Owner) -> Lease | None:
    """Leases what is not held yet; None when nothing is."""
    fresh = [gpu for gpu in chosen if gpu.uuid not in look.held]
    if not fresh:
        return None
    lease = desk.take(fresh, owner)
    assert lease is not None, "nobody else leases while the desk is ours"
    return lease


def _gone_meanwhile(chosen: Sequence[Gpu], look: Look, candidates: Candidates) -> dict[str, str]:
    """Looks again, now that the GPUs are locked: UUID to the reason why one is not free."""
    now = {gpu.uuid: gpu for gpu in survey().gpus}
    gone: dict[str, str] = {}
    for gpu in chosen:
        if gpu in look.lent or gpu.uuid in look.held:
            continue
        fresh = now.get(gpu.uuid)
        why = "does not answer any more" if fresh is None else why_busy(fresh, candidates.need)
        if why:
            gone[gpu.uuid] = why
    return gone


def _reason(
    request: DeviceRequest, candidates: Candidates, look: Look, chosen: Sequence[Gpu]
) -> str:
    total, able = candidates.pool.num_visible, candidates.able
    those = f"{total} GPUs" if len(able) == total else f"the {len(able)} GPUs that will do"
    if request.names_one:
        reason = request.text
    elif total == 1:
        reason = "the only GPU"
    elif len(chosen) > 1:
        reason = f"{len(chosen)} free ones of {those}"
    elif len(able) == 1:
        reason = f"the only one of {total} GPUs that will do"
    else:
        sizes = {gpu.memory_total_mib for gpu in able}
        reason = f"the {'smallest' if len(sizes) > 1 else 'first'} free one of {those}"
    if any(gpu in look.lent for gpu in chosen):
        reason += "; the scheduler shares it with others"
    return f"{reason}; {candidates.need.note}" if candidates.need.note else reason
