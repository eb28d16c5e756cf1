"""Distributions of real numbers, rounded to multiples of q."""

import math
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar, Literal

from labcore.sweeps.distributions.continuous import (
    Beta,
    LogNormal,
    LogUniform,
    LogUniformValues,
    Normal,
    Uniform,
)
from labcore.sweeps.distributions.discrete import Distribution

__all__ = ["QBeta", "QLogNormal", "QLogUniform", "QLogUniformValues", "QNormal", "QUniform"]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Quantized(Distribution):
    """``round(X / q) * q`` for a continuous X: whole numbers when q is one."""

    q: float = 1

    @property
    @abstractmethod
    def continuous(self) -> Distribution:
        """The distribution of X."""

    def quantile(self, u: float) -> float:
        """Returns a multiple of q."""
        number = round(self.continuous.quantile(u) / self.q)
        ends = self._ends
        return _multiple(number if ends is None else min(max(number, ends[0]), ends[1]), self.q)

    @property
    def bounds(self) -> tuple[float, float] | None:
        """The least and the greatest multiple; rounding may put them outside of min and max."""
        ends = self._ends
        return None if ends is None else (_multiple(ends[0], self.q), _multiple(ends[1], self.q))

    @property
    def _ends(self) -> tuple[int, int] | None:
        bounds = self.continuous.bounds
        if bounds is None:
            return None
        # In exact decimals: 0.3 / 0.1 is below 3 in floats. An end that lies half-way between two
        # multiples belongs to the inner one, since X is never quite there.
        low, high = (Fraction(repr(end)) / Fraction(repr(self.q)) for end in bounds)
        half = Fraction(1, 2)
        return math.floor(low + half), math.ceil(high - half)


@dataclass(frozen=True, kw_only=True, slots=True)
class QUniform(_Quantized):
    """``uniform``, rounded to multiples of q."""

    name: ClassVar[str] = "q_uniform"
    min: float
    max: float

    @property
    def continuous(self) -> Uniform:
        """Before rounding."""
        return Uniform(min=self.min, max=self.max)

    def grid(self) -> Sequence[float]:
        """Returns every multiple that can be drawn.

        W&B's server counts from min in steps of q instead, and leaves max out.
        """
        ends = self._ends
        assert ends is not None
        return [_multiple(number, self.q) for number in range(ends[0], ends[1] + 1)]


@dataclass(frozen=True, kw_only=True, slots=True)
class QLogUniform(_Quantized):
    """``log_uniform``, rounded to multiples of q."""

    name: ClassVar[str] = "q_log_uniform"
    scale: ClassVar[Literal["linear", "log"]] = "log"
    min: float
    max: float

    @property
    def continuous(self) -> LogUniform:
        """Before rounding."""
        return LogUniform(min=self.min, max=self.max)


@dataclass(frozen=True, kw_only=True, slots=True)
class QLogUniformValues(_Quantized):
    """``log_uniform_values``, rounded to multiples of q."""

    name: ClassVar[str] = "q_log_uniform_values"
    scale: ClassVar[Literal["linear", "log"]] = "log"
    min: float
    max: float

    @property
    def continuous(self) -> LogUniformValues:
        """Before rounding."""
        return LogUniformValues(min=self.min, max=self.max)


@dataclass(frozen=True, kw_only=True, slots=True)
class QNormal(_Quantized):
    """``normal``, rounded to multiples of q."""

    name: ClassVar[str] = "q_normal"
    mu: float = 0.0
    sigma: float = 1.0

    @property
    def continuous(self) -> Normal:
        """Before rounding."""
        return Normal(mu=self.mu, sigma=self.sigma)


@dataclass(frozen=True, kw_only=True, slots=True)
class QLogNormal(_Quantized):
    """``log_normal``, rounded to multiples of q."""

    name: ClassVar[str] = "q_log_normal"
    scale: ClassVar[Literal["linear", "log"]] = "log"
    mu: float = 0.0
    sigma: float = 1.0

    @property
    def continuous(self) -> LogNormal:
        """Before rounding."""
        return LogNormal(mu=self.mu, sigma=self.sigma)


@dataclass(frozen=True, kw_only=True, slots=True)
class QBeta(_Quantized):
    """``beta``, rounded to multiples of q."""

    name: ClassVar[str] = "q_beta"
    a: float = 1.0
    b: float = 1.0

    @property
    def continuous(self) -> Beta:
        """Before rounding."""
        return Beta(a=self.a, b=self.b)


def _multiple(number: int, q: float) -> float:
    """Returns ``number * q``: a whole number when q is one, and else the float nearest to it."""
    return number * int(q) if q == int(q) else float(number * Fraction(repr(q)))
