"""The distributions that a sweep draws its parameters from, with W&B's names and meanings.

Each is defined by its quantile function, the inverse of its cumulative distribution: one uniform
number makes one value, so an engine may draw that number itself and still search the right space.
The names are those of the key ``distribution`` (docs.wandb.ai, "Sweep configuration options").
"""

from labcore.sweeps.distributions.continuous import (
    Beta,
    InvLogUniform,
    InvLogUniformValues,
    LogNormal,
    LogUniform,
    LogUniformValues,
    Normal,
    Uniform,
)
from labcore.sweeps.distributions.discrete import Categorical, Constant, Distribution, IntUniform
from labcore.sweeps.distributions.rounded import Rounded, rounded

__all__ = [
    "Beta",
    "Categorical",
    "Constant",
    "Distribution",
    "IntUniform",
    "InvLogUniform",
    "InvLogUniformValues",
    "LogNormal",
    "LogUniform",
    "LogUniformValues",
    "Normal",
    "Rounded",
    "Uniform",
    "rounded",
]
