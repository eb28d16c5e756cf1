"""Weights of the loss that change while training: functions of the optimiser step, from 0."""

import math

from plugins.musicvae.config import LossConfig

__all__ = ["beta", "sampling_probability"]

_LARGEST_EXPONENT = 700.0  # exp(709.8) is the largest float64


def beta(step: int, config: LossConfig) -> float:
    """Weight of the KL term: beta * (1 - beta_rate^step); at its full value when the rate is 0."""
    return config.beta * (1.0 - config.beta_rate**step) if config.beta_rate > 0 else config.beta


def sampling_probability(step: int, config: LossConfig) -> float:
    """Chance that a decoder step reads the model's own draw (inverse sigmoid decay of the truth).

    1 - k / (k + exp(step / k)), at most ``sampling_max``; 0 without scheduled sampling.
    """
    if not config.scheduled_sampling:
        return 0.0
    k = config.sampling_k
    growth = math.exp(min(step / k, _LARGEST_EXPONENT))
    return min(1.0 - k / (k + growth), config.sampling_max)
