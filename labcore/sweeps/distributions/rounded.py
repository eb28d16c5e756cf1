"""Any distribution of real numbers, rounded to multiples of q."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from labcore.sweeps.distributions.continuous import Uniform
from labcore.sweeps.distributions.discrete import Distribution

__all__ = ["Rounded", "rounded"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Rounded(Distribution):
    """``round(X / q) * q`` for a continuous X: whole numbers when q is one."""

    base: Distribution
    """The distribution of X."""
    q: float = 1

    @property
    def name(self) -> str:
        """``q_uniform`` for ``uniform``."""
        return f"q_{self.base.name}"

    @property
    def scale(self) -> str:
        """That of X."""
        return self.base.scale

    def quantile(self, u: float) -> float:
        """Returns a multiple of q."""
        number = round(self.base.quantile(u) / self.q)
        ends = self._ends
        return _multiple(number if ends is None else min(max(number, ends[0]), ends[1]), self.q)

    def grid(self) -> Sequence[float] | None:
        """Returns every multiple of a uniform number that can be drawn.

        W&B's server counts from min in steps of q instead, and leaves max out.
        """
        ends = self._ends
        if not isinstance(self.base, Uniform) or ends is None:
            return None
        return [_multiple(number, self.q) for number in range(ends[0], ends[1] + 1)]

    @property
    def bounds(self) -> tuple[float, float] | None:
        """The least and the greatest multiple; rounding may put them outside of min and max."""
        ends = self._ends
        return None if ends is None else (_multiple(ends[0], self.q), _multiple(ends[1], self.q))

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


def rounded(base: Callable[..., Distribution]) -> Callable[..., Rounded]:
    """Returns what makes a distribution, rounded, of its own options and ``q``."""

    def make(*, q: float = 1, **options: Any) -> Rounded:
        return Rounded(base=base(**options), q=q)

    return make


def _multiple(number: int, q: float) -> float:
    """Returns ``number * q``: a whole number when q is one, and else the float nearest to it."""
    return number * int(q) if q == int(q) else float(number * Fraction(repr(q)))
