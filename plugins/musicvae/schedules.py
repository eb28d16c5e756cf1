"""What changes while training: functions of the optimiser step, counted from 0, and nothing else.

A schedule by epoch would change with the size of the dataset.
"""

import math

from plugins.musicvae.config import LossConfig, OptimizerConfig

__all__ = ["beta", "learning_rate", "sampling_probability"]

_LARGEST_EXPONENT = 700.0  # exp(709.8) is the largest float64


def beta(step: int, config: LossConfig) -> float:
    """Weight of the KL term: beta * (1 - beta_rate^step); at its full value when the rate is 0."""
    return config.beta * (1.0 - config.beta_rate**step) if config.beta_rate > 0 else config.beta


def learning_rate(step: int, config: OptimizerConfig) -> float:
    """Learning rate: (lr - lr_min) * lr_decay^step + lr_min."""
    return (config.lr - config.lr_min) * config.lr_decay**step + config.lr_min


def sampling_probability(step: int, config: LossConfig) -> float:
    """Chance that a decoder step reads the model's own draw (inverse sigmoid decay of the truth).

    1 - k / (k + exp(step / k)), at most ``sampling_max``; 0 without scheduled sampling.
    """
    if not config.scheduled_sampling:
        return 0.0
    k = config.sampling_k
    growth = math.exp(min(step / k, _LARGEST_EXPONENT))
    return min(1.0 - k / (k + growth), config.sampling_max)
