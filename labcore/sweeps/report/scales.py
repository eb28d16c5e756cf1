"""Scales of the page's charts: of a parameter, of the metric, and of the colours."""

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from labcore.report.axes import Axis, linear_axis, log_axis
from labcore.report.wording import write_value
from labcore.sweeps.report.model import Goal, Parameter, SweepResults

__all__ = ["NUM_TONES", "Scale", "metric_axis", "parameter_scale", "tones"]

NUM_TONES = 8
"""Steps of the colour scale, the best trials' first."""

_MOST_CHOICES = 12
"""More choices than this are not all labelled."""

_GOLDEN = 0.6180339887498949


@dataclass(frozen=True, kw_only=True, slots=True)
class Scale:
    """A parameter's axis; choices are evenly spaced, in the sweep file's order from the bottom."""

    axis: Axis
    choices: Sequence[str] = ()

    def place(self, value: Any) -> float | None:
        """Returns where a value lies, 0 to 1, or None when it is no number, or not a choice."""
        if self.choices:
            written = write_value(value)
            known = written in self.choices
            return self.axis.place(self.choices.index(written) + 0.5) if known else None
        if isinstance(value, bool) or not isinstance(value, int | float) or math.isnan(value):
            return None
        return self.axis.place(value)

    def shift(self, trial: int, num_trials: int) -> float:
        """Returns what keeps a trial apart from others of the same choice; 0 for numbers."""
        if not self.choices:
            return 0.0
        # Half of the choice's room; less when there is little to keep apart. Multiples of the
        # golden ratio fill it evenly, in no order that could be taken for a meaning.
        room = min(0.5, 0.01 * num_trials) / len(self.choices)
        return ((trial * _GOLDEN) % 1 - 0.5) * room


def parameter_scale(parameter: Parameter, values: Iterable[Any]) -> Scale:
    """Returns the scale of a parameter.

    Args:
        parameter: The parameter.
        values: What the trials had, for a parameter with no bounds and for choices from elsewhere.
    """
    values = list(values)
    if parameter.choices:
        labels = [write_value(value) for value in [*parameter.choices, *values]]
        choices = list(dict.fromkeys(labels))
        num, every = len(choices), -(-len(choices) // _MOST_CHOICES)
        ticks = [((at + 0.5) / num, choices[at]) for at in range(0, num, every)]
        return Scale(axis=Axis(low=0, high=num, ticks=ticks), choices=choices)
    ends = [end for end in (parameter.low, parameter.high) if end is not None]
    seen = [v for v in values if isinstance(v, int | float) and math.isfinite(v)]
    numbers = ends if len(ends) == 2 else [*ends, *seen]
    low, high = (min(numbers), max(numbers)) if numbers else (0.0, 1.0)
    log = log_axis(low, high) if parameter.log else None
    return Scale(axis=log or linear_axis(low, high))


def metric_axis(values: Iterable[float], goal: Goal, far: float = 2.0) -> Axis:
    """Returns an axis on which the good values can be told apart.

    A few trials that went badly wrong would press all others into a line: values far beyond the
    median do not widen the axis. One of several decades is logarithmic.

    Args:
        values: What must be placed.
        goal: Which end is the good one.
        far: How many times the spread of the good half a value may lie beyond the median.
    """
    numbers = sorted(value for value in values if math.isfinite(value))
    if not numbers:
        return linear_axis(0.0, 1.0)
    low, high, middle = numbers[0], numbers[-1], statistics.median(numbers)
    if goal == "minimize":
        limit = middle + far * (middle - low)
        high = max((value for value in numbers if value <= limit), default=high)
    else:
        limit = middle - far * (high - middle)
        low = min((value for value in numbers if value >= limit), default=low)
    log = log_axis(low, high) if 0 < low * 100 <= high else None
    return log or linear_axis(low, high)


def tones(results: SweepResults) -> Mapping[int, int]:
    """Returns the colour of each trial that can be compared, 0 for the best, by its rank."""
    ranked = results.ranked()
    return {
        trial.number: index * NUM_TONES // max(len(ranked), NUM_TONES)
        if len(ranked) >= NUM_TONES
        else round(index * (NUM_TONES - 1) / max(len(ranked) - 1, 1))
        for index, trial in enumerate(ranked)
    }
