"""How a training ends."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

__all__ = ["FitResult", "Reason"]

Reason = Literal["max_steps", "max_time", "early_stop", "signal"]


@dataclass(frozen=True, kw_only=True, slots=True)
class FitResult:
    """How training ended."""

    step: int
    """Optimiser steps taken, those of earlier processes of the run included."""
    reason: Reason
    """``max_steps``, ``max_time`` or ``early_stop``."""
    metrics: Mapping[str, float]
    """The last validation; empty when there was none."""
    best_value: float | None
    """Best value of the monitored metric."""
    best_step: int | None
    checkpoint: Path | None
    """The best checkpoint, or the last one when nothing was validated."""
