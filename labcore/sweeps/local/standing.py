"""How a sweep stands: its trials, the best, how many are left, and how long that may take."""

from collections import Counter
from collections.abc import Container, Iterable

from labcore.sweeps.local.live import LiveTrial
from labcore.sweeps.local.record import Record
from labcore.sweeps.local.watch import Running, Snapshot
from labcore.sweeps.report import Parameter
from labcore.sweeps.sweep import Sweep

__all__ = ["Standing", "best_record", "limit_of", "varying_of"]


def best_record(sweep: Sweep, records: Iterable[Record]) -> Record | None:
    """Returns the trial with the best value; of equals the first.

    A trial that was stopped early counts with the best it had; one that diverged or failed not.
    """
    metric, best = sweep.metric, None
    if metric is None:
        return None
    for record in records:
        if record.outcome in {"diverged", "failed"} or record.value is None:
            continue
        if best is None or best.value is None or metric.is_better(record.value, best.value):
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


class Standing:
    """The trials of a sweep, kept for as long as it is worked on.

    Args:
        sweep: The sweep file.
        name: Name of the sweep.
        agents: Trials at once.
        limit: Most trials; None when there is no end.
    """

    def __init__(self, sweep: Sweep, name: str, *, agents: int, limit: int | None) -> None:
        self._sweep = sweep
        self._name = name
        self._agents = agents
        self._limit = limit
        self.records: list[Record] = []
        self.failed_in_a_row: list[Record] = []
        """Newest last; emptied by every trial that does not fail."""
        self.news = False
        """Whether a trial has logged the metric since the last look."""

    @property
    def is_full(self) -> bool:
        """Whether no more trials may be started."""
        return self._limit is not None and len(self.records) >= self._limit

    @property
    def has_result(self) -> bool:
        """Whether there is a trial that did not fail."""
        return any(each.outcome not in {"", "failed"} for each in self.records)

    def add(self, record: Record) -> None:
        """Takes in a trial, new or of an earlier controller."""
        self.records.append(record)

    def end(self, record: Record) -> None:
        """Takes note of an outcome."""
        if record.outcome == "failed":
            self.failed_in_a_row.append(record)
        else:
            self.failed_in_a_row.clear()

    def take_news(self) -> bool:
        """Returns :attr:`news` and forgets it."""
        news, self.news = self.news, False
        return news

    def best(self) -> Record | None:
        """Returns the best trial so far, those under way included."""
        return best_record(self._sweep, self.records)

    def reached_target(self) -> Record | None:
        """Returns the first trial that has reached the metric's target, and did not diverge."""
        metric = self._sweep.metric
        if metric is None or metric.target is None:
            return None
        for each in self.records:
            is_wrong = each.outcome in {"diverged", "failed"}
            if not is_wrong and each.value is not None and metric.is_reached(each.value):
                return each
        return None

    def counts(self, live: Container[int]) -> dict[str, int]:
        """Returns how many trials have which outcome; open ones are running or interrupted.

        Args:
            live: Numbers of the trials under way.
        """
        return dict(
            Counter(
                each.outcome or ("running" if each.number in live else "interrupted")
                for each in self.records
            )
        )

    def snapshot(self, live: Iterable[LiveTrial]) -> Snapshot:
        """Returns what there is to show."""
        running = tuple(
            Running(
                record=each.record,
                device=" ".join(filter(None, [each.handle.where, each.device])),
                stopping="" if each.verdict is None else each.verdict.reason,
            )
            for each in sorted(live, key=lambda each: each.record.number)
        )
        counts = self.counts({each.record.number for each in running})
        return Snapshot(
            name=self._name,
            records=tuple(self.records),
            running=running,
            best=self.best(),
            limit=self._limit,
            eta_s=self._eta_s(),
            counts=counts,
        )

    def _eta_s(self) -> float | None:
        """Goes by the mean time of the trials that have ended."""
        took = [
            each.ended - each.started
            for each in self.records
            if each.outcome and each.ended is not None and each.started is not None
        ]
        if self._limit is None or not took:
            return None
        left = self._limit - len(took)
        return max(0.0, left * sum(took) / len(took) / self._agents)
