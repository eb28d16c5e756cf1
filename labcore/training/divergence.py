"""A training whose numbers are not finite, and what the user is told to do about it."""

from collections.abc import Mapping
from pathlib import Path

from labcore.errors import Diverged
from labcore.training.config import LoopConfig

__all__ = ["NotFiniteError", "explained_divergence"]


class NotFiniteError(ArithmeticError):
    """A number of the training became NaN or infinite."""

    def __init__(self, what: str, step: int) -> None:
        super().__init__(f"{what} is not a finite number at step {step}")


def explained_divergence(
    error: NotFiniteError, *, metrics: Mapping[str, float], kept: Path | None, config: LoopConfig
) -> Diverged:
    """Says what the user can do about numbers that are not finite.

    Args:
        error: Which number, at which step.
        metrics: The training metrics last recorded.
        kept: The last good checkpoint.
        config: Says what the user can lower.
    """
    seen = ", ".join(f"{name}={value:.4g}" for name, value in metrics.items())
    message = f"{error} (last recorded: {seen})" if seen else str(error)
    message += "; no checkpoint was written yet" if kept is None else f"; kept {kept.name}"
    remedies = ["lower the learning rate"]
    if config.clip_norm is None:
        remedies.append("clip the gradient with train.clip_norm=1")
    else:
        remedies.append(f"lower train.clip_norm={config.clip_norm:g}")
    if config.precision in ("16-mixed", "bf16-mixed", "bf16-true"):
        remedies.append("try train.precision=32-true")
    return Diverged(message, fix=", or ".join(remedies))
