"""The charts of a sweep as geometry, in the units of each SVG's view box."""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from labcore.report.axes import Axis, step_axis
from labcore.report.charts import Plot, polyline
from labcore.sweeps.report.model import SweepResults, TrialRow, short_names
from labcore.sweeps.report.scales import Scale, metric_axis, parameter_scale, tones

__all__ = ["Column", "Drawings", "Mark", "Parallel", "TrialChart", "draw"]

_WIDE = Plot(width=600, height=300, left=64, right=588, top=14, bottom=268)
_SMALL = Plot(width=420, height=240, left=64, right=408, top=12, bottom=208)
_COLUMN = 190
"""Width between two axes of the parallel coordinates."""
_FAR_OF_CURVES = 8.0
"""Curves begin far from where they end: more of what is bad must be seen of them."""
_MOST_POINTS = 160
"""Points of a learning curve that are drawn; more cannot be told apart at this width."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Mark:
    """A trial in a chart: a line through its corners, or a point where there is only one.

    Attributes:
        trial: Its number.
        state: Its state.
        tone: Its colour; None when it takes no part in the comparison.
        corners: Pairs of abscissa and ordinate.
        beyond: Whether a value lies beyond the axis and is drawn at its edge.
    """

    trial: int
    state: str
    tone: int | None
    corners: Sequence[tuple[float, float]]
    beyond: bool = False

    @property
    def path(self) -> str:
        """Path data of the line."""
        return polyline(self.corners)


@dataclass(frozen=True, kw_only=True, slots=True)
class Column:
    """An axis of the parallel coordinates; its name is cut into a beginning and an end."""

    names: tuple[str, str]
    x: float
    ticks: Sequence[tuple[float, str]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Parallel:
    """Parallel coordinates: a line per trial through an axis per parameter, the metric's last."""

    plot: Plot
    columns: Sequence[Column]
    marks: Sequence[Mark]


@dataclass(frozen=True, kw_only=True, slots=True)
class TrialChart:
    """The metric of every trial against something.

    Attributes:
        title: What it is against.
        plot: The plotting area.
        x_axis: Axis of what it is against.
        y_axis: Axis of the metric.
        marks: The trials, the best last.
        best: Path of the best value so far; empty where the order of trials is not shown.
        brackets: Abscissa and number of the logs at which trials are compared.
    """

    title: str
    plot: Plot
    x_axis: Axis
    y_axis: Axis
    marks: Sequence[Mark]
    best: str = ""
    brackets: Sequence[tuple[float, int]] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Drawings:
    """All charts of the page; None where no trial has anything for it."""

    parallel: Parallel | None
    curves: TrialChart | None
    history: TrialChart | None
    scatters: Sequence[TrialChart]


def draw(results: SweepResults) -> Drawings:
    """Draws what there is to draw."""
    ranked, colours = results.ranked(), tones(results)
    metric = metric_axis([trial.best_metric or 0.0 for trial in ranked], results.goal)
    scales = {
        p.name: parameter_scale(p, [t.values[p.name] for t in results.trials if p.name in t.values])
        for p in results.varying
    }
    places = {name: _places(results.trials, name, scale) for name, scale in scales.items()}

    def against(title: str, plot: Plot, axis: Axis, places: Mapping[int, float]) -> TrialChart:
        marks = [
            Mark(
                trial=trial.number,
                state=trial.state,
                tone=colours[trial.number],
                corners=[(plot.x(places[trial.number]), plot.y(metric.place(trial.score)))],
                beyond=not metric.holds(trial.score),
            )
            for trial in reversed(ranked)
            if trial.score is not None and trial.number in places
        ]
        return TrialChart(title=title, plot=plot, x_axis=axis, y_axis=metric, marks=marks)

    history = None
    if ranked:
        axis = step_axis(0, max(trial.number for trial in results.trials))
        by_number = {trial.number: axis.place(trial.number) for trial in ranked}
        history = against("trial", _WIDE, axis, by_number)
        history = dataclasses.replace(history, best=_best_so_far(history.marks, results))
    return Drawings(
        parallel=_parallel(results, scales, places, metric, colours) if scales and ranked else None,
        curves=_curves(results, colours),
        history=history,
        scatters=[against(name, _SMALL, scales[name].axis, places[name]) for name in scales]
        if len(ranked) > 1
        else [],
    )


