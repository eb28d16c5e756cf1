"""Distributions of real numbers."""

import math
from abc import abstractmethod
from dataclasses import dataclass
from statistics import NormalDist
from typing import ClassVar

from labcore.discovery import install_command
from labcore.errors import RequirementError
from labcore.sweeps.distributions.discrete import Distribution

__all__ = [
    "Beta",
    "InvLogUniform",
    "InvLogUniformValues",
    "LogNormal",
    "LogUniform",
    "LogUniformValues",
    "Normal",
    "Uniform",
]

_LARGEST_EXPONENT = 709.0
"""e to this is about the largest float."""
_TINY = 2.0**-53
"""What stands for 0 (and 1 less it for 1) where a quantile of 0 or 1 would be infinite."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Uniform(Distribution):
    """A number between two."""

    name: ClassVar[str] = "uniform"
    min: float
    max: float

    def quantile(self, u: float) -> float:
        """Returns the number at the share ``u`` of the way."""
        return min(max(self.min + u * (self.max - self.min), self.min), self.max)

    @property
    def bounds(self) -> tuple[float, float]:
        """The two ends."""
        return self.min, self.max


@dataclass(frozen=True, kw_only=True, slots=True)
class _LogBetween(Distribution):
    """A number X whose logarithm is uniform."""

    scale: ClassVar[str] = "log"
    min: float
    max: float

    @property
    @abstractmethod
    def exponents(self) -> tuple[float, float]:
        """Natural logarithms of the least and the greatest value."""

    def quantile(self, u: float) -> float:
        """Returns the number whose logarithm is at the share ``u`` of the way."""
        low, high = self.exponents
        least, greatest = self.bounds
        return min(max(_exp(low + u * (high - low)), least), greatest)

    @property
    def bounds(self) -> tuple[float, float]:
        """The least and the greatest value, not their exponents."""
        low, high = self.exponents
        return _exp(low), _exp(high)


class LogUniform(_LogBetween):
    """X between e^min and e^max, with log(X) uniform: min and max are natural exponents."""

    __slots__ = ()
    name = "log_uniform"

    @property
    def exponents(self) -> tuple[float, float]:
        """What is given."""
        return self.min, self.max


class LogUniformValues(_LogBetween):
    """X between min and max, with log(X) uniform."""

    __slots__ = ()
    name = "log_uniform_values"

    @property
    def exponents(self) -> tuple[float, float]:
        """The logarithms of what is given."""
        return math.log(self.min), math.log(self.max)

    @property
    def bounds(self) -> tuple[float, float]:
        """What is given."""
        return self.min, self.max


class InvLogUniform(_LogBetween):
    """X with log(1/X) uniform between min and max: X is between e^-max and e^-min."""

    __slots__ = ()
    name = "inv_log_uniform"

    @property
    def exponents(self) -> tuple[float, float]:
        """What is given, turned round."""
        return -self.max, -self.min


class InvLogUniformValues(LogUniformValues):
    """X between min and max, with log(1/X) uniform: the same draws as ``log_uniform_values``."""

    __slots__ = ()
    name = "inv_log_uniform_values"


@dataclass(frozen=True, kw_only=True, slots=True)
class Normal(Distribution):
    """A normal number."""

    name: ClassVar[str] = "normal"
    mu: float = 0.0
    sigma: float = 1.0

    def quantile(self, u: float) -> float:
        """Returns the normal quantile, finite at 0 and 1 too."""
        return self.mu + self.sigma * NormalDist().inv_cdf(min(max(u, _TINY), 1 - _TINY))


@dataclass(frozen=True, kw_only=True, slots=True)
class LogNormal(Distribution):
    """A number whose natural logarithm is normal."""

    name: ClassVar[str] = "log_normal"
    scale: ClassVar[str] = "log"
    mu: float = 0.0
    sigma: float = 1.0

    def quantile(self, u: float) -> float:
        """Returns e to the normal quantile."""
        return _exp(Normal(mu=self.mu, sigma=self.sigma).quantile(u))


@dataclass(frozen=True, kw_only=True, slots=True)
class Beta(Distribution):
    """A beta number, between 0 and 1."""

    name: ClassVar[str] = "beta"
    a: float = 1.0
    b: float = 1.0

    def quantile(self, u: float) -> float:
        """Returns the beta quantile.

        Raises:
            RequirementError: SciPy, which computes it, is not installed.
        """
        try:
            from scipy.special import betaincinv
        except ImportError as error:
            raise RequirementError(
                "the distribution beta needs SciPy, which is not installed",
                fix=install_command("sweeps"),
            ) from error
        value = float(betaincinv(self.a, self.b, u))
        # NaN where it is so narrow that every draw is its mean.
        return self.a / (self.a + self.b) if math.isnan(value) else value

    @property
    def bounds(self) -> tuple[float, float]:
        """0 and 1."""
        return 0.0, 1.0


def _exp(exponent: float) -> float:
    return math.exp(min(exponent, _LARGEST_EXPONENT))
