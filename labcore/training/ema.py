"""Exponential moving average of a model's weights, and looks at a model that leave no trace."""

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from labcore.training.seeding import forked, seed_everything

__all__ = ["WeightAverage", "evaluating"]


class WeightAverage:
    """Averages the floating-point parameters of a model over its steps.

    After step ``t`` (counted from 1): ``average = d * average + (1 - d) * weights`` with
    ``d = min(decay, t / (t + 9))``, so that early on the average is not dominated by the random
    weights that training began with. Buffers (running means of normalisation layers) are averages
    already and stay the model's own. Half-precision weights are averaged in float32.

    Args:
        model: The model; its weights now are where the average starts.
        decay: How much of the average stays at each step, such as 0.999.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self._decay = decay
        self._updates = 0
        self._parameters = [p for p in model.parameters() if p.is_floating_point()]
        self._average = [_averaged(p.detach()) for p in self._parameters]
        # Tied weights have several names in a state dict and one average.
        place = {id(p): index for index, p in enumerate(self._parameters)}
        self._names = {
            name: place[id(p)]
            for name, p in model.named_parameters(remove_duplicate=False)
            if id(p) in place
        }

    @torch.no_grad()
    def update(self) -> None:
        """Takes in the weights after an optimiser step."""
        self._updates += 1
        decay = min(self._decay, self._updates / (self._updates + 9))
        weights = [p.to(a.dtype) for p, a in zip(self._parameters, self._average, strict=True)]
        torch._foreach_lerp_(self._average, weights, 1.0 - decay)

    @contextlib.contextmanager
    def applied(self) -> Iterator[None]:
        """Gives the model the averaged weights inside the block, and its own back after it.

        Values are copied, not tensors exchanged: cuDNN and distributed training hold on to the
        memory of the weights.
        """
        own = [p.detach().clone() for p in self._parameters]
        self._copy_to_model(self._average)
        try:
            yield
        finally:
            self._copy_to_model(own)

    def weights(self) -> dict[str, Tensor]:
        """Returns the averages by the names that the parameters have in the model's state dict."""
        return {name: self._average[index] for name, index in self._names.items()}

    def state_dict(self) -> dict[str, Any]:
        """Returns the averages and the number of updates."""
        return {"updates": self._updates, "weights": self.weights()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Goes on from a state of :meth:`state_dict`.

        Raises:
            KeyError: The model has a parameter that the state lacks.
        """
        self._updates = int(state["updates"])
        for name, index in self._names.items():
            self._average[index].copy_(state["weights"][name])

    @torch.no_grad()
    def _copy_to_model(self, values: list[Tensor]) -> None:
        for parameter, value in zip(self._parameters, values, strict=True):
            parameter.copy_(value)


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


def _averaged(weight: Tensor) -> Tensor:
    half = weight.dtype in (torch.float16, torch.bfloat16)
    return weight.float() if half else weight.clone()
