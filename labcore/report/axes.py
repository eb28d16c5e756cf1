"""Axes of a chart: which values get a tick, how they are written, where they lie."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Axis", "linear_axis", "log_axis", "step_axis"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Axis:
    """A scale from values to the unit interval. What lies outside is placed at its edge.

    Attributes:
        low: Value at 0 (its decimal logarithm when ``log``).
        high: Value at 1 (its decimal logarithm when ``log``).
        ticks: Pairs of position in the unit interval and label.
        log: Whether the scale is logarithmic.
    """

    low: float
    high: float
    ticks: Sequence[tuple[float, str]]
    log: bool = False

    def place(self, value: float) -> float:
        """Returns where ``value`` lies, 0 to 1."""
        if self.log:
            value = math.log10(value) if value > 0 else -math.inf
        return min(max((value - self.low) / (self.high - self.low), 0.0), 1.0)

    def holds(self, value: float) -> bool:
        """Whether a value has its true place on the axis."""
        if self.log:
            return value > 0 and self.low <= math.log10(value) <= self.high
        return self.low <= value <= self.high


def linear_axis(low: float, high: float) -> Axis:
    """Returns an axis that holds ``low`` to ``high`` with a little room and about six ticks."""
    span, size = high - low, max(abs(low), abs(high))
    # What differs only in its last digits is constant: no label could tell the ticks apart.
    room = span * 0.06 if span > 1e-9 * size else size * 0.1 or 1.0
    bottom = 0.0 if 0 <= low < room else low - room
    return _axis(bottom, high + room)


def step_axis(first: int, last: int) -> Axis:
    """Returns an axis for steps: no room at the ends, ticks at whole steps."""
    return _axis(first, max(last, first + 1), least=1.0)


def log_axis(low: float, high: float) -> Axis | None:
    """Returns a logarithmic axis, or None when ``low`` is not positive or nothing varies."""
    if not 0 < low < high:
        return None
    bottom, top = math.log10(low), math.log10(high)
    room = (top - bottom) * 0.06
    bottom, top = bottom - room, top + room
    ticks = [
        ((math.log10(value) - bottom) / (top - bottom), _label(value, spacing))
        for value, spacing in _log_marks(bottom, top)
    ]
    return Axis(low=bottom, high=top, ticks=ticks, log=True)


def _log_marks(bottom: float, top: float) -> list[tuple[float, float]]:
    """Pairs of a round value between two exponents and the spacing that its label must show."""
    every = max(1, math.ceil((top - bottom) / 8))
    for mantissas in ((1,), (1, 3), (1, 2, 5)):
        marks = [
            (mantissa * 10.0**power, 10.0**power)
            for power in range(math.floor(bottom), math.ceil(top) + 1, every)
            for mantissa in mantissas
            if bottom <= math.log10(mantissa) + power <= top
        ]
        if len(marks) >= 3:
            return marks
    # Less than a decade: the round numbers of a linear axis, at their logarithms.
    low, high = 10**bottom, 10**top
    return [(value, _spacing(high - low)) for value in _round_values(low, high) if value > 0]


def _axis(low: float, high: float, least: float = 0.0) -> Axis:
    spacing = max(_spacing(high - low), least)
    return Axis(
        low=low,
        high=high,
        ticks=[
            ((value - low) / (high - low), _label(value, spacing))
            for value in _round_values(low, high, least)
        ],
    )


def _spacing(span: float, num_ticks: int = 6) -> float:
    """The least of 1, 2, 5 times a power of ten that gives no more than ``num_ticks`` gaps."""
    rough = span / num_ticks
    power = 10.0 ** math.floor(math.log10(rough))
    return next(m * power for m in (1, 2, 5, 10) if m * power >= rough * 0.999)


def _round_values(low: float, high: float, least: float = 0.0) -> list[float]:
    spacing = max(_spacing(high - low), least)
    first = math.ceil(low / spacing - 1e-9)
    last = math.floor(high / spacing + 1e-9)
    return [index * spacing for index in range(first, last + 1)]


def _label(value: float, spacing: float) -> str:
    """Writes a tick with as many decimals as tell it from the next one."""
    size = max(abs(value), spacing)
    if value == 0:
        return "0"
    if size >= 1e9 or (size < 1e-2 and spacing < 9.9e-5):
        mantissa, exponent = f"{value:.2e}".split("e")
        return f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent)}"
    for unit, suffix in ((1e6, "M"), (1e3, "k")):
        if size >= unit * 10 or (size >= unit and spacing >= unit / 10):
            text = _decimals(value / unit, spacing / unit)
            return (text.rstrip("0").rstrip(".") if "." in text else text) + suffix
    return _decimals(value, spacing)


def _decimals(value: float, spacing: float) -> str:
    return f"{value:.{max(0, -math.floor(math.log10(spacing) + 1e-9))}f}"
