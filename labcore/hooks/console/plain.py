"""The console where lines cannot be redrawn: a log file, a pipe, a CI job."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from rich.console import Console as RichConsole

from labcore.hooks.console.state import RunState, Validation, kinds, short_path
from labcore.hooks.console.training_progress import TrainingProgress
from labcore.hooks.figures import count, duration, figure, speed

if TYPE_CHECKING:
    from labcore.run import Progress

__all__ = ["PlainView"]

_MOST_METRICS = 6


class PlainView:
    """Adds a line when something happened, and every few seconds while something goes on.

    Args:
        state: What to show.
        work: Where progress and messages go.
        result: Where the outcome goes.
        every_s: Seconds between two lines about the same work.
    """

    def __init__(
        self, state: RunState, work: RichConsole, result: RichConsole, *, every_s: float
    ) -> None:
        self._state = state
        self._work = work
        self._result = result
        self._every_s = every_s
        self._shown: dict[int, float] = {}
        self._step_shown = 0.0

    def start(self) -> None:
        """Says what runs."""
        self._line(f"{self._state.title}: {self._state.subtitle}")
        self._step_shown = self._state.clock()

    def message(self, text: str, level: str) -> None:
        """Writes a message, with its level when that is worth saying."""
        self._line(text if level == "info" else f"{level}: {text}")

    def work_started(self, progress: "Progress") -> None:
        """Starts the time until the first line about this work."""
        self._shown[id(progress)] = self._state.clock()

    def work_advanced(self, progress: "Progress") -> None:
        """Writes how far the work is, if some seconds have gone since the last line."""
        now = self._state.clock()
        if now - self._shown.get(id(progress), now) >= self._every_s:
            self._shown[id(progress)] = now
            of = f"/{count(progress.total)}" if progress.total else ""
            share = f" ({progress.done / progress.total:.0%})" if progress.total else ""
            self._line(f"{progress.description}: {count(progress.done)}{of}{share}")

    def work_ended(self, progress: "Progress", took_s: float) -> None:
        """Writes that the work is done, unless there was none."""
        self._shown.pop(id(progress), None)
        if progress.done or took_s >= 1:
            done = f"{count(progress.done)} " if progress.done else ""
            self._line(f"{progress.description}: {done}done in {duration(took_s)}")

    def refresh(self) -> None:
        """Nothing stands on the screen, so nothing needs redrawing."""

    def stepped(self) -> None:
        """Writes the training line, if some seconds have gone since the last one."""
        now = self._state.clock()
        if now - self._step_shown >= self._every_s:
            self._step_shown = now
            self._line(self._training_line())

    def validated(self, row: Validation) -> None:
        """Writes the figures of a validation."""
        self._step_shown = self._state.clock()
        best = " (best so far)" if row.is_best else ""
        names = self._state.choose(row.values)
        values = self._values(row.values, names, most=len(names))
        self._line(f"validation at step {count(row.step)}: {values}{best}")

    def artifacts(self, line: str) -> None:
        """Writes which files there are, and where."""
        self._line(line)

    def fit_ended(self, training: TrainingProgress, reason: str) -> None:
        """Writes how training ended."""
        words = reason.replace("_", " ")
        of = f" of {self._state.fit}" if self._state.fit else ""
        self._line(
            f"training{of} ended ({words}) at step {count(training.step)} "
            f"after {duration(training.elapsed_s)}"
        )

    def end(self) -> None:
        """Writes the outcome."""
        state = self._state
        lines = [f"{state.title} {state.outcome} in {duration(state.elapsed_s)}"]
        if state.final_values:
            lines.append(f"figures: {self._values(state.final_values, state.final_values)}")
        elif state.best is not None:
            values = self._values(state.best.values, state.choose(state.best.values))
            lines.append(f"best validation, at step {count(state.best.step)}: {values}")
        if state.num_artifacts:
            lines.append(f"artifacts: {kinds(state.num_artifacts.elements())}")
        lines.append(f"report: {short_path(state.folder / 'report.html')}")
        for line in lines:
            self._write(self._result, line)

    def stop(self) -> None:
        """Nothing stands on the screen, so nothing needs clearing."""

    def _training_line(self) -> str:
        state, training = self._state, self._state.training
        if training is None:
            return ""
        parts = [f"step {count(training.step)}"]
        if training.max_steps:
            parts[0] += f"/{count(training.max_steps)}"
        parts[0] += f" ({training.fraction:.0%})"
        if training.rate is not None:
            parts.append(speed(training.rate))
        if training.eta_s is not None:
            parts.append(f"{duration(training.eta_s)} left")
        if state.train_values:
            parts.append(self._values(state.train_values, state.choose(state.train_values)))
        return ", ".join(parts)

    @staticmethod
    def _values(
        values: Mapping[str, float], names: Iterable[str], most: int = _MOST_METRICS
    ) -> str:
        shown = list(names)[:most]
        return " ".join(f"{name}={figure(values[name]).replace(',', '')}" for name in shown)

    def _line(self, text: str) -> None:
        self._write(self._work, f"[{duration(self._state.elapsed_s)}] {text}")

    @staticmethod
    def _write(console: RichConsole, text: str) -> None:
        # Straight to the stream: no wrapping, no colour, whatever the terminal claims to be.
        encoding = console.encoding or "utf-8"
        console.file.write(text.encode(encoding, "replace").decode(encoding) + "\n")
        console.file.flush()
