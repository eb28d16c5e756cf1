"""How counts, durations and measured values are written for people."""

import math

__all__ = ["count", "duration", "figure", "speed"]


def count(number: int) -> str:
    """Writes 12345 as ``12,345``."""
    return f"{number:,}"


def duration(seconds: float) -> str:
    """Writes 83 as ``1:23``, 3723 as ``1:02:03`` and 93784 as ``1d 2:03``."""
    whole = round(seconds)
    minutes, secs = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days}d {hours}:{minutes:02d}"
    if hours:
        return f"{hours}:{minutes:02d}:{secs:02d}"
    return f"{minutes}:{secs:02d}"


def figure(value: float) -> str:
    """Writes a value with about four digits that mean something."""
    number = float(value)
    if not math.isfinite(number):
        return str(number)
    magnitude = abs(number)
    if number == 0:
        return "0"
    if magnitude >= 1e6 or magnitude < 1e-3:
        return f"{number:.2e}"
    if number.is_integer() and magnitude >= 10:
        return f"{number:,.0f}"
    if magnitude >= 1000:
        return f"{number:,.0f}"
    if magnitude >= 100:
        return f"{number:.1f}"
    if magnitude >= 10:
        return f"{number:.2f}"
    return f"{number:.4f}" if magnitude < 1 else f"{number:.3f}"


def speed(steps_per_s: float) -> str:
    """Writes a speed as ``23.8 steps/s``, or as ``4.2 s/step`` when it is slow."""
    if steps_per_s >= 1:
        return f"{steps_per_s:,.1f} steps/s"
    return f"{1 / steps_per_s:,.1f} s/step" if steps_per_s > 0 else "0 steps/s"
