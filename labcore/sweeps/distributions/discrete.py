"""What every distribution can do, and those of values that are listed or counted."""

from abc import ABC, abstractmethod
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from random import Random
from typing import Any, ClassVar

__all__ = ["Categorical", "Constant", "Distribution", "IntUniform"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Distribution(ABC):
    """Where the values of one parameter come from."""

    @property
    @abstractmethod
    def name(self) -> str:
        """W&B's name of it."""

    @property
    def scale(self) -> str:
        """``linear`` or ``log``: where its values are spread evenly, or nearest to it."""
        return "linear"

    @abstractmethod
    def quantile(self, u: float) -> Any:
        """Returns the value below which the share ``u`` (0 to 1) of the draws lies."""

    def sample(self, rng: Random) -> Any:
        """Draws a value; takes exactly one number from ``rng``."""
        return self.quantile(rng.random())

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

    name: ClassVar[str] = "constant"
    value: Any

    @property
    def values(self) -> tuple[Any]:
        """Returns the value alone, as of a choice."""
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

    name: ClassVar[str] = "categorical"
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

    name: ClassVar[str] = "int_uniform"
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
