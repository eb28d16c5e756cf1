"""The training loop of torch; :class:`BaseLoop` has what comes between its steps."""

import functools
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar, cast

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from labcore.record.checkpoints import CheckpointStore
from labcore.run.run import Run
from labcore.training.base_loop import BaseLoop
from labcore.training.checkpoints.checkpoint import TORCH
from labcore.training.checkpoints.guard import Guard
from labcore.training.checkpoints.snapshots import Snapshots, Stateful
from labcore.training.config import LoopConfig
from labcore.training.ema import WeightAverage, evaluating
from labcore.training.feeding.batches import BatchSource
from labcore.training.feeding.window import MetricWindow
from labcore.training.processes import (
    Sliceable,
    average,
    average_counted,
    average_values,
    largest,
    shard,
)
from labcore.training.recipes import ScheduleConfig
from labcore.training.schedules import build_schedule
from labcore.training.seeding import mix
from labcore.training.update import WeightUpdate

__all__ = ["Loop", "TrainingStep", "Validate"]

T = TypeVar("T", bound=Sliceable)
TrainingStep = Callable[[Any, Any, "Loop"], Mapping[str, Tensor]]
Validate = Callable[[Any, "Loop"], Mapping[str, float]]


class Loop(BaseLoop):
    """A training with torch under way; hooks and the plugin's two functions look at it.

    Attributes:
        fabric: Lightning Fabric: devices, precision, processes.
        model: The plugin's model, on its device. Training steps get Fabric's wrapper of it.
        optimizer: Fabric's wrapper of the optimiser.
    """

    model: nn.Module

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
        scheduler: LRScheduler | ScheduleConfig | None,
        checkpoints: Path,
        name: str = "",
    ) -> None:
        store = CheckpointStore(checkpoints, TORCH, keep_last=config.keep_last)
        super().__init__(run, store, config=config, validates=validate is not None, name=name)
        self.fabric = fabric
        self._feed_from(shard(data, fabric))
        if isinstance(scheduler, ScheduleConfig):
            scheduler = build_schedule(optimizer, scheduler, self.max_steps)
        if config.channels_last:
            model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        # Fabric compiles around its own wrapper, so the model keeps the names of its weights.
        compiled = torch.compile(model) if config.compile else model
        self._wrapped, self.optimizer = fabric.setup(cast(nn.Module, compiled), optimizer)
        self.model = self._wrapped.module
        self._training_step = training_step
        self._validate_with = validate
        self._window = MetricWindow(fabric.device)
        self._average = None if config.ema is None else WeightAverage(self.model, config.ema)
        self._update = WeightUpdate(
            fabric, self.model, self.optimizer, scheduler, self._average, config
        )
        self._guard = Guard(fabric, self._window, self._update, config)
        warn = functools.partial(run.say, level="warning")
        self._snapshots = Snapshots(fabric, store, self._parts(scheduler), self._window, warn)

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

    def part(self, items: T) -> T:
        """Returns this process's part of what is to be validated; all of it in a single process.

        Together with :meth:`average`::

            def validate(model, loop):
                x = loop.part(held_out)
                return loop.average({"loss": float(loss(model(x)))}, count=len(x))

        Args:
            items: A list, a range of indices, an array or a tensor.
        """
        return items[self.fabric.global_rank :: self.fabric.world_size]

    def average(self, values: Mapping[str, float], *, count: int) -> dict[str, float]:
        """Returns the means over all processes, each counted as often as it has seen items.

        Args:
            values: Means over this process's part; they may be left out when it is empty.
            count: Items of this part.
        """
        return average_counted(values, count, self.fabric)

    def _restore(self) -> Path | None:
        return self._snapshots.load(self._seed)

    def _start(self) -> None:
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

    def _since_last_record(self) -> dict[str, float]:
        self._guard.check_window(self.step)
        values = self._window.means(lambda means: average(means, self.fabric))
        values["lr"] = self._update.lr
        if self.config.skip_norm is not None:
            values["dropped_steps"] = float(self._update.num_dropped)
        return values

    def _evaluate(self) -> dict[str, float]:
        assert self._validate_with is not None
        seed = mix(self._seed, self.step)
        with evaluating(self.model, self._average, self.fabric, seed):
            self._tell("validation_started")
            values = average_values(self._validate_with(self.model, self), self.fabric)
            self.monitor.update(values, self.step)
            self._tell("validation_ended", values=values)
        return values

    def _validate(self) -> None:
        super()._validate()
        if self._validate_with is not None:
            self._update.validated(self.validation[self.config.monitor])

    def _write(self) -> Path | None:
        self._guard.check_window(self.step)
        self._guard.check_weights(self.model, self.step)
        return self._snapshots.save(self.step)

    def _end_of_all(self, signal: int, is_late: bool) -> tuple[int, bool]:
        # Asking the other processes makes a GPU wait, so that is not done at every step.
        is_cheap = self.fabric.world_size == 1 or self.fabric.device.type == "cpu"
        if is_cheap or self.step % self.config.log_every == 0:
            number, late = largest((signal, int(is_late)), self.fabric)
            return number, bool(late)
        return self._signal, False
