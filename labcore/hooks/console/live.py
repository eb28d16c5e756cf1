"""The console on a terminal: what goes on stands at the bottom, what happened scrolls above."""

import sys
import textwrap
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console as RichConsole
from rich.console import RenderableType
from rich.panel import Panel
from rich.progress import BarColumn, TaskID, TextColumn
from rich.progress import Progress as Bars
from rich.table import Column, Table
from rich.text import Text

from labcore.hooks.console.figures import clock, figure, speed
from labcore.hooks.console.training import Training

if TYPE_CHECKING:
    from labcore.run import Progress

__all__ = ["LiveView"]

_MARKS = {
    "info": ("·", "cyan"),
    "warning": ("!", "yellow"),
    "error": ("✗", "bold red"),
    "done": ("✓", "green"),
    "file": ("+", "magenta"),
}
_OUTCOMES = {"finished": ("✓", "green"), "interrupted": ("‖", "yellow"), "failed": ("✗", "red")}
_BORDERS = 24
"""Room for the longest label and the borders of the outcome."""
_STEP, _TIME, _STAR = 10, 9, 3
_COLUMN = 9
"""Least width of a metric in the table of validations. Names are wrapped to it, at ``_``."""


class LiveView(Bars):
    """Rich's progress bars, and the latest metrics below them.

    Args:
        work: Where progress and messages go.
        result: Where the outcome goes.
        now: Monotonic seconds.
    """

    def __init__(self, work: RichConsole, result: RichConsole, now: Callable[[], float]) -> None:
        def text(name: str, style: str) -> TextColumn:
            column = Column(justify="right", no_wrap=True)
            return TextColumn(f"{{task.fields[{name}]}}", style, markup=False, table_column=column)

        label = Column(no_wrap=True, overflow="ellipsis", max_width=28)
        super().__init__(
            TextColumn("{task.description}", "bold cyan", markup=False, table_column=label),
            BarColumn(max(8, min(40, work.width - 74)), "grey23", "cyan", "cyan"),
            text("at", "none"),
            text("pace", "cyan"),
            text("left", "bold"),
            console=work,
            refresh_per_second=5,
            speed_estimate_period=3600,
            transient=True,
            get_time=now,
            # Only what would land in the middle of the drawing is moved above it.
            redirect_stdout=sys.stdout.isatty(),
            redirect_stderr=sys.stderr.isatty(),
        )
        self._training: Training | None = None
        self._result = result
        self._works: dict[TaskID, Progress] = {}
        self._widths: dict[str, int] = {}
        # Shows that something goes on of which no more is known: imports, a model being built.
        self._run = self._add("working", total=None)
        self._fit = self._run

    def begin(self, title: str, subtitle: str) -> None:
        """Says what runs and begins to draw."""
        self.console.print(Text.assemble((title, "bold"), "  ", (subtitle, "dim")))
        self.reset(self._run)
        self.start()

    def say(self, text: str, mark: str = "info", link: Path | None = None) -> None:
        """Shows a line above the drawing."""
        sign, style = _MARKS.get(mark, _MARKS["info"])
        body = Text(text, style=style if mark in ("warning", "error") else "")
        if link is not None:
            body.stylize(f"link file://{link.resolve()}")
        grid = Table.grid(Column(width=1), Column(overflow="fold"), padding=(0, 1))
        grid.add_row(Text(sign, style=style), body)
        self.console.print(grid)

    def work_started(self, progress: "Progress") -> None:
        """Draws the new bar at once: it may be a while until the next redraw."""
        self._works[self._add(progress.description, progress.total)] = progress
        self.refresh()

    def work_advanced(self, progress: "Progress") -> None:
        """The next redraw shows it."""

    def work_ended(self, progress: "Progress") -> None:
        """Takes the bar away."""
        with self._lock:  # a redraw may be under way
            for task in [task for task, work in self._works.items() if work is progress]:
                del self._works[task]
                self.remove_task(task)

    def show(self, training: Training | None) -> None:
        """Draws a training from now on, or none any more."""
        with self._lock:
            if self._training is not None:
                self.remove_task(self._fit)
            self._training = training
            if training is not None:
                self._fit = self._add("training", total=1.0)

    def stepped(self) -> None:
        """The next redraw shows it."""

    def validated(self, training: Training, values: Mapping[str, float], *, is_best: bool) -> None:
        """Adds a row to the table, with the heading before the first."""
        if not self._widths or not self._widths.keys() <= values.keys():
            self._fit_columns(training.choose(values))
            others = ", ".join(name for name in values if name not in self._widths)
            if others:
                note = f"{' ' * _STEP}not shown, for want of columns: {others}"
                self.console.print(Text(note, style="dim"))
            bold = {training.monitor.metric: "bold"}
            heads = [Text("\n".join(_wrap(n)), bold.get(n, "dim")) for n in self._widths]
            self._print_row([Text("step", "dim"), Text("time", "dim"), *heads, ""])
        style = {training.monitor.metric: "bold green"} if is_best else {}
        cells = [Text(_cell(values[n], w), style.get(n, "")) for n, w in self._widths.items()]
        time = Text(clock(self._tasks[self._run].elapsed or 0), "dim")
        star = Text("★" if is_best else "", "green")
        self._print_row([Text(f"{training.step:,}"), time, *cells, star])

    def end(self, outcome: str, title: str, rows: Mapping[str, str], report: str) -> None:
        """Clears the drawing and shows the outcome."""
        self.stop()
        sign, colour = _OUTCOMES.get(outcome.partition(" ")[0], ("·", "white"))
        grid = Table.grid(
            Column(style="dim", no_wrap=True), Column(overflow="fold"), padding=(0, 2)
        )
        for label, text in rows.items():
            grid.add_row(label, Text(text))
        path = Text(report, style=f"bold link file://{Path(report).resolve()}")
        fits = len(path) + _BORDERS <= self._result.width
        if fits:
            grid.add_row("report", path)
        body: RenderableType = grid if grid.row_count else Text(title)
        heading = Text(f"{sign} {outcome}", f"bold {colour}")
        self._result.print(
            Panel.fit(body, title=heading, title_align="left", border_style=colour, padding=(0, 1))
        )
        if not fits:
            # A path cut in two by a border cannot be copied.
            self._result.print(Text("report "), path, sep="", soft_wrap=True)

    def get_renderables(self) -> Iterable[RenderableType]:
        """Gives Rich what stands at the bottom, at each redraw."""
        if not self._tasks:
            return  # Rich is still being set up
        with self._lock:
            training = self._training
            for task, work in self._works.items():
                self._update_work(task, work)
            if training is not None:
                self._update_training(training)
            idle = not self._works and training is None
            pace = clock(self._tasks[self._run].elapsed or 0)
            self.update(self._run, visible=idle, pace=pace)
            yield self.make_tasks_table(self.tasks)
        if training is not None:
            yield _metrics_line(training)

    def _add(self, description: str, total: float | None) -> TaskID:
        return self.add_task(description, total=total, at="", pace="", left="")

    def _update_work(self, task: TaskID, work: "Progress") -> None:
        self.update(task, completed=work.done, total=work.total)
        known = self._tasks[task]
        left_s = known.time_remaining
        self.update(
            task,
            at=f"{work.done:,}/{work.total:,}" if work.total else f"{work.done:,}",
            pace=clock(known.elapsed or 0),
            left="" if left_s is None else f"{clock(left_s)} left",
        )

    def _update_training(self, training: Training) -> None:
        rate, eta_s = training.rate, training.eta_s
        verb = "validating" if training.is_validating else "training"
        self.update(
            self._fit,
            completed=training.fraction,
            description=" ".join(filter(None, (verb, training.name, training.epochs))),
            at=f"step {training.step:,}"
            + ("" if training.is_bound_by_time else f"/{training.max_steps:,}"),
            pace="" if rate is None else speed(rate),
            left="" if eta_s is None else f"{clock(eta_s)} left",
        )

    def _fit_columns(self, names: list[str]) -> None:
        """Takes as many metrics as the terminal is wide, the ones that matter first."""
        room = self.console.width - _STEP - _TIME - _STAR
        self._widths = {}
        for name in names:
            width = max(_COLUMN, *(len(line) + 1 for line in _wrap(name)))
            if width <= room or not self._widths:
                self._widths[name] = width
                room -= width

    def _print_row(self, cells: Iterable[RenderableType]) -> None:
        row = Table.grid()
        for width in (_STEP, _TIME, *self._widths.values(), _STAR):
            row.add_column(width=width, justify="right", vertical="bottom", no_wrap=True)
        row.add_row(*cells)
        self.console.print(row)


def _metrics_line(training: Training) -> Text:
    line = Text("  ", no_wrap=True, overflow="ellipsis")
    names = training.choose(training.values)
    for name in names[:5]:
        line.append(f"{name} ", style="dim")
        line.append(f"{figure(training.values[name])}   ", style="bold" if name == names[0] else "")
    if training.best:
        monitor = training.monitor
        line.append(f"best val {monitor.metric} ", style="dim")
        line.append(figure(monitor.value), style="bold green")
        line.append(f" at {monitor.step:,}", style="dim")
    return line


def _cell(value: float, width: int) -> str:
    text = figure(value)
    return text if len(text) < width else f"{value:.1e}"  # -8.00e-04 would touch its neighbour


def _wrap(name: str) -> list[str]:
    words = name.replace("_", " ").replace("/", "/ ")
    lines = textwrap.wrap(words, _COLUMN - 1, break_long_words=False, break_on_hyphens=False)
    return [line.replace("/ ", "/").replace(" ", "_") for line in lines]
