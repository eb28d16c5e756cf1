"""Scales of the page's charts: of a parameter, of the metric, and of the colours."""

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from labcore.report.axes import Axis, linear_axis, log_axis
from labcore.sweeps.report.model import Goal, Parameter, SweepResults
from labcore.sweeps.report.words import write_value

__all__ = ["NUM_TONES", "ChoiceScale", "NumberScale", "metric_scale", "parameter_scale", "tones"]

NUM_TONES = 8
"""Steps of the colour scale, the best trials' first."""

_MOST_CHOICES = 12
"""More choices than this are not all labelled."""


@dataclass(frozen=True, kw_only=True, slots=True)
class NumberScale:
    """A scale of numbers. What lies outside is placed at its edge."""

    axis: Axis

    @property
    def ticks(self) -> Sequence[tuple[float, str]]:
        """Pairs of position in the unit interval and label."""
        return self.axis.ticks

    def place(self, value: Any) -> float | None:
        """Returns where a value lies, 0 to 1, or None when it is no number."""
        if isinstance(value, bool) or not isinstance(value, int | float) or math.isnan(value):
            return None
        if self.axis.log and value <= 0:
            return 0.0
        return min(max(self.axis.place(value), 0.0), 1.0)

    def holds(self, value: float) -> bool:
        """Whether a value has its true place on the scale."""
        if self.axis.log:
            return value > 0 and self.axis.low <= math.log10(value) <= self.axis.high
        return self.axis.low <= value <= self.axis.high


@dataclass(frozen=True, kw_only=True, slots=True)
class ChoiceScale:
    """A scale of choices, evenly spaced, in the order of the sweep file from the bottom."""

    choices: Sequence[str]

    @property
    def ticks(self) -> Sequence[tuple[float, str]]:
        """Pairs of position in the unit interval and label."""
        every = -(-len(self.choices) // _MOST_CHOICES)
        return [
            (self._middle(index), label)
            for index, label in enumerate(self.choices)
            if index % every == 0
        ]

    def place(self, value: Any) -> float | None:
        """Returns where a choice lies, 0 to 1, or None when it is none of them."""
        written = write_value(value)
        return self._middle(self.choices.index(written)) if written in self.choices else None

    @property
    def room(self) -> float:
        """Share of the scale that belongs to one choice."""
        return 1 / len(self.choices)

    def _middle(self, index: int) -> float:
        return (index + 0.5) / len(self.choices)


def parameter_scale(parameter: Parameter, values: Iterable[Any]) -> NumberScale | ChoiceScale:
    """Returns the scale of a parameter.

    Args:
        parameter: The parameter.
        values: What the trials had, for a parameter with no bounds and for choices from elsewhere.
    """
    values = list(values)
    if parameter.choices:
        labels = [write_value(value) for value in [*parameter.choices, *values]]
        return ChoiceScale(choices=list(dict.fromkeys(labels)))
    ends = [end for end in (parameter.low, parameter.high) if end is not None]
    seen = [v for v in values if isinstance(v, int | float) and math.isfinite(v)]
    numbers = ends if len(ends) == 2 else [*ends, *seen]
    low, high = (min(numbers), max(numbers)) if numbers else (0.0, 1.0)
    log = log_axis(low, high) if parameter.log else None
    return NumberScale(axis=log or linear_axis(low, high))


def metric_scale(values: Iterable[float], goal: Goal, far: float = 2.0) -> NumberScale:
    """Returns a scale on which the good values can be told apart.

    A few trials that went badly wrong would press all others into a line: values far beyond the
    median do not widen the scale. A scale of several decades is logarithmic.

    Args:
        values: What must be placed.
        goal: Which end is the good one.
        far: How many times the spread of the good half a value may lie beyond the median.
    """
    numbers = sorted(value for value in values if math.isfinite(value))
    if not numbers:
        return NumberScale(axis=linear_axis(0.0, 1.0))
    low, high, middle = numbers[0], numbers[-1], statistics.median(numbers)
    if goal == "minimize":
        limit = middle + far * (middle - low)
        high = max((value for value in numbers if value <= limit), default=high)
    else:
        limit = middle - far * (high - middle)
        low = min((value for value in numbers if value >= limit), default=low)
    log = log_axis(low, high) if 0 < low * 100 <= high else None
    return NumberScale(axis=log or linear_axis(low, high))


def tones(results: SweepResults) -> Mapping[int, int]:
    """Returns the colour of each trial that can be compared, 0 for the best, by its rank."""
    ranked = results.ranked()
    return {
        trial.number: index * NUM_TONES // max(len(ranked), NUM_TONES)
        if len(ranked) >= NUM_TONES
        else round(index * (NUM_TONES - 1) / max(len(ranked) - 1, 1))
        for index, trial in enumerate(ranked)
    }
