"""Devices and times in words."""

from collections.abc import Iterable

from labcore.devices.inventory.gpu import Gpu

__all__ = ["in_words", "listed"]

_MOST = 12
"""Lines of a list: a server cut into slices has up to 56 devices."""


def in_words(seconds: float) -> str:
    """Returns ``8 s``, ``12 min``, ``3 h 20 min`` or ``2 days``."""
    whole = max(0, round(seconds))
    if whole < 120:
        return f"{whole} s"
    minutes = whole // 60
    if minutes < 120:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{hours // 24} days"


def listed(said: Iterable[tuple[Gpu, str]]) -> list[str]:
    """Returns a line for each device, and one for those in a row of which the same is said.

    Args:
        said: Devices by number, each with what is said of it, in words that suit one and several.
    """
    rows: list[tuple[list[Gpu], str]] = []
    for gpu, text in said:
        if rows and rows[-1][1] == text and _kind(rows[-1][0][-1]) == _kind(gpu):
            rows[-1][0].append(gpu)
        else:
            rows.append(([gpu], text))
    lines = [f"{_named(gpus)}: {text}" if text else _named(gpus) for gpus, text in rows]
    if len(lines) > _MOST:
        lines[_MOST - 1 :] = [f"and {len(lines) - _MOST + 1} more lines like these (lab devices)"]
    return lines


def _named(gpus: list[Gpu]) -> str:
    first, last = gpus[0], gpus[-1]
    if len(gpus) == 1:
        return first.describe()
    numbers = (
        f"{first.index} and {last.index}" if len(gpus) == 2 else f"{first.index} to {last.index}"
    )
    return f"GPUs {numbers} ({first.name}, {first.memory_gb:.0f} GB)"


def _kind(gpu: Gpu) -> tuple[str, int]:
    return (gpu.name, gpu.memory_total_mib)
