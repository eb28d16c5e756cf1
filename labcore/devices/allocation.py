"""Getting devices: choose, lock, look again; refuse with the reasons, or wait in a queue."""

import uuid
from collections.abc import Callable, Sequence

from labcore.devices.candidates import Candidates, Look, find_candidates, look_at, refusal
from labcore.devices.choice import choose, why_busy
from labcore.devices.device_plan import DevicePlan, make_plan, threads_for
from labcore.devices.inventory.gpu import Gpu
from labcore.devices.inventory.launch import leads_machine, local_processes, scheduler_job
from labcore.devices.inventory.survey import survey
from labcore.devices.lease.desk import Leases, held_uuids, keep
from labcore.devices.lease.owner import this_process
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
        return make_plan((), requires, number, candidates.on_cpu)
    with Leases().looked_at() as desk:
        look = look_at(candidates, desk, scheduler_job())
    chosen = look.pick(candidates.need.count)
    if not chosen:
        raise refusal(candidates, look.refused)
    return make_plan(chosen, requires, number, _reason(candidates, look, chosen))


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
    job = scheduler_job()
    owner = this_process(run=run, command=command, job=job or "", token=uuid.uuid4().hex)
    leases = Leases()
    wait = Wait(request, say)
    spoiled: dict[str, str] = {}
    try:
        while True:
            candidates = find_candidates(request, requires, processes=processes, paper=paper)
            if candidates.on_cpu:
                return make_plan((), requires, number, candidates.on_cpu)
            with leases.opened() as desk:
                if not leads_machine():
                    # The process that does takes these very ones, or ends the run. As its child,
                    # this one holds them too.
                    held_uuids(desk)
                    chosen = choose(candidates.able, candidates.need.count)
                    return make_plan(chosen, requires, number, "as the first process of the run")
                look = look_at(candidates, desk, job, wait.place, spoiled)
                chosen = look.pick(candidates.need.count)
                # What is held already needs no lease of its own.
                fresh = [gpu for gpu in chosen if gpu.uuid not in look.held]
                lease = desk.take(fresh, owner) if fresh else None
                assert lease or not fresh, "nobody else leases while the desk is ours"
                if not chosen:
                    wait.queue(desk, owner, candidates, look)
            spoiled = _gone_meanwhile(chosen, look, candidates) if lease is not None else {}
            if chosen and not spoiled:
                wait.ended(chosen)
                if lease is not None:
                    keep(lease)
                reason = _reason(candidates, look, chosen)
                return make_plan(chosen, requires, number, reason, lease)
            if lease is not None:
                lease.release()  # and look again at once, without what was spoiled
                continue
            if wait.is_over():
                raise refusal(candidates, look.refused, wait.waited())
            wait.pause(candidates, look, poll_s)
    finally:
        wait.leave()


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


def _reason(candidates: Candidates, look: Look, chosen: Sequence[Gpu]) -> str:
    request, total, able = candidates.request, candidates.pool.num_visible, candidates.able
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
