"""The figures that sum a run up: what validation and test measured last, and at their best."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from labcore.config.training import TrainingOptions
from labcore.report.metrics import Metrics, Series
from labcore.report.wording import format_number, format_step

__all__ = ["Figure", "Tile", "figures", "headline"]

_MOST_TILES = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class Figure:
    """A row of the table: values and the steps at which they were seen, written out."""

    phase: str
    name: str
    last: str
    last_step: str
    low: str
    low_step: str
    high: str
    high_step: str
    best: str = ""
    """``low`` or ``high`` for the monitored metric, empty for the others."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Tile:
    """A figure in large print."""

    label: str
    value: str
    note: str = ""


def figures(metrics: Metrics, monitor: TrainingOptions | None) -> list[Figure]:
    """Returns a row for each metric of validation and test, and for what the task returned."""
    return [_figure(series, monitor) for series in metrics.of("val", "test", "result")]


def _figure(series: Series, monitor: TrainingOptions | None) -> Figure:
    finite = series.finite()
    best = ""
    if monitor is not None and (series.phase, series.name) == ("val", monitor.monitor):
        best = "high" if monitor.maximize else "low"
    # Of equal values the earliest step is named.
    low, low_step = min(finite, default=(None, None))
    high, high_step = max(finite, default=(None, None), key=lambda pair: (pair[0], -pair[1]))
    return Figure(
        phase=series.phase,
        name=series.name,
        last=format_number(series.last),
        last_step=format_step(series.steps[-1]),
        low=format_number(low),
        low_step="" if low_step is None else format_step(low_step),
        high=format_number(high),
        high_step="" if high_step is None else format_step(high_step),
        best=best,
    )


def headline(
    rows: Sequence[Figure], status_metrics: Mapping[str, Any], monitor: TrainingOptions | None
) -> list[Tile]:
    """Chooses the figures for the top of the page: monitored first, validation last.

    Args:
        rows: From :func:`figures`.
        status_metrics: ``phase/name`` to number, from ``status.json``; used for what
            ``metrics.jsonl`` does not have (a run may go without that hook).
        monitor: The monitored metric.
    """
    tiles = {f"{row.phase}/{row.name}": _tile(row) for row in rows}
    for name, value in status_metrics.items():
        if isinstance(value, int | float):
            tiles.setdefault(name, Tile(label=name, value=format_number(value)))
    first = f"val/{monitor.monitor}" if monitor else ""
    order = sorted(tiles, key=lambda name: (name != first, name.startswith("val/")))
    return [tiles[name] for name in order[:_MOST_TILES]]


def _tile(row: Figure) -> Tile:
    note = ""
    if row.best:
        value, step = (row.low, row.low_step) if row.best == "low" else (row.high, row.high_step)
        note = "the best" if step == row.last_step else f"best {value} at step {step}"
    return Tile(label=f"{row.phase}/{row.name}", value=row.last, note=note)
