"""Showing a sweep while it runs: a table that redraws on a terminal, lines elsewhere."""

import click
from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from labcore.cli.sweeps.words import TrialTable, number, outcome_line, parameters
from labcore.record.durations import format_duration
from labcore.sweeps.local.record import Record
from labcore.sweeps.local.standing import Event, Standing

__all__ = ["LiveView", "PlainView", "choose_view"]

_MOST_ENDED = 8
"""Trials that have ended in the table, the newest; all are in `lab sweep status`."""


class PlainView:
    """Writes a line when something happens to a trial.

    Args:
        metric: Name of the metric.
        varying: Parameters that differ between trials.
        limit: Most trials; None when there is no end.
    """

    def __init__(self, metric: str, varying: tuple[str, ...], limit: int | None) -> None:
        self._metric = metric
        self._varying = varying
        self._of = "" if limit is None else f"/{limit}"

    def event(self, kind: Event, record: Record, text: str = "") -> None:
        """Writes the line."""
        said = {
            "started": f"started  {parameters(record.values, self._varying)}",
            "resumed": "goes on from its last checkpoint",
            "adopted": "is still running; followed again",
            "stopping": f"is stopped: {text}",
            "again": f"was cut short ({text}) and will be run again",
        }
        words = outcome_line(record, self._metric) if kind == "ended" else said[kind]
        self.say(f"trial {record.number}{self._of if kind == 'started' else ''} {words}".rstrip())

    def say(self, text: str) -> None:
        """Writes it."""
        click.echo(text)

    def show(self, standing: Standing) -> None:
        """Shows nothing between two events."""

    def __enter__(self) -> "PlainView":
        return self

    def __exit__(self, *error: object) -> None:
        pass


class LiveView:
    """Redraws a table of the trials under way, the best, and those that ended last.

    Args:
        metric: Name of the metric.
        varying: Parameters that differ between trials.
        console: Where to draw.
    """

    def __init__(self, metric: str, varying: tuple[str, ...], console: Console) -> None:
        self._metric = metric
        self._varying = varying
        self._live = Live(console=console, auto_refresh=False)

    def event(self, kind: Event, record: Record, text: str = "") -> None:
        """Writes above the table what the table cannot say."""
        if kind == "again" or record.outcome == "failed":
            words = text or record.reason
            self.say(f"trial {record.number}: {words}")

    def say(self, text: str) -> None:
        """Writes above the table."""
        self._live.console.print(text, markup=False)

    def show(self, standing: Standing) -> None:
        """Draws."""
        self._live.update(self._draw(standing), refresh=True)

    def __enter__(self) -> "LiveView":
        self._live.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._live.stop()

    def _draw(self, standing: Standing) -> Table:
        best, under_way = standing.best, standing.live
        rows = TrialTable(self._metric, self._varying, best)
        rows.table.title = Text(_headline(standing, self._metric), style="bold")
        rows.table.title_justify = "left"
        ended = [each for each in standing.records if each.outcome]
        shown = sorted(ended, key=lambda each: each.ended or 0)[-_MOST_ENDED:]
        is_over = best is not None and best.outcome and best.number not in under_way
        if best is not None and is_over and best not in shown:
            shown.insert(0, best)
        for record in shown:
            rows.add(record, record.outcome)
        for _, live in sorted(under_way.items()):
            rows.add(live.record, "stopping" if live.verdict else "running", live.where)
        for record in standing.records:
            if not record.outcome and record.number not in under_way:
                rows.add(record, "to go on")
        return rows.table


def choose_view(metric: str, varying: tuple[str, ...], limit: int | None) -> "PlainView | LiveView":
    """Returns the view that fits where the output goes."""
    console = Console(highlight=False)
    if console.is_terminal and not console.is_dumb_terminal:
        return LiveView(metric, varying, console)
    return PlainView(metric, varying, limit)


def _headline(standing: Standing, metric: str) -> str:
    best = standing.best
    done = sum(1 for each in standing.records if each.outcome)
    total = "" if standing.limit is None else f" of {standing.limit}"
    parts = [f"{standing.name}: {done}{total} trials done"]
    parts += [f"{count} {word}" for word, count in standing.counts.items() if word != "completed"]
    if best is not None:
        parts.append(f"best trial {best.number}: {metric} {number(best.value)}")
    if eta_s := standing.eta_s:
        parts.append(f"about {format_duration(eta_s)} left")
    return " · ".join(parts)