def _places(trials: Sequence[TrialRow], name: str, scale: Scale) -> dict[int, float]:
    """Where the trials lie on a scale, by number; those with the same choice apart."""
    found = {trial.number: scale.place(trial.values.get(name)) for trial in trials}
    return {
        number: at + scale.shift(number, len(trials))
        for number, at in found.items()
        if at is not None
    }


def _best_so_far(marks: Sequence[Mark], results: SweepResults) -> str:
    path, best = "", None
    for mark in sorted(marks, key=lambda mark: mark.trial):
        ((x, y),) = mark.corners
        # In the picture, smaller ordinates are larger values.
        if best is None or (y > best if results.goal == "minimize" else y < best):
            path += f"M{x:g} {y:g}" if best is None else f"H{x:g}V{y:g}"
            best = y
    return f"{path}H{_WIDE.right:g}"


def _worst_first(results: SweepResults) -> list[TrialRow]:
    """The order of drawing: the best trial lies on top, those without a score at the bottom."""
    others = [trial for trial in results.trials if trial.score is None]
    return [*others, *reversed(results.ranked())]


def _parallel(
    results: SweepResults,
    scales: Mapping[str, Scale],
    places: Mapping[str, Mapping[int, float]],
    metric: Axis,
    colours: Mapping[int, int],
) -> Parallel:
    # On the metric's axis up is better, whatever the goal.
    flip = results.goal == "minimize"
    left = 80
    width = left + _COLUMN * len(scales) + 90
    plot = Plot(width=width, height=400, left=left, right=width - 90, top=58, bottom=384)
    names = short_names([*scales])
    xs = {name: left + _COLUMN * index for index, name in enumerate(scales)}
    columns = [
        Column(
            names=names[name],
            x=xs[name],
            ticks=[(plot.y(at), text) for at, text in scale.axis.ticks],
        )
        for name, scale in scales.items()
    ]
    last = Column(
        names=("lower is better" if flip else "higher is better", results.metric),
        x=plot.right,
        ticks=[(plot.y(1 - at if flip else at), label) for at, label in metric.ticks],
    )
    marks = []
    for trial in _worst_first(results):
        number = trial.number
        corners: list[tuple[float, float]] = [
            (xs[name], plot.y(at[number])) for name, at in places.items() if number in at
        ]
        if trial.score is not None:
            at = metric.place(trial.score)
            corners.append((plot.right, plot.y(1 - at if flip else at)))
        if len(corners) > 1:
            tone = colours.get(number)
            marks.append(Mark(trial=number, state=trial.state, tone=tone, corners=corners))
    return Parallel(plot=plot, columns=[*columns, last], marks=marks)


def _curves(results: SweepResults, colours: Mapping[int, int]) -> TrialChart | None:
    finite = {
        trial.number: [(log, value) for log, _, value in trial.curve if math.isfinite(value)]
        for trial in results.trials
    }
    drawn = [trial for trial in _worst_first(results) if finite[trial.number]]
    if not drawn:
        return None
    compared = [trial for trial in drawn if trial.score is not None] or drawn
    values = [value for trial in compared for _, value in finite[trial.number]]
    y_axis = metric_axis(values, results.goal, far=_FAR_OF_CURVES)
    x_axis = step_axis(0, max(finite[trial.number][-1][0] for trial in drawn))
    marks = [
        Mark(
            trial=trial.number,
            state=trial.state,
            tone=colours.get(trial.number),
            corners=[
                (_WIDE.x(x_axis.place(log)), _WIDE.y(y_axis.place(value)))
                for log, value in _thin(finite[trial.number])
            ],
            beyond=any(not y_axis.holds(value) for _, value in finite[trial.number]),
        )
        for trial in drawn
    ]
    brackets = [(_WIDE.x(x_axis.place(at)), at) for at in results.brackets if at <= x_axis.high]
    return TrialChart(
        title="log", plot=_WIDE, x_axis=x_axis, y_axis=y_axis, marks=marks, brackets=brackets
    )


def _thin(points: Sequence[tuple[int, float]]) -> Sequence[tuple[int, float]]:
    """Keeps points evenly by their index, the first and the last among them."""
    if len(points) <= _MOST_POINTS:
        return points
    last = len(points) - 1
    return [points[round(i * last / (_MOST_POINTS - 1))] for i in range(_MOST_POINTS)]
