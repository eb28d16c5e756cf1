"""A watch that is also told where each trial runs."""

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the engine imports this module
    from labcore.sweeps.local.record import Record
    from labcore.sweeps.local.watch import Event, Snapshot, Watch

__all__ = ["Located"]


class Located:
    """Passes everything on, with the machine of a trial before its device.

    Args:
        watch: Shows it.
        where: Says of a trial's number where it is.
    """

    def __init__(self, watch: "Watch", where: Callable[[int], str]) -> None:
        self._watch = watch
        self._where = where

    def event(self, kind: "Event", record: "Record", text: str = "") -> None:
        """Passes it on."""
        self._watch.event(kind, record, text)

    def say(self, text: str) -> None:
        """Passes it on."""
        self._watch.say(text)

    def show(self, snapshot: "Snapshot") -> None:
        """Adds the places and passes it on."""
        running = tuple(
            dataclasses.replace(
                each,
                device=" ".join(filter(None, [self._where(each.record.number), each.device])),
            )
            for each in snapshot.running
        )
        self._watch.show(dataclasses.replace(snapshot, running=running))
