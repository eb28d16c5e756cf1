"""The leases of this process, and the one of the process that started it.

A run's children (the other ranks that Lightning starts, a conversion in a process of its own) use
the run's GPUs. They find the lease in ``LAB_LEASE`` and hold it together with their parent.
"""

import os

from labcore.devices.lease.desk import Desk, Lease
from labcore.record.locks import KernelLock

__all__ = ["VARIABLE", "held_uuids", "keep", "release_all", "variables_for"]

VARIABLE = "LAB_LEASE"
"""Names the lease to children: its token, a colon, its UUIDs with commas between."""

_kept: list[Lease] = []
_joined: dict[str, list[KernelLock]] = {}


def keep(lease: Lease) -> None:
    """Holds a lease until the process ends."""
    _kept.append(lease)


def release_all() -> None:
    """Gives back all that this process holds; for processes that outlive their runs."""
    for lease in _kept:
        lease.release()
    _kept.clear()
    for locks in _joined.values():
        for lock in locks:
            lock.close()
    _joined.clear()


def variables_for(lease: Lease) -> dict[str, str]:
    """Returns the variable that tells children of a lease."""
    return {VARIABLE: f"{lease.owner.token}:{','.join(lease.uuids)}"}


def held_uuids(desk: Desk | None) -> set[str]:
    """Returns the GPUs that this process may use with no lease of its own.

    Args:
        desk: Knows the leases; None where there are none.
    """
    held = {uuid for lease in _kept for uuid in lease.uuids}
    token, _, listed = os.environ.get(VARIABLE, "").partition(":")
    if not token or desk is None or token in {lease.owner.token for lease in _kept}:
        return held
    uuids = [uuid for uuid in listed.split(",") if uuid]
    if token not in _joined:
        locks = desk.join(uuids, token)
        if locks is None:  # the parent is gone, and its GPUs may be another's
            return held
        _joined[token] = locks
    return held | set(uuids)
