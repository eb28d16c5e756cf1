"""The console on a terminal: what goes on stands at the bottom, what happened scrolls above."""

import sys
import textwrap
from typing import TYPE_CHECKING

from rich.console import Console as RichConsole
from rich.console import Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from labcore.hooks.console.state import RunState, Validation, kinds, short_path
from labcore.hooks.console.training_progress import TrainingProgress
from labcore.hooks.figures import count, duration, figure, speed

if TYPE_CHECKING:
    from labcore.run import Progress

__all__ = ["LiveView"]

_LEVELS = {"info": ("·", "cyan"), "warning": ("!", "yellow"), "error": ("✗", "bold red")}
_OUTCOMES = {
    "finished": ("✓ finished", "green"),
    "interrupted": ("‖ interrupted", "yellow"),
    "failed": ("✗ failed", "red"),
}
_REDRAWS_PER_S = 5
_LABEL = 24
"""Room for the longest label and the borders of the outcome."""
_STEP, _TIME, _STAR = 10, 9, 3
_COLUMN = 9
"""Least width of a metric in the table of validations. Names are wrapped to it, at ``_``."""


class LiveView:
    """Draws with Rich.

    Args:
        state: What to show.
        work: Where progress and messages go.
        result: Where the outcome goes.
    """

    def __init__(self, state: RunState, work: RichConsole, result: RichConsole) -> None:
        self._state = state
        self._work = work
        self._result = result
        self._live: Live | None = None
        self._columns: dict[str, int] | None = None
        self._spinner = Spinner("dots", style="cyan")

    def start(self) -> None:
        """Says what runs and begins to draw."""
        title = Text.assemble((self._state.title, "bold"), "  ", (self._state.subtitle, "dim"))
        self._work.print(title)
        self._live = Live(
            get_renderable=self._bottom,
            console=self._work,
            refresh_per_second=_REDRAWS_PER_S,
            transient=True,
            # Only what would land in the middle of the drawing is moved above it.
            redirect_stdout=sys.stdout.isatty(),
            redirect_stderr=sys.stderr.isatty(),
        )
        self._live.start()

    def message(self, text: str, level: str) -> None:
        """Shows a message above the drawing."""
        sign, style = _LEVELS.get(level, _LEVELS["info"])
        body = Text(text, style="" if level == "info" else style)
        grid = Table.grid(padding=(0, 1))
        grid.add_column(width=1)
        grid.add_column(overflow="fold")
        grid.add_row(Text(sign, style=style), body)
        self._work.print(grid)

    def work_started(self, progress: "Progress") -> None:
        """Draws the new bar at once: it may be a while until the next redraw."""
        self.refresh()

    def work_advanced(self, progress: "Progress") -> None:
        """The next redraw shows it."""

    def work_ended(self, progress: "Progress", took_s: float) -> None:
        """Leaves a line about work that took a while."""
        if took_s >= 1:
            done = f"{count(progress.done)} in " if progress.done else ""
            line = Text.assemble(
                ("✓", "green"), f" {progress.description} ", (f"{done}{duration(took_s)}", "dim")
            )
            self._work.print(line)

    def refresh(self) -> None:
        """Draws now."""
        if self._live is not None:
            self._live.refresh()

    def stepped(self) -> None:
        """The next redraw shows it."""

    def validated(self, row: Validation) -> None:
        """Adds a row to the table, with the heading before the first."""
        if self._columns is None or not set(self._columns) <= set(row.values):
            self._columns = self._fit_columns(row)
            self._print_heading(self._columns, [n for n in row.values if n not in self._columns])
        line = Text(f"{count(row.step):>{_STEP}}")
        line.append(f"{duration(row.elapsed_s):>{_TIME}}", style="dim")
        for name, width in self._columns.items():
            style = "bold green" if row.is_best and name == self._state.monitor else ""
            line.append(f"{_cell(row.values[name], width):>{width}}", style=style)
        if row.is_best:
            line.append("  ★", style="green")
        self._work.print(line, no_wrap=True, overflow="ellipsis", crop=True)

    def artifacts(self, line: str) -> None:
        """Shows which files there are, and where."""
        what, _, where = line.rpartition(" -> ")
        text = Text.assemble(
            ("+", "magenta"),
            f" {what} ",
            (where, f"dim link file://{self._state.folder.resolve() / where}"),
        )
        self._work.print(text, no_wrap=True, overflow="ellipsis", crop=True)

    def fit_ended(self, training: TrainingProgress, reason: str) -> None:
        """Leaves a line about the training."""
        words = reason.replace("_", " ")
        rate = "" if training.rate is None else f", {speed(training.rate)}"
        of = f"{self._state.fit} " if self._state.fit else ""
        line = Text.assemble(
            ("✓", "green") if reason not in {"error", "signal"} else ("‖", "yellow"),
            f" trained {of}to step {count(training.step)} in {duration(training.elapsed_s)}{rate} ",
            (f"({words})", "dim"),
        )
        self._work.print(line)

    def end(self) -> None:
        """Clears the drawing and shows the outcome."""
        self.stop()
        state = self._state
        words, colour = _OUTCOMES.get(state.outcome, (state.outcome, "white"))
        rows = Table.grid(padding=(0, 2))
        rows.add_column(style="dim", no_wrap=True)
        rows.add_column(overflow="fold")
        values, label = state.final_values, "figures"
        names = list(values)
        if not values and state.best is not None:
            values, label = state.best.values, f"best, step {count(state.best.step)}"
            names = state.choose(values)
        if values:
            rows.add_row(label, _figures(values, names[:12]))
        if state.num_artifacts:
            rows.add_row("artifacts", kinds(state.num_artifacts.elements()))
        # The page is written when the last hook is done, so that it can show what they left.
        report = state.folder / "report.html"
        path = Text(short_path(report), style=f"bold link file://{report.resolve()}")
        fits = len(path) + _LABEL <= self._result.width
        if fits:
            rows.add_row("report", path)
        title = Text.assemble((f"{words} in {duration(state.elapsed_s)}", f"bold {colour}"))
        body: RenderableType = rows if rows.row_count else Text(state.title)
        self._result.print(
            Panel.fit(body, title=title, title_align="left", border_style=colour, padding=(0, 1))
        )
        if not fits:
            # A path cut in two by a border cannot be copied.
            self._result.print(Text("report "), path, sep="", soft_wrap=True)

    def stop(self) -> None:
        """Clears the drawing and gives the cursor back."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _bottom(self) -> RenderableType:
        """What stands at the bottom: a bar for each piece of work, and the latest metrics."""
        state, training = self._state, self._state.training
        bars = Table.grid(padding=(0, 2, 0, 0))
        bars.add_column(no_wrap=True, overflow="ellipsis", max_width=28)
        bars.add_column()
        for _ in range(3):
            bars.add_column(no_wrap=True, justify="right")
        # A copy, since this runs in the thread that redraws.
        for progress, since in list(state.works.values()):
            elapsed_s = state.clock() - since
            left = "" if not (progress.total and progress.done) else _left(progress, elapsed_s)
            of = f"/{count(progress.total)}" if progress.total else ""
            bars.add_row(
                Text(progress.description),
                self._bar(progress.done / progress.total if progress.total else None),
                f"{count(progress.done)}{of}",
                duration(elapsed_s),
                left,
            )
        if training is None:
            return bars if bars.row_count else self._waiting()
        bars.add_row(*self._training_row(training))
        return Group(bars, self._metrics_line())

    def _waiting(self) -> RenderableType:
        """Shows that something goes on of which no more is known: imports, a model being built."""
        self._spinner.update(text=Text(duration(self._state.elapsed_s), style="dim"))
        return self._spinner

    def _training_row(self, training: TrainingProgress) -> list[RenderableType]:
        of = f"/{count(training.max_steps)}" if training.max_steps else ""
        position = f"{count(training.step)}{of}"
        if training.is_bound_by_time and training.max_time_s is not None:
            position = f"step {count(training.step)}"
        eta_s = training.eta_s
        verb = "validating" if self._state.is_validating else "training"
        verb = f"{verb} {self._state.fit}".rstrip()
        return [
            Text(verb, style="bold yellow" if self._state.is_validating else "bold cyan"),
            self._bar(training.fraction),
            Text(position),
            Text("" if training.rate is None else speed(training.rate), "cyan"),
            Text("" if eta_s is None else f"{duration(eta_s)} left", "bold"),
        ]

    def _metrics_line(self) -> Text:
        state = self._state
        line = Text("  ", no_wrap=True, overflow="ellipsis")
        values = dict(state.train_values)
        names = state.choose(values)
        for name in names[:5]:
            line.append(f"{name} ", style="dim")
            line.append(f"{figure(values[name])}   ", style="bold" if name == names[0] else "")
        if state.best is not None:
            line.append(f"best val {state.monitor} ", style="dim")
            line.append(figure(state.best.values[state.monitor]), style="bold green")
            line.append(f" at {count(state.best.step)}", style="dim")
        return line

    def _bar(self, fraction: float | None) -> ProgressBar:
        width = max(8, min(40, self._work.width - 70))
        if fraction is None:
            return ProgressBar(total=None, width=width, pulse=True)
        return ProgressBar(total=1.0, completed=fraction, width=width, complete_style="cyan")

    def _print_heading(self, columns: dict[str, int], others: list[str]) -> None:
        if others:
            note = f"{' ' * _STEP}not shown, for want of columns: {', '.join(others)}"
            self._work.print(Text(note, style="dim"))
        wrapped = {name: _wrap(name) for name in columns}
        height = max(map(len, wrapped.values()))
        for number in range(height):
            is_last = number == height - 1
            first = f"{'step':>{_STEP}}{'time':>{_TIME}}" if is_last else " " * (_STEP + _TIME)
            heading = Text(first, style="dim")
            for name, width in columns.items():
                lines = [""] * (height - len(wrapped[name])) + wrapped[name]
                is_monitored = name == self._state.monitor
                heading.append(
                    f"{lines[number]:>{width}}", style="bold not dim" if is_monitored else ""
                )
            self._work.print(heading, no_wrap=True, overflow="ellipsis", crop=True)

    def _fit_columns(self, row: Validation) -> dict[str, int]:
        """Takes as many metrics as the terminal is wide, the ones that matter first."""
        room = self._work.width - _STEP - _TIME - _STAR
        columns: dict[str, int] = {}
        for name in self._state.choose(row.values):
            width = max(_COLUMN, *(len(line) + 1 for line in _wrap(name)))
            if columns and width > room:
                continue
            columns[name] = width
            room -= width
        return columns


def _cell(value: float, width: int) -> str:
    text = figure(value)
    return text if len(text) < width else f"{value:.1e}"  # -8.00e-04 would touch its neighbour


def _wrap(name: str) -> list[str]:
    words = name.replace("_", " ").replace("/", "/ ")
    lines = textwrap.wrap(words, _COLUMN - 1, break_long_words=False, break_on_hyphens=False)
    return [line.replace("/ ", "/").replace(" ", "_") for line in lines]


def _left(progress: "Progress", elapsed_s: float) -> str:
    total = progress.total or 0
    return f"{duration(elapsed_s * max(0, total - progress.done) / progress.done)} left"


def _figures(values: dict[str, float], names: list[str]) -> Text:
    text = Text()
    for name in names:
        text.append(f"{name} ", style="dim")
        text.append(f"{figure(values[name])}   ")
    text.rstrip()
    return text
