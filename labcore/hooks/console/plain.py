"""The console where lines cannot be redrawn: a log file, a pipe, a CI job."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console as RichConsole

from labcore.hooks.console.figures import clock, figures, speed
from labcore.hooks.console.training import Training

if TYPE_CHECKING:
    from labcore.run import Progress

__all__ = ["PlainView"]

_MOST_METRICS = 6


class PlainView:
    """Adds a line when something happened, and every few seconds while something goes on.

    Args:
        work: Where progress and messages go.
        result: Where the outcome goes.
        now: Monotonic seconds.
        every_s: Seconds between two lines about the same work.
    """

    def __init__(
        self,
        work: RichConsole,
        result: RichConsole,
        now: Callable[[], float],
        *,
        every_s: float = 5.0,
    ) -> None:
        self._training: Training | None = None
        self._work = work
        self._result = result
        self._now = now
        self._began = self._step_shown = now()
        self._every_s = every_s
        self._shown: dict[int, float] = {}

    def begin(self, title: str, subtitle: str) -> None:
        """Says what runs."""
        self._began = self._step_shown = self._now()
        self.say(f"{title}: {subtitle}")

    def say(self, text: str, mark: str = "info", link: Path | None = None) -> None:
        """Writes a line, with its level when that is worth saying."""
        level = f"{mark}: " if mark in ("warning", "error") else ""
        self._write(self._work, f"[{clock(self._now() - self._began)}] {level}{text}")

    def work_started(self, progress: "Progress") -> None:
        """Starts the time until the first line about this work."""
        self._shown[id(progress)] = self._now()

    def work_advanced(self, progress: "Progress") -> None:
        """Writes how far the work is, if some seconds have gone since the last line."""
        now = self._now()
        if now - self._shown.get(id(progress), now) >= self._every_s:
            self._shown[id(progress)] = now
            total = progress.total
            of = f"/{total:,} ({progress.done / total:.0%})" if total else ""
            self.say(f"{progress.description}: {progress.done:,}{of}")

    def work_ended(self, progress: "Progress") -> None:
        """Forgets the work."""
        self._shown.pop(id(progress), None)

    def show(self, training: Training | None) -> None:
        """Writes about a training from now on, or about none any more."""
        self._training = training

    def stepped(self) -> None:
        """Writes the training line, if some seconds have gone since the last one."""
        now = self._now()
        if self._training is not None and now - self._step_shown >= self._every_s:
            self._step_shown = now
            self.say(_training_line(self._training))

    def validated(self, training: Training, values: Mapping[str, float], *, is_best: bool) -> None:
        """Writes the figures of a validation."""
        self._step_shown = self._now()
        best = " (best so far)" if is_best else ""
        shown = figures(values, training.choose(values))
        self.say(f"validation at step {training.step:,}: {shown}{best}")

    def end(self, outcome: str, title: str, rows: Mapping[str, str], report: str) -> None:
        """Writes the outcome."""
        self._write(self._result, f"{title} {outcome}")
        for label, text in {**rows, "report": report}.items():
            self._write(self._result, f"{label}: {text}")

    def refresh(self) -> None:
        """Nothing stands on the screen, so nothing needs redrawing."""

    def stop(self) -> None:
        """Nothing stands on the screen, so nothing needs clearing."""

    @staticmethod
    def _write(console: RichConsole, text: str) -> None:
        # Straight to the stream: no wrapping, no colour, whatever the terminal claims to be.
        encoding = console.encoding or "utf-8"
        console.file.write(text.encode(encoding, "replace").decode(encoding) + "\n")
        console.file.flush()


def _training_line(training: Training) -> str:
    parts = [f"step {training.step:,}/{training.max_steps:,} ({training.fraction:.0%})"]
    if training.epochs:
        parts.append(training.epochs)
    if training.rate is not None:
        parts.append(speed(training.rate))
    if training.eta_s is not None:
        parts.append(f"{clock(training.eta_s)} left")
    if training.values:
        parts.append(figures(training.values, training.choose(training.values)[:_MOST_METRICS]))
    return ", ".join(parts)
