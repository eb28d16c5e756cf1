"""Options of the training loop, shared by every plugin that trains. Imports no framework."""

from dataclasses import dataclass
from enum import Enum

from labcore.record.durations import read_duration

__all__ = ["Goal", "LoopConfig"]

_PRECISIONS = ("32-true", "16-mixed", "bf16-mixed", "bf16-true", "64-true")
_STRATEGIES = ("auto", "ddp", "ddp_find_unused_parameters_true")
# Strategies that shard the weights (FSDP) are left out: checkpoints hold them whole.


class Goal(Enum):
    """Which way the monitored metric gets better."""

    minimize = "minimize"
    maximize = "maximize"


@dataclass(kw_only=True, slots=True)
class LoopConfig:
    """How long to train, how precisely, what to keep, when to look."""

    max_steps: int = 1000
    """Optimiser steps to take. 0 for no limit but max_epochs."""
    max_epochs: int = 0
    """Stop after so many passes over the training data, if that comes before max_steps; 0 counts no
    passes."""
    max_time: str | None = None
    """Stop after this much training time (90s, 5m, 1h30m, 2d, 1:30:00), resumed runs included."""
    precision: str = "32-true"
    """Lightning Fabric's precision: 32-true, 16-mixed, bf16-mixed, bf16-true, 64-true."""
    strategy: str = "auto"
    """Lightning Fabric's strategy: auto (one device, or ddp for several), ddp, or
    ddp_find_unused_parameters_true when a step leaves some weights out."""
    devices: int = 1
    """Processes (one GPU each, or CPU processes) on each machine."""
    nodes: int = 1
    """Machines, when torchrun or Slurm starts the run on several."""
    deterministic: bool = False
    """Use only deterministic algorithms: GPU runs then repeat bit for bit, and are slower."""
    compile: bool = False
    """Compile the model with torch.compile: the first steps take long, the others less."""
    channels_last: bool = False
    """Keep the weights of convolutions in the order that GPUs' half precision is fast in."""
    accumulate: int = 1
    """Batches whose gradients are summed into one optimiser step."""
    clip_norm: float | None = None
    """Clip the gradient to this global norm."""
    skip_norm: float | None = None
    """Drop a step whose gradient norm is larger than this, or not finite."""
    ema: float | None = None
    """Decay of an exponential moving average of the weights, used for validation and for the model
    that the run leaves (0.999)."""
    log_every: int = 20
    """Steps between two records of the training metrics."""
    validate_every: int = 500
    """Steps between two validations; there is always one at the end. 0 for only that one."""
    checkpoint_every: int = 500
    """Steps between two checkpoints; there is always one at the end."""
    keep_last: int = 2
    """Checkpoints to keep beside the best one."""
    monitor: str = "loss"
    """Validation metric that decides which checkpoint is the best."""
    goal: Goal = Goal.minimize
    """Whether the monitored metric should be small or large."""
    patience: int = 0
    """Stop after this many validations without a better monitored metric; 0 never does."""

    def __post_init__(self) -> None:
        if self.max_steps < 0 or self.max_epochs < 0:
            raise ValueError("train.max_steps and train.max_epochs must not be negative")
        if not self.max_steps and not self.max_epochs:
            raise ValueError("train.max_steps is 0; it must be at least 1, or set train.max_epochs")
        if self.max_time is not None and read_duration(self.max_time, "train.max_time") <= 0:
            raise ValueError("train.max_time must be above zero; leave it out for no limit")
        counts = ("devices", "nodes", "accumulate", "log_every", "checkpoint_every", "keep_last")
        for name in counts:
            if getattr(self, name) < 1:
                raise ValueError(f"train.{name} is {getattr(self, name)}; it must be at least 1")
        if self.validate_every < 0 or self.patience < 0:
            raise ValueError("train.validate_every and train.patience must not be negative")
        for name, without in (("clip_norm", "for no clipping"), ("skip_norm", "to drop no step")):
            if getattr(self, name) is not None and getattr(self, name) <= 0:
                raise ValueError(f"train.{name} must be above zero; leave it out {without}")
        if self.precision not in _PRECISIONS:
            raise ValueError(f"train.precision is {self.precision!r}; use {', '.join(_PRECISIONS)}")
        if self.strategy not in _STRATEGIES:
            raise ValueError(f"train.strategy is {self.strategy!r}; use {', '.join(_STRATEGIES)}")
        if self.ema is not None and not 0 < self.ema < 1:
            raise ValueError(f"train.ema is {self.ema}; use a decay between 0 and 1, such as 0.999")

    def last_step(self, num_batches: int) -> int:
        """Returns the step at which training ends, by ``max_steps`` or ``max_epochs``.

        Args:
            num_batches: Batches of an epoch, in each process.
        """
        # The step that uses the last batch of an epoch may use the first ones of the next, too.
        of_epochs = -(-self.max_epochs * num_batches // self.accumulate)
        return min(filter(None, (self.max_steps, of_epochs)))
