"""Shows a run in the terminal: live on a terminal, as plain lines anywhere else."""

import os
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from rich.console import Console as RichConsole

from labcore.hooks.console.live import LiveView
from labcore.hooks.console.plain import PlainView
from labcore.hooks.console.state import RunState, Validation, is_better
from labcore.hooks.specs import hookimpl

if TYPE_CHECKING:
    from labcore.record.artifacts import Artifact
    from labcore.run import Progress

__all__ = ["Console", "is_interactive"]

_MODES = ("auto", "live", "plain")


def is_interactive(console: RichConsole) -> bool:
    """Whether lines on ``console`` can be redrawn: a capable terminal, and nobody said otherwise.

    ``CI``, ``NO_COLOR`` and ``TERM=dumb`` ask for plain lines; so does a terminal that cannot
    show more than ASCII.
    """
    return (
        console.is_terminal
        and not console.is_dumb_terminal
        and not os.environ.get("NO_COLOR")
        and not os.environ.get("CI")
        and console.encoding.lower().startswith("utf")
    )


class Console:
    """Progress, messages, validations and artifacts on stderr; the outcome on stdout.

    Args:
        mode: ``live`` redraws, ``plain`` only adds lines, ``auto`` looks at the terminal.
        every_s: Seconds between two plain lines about the same work.
        metrics: Metrics to show first, after the loss and the monitored one.
        console: Where everything goes instead of stderr and stdout.
        clock: Monotonic seconds; tests bring their own.
    """

    def __init__(
        self,
        *,
        mode: str = "auto",
        every_s: float = 5.0,
        metrics: list[str] | None = None,
        console: RichConsole | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if mode not in _MODES:
            raise ValueError(f"mode is {mode!r}; use one of {', '.join(_MODES)}")
        if every_s <= 0:
            raise ValueError(f"every_s is {every_s}; it must be above zero")
        self._clock = clock
        self._state = RunState(clock=clock, preferred=tuple(metrics or ()))
        work = console or RichConsole(stderr=True, highlight=False)
        result = console or RichConsole(highlight=False)
        live = mode == "live" or (mode == "auto" and is_interactive(work))
        self._view: LiveView | PlainView = (
            LiveView(self._state, work, result)
            if live
            else PlainView(self._state, work, result, every_s=every_s)
        )

    @hookimpl
    def run_started(self, run: Any) -> None:
        """Says what runs, where."""
        self._state.start(run)
        self._view.start()

    @hookimpl
    def message(self, text: str, level: str) -> None:
        """Shows a message, coloured by its level."""
        self._view.message(text, level)

    @hookimpl
    def progress_started(self, progress: "Progress") -> None:
        """Adds a bar."""
        self._state.works[id(progress)] = (progress, self._clock())
        self._view.work_started(progress)

    @hookimpl
    def progress_advanced(self, progress: "Progress") -> None:
        """Moves a bar."""
        self._view.work_advanced(progress)

    @hookimpl
    def progress_ended(self, progress: "Progress") -> None:
        """Takes a bar away."""
        _, since = self._state.works.pop(id(progress), (progress, self._clock()))
        self._view.work_ended(progress, self._clock() - since)

    @hookimpl
    def fit_started(self, run: Any, loop: Any) -> None:
        """Begins the training line."""
        self._state.start_fit(run, loop)
        self._view.refresh()

    @hookimpl
    def checkpoint_loaded(self, loop: Any) -> None:
        """Says where training goes on."""
        self._view.message(f"training goes on from step {loop.step:,}", "info")

    @hookimpl
    def step_ended(self, loop: Any) -> None:
        """Moves the training line."""
        if self._state.training is not None:
            self._state.training.advance(loop.step)
            self._view.stepped()

    @hookimpl
    def metrics(self, values: Mapping[str, float], step: int, phase: str) -> None:
        """Keeps the numbers that the training line and the summary show."""
        if phase == "train":
            self._state.train_values.update(values)
        elif phase == "test" or (phase == "val" and self._state.training is None):
            self._state.final_values.update(values)

    @hookimpl
    def validation_started(self) -> None:
        """Stops the clock of the training rate."""
        self._state.is_validating = True
        if self._state.training is not None:
            self._state.training.pause()
        self._view.refresh()

    @hookimpl
    def validation_ended(self, loop: Any, values: Mapping[str, float]) -> None:
        """Adds a row to the table of validations."""
        state = self._state
        state.is_validating = False
        if state.training is not None:
            state.training.go_on()
        row = Validation(step=loop.step, elapsed_s=state.elapsed_s, values=dict(values))
        row.is_best = is_better(row, state.best, state.monitor, minimize=state.minimize)
        state.last = row
        if row.is_best:
            state.best = row
        self._view.validated(row)

    @hookimpl
    def artifact_added(self, artifact: "Artifact") -> None:
        """Counts a file; those of one section are one line, shown when another section begins."""
        self._show_artifacts(before=artifact.section)
        self._state.num_artifacts[artifact.kind] += 1
        self._state.batch.append(artifact)

    def _show_artifacts(self, *, before: str | None = None) -> None:
        if self._state.batch and self._state.batch[0].section != before:
            self._view.artifacts(self._state.take_batch())

    @hookimpl
    def fit_ended(self, reason: str) -> None:
        """Ends the training line."""
        training = self._state.training
        if training is not None:
            self._view.fit_ended(training, reason)
        self._state.training = None

    @hookimpl(trylast=True)
    def run_ended(self, state: str) -> None:
        """Shows the outcome, after every other hook has finished its work."""
        self._show_artifacts()
        self._state.outcome = state
        self._view.end()

    def close(self) -> None:
        """Gives the terminal back."""
        self._view.stop()
