"""How sure a figure is: intervals of means, of shares and of anything, and a paired test."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

__all__ = [
    "Interval",
    "McNemar",
    "bootstrap_interval",
    "mcnemar",
    "mean_interval",
    "wilson_interval",
]

_AT_ONCE = 10_000_000
"""Numbers drawn at a time: 80 MB."""


class Interval(NamedTuple):
    """Where a figure lies, with the confidence that was asked for."""

    low: float
    high: float


def mean_interval(values: Sequence[float], *, level: float = 0.95) -> Interval:
    """Returns Student's interval of a mean: for figures of a few runs that differ by the seed.

    Raises:
        ValueError: There are fewer than two values.
    """
    from scipy.stats import t

    sample = _at_least_two(values)
    spread = sample.std(ddof=1) / len(sample) ** 0.5
    half = float(t.ppf((1 + level) / 2, len(sample) - 1) * spread)
    return Interval(float(sample.mean()) - half, float(sample.mean()) + half)


def bootstrap_interval(
    values: ArrayLike,
    statistic: Callable[..., Any] = np.mean,
    *,
    level: float = 0.95,
    resamples: int = 9_999,
    seed: int = 0,
) -> Interval:
    """Returns the percentile bootstrap's interval: for figures of many items of a test set.

    Of two systems on the same items, give the differences: they differ where the interval leaves
    zero out.

    Args:
        values: One for each item; items must not depend on each other (frames of one video do).
        statistic: Takes values to the figure; many resamples at once if it takes ``axis``.
        level: Confidence.
        resamples: How often the items are drawn again.
        seed: Of the draws.

    Raises:
        ValueError: There are fewer than two values.
    """
    from scipy.stats import bootstrap

    sample = _at_least_two(values)
    found = bootstrap(
        (sample,),
        statistic,
        confidence_level=level,
        n_resamples=resamples,
        batch=max(_AT_ONCE // len(sample), 1),
        method="percentile",
        rng=np.random.default_rng(seed),
    ).confidence_interval
    return Interval(float(found.low), float(found.high))


def wilson_interval(successes: int, trials: int, *, level: float = 0.95) -> Interval:
    """Returns Wilson's interval of a share, which is right for few trials and for 0 and 100 % too.

    Raises:
        ValueError: There are no trials, or fewer than successes.
    """
    from scipy.stats import binomtest

    found = binomtest(successes, trials).proportion_ci(level, method="wilson")
    return Interval(float(found.low), float(found.high))


class McNemar(NamedTuple):
    """What :func:`mcnemar` found."""

    only_first: int
    """Items that the first system alone had right."""
    only_second: int
    p_value: float
    """How often two equally good systems would differ at least as much; two-sided, exact."""


def mcnemar(first: ArrayLike, second: ArrayLike) -> McNemar:
    """Tests whether two classifiers are equally often right on the same items.

    Args:
        first: Whether the first system had each item right.
        second: The same of the second system.

    Raises:
        ValueError: The two are not of the same length.
    """
    from scipy.stats import binomtest

    a, b = (np.asarray(right, dtype=bool) for right in (first, second))
    if a.shape != b.shape:
        raise ValueError(f"the systems have answers of shapes {a.shape} and {b.shape}")
    only_a, only_b = int((a & ~b).sum()), int((b & ~a).sum())
    p_value = float(binomtest(only_a, only_a + only_b).pvalue) if only_a + only_b else 1.0
    return McNemar(only_a, only_b, p_value)


def _at_least_two(values: ArrayLike) -> np.ndarray[Any, np.dtype[np.float64]]:
    sample = np.asarray(values, dtype=np.float64)
    if sample.ndim != 1 or len(sample) < 2:
        raise ValueError(f"an interval needs two values or more, not shape {sample.shape}")
    return sample
