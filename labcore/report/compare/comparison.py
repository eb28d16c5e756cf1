"""Several runs held against one another: groups that differ in their seed, and what is shared.

A name is shared when at least two runs have it and no plugin among them is without it, so runs of
two plugins are held against each other only in what both of them know.
"""

import json
import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from labcore.config.options import as_typed
from labcore.report.compare.reading import ComparedRun
from labcore.report.metrics import Series

__all__ = ["ABSENT", "BEST", "Comparison", "Group", "Spread", "compare"]

ABSENT = "\N{EN DASH}"
"""Stands where a run has nothing."""

BEST = "best "
"""Begins the name of the figure that is the best value of the monitored metric, not the last."""

_NAMED = ("plugin", "task", "preset", "seed")
"""Options that have columns of their own."""

_ASIDE = ("name", "runs_dir", "data_dir", "device", "threads", "hooks", "taps", "taps_every")
"""Options that say where a run is computed and who watches it, not what is computed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Spread:
    """A figure over the runs of a group.

    Attributes:
        mean: Mean of the values that are finite.
        deviation: Their sample standard deviation; None when there is only one.
        num: How many they are.
    """

    mean: float
    deviation: float | None
    num: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Group:
    """Runs that differ in nothing but their seed.

    Attributes:
        number: From 1, in the order of the runs.
        runs: One or more.
    """

    number: int
    runs: Sequence[ComparedRun]

    def spread(self, figure: "Figure") -> Spread | None:
        """Returns a figure over the runs, or None when none of them has a finite value."""
        values = [figure.values.get(run.folder, math.nan) for run in self.runs]
        values = [value for value in values if math.isfinite(value)]
        if not values:
            return None
        deviation = statistics.stdev(values) if len(values) > 1 else None
        return Spread(mean=statistics.fmean(values), deviation=deviation, num=len(values))


@dataclass(frozen=True, kw_only=True, slots=True)
class Figure:
    """One figure of all runs.

    Attributes:
        name: Its phase and name.
        values: Run folder to value.
        best: Run folders of the best; none when nobody said which end is good.
        best_groups: Numbers of the groups with the best mean.
    """

    name: str
    values: Mapping[Path, float]
    best: frozenset[Path] = frozenset()
    best_groups: frozenset[int] = frozenset()


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """Runs beside one another.

    Attributes:
        groups: The runs, those that differ only in their seed together.
        options: Options that differ.
        figures: Shared figures, the monitored one first.
        monitor: Name of the monitored metric, with no phase; empty when they agree on none.
        maximize: Whether large values of it are good.
        num_left_out: Figures that are not shared.
    """

    groups: Sequence[Group]
    options: Sequence[str]
    figures: Sequence[Figure]
    monitor: str
    maximize: bool
    num_left_out: int

    @property
    def runs(self) -> list[ComparedRun]:
        """All runs, group by group."""
        return [run for group in self.groups for run in group.runs]

    @property
    def has_groups(self) -> bool:
        """Whether any two runs differ only in their seed."""
        return any(len(group.runs) > 1 for group in self.groups)

    def option(self, run: ComparedRun, name: str) -> str:
        """Returns the value of an option as it is typed."""
        return as_typed(run.options[name]) if name in run.options else ABSENT

    def series(self, *phases: str) -> list[tuple[ComparedRun, Series]]:
        """Returns the shared series of some phases, the monitored metric's first."""
        found = {run.folder: run.metrics.of(*phases) for run in self.runs}
        names = _shared(self.runs, {run: [s.full_name for s in found[run]] for run in found})
        names.sort(key=lambda name: (_name_of(name) != self.monitor, not name.startswith("val/")))
        pairs = [(run, series) for run in self.runs for series in found[run.folder]]
        return sorted(
            (pair for pair in pairs if pair[1].full_name in names),
            key=lambda pair: names.index(pair[1].full_name),
        )


