"""The training loop. Read :meth:`Loop.run` first; everything else is what it calls."""

import functools
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from time import monotonic
from typing import Any

from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from labcore.errors import Interrupted
from labcore.record.durations import read_duration
from labcore.run.run import Run
from labcore.training.checkpoints.checkpoint import CheckpointStore, best_of
from labcore.training.checkpoints.guard import Guard, NotFiniteError, explained_divergence
from labcore.training.checkpoints.snapshots import Snapshots, Stateful
from labcore.training.config import LoopConfig
from labcore.training.ema import WeightAverage, evaluating
from labcore.training.feeding.batches import BatchSource
from labcore.training.feeding.feed import Feed
from labcore.training.feeding.window import MetricWindow
from labcore.training.monitor import FitResult, Monitor, Reason
from labcore.training.processes import average, average_values, largest, shard
from labcore.training.seeding import mix
from labcore.training.update import WeightUpdate

__all__ = ["Loop", "TrainingStep", "Validate"]

TrainingStep = Callable[[Any, Any, "Loop"], Mapping[str, Tensor]]
Validate = Callable[[Any, "Loop"], Mapping[str, float]]


class Loop:
    """A training under way; hooks and the plugin's two functions look at it.

    Attributes:
        name: Name of the training, when a run has several; it prefixes its metrics.
        config: The options.
        fabric: Lightning Fabric: devices, precision, processes.
        model: The plugin's model, on its device. Training steps get Fabric's wrapper of it.
        optimizer: Fabric's wrapper of the optimiser.
        monitor: The best validation so far: ``monitor.value`` and ``monitor.step``.
        step: Optimiser steps taken so far.
        max_steps: Step at which training ends.
        max_time_s: Seconds after which it ends, if that comes first; None for no limit.
        metrics: The training metrics last recorded.
        validation: The last validation.
    """

    def __init__(
        self,
        run: Run[Any],
        fabric: Fabric,
        *,
        config: LoopConfig,
        model: nn.Module,
        optimizer: Optimizer,
        data: BatchSource,
        training_step: TrainingStep,
        validate: Validate | None,
        scheduler: LRScheduler | None,
        checkpoints: Path,
        name: str = "",
    ) -> None:
        self.name = name
        self.config = config
        self.fabric = fabric
        self._wrapped, self.optimizer = fabric.setup(model, optimizer)
        self.model: nn.Module = self._wrapped.module
        self.monitor = Monitor(config.monitor, config.goal, config.patience)
        self.step = 0
        self.max_steps = config.max_steps
        self.metrics: dict[str, float] = {}
        self.validation: dict[str, float] = {}
        self._run = run
        self._hooks = run.hooks
        self._training_step = training_step
        self._validate_with = validate
        self._seed = int(getattr(run.config, "seed", 0))
        self.max_time_s = (
            None if config.max_time is None else read_duration(config.max_time, "train.max_time")
        )
        self._signal = 0
        self._validated_at = -1
        self._saved_at = -1
        self._trained_before_s = 0.0
        self._began = monotonic()
        self._window = MetricWindow(fabric.device)
        self._average = None if config.ema is None else WeightAverage(self.model, config.ema)
        self._feed = Feed(
            shard(data, fabric),
            epoch_started=lambda: self._tell("epoch_started"),
            epoch_ended=lambda: self._tell("epoch_ended"),
        )
        self._update = WeightUpdate(
            fabric, self.model, self.optimizer, scheduler, self._average, config
        )
        self._guard = Guard(fabric, self._window, self._update, config)
        self._store = CheckpointStore(checkpoints, keep_last=config.keep_last)
        warn = functools.partial(run.say, level="warning")
        self._snapshots = Snapshots(fabric, self._store, self._parts(scheduler), self._window, warn)

    def _parts(self, scheduler: LRScheduler | None) -> dict[str, Stateful]:
        """Returns what has a state of its own, by its name in the checkpoint."""
        parts: dict[str, Stateful | None] = {
            "loop": self,
            "model": self.model,
            "optimizer": self.optimizer,
            "scheduler": scheduler,
            "ema": self._average,
            "precision": self.fabric.strategy.precision,
            "update": self._update,
            "feed": self._feed,
            "monitor": self.monitor,
            "hooks": self._hooks if self._run.is_main else None,
        }
        return {name: part for name, part in parts.items() if part is not None}

    @property
    def epoch(self) -> int:
        """Complete passes over the training data."""
        return self._feed.epoch

    @property
    def elapsed_s(self) -> float:
        """Seconds of training so far, those of earlier processes of the run included."""
        return self._trained_before_s + monotonic() - self._began

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
        path = self._snapshots.load(self._seed)
        if path is not None and self._run.is_main:
            self._tidy_up()
        self._run.status.step, self._run.status.total_steps = self.step, self.max_steps
        self._tell("fit_started")
        if path is not None:
            self._tell("checkpoint_loaded", path=path)
        self.model.train()
        self._feed.open()
        # Last, since a source may draw random numbers to make its iterator.
        self._snapshots.start_generators(self.step)

    def _take_step(self) -> None:
        self._feed.begin_epoch_if_due()
        self._tell("step_started")
        parts = self.config.accumulate
        for part in range(parts):
            batch = self.fabric.to_device(self._feed.next())
            with self.fabric.no_backward_sync(self._wrapped, enabled=part + 1 < parts):
                loss = self._forward(batch)
                self.fabric.backward(loss / parts if parts > 1 else loss)
        self._tell("backward_ended")
        norm = self._update.apply()
        if norm is not None:
            self._window.add({"grad_norm": norm})
        self.step += 1
        self._tell("step_ended")
        self._feed.end_epoch_if_done()

    def _forward(self, batch: Any) -> Tensor:
        with self.fabric.autocast():
            values = self._training_step(self._wrapped, batch, self)
        loss = values.get("loss") if isinstance(values, Mapping) else None
        if not isinstance(loss, Tensor) or loss.ndim:
            raise TypeError('training_step must return {"loss": a scalar tensor, ...}')
        self._guard.check_loss(loss, self.step + 1)
        self._window.add(values)
        return loss

    def _record_if_due(self) -> None:
        if self.step % self.config.log_every:
            return
        self._guard.check_window(self.step)
        values = self._window.means(lambda means: average(means, self.fabric))
        values["lr"] = self._update.lr
        if self.config.skip_norm is not None:
            values["dropped_steps"] = float(self._update.num_dropped)
        self.metrics = values
        self._log(values, "train")

    def _log(self, values: Mapping[str, float], phase: str) -> None:
        prefix = f"{self.name}/" if self.name else ""
        named = {f"{prefix}{key}": value for key, value in values.items()}
        self._run.log_metrics(named, step=self.step, phase=phase)

    def _validate_if_due(self, reason: Reason | None) -> Reason | None:
        """Validates; returns the reason to stop, which may be a new one."""
        every = self.config.validate_every
        if reason in ("max_steps", "max_time") or (every > 0 and self.step % every == 0):
            self._validate()
        return reason or ("early_stop" if self.monitor.exhausted else None)

    def _validate(self) -> None:
        if self._validate_with is None:
            return
        seed = mix(self._seed, self.step)
        with evaluating(self.model, self._average, self.fabric, seed):
            self._tell("validation_started")
            values = average_values(self._validate_with(self.model, self), self.fabric)
            self.monitor.update(values, self.step)
            self._tell("validation_ended", values=values)
        self.validation, self._validated_at = values, self.step
        self._log(values, "val")
        self._update.validated(values[self.config.monitor])

    def _save_if_due(self, reason: Reason | None) -> None:
        is_best = self.monitor.step == self.step
        if reason or is_best or self.step % self.config.checkpoint_every == 0:
            self._save()

    def _save(self) -> None:
        self._guard.check_window(self.step)
        self._guard.check_weights(self.model, self.step)
        path = self._snapshots.save(self.step)
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
        number = self._run.stop.number or 0
        is_late = int(self.elapsed_s >= (self.max_time_s or math.inf))
        # Asking the other processes makes a GPU wait, so that is not done at every step.
        is_cheap = self.fabric.world_size == 1 or self.fabric.device.type == "cpu"
        if is_cheap or self.step % self.config.log_every == 0:
            self._signal, is_late = largest((number, is_late), self.fabric)
        else:
            is_late = 0
        if self._signal:
            return "signal"
        if self.step >= self.max_steps:
            return "max_steps"
        if is_late:
            return "max_time"
        return "early_stop" if self.monitor.exhausted else None

    def _end(self, reason: Reason) -> FitResult:
        """Does what a process that was stopped just before this point has left undone."""
        is_validated = self._validate_with is None or self._validated_at == self.step
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
