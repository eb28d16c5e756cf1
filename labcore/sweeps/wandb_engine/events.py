"""What an agent tells of its work while it is at it, and at its end."""

from dataclasses import dataclass, field
from typing import Literal

from labcore.sweeps.trial import TrialRequest, TrialResult

__all__ = ["AgentEvent", "AgentSummary", "EventKind", "Outcome"]

EventKind = Literal["started", "ended", "retried", "silent", "answering"]
Outcome = Literal["finished", "stopped", "interrupted", "failed"]


@dataclass(frozen=True, kw_only=True, slots=True)
class AgentEvent:
    """Something that a user would want to see."""

    kind: EventKind
    """A trial has ``started``, ``ended`` or been ``retried``; the server is ``silent``, or
    ``answering`` again."""
    text: str
    """One line for people."""
    run_id: str = ""
    request: TrialRequest | None = None
    result: TrialResult | None = None
    outcome: Outcome | None = None
    """Of a trial that has ended."""


@dataclass(kw_only=True, slots=True)
class AgentSummary:
    """What an agent has done."""

    outcomes: dict[str, Outcome] = field(default_factory=dict)
    """Run id to how the trial ended, in the order of the ends; the last end counts."""
    ended_by: str = ""
    """Why the agent went home."""
    first_error: str = ""
    """What went wrong in the first trial that failed."""
    gave_up: bool = False
    """Whether it went home because its trials fail."""

    def count(self, outcome: Outcome) -> int:
        """Returns how many trials ended so."""
        return sum(each == outcome for each in self.outcomes.values())
