"""What a sweep knows of one of its trials."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple

__all__ = ["Outcome", "Record", "Verdict"]

Outcome = Literal["", "completed", "stopped early", "diverged", "failed"]


class Verdict(NamedTuple):
    """What becomes of a trial that is stopped, or whose process has ended."""

    outcome: Outcome
    """Empty when it is to be run again."""
    reason: str = ""


@dataclass(kw_only=True, slots=True)
class Record:
    """A trial in the study: the truth of what has been asked for and what came of it."""

    number: int
    values: Mapping[str, Any]
    """What the sweep set, by dotted option."""
    params: Mapping[str, Any]
    """The same as the sampler searches it."""
    folder: Path
    """The run folder, decided before the run starts."""
    created: float
    attempts: int = 0
    """How often it was begun anew."""
    failures: int = 0
    """How often it failed, or was lost with nothing to show for it."""
    reached: int = 0
    """Step that it had reached when it was last lost."""
    outcome: Outcome = ""
    """Empty as long as there is none."""
    reason: str = ""
    """What stopped it, or the error."""
    value: float | None = None
    """The best value of the metric."""
    started: float | None = None
    ended: float | None = None
    history: Sequence[float] = field(default_factory=list)
    """Every log of the metric; NaN where it was not finite."""

    @property
    def is_open(self) -> bool:
        """Whether it is still to be run, or to be finished."""
        return not self.outcome

    @property
    def result(self) -> float | None:
        """What it is compared by: its best value, unless it diverged or failed."""
        return None if self.outcome in {"diverged", "failed"} else self.value

    @property
    def seconds(self) -> float | None:
        """How long it took, once it has ended."""
        return None if self.started is None or self.ended is None else self.ended - self.started

    def to_json(self) -> dict[str, Any]:
        """Returns what the study keeps beside Optuna's own fields."""
        row = dataclasses.asdict(self)
        for name in ("number", "params", "history"):
            del row[name]
        return {**row, "folder": str(self.folder)}

    @classmethod
    def from_json(
        cls, row: Mapping[str, Any], *, number: int, params: Mapping[str, Any], history: list[float]
    ) -> "Record":
        """Reads what :meth:`to_json` wrote."""
        folder = Path(row["folder"])
        return cls(**{**row, "folder": folder}, number=number, params=params, history=history)
