"""The distributions that a sweep draws its parameters from, with W&B's names and meanings.

Each is defined by its quantile function, the inverse of its cumulative distribution: one uniform
number makes one value, so an engine may draw that number itself and still search the right space.
The names are those of the key ``distribution`` (docs.wandb.ai, "Sweep configuration options").
"""

import math
from abc import ABC, abstractmethod
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import partial
from itertools import accumulate
from statistics import NormalDist
from typing import Any, NamedTuple

from labcore.discovery import install_command
from labcore.errors import RequirementError

__all__ = [
    "KINDS",
    "Beta",
    "Categorical",
    "Constant",
    "Distribution",
    "IntUniform",
    "Kind",
    "Normal",
    "Rounded",
    "Uniform",
    "make",
]

_LARGEST_EXPONENT = 709.0
"""e to this is about the largest float."""
_MOST_MULTIPLES = 100_000
_TINY = 2.0**-53
"""What stands for 0 (and 1 less it for 1) where a quantile of 0 or 1 would be infinite."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Distribution(ABC):
    """Where the values of one parameter come from."""

    name: str = field(default="", compare=False)
    """W&B's name of it; empty for one that no file names."""
    log: bool = False
    """Whether it is the logarithm of its values that is spread evenly, or nearest to it."""

    @abstractmethod
    def quantile(self, u: float) -> Any:
        """Returns the value below which the share ``u`` (0 to 1) of the draws lies."""

    def grid(self) -> Sequence[Any] | None:
        """Returns every value once, in order; None where W&B's grid method allows none."""
        return None

    @property
    def bounds(self) -> tuple[float, float] | None:
        """The least and the greatest value; None where there is none, or no number."""
        return None


@dataclass(frozen=True, kw_only=True, slots=True)
class Constant(Distribution):
    """Always the same value."""

    value: Any

    @property
    def values(self) -> tuple[Any]:
        """The value alone, as of a choice."""
        return (self.value,)

    def quantile(self, u: float) -> Any:
        """Returns the value."""
        return self.value

    def grid(self) -> Sequence[Any]:
        """Returns the value alone."""
        return self.values


@dataclass(frozen=True, kw_only=True, slots=True)
class Categorical(Distribution):
    """One of some values, all as likely or as ``probabilities`` say."""

    values: tuple[Any, ...]
    probabilities: tuple[float, ...] | None = None

    def quantile(self, u: float) -> Any:
        """Returns the value whose part of the line from 0 to 1 has ``u`` in it."""
        if self.probabilities is None:
            return self.values[min(int(u * len(self.values)), len(self.values) - 1)]
        ends = list(accumulate(self.probabilities))
        index = bisect_right(ends, u * ends[-1])
        # u = 1 takes the last value that is possible at all.
        return self.values[min(index, ends.index(ends[-1]))]

    def grid(self) -> Sequence[Any] | None:
        """Returns the values, each once; None with probabilities, which no grid can keep."""
        if self.probabilities is not None:
            return None
        # By type as well: True is not 1 to a config.
        return tuple({(type(value), repr(value)): value for value in self.values}.values())


@dataclass(frozen=True, kw_only=True, slots=True)
class IntUniform(Distribution):
    """A whole number, both ends included."""

    min: int
    max: int

    def quantile(self, u: float) -> int:
        """Returns a whole number."""
        return min(self.min + int(u * (self.max - self.min + 1)), self.max)

    def grid(self) -> Sequence[int]:
        """Returns the whole numbers from end to end."""
        return range(self.min, self.max + 1)

    @property
    def bounds(self) -> tuple[int, int]:
        """The two ends."""
        return self.min, self.max


@dataclass(frozen=True, kw_only=True, slots=True)
class Uniform(Distribution):
    """A number between two, or one whose logarithm is uniform."""

    min: float
    max: float

    def quantile(self, u: float) -> float:
        """Returns the number at the share ``u`` of the way, or whose logarithm is."""
        if self.log:
            low, high = math.log(self.min), math.log(self.max)
            number = _exp(low + u * (high - low))
        else:
            number = self.min + u * (self.max - self.min)
        return min(max(number, self.min), self.max)

    @property
    def bounds(self) -> tuple[float, float]:
        """The two ends."""
        return self.min, self.max


@dataclass(frozen=True, kw_only=True, slots=True)
class Normal(Distribution):
    """A normal number, or one whose natural logarithm is normal."""

    mu: float = 0.0
    sigma: float = 1.0

    def quantile(self, u: float) -> float:
        """Returns the normal quantile, or e to it; finite at 0 and 1 too."""
        number = self.mu + self.sigma * NormalDist().inv_cdf(min(max(u, _TINY), 1 - _TINY))
        return _exp(number) if self.log else number


