"""Who waits for a GPU, in the order of coming.

A ticket is a note, and a lock that its process keeps: so a ticket whose process is gone is known.
All of this happens inside the desk's lock.
"""

import contextlib
import time
from collections.abc import Collection, Mapping
from pathlib import Path

from labcore.devices.lease.owner import Owner, read_note, write_note
from labcore.record.locks import KernelLock

__all__ = ["Place", "Queue", "promised"]

_SUSPENDED_AFTER_S = 30.0
"""A waiter that has not looked for so long is passed over, until it looks again."""


class Place:
    """This process's own place; got from :meth:`Queue.enter`.

    Attributes:
        number: Smaller ones come first.
    """

    def __init__(self, note: Path, lock: KernelLock) -> None:
        self.number = _number(note)
        self._note = note
        self._lock = lock

    def update(self, owner: Owner) -> None:
        """Says that the process still waits, and for what."""
        write_note(self._note, owner)

    def leave(self) -> None:
        """Gives the place up."""
        self._lock.close()
        _throw_away(self._note)


class Queue:
    """The processes that wait for a GPU.

    Args:
        folder: Where their tickets are.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def enter(self, owner: Owner) -> Place:
        """Takes the last place."""
        last = max((_number(path) for path in self._folder.glob("*.json")), default=0)
        number = max(time.time_ns(), last + 1)  # the clock may have been set back
        note = self._folder / f"{number:020}.json"
        lock = KernelLock(note.with_suffix(".lock"))
        lock.try_lock()
        place = Place(note, lock)
        place.update(owner)
        return place

    def tickets(self) -> dict[int, Owner]:
        """Returns who waits, by number, and throws away the tickets of processes that are gone.

        Their ``uuids`` are the devices that would do, best first, and ``count`` how many are
        wanted.
        """
        found = {}
        for note in sorted(self._folder.glob("*.json")):
            probe = KernelLock(note.with_suffix(".lock"))
            if probe.try_lock():
                probe.close()
                _throw_away(note)
                continue
            owner = read_note(note)
            with contextlib.suppress(OSError):
                idle = time.time() - note.stat().st_mtime
                if owner is not None and idle < _SUSPENDED_AFTER_S:
                    found[_number(note)] = owner
        return found


def promised(
    tickets: Mapping[int, Owner], free: Collection[str], *, before: int | None = None
) -> dict[str, Owner]:
    """Deals free devices to those who wait, first come, first served.

    Who wants two and can have one keeps that one: else runs with one GPU could pass it for ever.

    Args:
        tickets: The queue.
        free: UUIDs that nobody holds.
        before: Only tickets before this number; None for all.

    Returns:
        UUID to the one who gets it.
    """
    dealt: dict[str, Owner] = {}
    for number, owner in tickets.items():
        if before is None or number < before:
            left = [uuid for uuid in owner.uuids if uuid in free and uuid not in dealt]
            dealt.update(dict.fromkeys(left[: owner.count], owner))
    return dealt


def _throw_away(note: Path) -> None:
    # Another user's stays, and is thrown away by that user's next run.
    for path in (note, note.with_suffix(".lock")):
        with contextlib.suppress(OSError):
            path.unlink()


def _number(path: Path) -> int:
    return int(path.stem) if path.stem.isdecimal() else 0
