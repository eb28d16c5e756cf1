"""How times, speeds and measured values are written for people."""

import math
from collections.abc import Iterable, Mapping
from datetime import timedelta

__all__ = ["clock", "figure", "figures", "speed"]


def clock(seconds: float) -> str:
    """Writes 83 as ``0:01:23``: as Rich does beside its bars, and in columns, where it lines up."""
    return str(timedelta(seconds=round(seconds)))


def figure(value: float) -> str:
    """Writes a value with about four digits that mean something."""
    number = float(value)
    magnitude = abs(number)
    if not math.isfinite(number):
        return str(number)
    if number == 0:
        return "0"
    if magnitude >= 1e6 or magnitude < 1e-3:
        return f"{number:.2e}"
    if magnitude >= 1000 or (number.is_integer() and magnitude >= 10):
        return f"{number:,.0f}"
    decimals = 3 - math.floor(math.log10(max(magnitude, 0.1)))
    return f"{number:.{decimals}f}"


def figures(values: Mapping[str, float], names: Iterable[str]) -> str:
    """Writes ``loss=0.1872 kl=31.20``."""
    return " ".join(f"{name}={figure(values[name]).replace(',', '')}" for name in names)


def speed(steps_per_s: float) -> str:
    """Writes a speed as ``23.8 steps/s``, or as ``4.2 s/step`` when it is slow."""
    if steps_per_s >= 1:
        return f"{steps_per_s:,.1f} steps/s"
    return f"{1 / steps_per_s:,.1f} s/step" if steps_per_s > 0 else "0 steps/s"
