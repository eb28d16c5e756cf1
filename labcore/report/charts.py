"""Charts as geometry: what the templates draw as SVG and the page's script reads out.

Everything is in the units of the SVG's view box; the page scales it to the width there is.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from labcore.report.axes import Axis, linear_axis, log_axis, step_axis
from labcore.report.metrics import Point, Series, downsample
from labcore.report.wording import format_number

__all__ = ["PLOT", "Chart", "ChartGroup", "Line", "Plot", "group_charts", "polyline"]

_MOST_CHARTS = 60
"""Charts in one group; module taps on a large model can record thousands of series."""

_PHASES = {"train": 1, "val": 2, "test": 3}


@dataclass(frozen=True, kw_only=True, slots=True)
class Plot:
    """The plotting area within the view box."""

    width: float = 420
    height: float = 210
    left: float = 58
    right: float = 408
    top: float = 10
    bottom: float = 184

    def x(self, position: float) -> float:
        """Returns the abscissa of a position in the unit interval."""
        return round(self.left + position * (self.right - self.left), 1)

    def y(self, position: float) -> float:
        """Returns the ordinate of a position in the unit interval; 1 is the top."""
        return round(self.bottom - position * (self.bottom - self.top), 1)


PLOT = Plot()


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One series of a chart.

    Attributes:
        label: Its phase, or whose it is.
        colour: Which of the palette's colours, from 1.
        points: What the script reads out: step, mean, low and high, or None at a gap.
        path: Path data of the means.
        band: Path data of the envelope; empty when nothing was thinned.
        dots: Centre and value of each marker of a series that is sparse enough to have them.
        last: Newest value, written out.
        num_missing: Values that were not finite.
    """

    label: str
    colour: int
    points: Sequence[Point | None]
    path: str
    band: str
    dots: Sequence[tuple[float, float, float]]
    last: str
    num_missing: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Chart:
    """Series of the same name over the same steps."""

    id: str
    title: str
    lines: Sequence[Line]
    x_axis: Axis
    y_axis: Axis
    log_axis: Axis | None
    """None when a logarithmic scale makes no sense."""

    @property
    def description(self) -> str:
        """A sentence for those who cannot see the chart."""
        parts = ", ".join(f"{line.label} ends at {line.last}" for line in self.lines)
        return f"{self.title} by step: {parts}"

    @property
    def data(self) -> dict[str, object]:
        """What the script needs, ready for JSON."""
        axes = {"x": self.x_axis, "y": self.y_axis, "log": self.log_axis}
        return {name: axis and [axis.low, axis.high] for name, axis in axes.items()} | {
            "lines": [[_compact(point) for point in line.points] for line in self.lines]
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class ChartGroup:
    """Charts shown together, and the figures that were recorded only once."""

    charts: Sequence[Chart]
    single: Sequence[tuple[str, str, str]]
    """Name, value and step of the series that have one value."""
    num_left_out: int = 0


def group_charts(
    series: Iterable[Series], *, prefix: str, colours: Mapping[str, int] = _PHASES
) -> ChartGroup:
    """Draws series, those of the same name in one chart, all over the same range of steps.

    Charts of what never changes come last: the shapes of a model's outputs are many.

    Args:
        series: What was recorded.
        prefix: Begins the charts' ids, so that they are unique in the page.
        colours: Phase to the colour of its lines, in the order of the lines in a chart.
    """
    by_name: dict[str, list[Series]] = {}
    for one in series:
        by_name.setdefault(one.name, []).append(one)
    single = [
        (one.name, format_number(one.last), f"{one.steps[0]:,}")
        for name, family in by_name.items()
        if not _is_curve(family)
        for one in family
    ]
    curves = {name: family for name, family in by_name.items() if _is_curve(family)}
    if not curves:
        return ChartGroup(charts=(), single=single)
    curves = dict(sorted(curves.items(), key=lambda item: _is_constant(item[1])))
    drawn = [one for family in curves.values() for one in family]
    axis = step_axis(min(one.steps[0] for one in drawn), max(one.steps[-1] for one in drawn))
    charts = [
        _chart(f"{prefix}-{index}", name, family, axis, colours)
        for index, (name, family) in enumerate(curves.items())
        if index < _MOST_CHARTS
    ]
    return ChartGroup(charts=charts, single=single, num_left_out=len(curves) - len(charts))


def _is_curve(family: Sequence[Series]) -> bool:
    return any(len(series.values) - series.num_missing > 1 for series in family)


def _is_constant(family: Sequence[Series]) -> bool:
    return len({value for series in family for value in series.values}) == 1


def _chart(
    chart_id: str,
    title: str,
    family: Sequence[Series],
    x_axis: Axis,
    colours: Mapping[str, int],
) -> Chart:
    places = list(colours)
    family = sorted(family, key=lambda s: places.index(s.phase) if s.phase in colours else 9)
    thinned = [downsample(series) for series in family]
    seen = [point for points in thinned for point in points if point is not None]
    low, high = min(point.low for point in seen), max(point.high for point in seen)
    y_axis = linear_axis(low, high)
    lines = [
        _line(series, points, colours.get(series.phase, 1), x_axis, y_axis)
        for series, points in zip(family, thinned, strict=True)
    ]
    return Chart(
        id=chart_id,
        title=title,
        lines=lines,
        x_axis=x_axis,
        y_axis=y_axis,
        log_axis=log_axis(low, high),
    )


def _line(
    series: Series, points: Sequence[Point | None], colour: int, x_axis: Axis, y_axis: Axis
) -> Line:
    runs = _unbroken(points)

    def at(step: int, value: float) -> tuple[float, float]:
        return PLOT.x(x_axis.place(step)), PLOT.y(y_axis.place(value))

    path = "".join(polyline([at(p.step, p.mean) for p in run]) for run in runs)
    band = ""
    if any(point.low < point.high for run in runs for point in run):
        band = "".join(
            polyline([at(p.step, p.high) for p in run] + [at(p.step, p.low) for p in reversed(run)])
            + "Z"
            for run in runs
        )
    sparse = len(points) <= 40
    dots = [(*at(p.step, p.mean), p.mean) for run in runs for p in run if sparse or len(run) == 1]
    return Line(
        label=series.phase,
        colour=colour,
        points=points,
        path=path,
        band=band,
        dots=dots,
        last=format_number(series.last),
        num_missing=series.num_missing,
    )


def _unbroken(points: Sequence[Point | None]) -> list[list[Point]]:
    """Cuts the points at their gaps."""
    runs: list[list[Point]] = [[]]
    for point in points:
        if point is None:
            runs.append([])
        else:
            runs[-1].append(point)
    return [run for run in runs if run]


def polyline(corners: Sequence[tuple[float, float]]) -> str:
    """Returns path data of a line through these corners."""
    return "M" + "L".join(f"{x:g} {y:g}" for x, y in corners)


def _compact(point: Point | None) -> list[float] | None:
    """Shortens a point for the page: five digits are more than a chart can show."""
    if point is None:
        return None
    step, *values = point
    if point.low == point.high:
        values = values[:1]
    return [step, *(float(f"{value:.5g}") for value in values)]
