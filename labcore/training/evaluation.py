"""Looking at a model in the middle of training without leaving a trace on the training."""

import contextlib
from collections.abc import Iterator

import torch
from lightning_fabric import Fabric
from torch import nn

from labcore.training.ema import WeightAverage
from labcore.training.seeding import forked, seed_everything

__all__ = ["evaluating"]


@contextlib.contextmanager
def evaluating(
    model: nn.Module, average: WeightAverage | None, fabric: Fabric, seed: int
) -> Iterator[None]:
    """Puts the model in eval mode, with its averaged weights when there are some.

    Random numbers drawn inside the block come from ``seed`` alone, and the generators go on after
    it as if it had not been: how often a run validates does not change what it learns. Every layer
    gets back the mode that it had.

    Args:
        model: The model itself, not Fabric's wrapper.
        average: Of its weights, if one is kept.
        fabric: Sets the precision inside the block.
        seed: Of the random generators inside the block.
    """
    modes = [(module, module.training) for module in model.modules()]
    averaged = contextlib.nullcontext() if average is None else average.applied()
    with forked(), averaged, torch.no_grad(), fabric.autocast():
        seed_everything(seed)
        model.eval()
        try:
            yield
        finally:
            for module, was_training in modes:
                module.training = was_training
