"""A trial in a few words, for tables and lines."""

from collections.abc import Mapping, Sequence
from typing import Any

from labcore.record.durations import format_duration
from labcore.sweeps.local.record import Record
from labcore.sweeps.report.words import short_names, write_value

__all__ = ["COLOURS", "number", "outcome_line", "parameters"]

COLOURS = {
    "completed": "green",
    "stopped early": "yellow",
    "stopped": "yellow",
    "diverged": "magenta",
    "failed": "red",
    "interrupted": "yellow",
    "running": "cyan",
    "queued": "blue",
    "finished": "green",
    "lost": "red",
}


def parameters(values: Mapping[str, Any], varying: Sequence[str]) -> str:
    """Returns ``lr=0.003 width=64`` of the parameters that differ between trials."""
    names = short_names(list(varying))
    return " ".join(f"{names[name][1]}={write_value(values.get(name))}" for name in varying)


def number(value: float | None) -> str:
    """Returns a number of the metric, or nothing."""
    return "" if value is None else f"{value:.5g}"


def outcome_line(record: Record, metric: str) -> str:
    """Returns how a trial ended, in one line."""
    took = ""
    if record.seconds is not None:
        took = f" in {format_duration(record.seconds)}"
    value = f", {metric} {number(record.value)}" if record.value is not None else ""
    logs = f" at log {len(record.history)}" if record.outcome == "stopped early" else ""
    reason = f" ({record.reason})" if record.reason else ""
    return f"{record.outcome}{logs}{took}{value}{reason}"
