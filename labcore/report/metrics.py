"""``metrics.jsonl``: reading it fast, and thinning a series to what a chart can show."""

import json
import math
import operator
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from labcore.report.wording import format_number

__all__ = ["Metrics", "Point", "Series", "downsample", "headline", "mean_of", "read_metrics"]

_CHUNK_LINES = 2_000
"""Lines parsed in one call of the JSON parser: fast, and little memory however long the file."""

_MOST_TILES = 8

_LARGEST = 1e300
"""Beyond this a number is taken as infinite, so that sums over a bucket stay finite."""


@dataclass(kw_only=True, slots=True)
class Series:
    """One metric over the steps of a run; a value that was not finite is NaN."""

    phase: str
    name: str
    steps: list[int] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    spans: list[tuple[float, float]] = field(default_factory=list)
    """Least and greatest at each step, of several runs whose mean the values are."""

    @property
    def full_name(self) -> str:
        """Phase and name."""
        return f"{self.phase}/{self.name}"

    @property
    def ends(self) -> dict[str, tuple[float, int | None]]:
        """The lowest and the highest value with the earliest step of each."""
        pairs = zip(self.values, self.steps, strict=True)
        finite = [pair for pair in pairs if not math.isnan(pair[0])]
        return {
            "lowest": min(finite, default=(math.nan, None)),
            "highest": max(finite, default=(math.nan, None), key=lambda pair: (pair[0], -pair[1])),
        }

    @property
    def num_missing(self) -> int:
        """How many values were not finite."""
        return sum(map(math.isnan, self.values))

    @property
    def last(self) -> float:
        """The newest value."""
        return self.values[-1]


@dataclass(kw_only=True, slots=True)
class Metrics:
    """All that a run recorded.

    Attributes:
        series: By phase, in the order in which the metrics first appear.
        num_bad_lines: Lines that are no record; a killed process can leave one.
    """

    series: list[Series]
    num_bad_lines: int = 0

    def of(self, *phases: str) -> list[Series]:
        """Returns the series of some phases."""
        return [series for series in self.series if series.phase in phases]


class Point(NamedTuple):
    """Some neighbouring steps of a series: their mean, least and greatest value."""

    step: int
    mean: float
    low: float
    high: float


def headline(
    rows: Sequence[Series], status_metrics: Mapping[str, Any], monitor: str, best: str
) -> list[tuple[str, str, str]]:
    """Chooses the figures for the top of the page: monitored first, validation last.

    Args:
        rows: What validation and test measured, and what the task returned.
        status_metrics: ``phase/name`` to number, from ``status.json``; used for what
            ``metrics.jsonl`` does not have (a run may go without that hook).
        monitor: The monitored metric, with its phase.
        best: ``lowest`` or ``highest``: which end of it is good.

    Returns:
        Name, value and a note.
    """
    tiles = {}
    for row in rows:
        value, step = row.ends[best]
        note = (
            f"best\N{NO-BREAK SPACE}{format_number(value)} at step\N{NO-BREAK SPACE}{step:,}"
            if step is not None
            else ""
        )
        note = "the best" if step == row.steps[-1] else note
        is_monitored = row.full_name == monitor
        tiles[row.full_name] = (
            row.full_name,
            format_number(row.last),
            note if is_monitored else "",
        )
    for name, number in status_metrics.items():
        if isinstance(number, int | float):
            tiles.setdefault(name, (name, format_number(number), ""))
    order = sorted(tiles, key=lambda name: (name != monitor, name.startswith("val/")))
    return [tiles[name] for name in order[:_MOST_TILES]]


def mean_of(family: Sequence[Series], phase: str, name: str) -> Series:
    """Returns the mean of some series at each step, with the least and the greatest value.

    Args:
        family: One or more; at a step that some do not have, those that do count.
        phase: Phase of the mean.
        name: Its name.
    """
    at: dict[int, list[float]] = {}
    for series in family:
        for step, value in zip(series.steps, series.values, strict=True):
            finite = at.setdefault(step, [])
            if not math.isnan(value):
                finite.append(value)
    steps = sorted(at)
    found = [at[step] or [math.nan] for step in steps]
    return Series(
        phase=phase,
        name=name,
        steps=steps,
        values=[sum(values) / len(values) for values in found],
        spans=[(min(values), max(values)) for values in found] if len(family) > 1 else [],
    )


