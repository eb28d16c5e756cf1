"""Durations as people type them and as they read them: one grammar, one wording."""

import re

__all__ = ["format_duration", "read_duration"]

_UNITS = re.compile(r"(?:\d+(?:\.\d+)?(?:d|h|min|m|s)?)+")
_PART = re.compile(r"(\d+(?:\.\d+)?)(d|h|min|m|s)?")
_CLOCK = re.compile(r"(?:(?:(\d+)d)?(\d+):)?(\d+):(\d+(?:\.\d+)?)")
_UNIT_S = {"d": 86_400, "h": 3600, "min": 60, "m": 60, "s": 1, "": 1}


def read_duration(text: str, option: str) -> float:
    """Returns the seconds that ``90``, ``90s``, ``1.5h``, ``1h30m``, ``2d`` or ``1:30:00`` means.

    Args:
        text: As typed.
        option: Whose value it is, for the message.

    Raises:
        ValueError: It is none of these.
    """
    compact = re.sub(r"\s+", "", text).lower()[:100]
    clock = _CLOCK.fullmatch(compact)
    if clock is not None:
        days, hours, minutes, seconds = (float(part or 0) for part in clock.groups())
        return ((days * 24 + hours) * 60 + minutes) * 60 + seconds
    if not _UNITS.fullmatch(compact):
        raise ValueError(f"{option}={text} is not a time; write it as 90s, 10m, 1h30m, 2d, 1:30:00")
    return float(sum(float(number) * _UNIT_S[unit] for number, unit in _PART.findall(compact)))


def format_duration(seconds: float) -> str:
    """Writes seconds as a person would: ``0.8 s``, ``42 s``, ``5 min 3 s``, ``2 h 5 min``."""
    if seconds < 9.95:
        return f"{max(seconds, 0):.1f} s"
    whole = round(seconds)
    for unit, smaller, name, smaller_name in (
        (86_400, 3_600, "d", "h"),
        (3_600, 60, "h", "min"),
        (60, 1, "min", "s"),
    ):
        if whole >= unit:
            rest = whole % unit // smaller
            return f"{whole // unit} {name}" + (f" {rest} {smaller_name}" if rest else "")
    return f"{whole} s"
