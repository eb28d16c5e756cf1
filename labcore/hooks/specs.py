"""Hook specifications: every moment in the life of a run that something may watch.

The order below is the order in which a run calls them. ``run`` is the :class:`labcore.run.Run`,
``loop`` the :class:`labcore.training.Loop` (its ``step``, ``epoch``, ``model`` and so on).
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pluggy

if TYPE_CHECKING:
    from labcore.record.artifacts import Artifact
    from labcore.run.progress import Progress
    from labcore.run.run import Run

__all__ = ["PROJECT", "LoopSpecs", "RunSpecs", "hookimpl", "hookspec"]

PROJECT = "lab"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


class RunSpecs:
    """Moments that every run has, whatever its task."""

    @hookspec
    def run_started(self, run: "Run[Any]") -> None:
        """The run folder exists, the config is composed, and the task is about to be imported."""

    @hookspec
    def message(self, run: "Run[Any]", text: str, level: str) -> None:
        """The run says something to the user; ``level`` is ``info``, ``warning`` or ``error``."""

    @hookspec
    def progress_started(self, run: "Run[Any]", progress: "Progress") -> None:
        """A long piece of work outside the training loop begins (data, rendering, conversion)."""

    @hookspec
    def progress_advanced(self, run: "Run[Any]", progress: "Progress") -> None:
        """``progress.done`` of ``progress.total`` is done."""

    @hookspec
    def progress_ended(self, run: "Run[Any]", progress: "Progress") -> None:
        """The piece of work is over."""

    @hookspec
    def model_ready(self, run: "Run[Any]", model: Any) -> None:
        """The task has built or loaded its model and has not used it yet."""

    @hookspec
    def metrics(self, run: "Run[Any]", values: Mapping[str, float], step: int, phase: str) -> None:
        """Numbers; ``phase`` is ``train``, ``val``, ``test``, ``result``, ``perf``, ``taps``."""

    @hookspec
    def histogram(
        self,
        run: "Run[Any]",
        name: str,
        counts: Sequence[int],
        edges: Sequence[float],
        step: int,
    ) -> None:
        """A distribution to record: ``counts[i]`` values lie between ``edges[i]`` and the next."""

    @hookspec
    def artifact_added(self, run: "Run[Any]", artifact: "Artifact") -> None:
        """A file for people (sound, picture, table, model) is in the artifacts folder."""

    @hookspec
    def run_interrupted(self, run: "Run[Any]", signal_number: int) -> None:
        """A signal stopped the run; training has written its checkpoint."""

    @hookspec
    def run_failed(self, run: "Run[Any]", error: BaseException) -> None:
        """The task raised."""

    @hookspec
    def run_ended(self, run: "Run[Any]", state: str) -> None:
        """Always called last; ``state`` is ``finished``, ``failed`` or ``interrupted``."""


class LoopSpecs:
    """Moments of the training loop."""

    @hookspec
    def fit_started(self, run: "Run[Any]", loop: Any) -> None:
        """Model, optimiser and data are on their device; the checkpoint, if any, is loaded."""

    @hookspec
    def checkpoint_loaded(self, run: "Run[Any]", loop: Any, path: Path) -> None:
        """Training goes on from ``path``; ``loop.step`` is the step it was written at."""

    @hookspec
    def epoch_started(self, run: "Run[Any]", loop: Any) -> None:
        """A pass over the training data begins."""

    @hookspec
    def step_started(self, run: "Run[Any]", loop: Any) -> None:
        """An optimiser step begins (one or several batches with accumulation)."""

    @hookspec
    def backward_ended(self, run: "Run[Any]", loop: Any) -> None:
        """Gradients of the step are complete and not yet clipped."""

    @hookspec
    def step_ended(self, run: "Run[Any]", loop: Any) -> None:
        """The optimiser has stepped and ``loop.step`` counts it."""

    @hookspec
    def validation_started(self, run: "Run[Any]", loop: Any) -> None:
        """Validation begins; the model is in eval mode, with its EMA weights if it has some."""

    @hookspec
    def validation_ended(self, run: "Run[Any]", loop: Any, values: Mapping[str, float]) -> None:
        """Validation has given ``values``; ``loop.monitor`` knows whether they are the best."""

    @hookspec
    def checkpoint_saved(self, run: "Run[Any]", loop: Any, path: Path) -> None:
        """A whole checkpoint is on disk."""

    @hookspec
    def epoch_ended(self, run: "Run[Any]", loop: Any) -> None:
        """The training data has been seen once more."""

    @hookspec
    def fit_ended(self, run: "Run[Any]", loop: Any, reason: str) -> None:
        """Training ended, for a ``reason``.

        It is ``max_steps``, ``max_epochs``, ``max_time``, ``early_stop``, ``signal`` or ``error``.
        """
