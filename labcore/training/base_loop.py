"""What a training does between its steps, whatever the framework: read :meth:`BaseLoop.run`."""

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

from labcore.errors import Interrupted
from labcore.record.checkpoints import CheckpointStore, best_of
from labcore.record.durations import read_duration
from labcore.run.run import Run
from labcore.training.config import LoopConfig
from labcore.training.divergence import NotFiniteError, explained_divergence
from labcore.training.feeding.feed import Feed
from labcore.training.monitor import FitResult, Monitor, Reason

if TYPE_CHECKING:
    from labcore.training.feeding.batches import BatchSource

__all__ = ["BaseLoop"]


class BaseLoop(ABC):
    """A training under way: when to record, validate, save and stop, and who is told.

    A framework's loop says how a step is taken and what is recorded, validated and written.

    Attributes:
        name: Name of the training, when a run has several; it prefixes its metrics.
        config: The options.
        model: The plugin's model.
        monitor: The best validation so far: ``monitor.value`` and ``monitor.step``.
        step: Optimiser steps taken so far.
        max_steps: Step at which training ends, by ``train.max_steps`` or ``train.max_epochs``.
        max_epochs: Passes over the data after which it ends, if that comes first; 0 for no limit.
        max_time_s: Seconds after which it ends, if that comes first; None for no limit.
        metrics: The training metrics last recorded.
        validation: The last validation.
    """

    model: Any
    max_steps: int
    _feed: Feed

    def __init__(
        self,
        run: Run[Any],
        store: CheckpointStore,
        *,
        config: LoopConfig,
        validates: bool,
        name: str = "",
    ) -> None:
        self.name = name
        self.config = config
        self.monitor = Monitor(config.monitor, config.goal, config.patience)
        self.step = 0
        self.max_epochs = config.max_epochs
        self.metrics: dict[str, float] = {}
        self.validation: dict[str, float] = {}
        self._run = run
        self._hooks = run.hooks
        self._store = store
        self._validates = validates
        self._seed = int(getattr(run.config, "seed", 0))
        self.max_time_s = (
            None if config.max_time is None else read_duration(config.max_time, "train.max_time")
        )
        self._signal = 0
        self._validated_at = -1
        self._saved_at = -1
        self._trained_before_s = 0.0
        self._began = monotonic()

    @property
    def epoch(self) -> int:
        """Complete passes over the training data."""
        return self._feed.epoch

    @property
    def elapsed_s(self) -> float:
        """Seconds of training so far, those of earlier processes of the run included."""
        return self._trained_before_s + monotonic() - self._began

    def _feed_from(self, data: "BatchSource") -> None:
        """Takes batches from this process's data, which says how long an epoch is."""
        self._feed = Feed(data, epoch_started=self._epoch_started, epoch_ended=self._epoch_ended)
        self.max_steps = self.config.last_step(len(data))

    def _epoch_started(self) -> None:
        self._tell("epoch_started")

    def _epoch_ended(self) -> None:
        self._tell("epoch_ended")

    @abstractmethod
    def _restore(self) -> Path | None:
        """Goes on from the newest good checkpoint, and returns it; None when there is none."""

    @abstractmethod
    def _start(self) -> None:
        """Does what must come right before the first step."""

    @abstractmethod
    def _take_step(self) -> None:
        """Takes one optimiser step, counts it and tells the hooks."""

    @abstractmethod
    def _since_last_record(self) -> dict[str, float]:
        """Returns the training metrics since they were last asked for."""

    @abstractmethod
    def _evaluate(self) -> dict[str, float]:
        """Validates: has the monitor see the values, then tells the hooks."""

    @abstractmethod
    def _write(self) -> Path | None:
        """Writes a checkpoint and returns it; None in a process that leaves no files."""

    def _end_of_all(self, signal: int, is_late: bool) -> tuple[int, bool]:
        """Returns the signal and whether time is up in any process of the training."""
        return signal, is_late

    def run(self) -> FitResult:
        """Trains until there is a reason to stop.

        Raises:
            Interrupted: A signal asked for it; a checkpoint has been written.
            RunFailed: The loss is not finite, or a checkpoint could not be written.
        """
        try:
            self._begin()
            reason = self._reason_to_stop()
            while reason is None:
                self._take_step()
                reason = self._reason_to_stop()
                self._record_if_due()
                reason = self._validate_if_due(reason)
                self._save_if_due(reason)
            return self._end(reason)
        except NotFiniteError as error:
            raise explained_divergence(
                error, metrics=self.metrics, kept=self._store.newest(), config=self.config
            ) from None

    def state_dict(self) -> dict[str, Any]:
        """Returns what the loop itself has counted and seen."""
        return {
            "step": self.step,
            "elapsed_s": self.elapsed_s,
            "metrics": self.metrics,
            "validation": self.validation,
            "validated_at": self._validated_at,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Goes on from a state of :meth:`state_dict`."""
        self.step = self._saved_at = int(state["step"])
        self.metrics = dict(state["metrics"])
        self.validation = dict(state["validation"])
        self._validated_at = int(state["validated_at"])
        self._trained_before_s = float(state["elapsed_s"])
        self._began = monotonic()

    def _begin(self) -> None:
        self._began = monotonic()
        path = self._restore()
        if path is not None and self._run.is_main:
            self._tidy_up()
        self._run.status.step, self._run.status.total_steps = self.step, self.max_steps
        self._tell("fit_started")
        if path is not None:
            self._tell("checkpoint_loaded", path=path)
        self._start()

    def _record_if_due(self) -> None:
        if self.step % self.config.log_every == 0:
            self.metrics = self._since_last_record()
            self._log(self.metrics, "train")

    def _log(self, values: Mapping[str, float], phase: str) -> None:
        prefix = f"{self.name}/" if self.name else ""
        named = {f"{prefix}{key}": value for key, value in values.items()}
        self._run.log_metrics(named, step=self.step, phase=phase)

    def _validate_if_due(self, reason: Reason | None) -> Reason | None:
        """Validates; returns the reason to stop, which may be a new one."""
        every = self.config.validate_every
        is_last = reason in ("max_steps", "max_epochs", "max_time")
        if is_last or (every > 0 and self.step % every == 0):
            self._validate()
        return reason or ("early_stop" if self.monitor.exhausted else None)

    def _validate(self) -> None:
        if not self._validates:
            return
        values = self._evaluate()
        self.validation, self._validated_at = values, self.step
        self._log(values, "val")

    def _save_if_due(self, reason: Reason | None) -> None:
        is_best = self.monitor.step == self.step
        if reason or is_best or self.step % self.config.checkpoint_every == 0:
            self._save()

    def _save(self) -> None:
        path = self._write()
        self._saved_at = self.step
        if path is None:
            return
        self._tidy_up()
        self._tell("checkpoint_saved", path=path)

    def _tidy_up(self) -> None:
        """Names the best checkpoint and removes those that nobody needs any more.

        Also done when training goes on, in place of a process that was killed before it could.
        """
        step, value = self.monitor.step, self.monitor.value
        if step is not None and value is not None:
            path = self._store.path(step)
            if path.exists() and path != best_of(self._store.folder):
                self._store.mark_best(path, metric=self.config.monitor, value=value, step=step)
        self._store.prune()

    def _reason_to_stop(self) -> Reason | None:
        is_late = self.elapsed_s >= (self.max_time_s or math.inf)
        self._signal, is_late = self._end_of_all(self._run.stop.number or 0, is_late)
        if self._signal:
            return "signal"
        if self.step >= self.max_steps:
            return "max_steps" if self.max_steps == self.config.max_steps else "max_epochs"
        if is_late:
            return "max_time"
        return "early_stop" if self.monitor.exhausted else None

    def _end(self, reason: Reason) -> FitResult:
        """Does what a process that was stopped just before this point has left undone."""
        is_validated = not self._validates or self._validated_at == self.step
        if reason != "signal" and not is_validated:
            self._validate()
            self._saved_at = -1
        if self._saved_at != self.step:
            self._save()
        self._run.status.step = self.step
        if reason == "signal":
            raise Interrupted(self._signal)
        return FitResult(
            step=self.step,
            reason=reason,
            metrics=self.validation,
            best_value=self.monitor.value,
            best_step=self.monitor.step,
            checkpoint=best_of(self._store.folder) or self._store.newest(),
        )

    def _tell(self, moment: str, **details: Any) -> None:
        if self._hooks.has(moment):
            self._hooks.call(moment, run=self._run, loop=self, **details)
