"""Options of a training recipe: optimiser and learning rate. Imports no framework."""

from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from labcore.errors import nearest

__all__ = ["OptimizerConfig", "OptimizerName", "ScheduleConfig", "ScheduleName"]

_OF_GROUPS = ("lr_scale", "weight_decay")


class OptimizerName(Enum):
    """Which rule turns gradients into steps."""

    adam = "adam"
    adamw = "adamw"
    sgd = "sgd"
    rmsprop = "rmsprop"
    rmsprop_tf = "rmsprop_tf"


@dataclass(kw_only=True, slots=True)
class OptimizerConfig:
    """Which optimiser, and which parameters it treats differently."""

    name: OptimizerName = OptimizerName.adam
    """adam, adamw (its weight decay is apart from the gradient), sgd, rmsprop, or rmsprop_tf, which
    is TensorFlow 1's and that of the MobileNet papers: eps under the root, squares that begin at
    1."""
    lr: float = 1e-3
    """Learning rate, the highest of a schedule."""
    weight_decay: float = 0.0
    """Weight decay; added to the gradient, except by adamw."""
    decay_all: bool = True
    """Let weight decay pull on biases and normalisation layers too, that is on parameters of one
    dimension."""
    momentum: float = 0.0
    """Momentum of sgd and rmsprop."""
    nesterov: bool = False
    """Nesterov's momentum in sgd."""
    alpha: float = 0.99
    """How much of the mean square gradient rmsprop keeps at a step (MobileNet: 0.9)."""
    betas: list[float] = field(default_factory=lambda: [0.9, 0.999])
    """How much of the two moments adam and adamw keep at a step."""
    eps: float = 1e-8
    """What adam and rmsprop add to the divisor (MobileNet: 1.0 with rmsprop_tf)."""
    groups: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Parameters by pattern, and what differs for them, lr_scale (a multiple of lr) or
    weight_decay: {"encoder.*": {lr_scale: 0.1}}. Of patterns that say the same the last counts."""

    def __post_init__(self) -> None:
        if self.lr <= 0:
            raise ValueError(f"optimizer.lr is {self.lr}; it must be above zero")
        if len(self.betas) != 2:
            raise ValueError("optimizer.betas takes two numbers, such as [0.9,0.999]")
        for name in ("weight_decay", "eps"):
            if getattr(self, name) < 0:
                raise ValueError(f"optimizer.{name} must not be negative")
        shares = {"momentum": self.momentum, "alpha": self.alpha}
        shares |= {f"betas[{index}]": beta for index, beta in enumerate(self.betas)}
        for name, share in shares.items():
            if not 0 <= share < 1:
                raise ValueError(f"optimizer.{name} is {share}; use 0 to just below 1")
        if self.nesterov and not self.momentum:
            raise ValueError("optimizer.nesterov needs optimizer.momentum, such as 0.9")
        for pattern, settings in self.groups.items():
            for name, value in settings.items():
                if name not in _OF_GROUPS:
                    raise ValueError(
                        f"optimizer.groups has no setting {name!r} (for {pattern!r}); did you mean "
                        f"{(nearest(name, _OF_GROUPS, 1) or _OF_GROUPS)[0]}?"
                    )
                if not isinstance(value, int | float) or value < 0:
                    raise ValueError(
                        f"optimizer.groups: {name} of {pattern!r} is {value!r}; use a number from 0"
                    )


class ScheduleName(Enum):
    """How the learning rate goes on after its warm-up."""

    constant = "constant"
    cosine = "cosine"
    poly = "poly"
    one_cycle = "one_cycle"
    step = "step"
    exponential = "exponential"


@dataclass(kw_only=True, slots=True)
class ScheduleConfig:
    """The learning rate of each step, as a share of the optimiser's."""

    name: ScheduleName = ScheduleName.constant
    """constant, cosine, poly, one_cycle (up and down again), step (drops) or exponential."""
    warmup_steps: int = 0
    """Steps in which the rate first rises, in a straight line; of one_cycle those of its own rise,
    0 for 30% of the training."""
    start: float = 0.04
    """Share of the rate at the first step of a warm-up and of one_cycle."""
    end: float = 0.0
    """Share of the rate that is left at the end of cosine, poly and one_cycle, and that step and
    exponential approach."""
    power: float = 0.9
    """Of poly: (1 - done) ^ power."""
    gamma: float = 0.1
    """What is left of the rate after a drop of step, or after so many steps of exponential as every
    says."""
    every: int = 1
    """Steps between two drops of step; steps in which exponential falls by gamma."""
    milestones: list[int] = field(default_factory=list)
    """Steps at which step drops, in place of every."""
    cycle_momentum: bool = False
    """Let one_cycle move the momentum (Adam's first beta) from 0.95 to 0.85 and back."""

    def __post_init__(self) -> None:
        if self.warmup_steps < 0:
            raise ValueError("schedule.warmup_steps must not be negative")
        if not 0 < self.start <= 1:
            raise ValueError(f"schedule.start is {self.start}; use above 0 to 1")
        if not 0 <= self.end <= 1:
            raise ValueError(f"schedule.end is {self.end}; use 0 to 1")
        if not 0 < self.gamma <= 1:
            raise ValueError(f"schedule.gamma is {self.gamma}; use above 0 to 1")
        if self.power <= 0:
            raise ValueError(f"schedule.power is {self.power}; it must be above zero")
        if self.every < 1 or any(step < 1 for step in self.milestones):
            raise ValueError("schedule.every and schedule.milestones count steps from 1")
        if self.name is ScheduleName.step and self.every == 1 and not self.milestones:
            raise ValueError(
                "schedule.name=step needs schedule.every=STEPS or schedule.milestones=[STEP]"
            )