def read_metrics(path: Path) -> Metrics:
    """Reads ``metrics.jsonl``.

    A resumed run records again what came after its checkpoint, so of two values at the same step
    the later line counts. Lines that cannot be read are counted and skipped.

    Returns:
        The metrics; none when there is no such file.
    """
    found: dict[str, dict[str, Series]] = {}
    num_bad = 0
    try:
        with path.open("rb") as stream:
            while lines := list(islice(stream, _CHUNK_LINES)):
                for record in _parse(lines):
                    num_bad += not _take(record, found)
    except OSError:
        pass
    every = [series for by_name in found.values() for series in by_name.values()]
    for series in every:
        _settle(series)
    return Metrics(series=every, num_bad_lines=num_bad)


def _parse(lines: list[bytes]) -> list[Any]:
    lines = [line for line in lines if not line.isspace()]
    try:
        return list(json.loads(b"[" + b",".join(lines) + b"]"))
    except (ValueError, RecursionError):
        return [_parse_line(line) for line in lines]


def _parse_line(line: bytes) -> Any:
    try:
        return json.loads(line.decode("utf-8"))
    except (ValueError, RecursionError):
        return None


def _take(record: Any, found: dict[str, dict[str, Series]]) -> bool:
    """Adds a record to the series of its phase; says whether it was one."""
    try:
        step, phase, values = record["step"], record["phase"], record["values"]
        items = values.items()
    except (TypeError, KeyError, AttributeError):
        return False
    if type(step) is not int or type(phase) is not str:
        return False
    by_name = found.setdefault(phase, {})
    for name, value in items:
        series = by_name.get(name)
        if series is None:
            series = by_name[name] = Series(phase=phase, name=name)
        kind = type(value)
        is_number = (kind is float or kind is int) and -_LARGEST < value < _LARGEST
        series.steps.append(step)
        series.values.append(float(value) if is_number else math.nan)
    return True


def _settle(series: Series) -> None:
    steps = series.steps
    if all(map(operator.lt, steps, islice(steps, 1, None))):
        return
    latest = dict(zip(steps, series.values, strict=True))
    series.steps = sorted(latest)
    series.values = [latest[step] for step in series.steps]


def downsample(series: Series, *, num_buckets: int = 200) -> list[Point | None]:
    """Thins a series, keeping its extremes.

    A series of at most twice ``num_buckets`` values is kept as it is. A longer one is cut into
    buckets of equal width in steps; each gives its mean and its envelope, so a spike of a single
    step still shows.

    Args:
        series: The series, by increasing step.
        num_buckets: Most buckets.

    Returns:
        Points by increasing step; None where the line must break, since nothing there was finite.
    """
    steps, values = series.steps, series.values
    if len(steps) <= 2 * num_buckets:
        spans = series.spans or [(value, value) for value in values]
        return [
            None if math.isnan(value) else Point(step, value, *span)
            for step, value, span in zip(steps, values, spans, strict=True)
        ]
    first, span = steps[0], steps[-1] - steps[0] + 1
    points: list[Point | None] = []
    start = 0
    for bucket in range(1, num_buckets + 1):
        end = bisect_left(steps, first + -(-span * bucket // num_buckets), lo=start)
        if end > start:
            points.append(_bucket(series, start, end))
        start = end
    return points


def _bucket(series: Series, start: int, end: int) -> Point | None:
    inside = series.values[start:end]
    total = sum(inside)
    if math.isnan(total):
        inside = [value for value in inside if not math.isnan(value)]
        if not inside:
            return None
        total = sum(inside)
    low, high = min(inside), max(inside)
    mean = min(max(total / len(inside), low), high)
    for least, greatest in series.spans[start:end]:
        low, high = min(low, least), max(high, greatest)
    return Point(series.steps[(start + end - 1) // 2], mean, low, high)
