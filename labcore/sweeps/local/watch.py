"""What a controller tells of its work, to whoever shows it."""

from dataclasses import dataclass, field
from typing import Literal, Protocol

from labcore.sweeps.local.record import Record

__all__ = ["Event", "Running", "Snapshot", "Watch"]

Event = Literal["started", "resumed", "adopted", "stopping", "again", "ended"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Running:
    """A trial under way."""

    record: Record
    device: str = ""
    stopping: str = ""
    """Why it has been asked to stop."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Snapshot:
    """A sweep as it stands."""

    name: str
    records: tuple[Record, ...]
    running: tuple[Running, ...]
    best: Record | None
    limit: int | None
    """Most trials; None when there is no end."""
    eta_s: float | None = None
    counts: dict[str, int] = field(default_factory=dict)


class Watch(Protocol):
    """Shows a sweep."""

    def event(self, kind: Event, record: Record, text: str = "") -> None:
        """Something happened to a trial."""

    def say(self, text: str) -> None:
        """Something else that the user should know."""

    def show(self, snapshot: Snapshot) -> None:
        """How it stands now; called a few times a second."""
