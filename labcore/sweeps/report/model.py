"""What the page of a sweep is made from, whichever engine ran it."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from labcore.sweeps.distributions import Categorical, Constant, Distribution

__all__ = ["STATE_LABELS", "Goal", "Parameter", "SweepResults", "TrialRow", "short_names"]

Goal = Literal["minimize", "maximize"]

STATE_LABELS: Mapping[str, str] = {
    "completed": "completed",
    "stopped": "stopped early",
    "diverged": "diverged",
    "failed": "failed",
    "interrupted": "interrupted",
    "running": "running",
    "queued": "queued",
}
"""``stopped`` is by the rule for early stops, ``interrupted`` by a signal or a dead process."""

_UNRANKED = ("failed", "diverged")


@dataclass(frozen=True, kw_only=True, slots=True)
class Parameter:
    """An option that the sweep sets.

    Attributes:
        name: Dotted name in the config.
        low: Least value that can be drawn; None when there is no such bound.
        high: Greatest value that can be drawn; likewise.
        log: Whether values are drawn evenly by their logarithm.
        choices: The values that can be drawn when they are a list; empty for a number.
    """

    name: str
    low: float | None = None
    high: float | None = None
    log: bool = False
    choices: tuple[Any, ...] = ()

    @classmethod
    def of(cls, name: str, distribution: Distribution) -> "Parameter":
        """Describes a parameter of a sweep file."""
        if isinstance(distribution, Categorical | Constant):
            return cls(name=name, choices=distribution.values)
        low, high = distribution.bounds or (None, None)
        return cls(name=name, low=low, high=high, log=distribution.log)

    @property
    def varies(self) -> bool:
        """Whether trials can differ in it."""
        if self.choices:
            return any(choice != self.choices[0] for choice in self.choices)
        return self.low is None or self.low != self.high


@dataclass(frozen=True, kw_only=True, slots=True)
class TrialRow:
    """A trial as it stands now.

    Attributes:
        number: Its number in the sweep.
        state: One of ``STATE_LABELS``.
        values: What the sweep set, by parameter.
        metric: Newest value of the metric.
        best_metric: Best value of the metric so far; trials are compared by it.
        curve: Every value of the metric: number of the log from 1, step of the run, value.
        stopped_by: What ended the trial before its time, such as ``hyperband at 9 logs``.
        seconds: How long it ran.
        run_folder: Its run folder, if it has one.
        error: Why it failed.
    """

    number: int
    state: str
    values: Mapping[str, Any]
    metric: float | None = None
    best_metric: float | None = None
    curve: Sequence[tuple[int, int, float]] = ()
    stopped_by: str = ""
    seconds: float | None = None
    run_folder: Path | None = None
    error: str = ""

    def __post_init__(self) -> None:
        if self.state not in STATE_LABELS:
            known = tuple(STATE_LABELS)
            raise ValueError(f"trial {self.number} is {self.state!r}; use one of {known}")

    @property
    def score(self) -> float | None:
        """What the trial is compared by, or None when it takes no part in the comparison."""
        if self.state in _UNRANKED or self.best_metric is None:
            return None
        return self.best_metric if math.isfinite(self.best_metric) else None


@dataclass(frozen=True, kw_only=True, slots=True)
class SweepResults:
    """A sweep as it stands now.

    Attributes:
        name: Name of the sweep.
        plugin: The plugin whose runs the trials are.
        metric: Name of the metric.
        goal: Whether the metric should be small or large.
        parameters: What the sweep sets, in the order of its file.
        trials: All trials so far, by number.
        state: ``running``, ``finished``, ``interrupted``, ``stopped`` or ``failed``.
        method: ``grid``, ``random`` or ``bayes``, and the sampler where that says more.
        overrides: What the command line set for every trial.
        brackets: Logs at which the rule for early stops looks at a trial.
        facts: More pairs of a word and what it is, shown under the title.
        source: The sweep file as it was given.
        commands: Pairs of a purpose and a command that the user may want next.
    """

    name: str
    plugin: str
    metric: str
    goal: Goal
    parameters: Sequence[Parameter]
    trials: Sequence[TrialRow]
    state: str = "finished"
    method: str = ""
    overrides: Sequence[str] = ()
    brackets: Sequence[int] = ()
    facts: Sequence[tuple[str, str]] = ()
    source: str = ""
    commands: Sequence[tuple[str, str]] = field(default_factory=tuple)

    @property
    def varying(self) -> list[Parameter]:
        """The parameters in which trials can differ."""
        return [parameter for parameter in self.parameters if parameter.varies]

    def ranked(self) -> list[TrialRow]:
        """Returns the trials that can be compared, the best first; of equals the earlier."""
        sign = 1 if self.goal == "minimize" else -1
        scored = [(sign * t.score, t.number, t) for t in self.trials if t.score is not None]
        return [trial for _, _, trial in sorted(scored, key=lambda item: item[:2])]


def short_names(names: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Splits dotted names into a beginning to print small and an end that tells them apart."""
    names = list(names)
    split: dict[str, tuple[str, str]] = {}
    for name in names:
        parts = name.split(".")
        for count in range(1, len(parts) + 1):
            end = ".".join(parts[-count:])
            others = sum(other == end or other.endswith(f".{end}") for other in names)
            if others == 1:
                break
        split[name] = (name.removesuffix(end), end)
    return split
