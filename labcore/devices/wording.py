"""Devices in words."""

from collections.abc import Iterable

from labcore.devices.inventory.gpu import Gpu

__all__ = ["listed"]

_MOST = 12
"""Lines of a list: a server cut into slices has up to 56 devices."""


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
