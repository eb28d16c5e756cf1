"""The learning-rate schedule of a recipe: a function of the step and of nothing else."""

import math

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR, LRScheduler, OneCycleLR

from labcore.errors import UsageError
from labcore.training.recipes import ScheduleConfig, ScheduleName

__all__ = ["build_schedule", "share_at"]

_RISE = 0.3
"""Share of a training in which one_cycle rises, when nobody says."""


def build_schedule(optimizer: Optimizer, config: ScheduleConfig, total_steps: int) -> LRScheduler:
    """Makes a schedule, to be stepped after every step of the optimiser.

    A loop that is given the config makes it itself: it knows how many steps there are.

    Args:
        optimizer: Its learning rates are the highest ones.
        config: Which schedule.
        total_steps: Steps of the training.

    Raises:
        UsageError: The warm-up is as long as the training.
    """
    if config.warmup_steps >= total_steps:
        raise UsageError(
            f"schedule.warmup_steps={config.warmup_steps} leaves nothing of this training's "
            f"{total_steps} steps",
            fix="make the warm-up shorter, or train for more steps",
        )
    if config.name is not ScheduleName.one_cycle:
        return LambdaLR(optimizer, lambda step: share_at(step, config, total_steps))
    return OneCycleLR(
        optimizer,
        [group["lr"] for group in optimizer.param_groups],
        total_steps=total_steps,
        pct_start=config.warmup_steps / total_steps or _RISE,
        cycle_momentum=config.cycle_momentum,
        div_factor=1 / config.start,
        final_div_factor=config.start / config.end if config.end else math.inf,
    )


def share_at(step: int, config: ScheduleConfig, total_steps: int) -> float:
    """Returns the share of the learning rate that a step has, of all schedules but one_cycle.

    Args:
        step: Counted from 0.
        config: Which schedule.
        total_steps: Steps of the training; at this step, which is never taken, the end is reached.
    """
    warmup = config.warmup_steps
    if step < warmup:
        return config.start + (1 - config.start) * step / warmup
    done = min(1.0, (step - warmup) / (total_steps - warmup))
    match config.name:
        case ScheduleName.cosine:
            left = (1 + math.cos(math.pi * done)) / 2
        case ScheduleName.poly:
            left = (1 - done) ** config.power
        case ScheduleName.exponential:
            left = config.gamma ** ((step - warmup) / config.every)
        case ScheduleName.step:
            passed = sum(step >= each for each in config.milestones)
            left = config.gamma ** (passed if config.milestones else step // config.every)
        case _:
            return 1.0
    return config.end + (1 - config.end) * left