@dataclass(frozen=True, kw_only=True, slots=True)
class Beta(Distribution):
    """A beta number, between 0 and 1."""

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


@dataclass(frozen=True, kw_only=True, slots=True)
class Rounded(Distribution):
    """``round(X / q) * q`` for a continuous X: whole numbers when q is one."""

    base: Distribution
    """The distribution of X."""
    q: float = 1

    def quantile(self, u: float) -> float:
        """Returns a multiple of q."""
        number = round(self.base.quantile(u) / self.q)
        ends = self._ends
        return self._multiple(number if ends is None else min(max(number, ends[0]), ends[1]))

    @property
    def is_even(self) -> bool:
        """Whether its multiples are all as likely, but for the two at the ends."""
        return isinstance(self.base, Uniform) and not self.log

    def grid(self) -> Sequence[float] | None:
        """Returns every multiple of a uniform number that can be drawn.

        W&B's server counts from min in steps of q instead, and leaves max out. None where there
        are more than 100,000.
        """
        ends = self._ends
        if not self.is_even or ends is None or ends[1] - ends[0] > _MOST_MULTIPLES:
            return None
        return [self._multiple(number) for number in range(ends[0], ends[1] + 1)]

    @property
    def bounds(self) -> tuple[float, float] | None:
        """The least and the greatest multiple; rounding may put them outside of min and max."""
        ends = self._ends
        return None if ends is None else (self._multiple(ends[0]), self._multiple(ends[1]))

    @property
    def _ends(self) -> tuple[int, int] | None:
        bounds = self.base.bounds
        if bounds is None:
            return None
        # In exact decimals: 0.3 / 0.1 is below 3 in floats. An end that lies half-way between two
        # multiples belongs to the inner one, since X is never quite there.
        low, high = (Fraction(repr(end)) / Fraction(repr(self.q)) for end in bounds)
        half = Fraction(1, 2)
        return math.floor(low + half), math.ceil(high - half)

    def _multiple(self, number: int) -> float:
        """Returns a whole number when q is one, and else the float nearest to the multiple."""
        if self.q == int(self.q):
            return number * int(self.q)
        return float(number * Fraction(repr(self.q)))


class Kind(NamedTuple):
    """One value of the key ``distribution``."""

    make: Callable[..., Distribution]
    must: tuple[str, ...]
    """Keys that it needs."""
    may: tuple[str, ...] = ()
    """Keys that it may have."""


def _exp(exponent: float) -> float:
    return math.exp(min(exponent, _LARGEST_EXPONENT))


def _by_exponents(**ends: float) -> Uniform:
    """Makes a number between e^min and e^max, with a uniform logarithm."""
    return Uniform(min=_exp(ends["min"]), max=_exp(ends["max"]), log=True)


def _rounded(base: Callable[..., Distribution], *, q: float = 1, **options: Any) -> Rounded:
    made = base(**options)
    return Rounded(base=made, q=q, log=made.log)


_BETWEEN = ("min", "max")
_SPREAD = ("mu", "sigma")
_BY_VALUES = partial(Uniform, log=True)
KINDS: dict[str, Kind] = {
    "constant": Kind(Constant, ("value",)),
    "categorical": Kind(Categorical, ("values",), ("probabilities",)),
    "categorical_w_probabilities": Kind(Categorical, ("values", "probabilities")),
    "int_uniform": Kind(IntUniform, _BETWEEN),
    "uniform": Kind(Uniform, _BETWEEN),
    "log_uniform": Kind(_by_exponents, _BETWEEN),
    "log_uniform_values": Kind(_BY_VALUES, _BETWEEN),
    # log(1/X) is uniform where log(X) is.
    "inv_log_uniform": Kind(
        lambda **ends: _by_exponents(min=-ends["max"], max=-ends["min"]), _BETWEEN
    ),
    "inv_log_uniform_values": Kind(_BY_VALUES, _BETWEEN),
    "normal": Kind(Normal, (), _SPREAD),
    "log_normal": Kind(partial(Normal, log=True), (), _SPREAD),
    "beta": Kind(Beta, (), ("a", "b")),
}
"""By W&B's name of the distribution; one that begins with ``q_`` rounds the other of its name."""
for _name in ("uniform", "log_uniform", "log_uniform_values", "normal", "log_normal", "beta"):
    _base, _must, _may = KINDS[_name]
    KINDS[f"q_{_name}"] = Kind(partial(_rounded, _base), _must, (*_may, "q"))


def make(kind: str, **keys: Any) -> Distribution:
    """Makes a distribution of W&B's name for it and the keys that a sweep file has."""
    return replace(KINDS[kind].make(**keys), name=kind)
