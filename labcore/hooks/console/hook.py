"""Shows a run in the terminal: live on a terminal, as plain lines anywhere else."""

import os
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console as RichConsole

from labcore.hooks.console.figures import figures, speed
from labcore.hooks.console.live import LiveView
from labcore.hooks.console.plain import PlainView
from labcore.hooks.console.training import Training
from labcore.hooks.specs import hookimpl
from labcore.record.durations import format_duration

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
        self._preferred = tuple(metrics or ())
        self._began = clock()
        self._title = ""
        self._folder = Path()
        self._training: Training | None = None
        self._is_training = False
        self._works: dict[int, float] = {}
        self._figures: dict[str, float] = {}
        self._num_artifacts: Counter[str] = Counter()
        self._batch: list[Artifact] = []
        work = console or RichConsole(stderr=True, highlight=False)
        result = console or RichConsole(highlight=False)
        live = mode == "live" or (mode == "auto" and is_interactive(work))
        self._view: LiveView | PlainView = (
            LiveView(work, result, clock)
            if live
            else PlainView(work, result, clock, every_s=every_s)
        )

    @hookimpl
    def run_started(self, run: Any) -> None:
        """Says what runs, where."""
        self._began = self._clock()
        self._title = run.id
        self._folder = run.folder
        preset = f"preset {run.status.preset}" if run.status.preset else ""
        parts = (f"task {run.status.task}", preset, _device(run.device))
        self._view.begin(run.id, ", ".join(part for part in parts if part))

    @hookimpl
    def message(self, text: str, level: str) -> None:
        """Shows a message, coloured by its level."""
        self._view.say(text, level)

    @hookimpl
    def progress_started(self, progress: "Progress") -> None:
        """Adds a bar."""
        self._works[id(progress)] = self._clock()
        self._view.work_started(progress)

    @hookimpl
    def progress_advanced(self, progress: "Progress") -> None:
        """Moves a bar."""
        self._view.work_advanced(progress)

    @hookimpl
    def progress_ended(self, progress: "Progress") -> None:
        """Takes a bar away, and leaves a line about work that took a while."""
        took_s = self._clock() - self._works.pop(id(progress), self._clock())
        self._view.work_ended(progress)
        if took_s >= 1:
            done = f"{progress.done:,} " if progress.done else ""
            self._view.say(
                f"{progress.description}: {done}done in {format_duration(took_s)}", "done"
            )

    @hookimpl
    def fit_started(self, run: Any, loop: Any) -> None:
        """Begins the training line."""
        self._training = Training(loop, self._preferred, self._clock)
        self._is_training = True
        self._view.show(self._training)

    @hookimpl
    def checkpoint_loaded(self, loop: Any) -> None:
        """Says where training goes on."""
        self._view.say(f"training goes on from step {loop.step:,}")

    @hookimpl
    def step_ended(self, loop: Any) -> None:
        """Moves the training line."""
        if self._training is not None:
            self._training.advance(loop.step, loop.epoch)
            self._view.stepped()

    @hookimpl
    def metrics(self, values: Mapping[str, float], phase: str) -> None:
        """Keeps the numbers that the training line and the summary show."""
        if phase == "train" and self._training is not None:
            self._training.values.update(values)
        elif phase in {"test", "result"} or (phase == "val" and not self._is_training):
            self._figures.update(values)

    @hookimpl
    def validation_started(self) -> None:
        """Stops the clock of the training rate."""
        if self._training is not None:
            self._training.pause()
            self._view.refresh()

    @hookimpl
    def validation_ended(self, loop: Any, values: Mapping[str, float]) -> None:
        """Adds a row to the table of validations."""
        if self._training is not None:
            self._training.step = loop.step
            is_best = self._training.validated(values)
            self._view.validated(self._training, values, is_best=is_best)

    @hookimpl
    def artifact_added(self, artifact: "Artifact") -> None:
        """Counts a file; those of one section are one line, shown when another section begins."""
        if self._batch and self._batch[0].section != artifact.section:
            self._show_artifacts()
        self._num_artifacts[artifact.kind] += 1
        self._batch.append(artifact)

    @hookimpl
    def fit_ended(self, reason: str) -> None:
        """Ends the training line."""
        self._view.show(None)
        training = self._training
        if training is not None and self._is_training:
            rate = "" if training.rate is None else f", {speed(training.rate)}"
            name = f"{training.name} " if training.name else ""
            self._view.say(
                f"trained {name}to step {training.step:,} in "
                f"{format_duration(training.elapsed_s)}{rate} ({reason.replace('_', ' ')})",
                "info" if reason in {"error", "signal"} else "done",
            )
        self._is_training = False

    @hookimpl(trylast=True)
    def run_ended(self, state: str) -> None:
        """Shows the outcome, after every other hook has finished its work."""
        self._show_artifacts()
        rows: dict[str, str] = {}
        training = self._training
        if self._figures:
            rows["figures"] = figures(self._figures, self._figures)
        elif training is not None and training.best:
            best = figures(training.best, training.choose(training.best))
            rows[f"best, step {training.monitor.step:,}"] = best
        if self._num_artifacts:
            rows["artifacts"] = _counts(self._num_artifacts)
        # The page is written when the last hook is done, so that it can show what they left.
        report = self._folder / "report.html"
        if report.is_relative_to(Path.cwd()):
            report = report.relative_to(Path.cwd())
        took = format_duration(self._clock() - self._began)
        self._view.end(f"{state} in {took}", self._title, rows, str(report))

    def close(self) -> None:
        """Gives the terminal back."""
        self._view.stop()

    def _show_artifacts(self) -> None:
        batch, self._batch = self._batch, []
        if not batch:
            return
        what, where = batch[0].title, batch[0].path
        if len(batch) > 1:
            what = f"{batch[0].section or 'files'}: {_counts(Counter(a.kind for a in batch))}"
            folders = [Path(each.path).parent for each in batch]
            where = (os.path.commonpath(folders) or ".") + "/"
        self._view.say(f"{what} -> {where}", "file", link=self._folder / where)


def _device(plan: Any) -> str:
    """Writes where a run computes: ``on NVIDIA H100`` or ``on CPU (2 threads)``."""
    if plan.kind != "cpu" or not plan.threads:
        return f"on {plan.name}"
    return f"on {plan.name} ({plan.threads} thread{'' if plan.threads == 1 else 's'})"


def _counts(kinds: Counter[str]) -> str:
    """Counts kinds of artifacts: ``8 audio, 1 image``."""
    return ", ".join(f"{number} {kind}" for kind, number in kinds.items())
