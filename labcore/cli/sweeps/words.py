"""A trial in a few words, for tables and lines."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

from rich.markup import escape

from labcore.cli.console import columns
from labcore.record.durations import format_duration
from labcore.report.wording import write_value
from labcore.sweeps.local.record import Record
from labcore.sweeps.report.model import short_names

__all__ = ["COLOURS", "TrialTable", "number", "outcome_line", "parameters"]

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
    "stopping": "yellow",
    "to go on": "yellow",
}


class TrialTable:
    """A table with a line for each trial.

    Args:
        metric: Name of the metric.
        varying: Parameters that differ between trials.
        best: The best trial, which is marked.

    Attributes:
        table: To print.
    """

    def __init__(self, metric: str, varying: Sequence[str], best: Record | None) -> None:
        self._varying = varying
        self._best = best
        names = ("trial", "state", "parameters", "logs", "now", metric or "best", "on", "time")
        self.table = columns(*names, wrapped=2)

    def add(self, record: Record, state: str, where: str = "") -> None:
        """Adds a trial, in a state that :data:`COLOURS` has, and where it computes."""
        why = f" {record.reason}" if record.outcome in {"failed", "diverged"} else ""
        took = ""
        if record.started is not None:
            took = format_duration((record.ended or time.time()) - record.started)
        best = number(record.value)
        self.table.add_row(
            str(record.number),
            f"[{COLOURS.get(state, 'default')}]{state}[/]",
            escape(parameters(record.values, self._varying) + why),
            str(len(record.history) or ""),
            number(record.history[-1] if record.history else None),
            f"[bold green]{best} best[/]" if record is self._best else best,
            where,
            took,
        )


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
