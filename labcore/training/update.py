"""What happens to the weights once the gradients of a step are complete."""

import math
import warnings
from collections.abc import Mapping
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.optim.lr_scheduler import LRScheduler, ReduceLROnPlateau

from labcore.training.config import LoopConfig
from labcore.training.ema import WeightAverage

__all__ = ["WeightUpdate"]


class WeightUpdate:
    """Measures, clips or drops the gradient, steps optimiser and schedule, averages the weights.

    Args:
        fabric: Knows the precision and its gradient scaler.
        model: The model itself, not Fabric's wrapper.
        optimizer: Fabric's wrapper of the optimiser.
        scheduler: Stepped after every optimiser step; a ReduceLROnPlateau after every validation.
        average: Of the weights, if one is kept.
        config: The norms.

    Attributes:
        lr: Learning rate of the last step.
        num_dropped: Steps whose gradient was too large.
    """

    def __init__(
        self,
        fabric: Fabric,
        model: nn.Module,
        optimizer: Any,
        scheduler: LRScheduler | None,
        average: WeightAverage | None,
        config: LoopConfig,
    ) -> None:
        self._optimizer = optimizer
        self._scheduler = scheduler
        self._average = average
        self._scaler = getattr(fabric.strategy.precision, "scaler", None)
        self._parameters = [p for p in model.parameters() if p.requires_grad]
        self._clip_norm = config.clip_norm
        self._skip_norm = config.skip_norm
        self._needs_norm = config.clip_norm is not None or config.skip_norm is not None
        self.lr = float(optimizer.param_groups[0]["lr"])
        self.num_dropped = 0

    @property
    def is_scaled(self) -> bool:
        """Whether half precision scales the loss, so that infinite gradients are no surprise."""
        return self._scaler is not None

    def apply(self) -> Tensor | None:
        """Updates the weights.

        Returns:
            The norm of the gradient before clipping, on the device; None when nothing needs it.
        """
        norm = self._clipped() if self._needs_norm else None
        dropped = norm is not None and self._is_too_large(norm)
        if not dropped:
            self._optimizer.step()
        elif self._scaler is not None:
            self._scaler.update()
        self._optimizer.zero_grad(set_to_none=True)
        self.num_dropped += dropped
        self.lr = float(self._optimizer.param_groups[0]["lr"])
        self._step_schedule(dropped)
        if self._average is not None and not dropped:
            self._average.update()
        return norm

    def validated(self, value: float | None) -> None:
        """Tells a schedule that follows the monitored metric about a validation."""
        if isinstance(self._scheduler, ReduceLROnPlateau) and value is not None:
            self._scheduler.step(value)

    def state_dict(self) -> dict[str, Any]:
        """Returns the number of dropped steps."""
        return {"num_dropped": self.num_dropped}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Goes on from a state of :meth:`state_dict`."""
        self.num_dropped = int(state["num_dropped"])

    def _clipped(self) -> Tensor:
        if self._scaler is not None:
            self._scaler.unscale_(self._optimizer.optimizer)
        gradients = [p.grad for p in self._parameters if p.grad is not None]
        norm = torch.nn.utils.get_total_norm(gradients)
        if self._clip_norm is not None:
            torch.nn.utils.clip_grads_with_norm_(self._parameters, self._clip_norm, norm)
        return norm.detach()

    def _is_too_large(self, norm: Tensor) -> bool:
        if self._skip_norm is None:
            return False
        value = float(norm)  # waits for the GPU, which is the price of train.skip_norm
        return not (math.isfinite(value) and value <= self._skip_norm)

    def _step_schedule(self, dropped: bool) -> None:
        if self._scheduler is None or isinstance(self._scheduler, ReduceLROnPlateau):
            return
        if not (dropped or self.is_scaled):
            self._scheduler.step()
            return
        with warnings.catch_warnings():
            # torch warns when the very first optimiser step was left out; that is meant here.
            warnings.filterwarnings("ignore", message="Detected call of `lr_scheduler.step")
            self._scheduler.step()