def compare(runs: Sequence[ComparedRun]) -> Comparison:
    """Holds runs against one another, in their order."""
    monitor, maximize = _monitored(runs)
    groups = _grouped(runs)
    names = _shared(runs, {run.folder: run.figures for run in runs})
    every = {name for run in runs for name in run.figures}
    figures = {
        name: {r.folder: r.figures[name] for r in runs if name in r.figures} for name in names
    }
    figures |= _best_reached(runs, names, monitor, maximize=maximize)
    ordered = sorted(figures, key=lambda name: (_name_of(name) != monitor, "val/" not in name))
    return Comparison(
        groups=groups,
        options=_differing(runs),
        figures=[
            _figure(name, figures[name], groups, _name_of(name) == monitor, maximize=maximize)
            for name in ordered
        ],
        monitor=monitor,
        maximize=maximize,
        num_left_out=len(every) - len(names),
    )


def _monitored(runs: Iterable[ComparedRun]) -> tuple[str, bool]:
    """Returns the metric that all trainings monitor, if they agree on it and on its good end."""
    found = {(run.training.monitor, run.training.maximize) for run in runs if run.training}
    return found.pop() if len(found) == 1 else ("", False)


def _name_of(figure: str) -> str:
    return figure.partition("/")[2]


def _shared(runs: Sequence[ComparedRun], by_run: Mapping[Path, Iterable[str]]) -> list[str]:
    """Returns the names that at least two runs have, and a run of every plugin."""
    owners: dict[str, list[str]] = {}
    for run in runs:
        for name in by_run[run.folder]:
            owners.setdefault(name, []).append(run.stored.status.plugin)
    plugins = {run.stored.status.plugin for run in runs}
    return [name for name, found in owners.items() if len(found) > 1 and plugins == {*found}]


def _differing(runs: Sequence[ComparedRun]) -> list[str]:
    return [
        name
        for name in _shared(runs, {run.folder: run.options for run in runs})
        if name not in _NAMED
        and name.partition(".")[0] not in _ASIDE
        and len({_key(run.options[name]) for run in runs if name in run.options}) > 1
    ]


def _grouped(runs: Iterable[ComparedRun]) -> list[Group]:
    families: dict[str, list[ComparedRun]] = {}
    for run in runs:
        status = run.stored.status
        what = {n: v for n, v in run.options.items() if n.partition(".")[0] not in _ASIDE}
        what |= {"plugin": status.plugin, "task": status.task, "preset": status.preset, "seed": ""}
        families.setdefault(_key(what), []).append(run)
    return [Group(number=at, runs=family) for at, family in enumerate(families.values(), start=1)]


def _key(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=str)


def _best_reached(
    runs: Sequence[ComparedRun], names: Sequence[str], monitor: str, *, maximize: bool
) -> dict[str, dict[Path, float]]:
    """Returns the best values of the monitored metric, when they are not simply the last."""
    name = f"val/{monitor}"
    if name not in names:
        return {}
    end = "highest" if maximize else "lowest"
    reached = {
        run.folder: series.ends[end][0]
        for run in runs
        for series in run.metrics.of("val")
        if series.name == monitor
    }
    reached = {run: value for run, value in reached.items() if math.isfinite(value)}
    last = {run.folder: run.figures.get(name) for run in runs}
    is_news = any(value != last[run] for run, value in reached.items())
    return {f"{BEST}{name}": reached} if is_news else {}


def _figure(
    name: str,
    values: Mapping[Path, float],
    groups: Sequence[Group],
    is_monitored: bool,
    *,
    maximize: bool,
) -> Figure:
    figure = Figure(name=name, values=values)
    finite = [value for value in values.values() if math.isfinite(value)]
    if not is_monitored or not finite:
        return figure
    choose = max if maximize else min
    means = {group.number: found.mean for group in groups if (found := group.spread(figure))}
    return Figure(
        name=name,
        values=values,
        best=frozenset(run for run, value in values.items() if value == choose(finite)),
        best_groups=frozenset(n for n, mean in means.items() if mean == choose(means.values())),
    )
