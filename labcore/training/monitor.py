"""Which validation was the best so far, when to give up on a better one, and how it all ended."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from labcore.errors import UsageError, nearest
from labcore.training.config import Goal

__all__ = ["FitResult", "Monitor", "Reason"]

Reason = Literal["max_steps", "max_epochs", "max_time", "early_stop", "signal"]


@dataclass(frozen=True, kw_only=True, slots=True)
class FitResult:
    """How training ended."""

    step: int
    """Optimiser steps taken, those of earlier processes of the run included."""
    reason: Reason
    """``max_steps``, ``max_epochs``, ``max_time`` or ``early_stop``."""
    metrics: Mapping[str, float]
    """The last validation; empty when there was none."""
    best_value: float | None
    """Best value of the monitored metric."""
    best_step: int | None
    checkpoint: Path | None
    """The best checkpoint, or the last one when nothing was validated."""


class Monitor:
    """Follows one validation metric.

    Args:
        metric: Name of the metric.
        goal: Whether it should be small or large.
        patience: Validations without a better value after which :attr:`exhausted` is true; 0 never.

    Attributes:
        minimize: Whether it should be small.
        value: The best value, or None before the first.
        step: Step of the best value.
    """

    def __init__(self, metric: str, goal: Goal, patience: int) -> None:
        self.metric = metric
        self.value: float | None = None
        self.step: int | None = None
        self.minimize = goal is Goal.minimize
        self._sign = 1.0 if self.minimize else -1.0
        self._patience = patience
        self._waited = 0

    @property
    def exhausted(self) -> bool:
        """Whether patience has run out."""
        return 0 < self._patience <= self._waited

    def update(self, values: Mapping[str, float], step: int) -> bool:
        """Takes in a validation.

        Returns:
            Whether it is the best so far. NaN never is.

        Raises:
            UsageError: The validation has no such metric.
        """
        if self.metric not in values:
            near = nearest(self.metric, values, 1) or list(values)[:1]
            raise UsageError(
                f"validation gives no metric {self.metric!r}; it gives {', '.join(values)}",
                fix=f"choose one of them: train.monitor={near[0]}" if near else None,
            )
        value = values[self.metric]
        is_first = self.value is None and not math.isnan(value)
        if is_first or (self.value is not None and self._sign * value < self._sign * self.value):
            self.value, self.step, self._waited = value, step, 0
            return True
        self._waited += 1
        return False

    def state_dict(self) -> dict[str, Any]:
        """Returns the best value, its step, and how long it has been."""
        return {"value": self.value, "step": self.step, "waited": self._waited}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Goes on from a state of :meth:`state_dict`."""
        self.value, self.step, self._waited = state["value"], state["step"], state["waited"]
