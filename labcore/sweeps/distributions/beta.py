"""The beta distribution's quantile function, which Python's library lacks."""

import math

__all__ = ["beta_cdf", "beta_quantile"]

_SMALL = 1e-300
"""Stands for a denominator of zero in the continued fraction."""
_MOST_TERMS = 10_000


def beta_cdf(x: float, a: float, b: float) -> float:
    """Returns the probability that a beta(a, b) number is at most ``x`` (above 0, below 1)."""
    log_front = (
        math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    )
    front = math.exp(log_front)
    # The fraction converges quickly on one side of the mean only; the other side mirrors it.
    if x < (a + 1) / (a + b + 2):
        return front * _continued_fraction(x, a, b) / a
    return 1 - front * _continued_fraction(1 - x, b, a) / b


def beta_quantile(u: float, a: float, b: float) -> float:
    """Returns the x with ``beta_cdf(x, a, b) == u``, by bisection to the last bit."""
    low, high = 0.0, 1.0
    if u <= low or u >= high:
        return float(u >= high)
    while low < (middle := (low + high) / 2) < high:
        if beta_cdf(middle, a, b) < u:
            low = middle
        else:
            high = middle
    return high


def _continued_fraction(x: float, a: float, b: float) -> float:
    """Evaluates the fraction of the incomplete beta function (DLMF 8.17.22), by Lentz's method."""
    c, d = 1.0, 1 / _not_zero(1 - (a + b) * x / (a + 1))
    result = d
    for m in range(1, _MOST_TERMS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            d = 1 / _not_zero(1 + term * d)
            c = _not_zero(1 + term / c)
            change = c * d
            result *= change
        if abs(change - 1) < 1e-15:
            break
    return result


def _not_zero(value: float) -> float:
    return value if abs(value) > _SMALL else _SMALL
