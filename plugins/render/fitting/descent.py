"""What the three fits share of their training: steps, learning rate, what cannot be asked for."""

import math

import torch
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from labcore.errors import UsageError
from labcore.training import LoopConfig, TensorBatches

__all__ = ["check_loop", "cosine_after", "progress_of", "step_batches"]

_LEAST = 0.02
"""Share of the learning rate that is left at the end."""


def check_loop(config: LoopConfig) -> None:
    """Refuses options of the loop that a fit has no use for.

    Raises:
        UsageError: Naming each of them.
    """
    problems = []
    if config.precision != "32-true":
        problems.append(f"train.precision={config.precision}: geometry needs 32-true")
    if config.devices != 1 or config.nodes != 1:
        problems.append("train.devices and train.nodes: a fit is one process on one device")
    if config.max_epochs:
        problems.append("train.max_epochs: a fit passes over no data, use train.max_steps")
    if problems:
        raise UsageError(
            "a fit cannot be trained like this", problems=problems, fix="leave these options out"
        )


def step_batches(config: LoopConfig) -> TensorBatches:
    """Returns the steps themselves as batches: for a fit that compares the same things at each."""
    return TensorBatches(torch.arange(config.max_steps), batch_size=1, seed=0, shuffle=False)


def progress_of(step: int, config: LoopConfig) -> float:
    """Returns how far a fit has come, from 0 at its first step to 1 at its last."""
    return min(1.0, step / max(config.max_steps - 1, 1))


def cosine_after(optimizer: Optimizer, config: LoopConfig, *, hold: float) -> LambdaLR:
    """Returns a learning rate that stays for a while and then falls along a cosine.

    Args:
        optimizer: Whose learning rate it is.
        config: Says how many steps there are.
        hold: Share of the steps with the full learning rate, below 1.
    """

    def factor(step: int) -> float:
        fallen = max(0.0, (progress_of(step, config) - hold) / (1 - hold))
        return _LEAST + (1 - _LEAST) * (1 + math.cos(math.pi * fallen)) / 2

    return LambdaLR(optimizer, factor)
