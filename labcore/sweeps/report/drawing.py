"""The charts of a sweep as geometry, in the units of each SVG's view box."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from labcore.report.axes import step_axis
from labcore.report.charts import Plot
from labcore.sweeps.report.model import SweepResults, TrialRow
from labcore.sweeps.report.scales import (
    ChoiceScale,
    NumberScale,
    metric_scale,
    parameter_scale,
    tones,
)
from labcore.sweeps.report.words import short_names

__all__ = ["Column", "Dot", "DotChart", "LineChart", "Parallel", "TrialLine", "draw"]

_WIDE = Plot(width=600, height=300, left=64, right=588, top=14, bottom=268)
_SMALL = Plot(width=420, height=240, left=64, right=408, top=12, bottom=208)
_COLUMN = 190
"""Width between two axes of the parallel coordinates."""
_GOLDEN = 0.6180339887498949
_FAR_OF_CURVES = 8.0
"""Curves begin far from where they end: more of what is bad must be seen of them."""
_MOST_POINTS = 160
"""Points of a learning curve that are drawn; more cannot be told apart at this width."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TrialLine:
    """The line of a trial. ``tone`` is None for one that takes no part in the comparison."""

    trial: int
    state: str
    tone: int | None
    path: str
    end: tuple[float, float]


@dataclass(frozen=True, kw_only=True, slots=True)
class Column:
    """An axis of the parallel coordinates."""

    name: str
    prefix: str
    end: str
    x: float
    ticks: Sequence[tuple[float, str]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Parallel:
    """Parallel coordinates: a line per trial through an axis per parameter, the metric's last."""

    plot: Plot
    columns: Sequence[Column]
    lines: Sequence[TrialLine]


@dataclass(frozen=True, kw_only=True, slots=True)
class LineChart:
    """Learning curves by number of the log."""

    plot: Plot
    lines: Sequence[TrialLine]
    x_ticks: Sequence[tuple[float, str]]
    y_ticks: Sequence[tuple[float, str]]
    brackets: Sequence[tuple[float, int]]
    num_beyond: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Dot:
    """A trial as a point; at the edge of the chart when its value lies ``beyond`` the scale."""

    trial: int
    state: str
    tone: int | None
    x: float
    y: float
    beyond: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class DotChart:
    """The metric of every trial against something."""

    title: str
    plot: Plot
    dots: Sequence[Dot]
    x_ticks: Sequence[tuple[float, str]]
    y_ticks: Sequence[tuple[float, str]]
    best: str = ""
    """Path of the best value so far; empty where the order of trials is not shown."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Drawings:
    """All charts of the page."""

    parallel: Parallel | None
    curves: LineChart | None
    history: DotChart | None
    scatters: Sequence[DotChart]


def draw(results: SweepResults) -> Drawings:
    """Draws what there is to draw; a part is None when no trial has anything for it."""
    ranked = results.ranked()
    metric = metric_scale([trial.best_metric or 0.0 for trial in ranked], results.goal)
    colours = tones(results)
    scales = {
        parameter.name: parameter_scale(
            parameter,
            [t.values[parameter.name] for t in results.trials if parameter.name in t.values],
        )
        for parameter in results.varying
    }
    return Drawings(
        parallel=_parallel(results, scales, metric, colours) if scales and ranked else None,
        curves=_curves(results, colours),
        history=_history(results, metric, colours) if ranked else None,
        scatters=[_scatter(name, ranked, scale, metric, colours) for name, scale in scales.items()]
        if len(ranked) > 1
        else [],
    )


def _worst_first(results: SweepResults) -> list[TrialRow]:
    """The order of drawing: the best trial lies on top, those without a score at the bottom."""
    others = [trial for trial in results.trials if trial.score is None]
    return [*others, *reversed(results.ranked())]


def _parallel(
    results: SweepResults,
    scales: Mapping[str, NumberScale | ChoiceScale],
    metric: NumberScale,
    colours: Mapping[int, int],
) -> Parallel:
    # On the metric's axis up is better, whatever the goal.
    flip = results.goal == "minimize"
    left = 80
    width = left + _COLUMN * len(scales) + 90
    plot = Plot(width=width, height=400, left=left, right=width - 90, top=58, bottom=384)
    xs = {name: left + _COLUMN * index for index, name in enumerate(scales)}
    names = short_names([*scales])
    columns = [
        Column(
            name=name,
            prefix=names[name][0],
            end=names[name][1],
            x=xs[name],
            ticks=[(plot.y(position), label) for position, label in scale.ticks],
        )
        for name, scale in scales.items()
    ]
    last = Column(
        name=results.metric,
        prefix="lower is better" if flip else "higher is better",
        end=results.metric,
        x=plot.right,
        ticks=[(plot.y(1 - at if flip else at), label) for at, label in metric.ticks],
    )
    spread = _spread(results.trials, scales)
    lines = []
    for trial in _worst_first(results):
        corners: list[tuple[float, float]] = []
        for name, scale in scales.items():
            at = scale.place(trial.values.get(name))
            if at is not None:
                corners.append((xs[name], plot.y(at + spread.get((trial.number, name), 0.0))))
        at = metric.place(trial.score)
        if at is not None:
            corners.append((plot.right, plot.y(1 - at if flip else at)))
        if len(corners) > 1:
            lines.append(_line(trial, corners, colours))
    return Parallel(plot=plot, columns=[*columns, last], lines=lines)


def _spread(
    trials: Sequence[TrialRow], scales: Mapping[str, NumberScale | ChoiceScale]
) -> dict[tuple[int, str], float]:
    """Shifts that keep trials with the same choice apart, by trial and parameter."""
    shifts = {}
    for name, scale in scales.items():
        if isinstance(scale, ChoiceScale):
            # Half of the choice's room; less when there is little to keep apart.
            room = min(0.5 * scale.room, 0.01 * len(trials) * scale.room)
            for trial in trials:
                # Multiples of the golden ratio fill the room evenly, in no order that could be
                # taken for a meaning.
                shifts[trial.number, name] = ((trial.number * _GOLDEN) % 1 - 0.5) * room
    return shifts


def _curves(results: SweepResults, colours: Mapping[int, int]) -> LineChart | None:
    drawn = [trial for trial in _worst_first(results) if _finite(trial)]
    if not drawn:
        return None
    compared = [t for t in drawn if t.score is not None] or drawn
    y_scale = metric_scale(
        [value for t in compared for _, value in _finite(t)], results.goal, far=_FAR_OF_CURVES
    )
    x_axis = step_axis(0, max(index for trial in drawn for index, _ in _finite(trial)))
    lines = []
    for trial in drawn:
        points = _thin(_finite(trial))
        corners = [
            (_WIDE.x(x_axis.place(index)), _WIDE.y(y_scale.place(value) or 0.0))
            for index, value in points
        ]
        lines.append(_line(trial, corners, colours))
    beyond = sum(any(not y_scale.holds(v) for _, v in _finite(trial)) for trial in drawn)
    return LineChart(
        plot=_WIDE,
        lines=lines,
        x_ticks=[(_WIDE.x(position), label) for position, label in x_axis.ticks],
        y_ticks=[(_WIDE.y(position), label) for position, label in y_scale.ticks],
        brackets=[
            (_WIDE.x(x_axis.place(bracket)), bracket)
            for bracket in results.brackets
            if bracket <= x_axis.high
        ],
        num_beyond=beyond,
    )


def _finite(trial: TrialRow) -> list[tuple[int, float]]:
    return [(index, value) for index, _, value in trial.curve if value - value == 0]


def _thin(points: Sequence[tuple[int, float]]) -> Sequence[tuple[int, float]]:
    """Keeps points evenly by their index, the first and the last among them."""
    if len(points) <= _MOST_POINTS:
        return points
    last = len(points) - 1
    return [points[round(i * last / (_MOST_POINTS - 1))] for i in range(_MOST_POINTS)]


def _history(results: SweepResults, metric: NumberScale, colours: Mapping[int, int]) -> DotChart:
    x_axis = step_axis(0, max(trial.number for trial in results.trials))
    by_number = sorted(results.ranked(), key=lambda trial: trial.number)
    dots = [_dot(trial, _WIDE, x_axis.place(trial.number), metric, colours) for trial in by_number]
    path, best = "", None
    for dot in dots:
        # In the picture, smaller ordinates are larger values.
        better = best is None or (dot.y > best if results.goal == "minimize" else dot.y < best)
        if better:
            path += f"M{dot.x:g} {dot.y:g}" if best is None else f"H{dot.x:g}V{dot.y:g}"
            best = dot.y
    return DotChart(
        title="trial",
        plot=_WIDE,
        dots=dots,
        x_ticks=[(_WIDE.x(position), label) for position, label in x_axis.ticks],
        y_ticks=[(_WIDE.y(position), label) for position, label in metric.ticks],
        best=f"{path}H{_WIDE.right:g}",
    )


def _scatter(
    name: str,
    ranked: Sequence[TrialRow],
    scale: NumberScale | ChoiceScale,
    metric: NumberScale,
    colours: Mapping[int, int],
) -> DotChart:
    spread = _spread(ranked, {name: scale})
    dots = []
    for trial in reversed(ranked):
        at = scale.place(trial.values.get(name))
        if at is not None:
            shift = spread.get((trial.number, name), 0.0)
            dots.append(_dot(trial, _SMALL, at + shift, metric, colours))
    return DotChart(
        title=name,
        plot=_SMALL,
        dots=dots,
        x_ticks=[(_SMALL.x(position), label) for position, label in scale.ticks],
        y_ticks=[(_SMALL.y(position), label) for position, label in metric.ticks],
    )


def _dot(
    trial: TrialRow, plot: Plot, at: float, metric: NumberScale, colours: Mapping[int, int]
) -> Dot:
    value: Any = trial.score
    return Dot(
        trial=trial.number,
        state=trial.state,
        tone=colours.get(trial.number),
        x=plot.x(at),
        y=plot.y(metric.place(value) or 0.0),
        beyond=not metric.holds(value),
    )


def _line(
    trial: TrialRow, corners: Sequence[tuple[float, float]], colours: Mapping[int, int]
) -> TrialLine:
    return TrialLine(
        trial=trial.number,
        state=trial.state,
        tone=colours.get(trial.number),
        path="M" + "L".join(f"{x:g} {y:g}" for x, y in corners),
        end=corners[-1],
    )
