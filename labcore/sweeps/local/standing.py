"""How a sweep stands: its trials, the best, how many are left, and how long that may take."""

import json
import math
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal, Protocol

from labcore.sweeps.local.metric_log import MetricLog
from labcore.sweeps.local.record import Record, Verdict
from labcore.sweeps.report import Parameter
from labcore.sweeps.sweep import Sweep
from labcore.sweeps.trial import RunningTrial

__all__ = ["Event", "LiveTrial", "Standing", "Watch", "best_record", "limit_of", "varying_of"]

Event = Literal["started", "resumed", "adopted", "stopping", "again", "ended"]


def best_record(sweep: Sweep, records: Iterable[Record]) -> Record | None:
    """Returns the trial with the best value; of equals the first.

    A trial that was stopped early counts with the best it had; one that diverged or failed not.
    """
    metric, best = sweep.metric, None
    if metric is None:
        return None
    for record in records:
        if record.result is None:
            continue
        if best is None or best.value is None or metric.is_better(record.result, best.value):
            best = record
    return best


def varying_of(sweep: Sweep) -> tuple[str, ...]:
    """Returns the parameters in which trials can differ."""
    described = [Parameter.of(name, each) for name, each in sweep.parameters.items()]
    return tuple(parameter.name for parameter in described if parameter.varies)


def limit_of(sweep: Sweep, count: int | None) -> int | None:
    """Returns the most trials of a sweep; None when there is no end.

    Args:
        sweep: May have a ``run_cap``, or a grid.
        count: The user's limit.
    """
    return min((n for n in (sweep.run_cap, count, sweep.grid_size) if n is not None), default=None)


@dataclass(kw_only=True, slots=True)
class LiveTrial:
    """A trial under way, and all that is known of it here."""

    record: Record
    handle: RunningTrial
    log: MetricLog | None
    adopted: bool = False
    """Found running, or dead, when this controller took up the sweep."""
    verdict: Verdict | None = None
    """Why it has been asked to end before its time."""
    killed_at: float = math.inf
    """When patience with it ends, once it has been asked to end."""
    device: str = ""
    logged: float = 0.0
    """When its logs were last written to the study."""

    @property
    def is_stopping(self) -> bool:
        """Whether it has been asked to end."""
        return self.killed_at < math.inf

    @property
    def where(self) -> str:
        """Where it computes, in a few words: its machine or job, and its device."""
        return " ".join(filter(None, [self.handle.where, self.device]))

    def look_for_device(self) -> None:
        """Finds out on which device it computes, once its run has written that down."""
        try:
            row = json.loads((self.record.folder / "environment.json").read_text(encoding="utf-8"))
            device = row["device"]
            self.device = "CPU" if device["kind"] == "cpu" else f"GPU {device['index']}"
        except (OSError, ValueError, KeyError, TypeError):
            return

    def stop(self, grace_s: float) -> None:
        """Asks it to write a checkpoint and end; patience with it ends after so many seconds."""
        self.killed_at = time.monotonic() + grace_s
        self.handle.stop()


@dataclass(kw_only=True, slots=True)
class Standing:
    """The trials of a sweep, kept for as long as it is worked on."""

    sweep: Sweep
    name: str
    agents: int = 1
    """Trials at once."""
    limit: int | None = None
    """Most trials; None when there is no end."""
    records: list[Record] = field(default_factory=list)
    live: dict[int, LiveTrial] = field(default_factory=dict)
    """Those under way, by number."""

    @property
    def is_full(self) -> bool:
        """Whether no more trials may be started."""
        return self.limit is not None and len(self.records) >= self.limit

    @property
    def best(self) -> Record | None:
        """The best trial so far, those under way included."""
        return best_record(self.sweep, self.records)

    @property
    def reached_target(self) -> Record | None:
        """The first trial that has reached the metric's target, and did not diverge."""
        metric = self.sweep.metric
        if metric is None:
            return None
        at_target = (
            r for r in self.records if r.result is not None and metric.is_reached(r.result)
        )
        return next(at_target, None)

    @property
    def counts(self) -> dict[str, int]:
        """How many trials have which outcome; open ones are running or interrupted."""
        states = (
            each.outcome or ("running" if each.number in self.live else "interrupted")
            for each in self.records
        )
        return dict(Counter(states))

    @property
    def eta_s(self) -> float | None:
        """Seconds that are left, by the mean time of the trials that have ended."""
        took = [each.seconds for each in self.records if each.outcome and each.seconds is not None]
        if self.limit is None or not took:
            return None
        return max(0.0, (self.limit - len(took)) * sum(took) / len(took) / self.agents)


class Watch(Protocol):
    """Shows a sweep."""

    def event(self, kind: Event, record: Record, text: str = "") -> None:
        """Something happened to a trial."""

    def say(self, text: str) -> None:
        """Something else that the user should know."""

    def show(self, standing: Standing) -> None:
        """How it stands now; called a few times a second."""
