"""The GPUs that a request may choose from, in words, and why there may be none."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from labcore.devices.inventory.gpu import Gpu
from labcore.devices.inventory.survey import Survey, survey, visible_gpus
from labcore.devices.request import DeviceRequest
from labcore.errors import RequirementError, UsageError

__all__ = ["Pool", "find_pool", "listed"]

_MOST = 12
"""Lines of a list: a server cut into slices has up to 56 devices."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Pool:
    """GPUs that this process may use and the request means."""

    gpus: tuple[Gpu, ...] = ()
    num_visible: int = 0
    """GPUs that this process may use."""
    why_none: str = ""
    """Why the pool is empty."""
    lost: tuple[str, ...] = ()
    """Cards that do not answer any more."""


def find_pool(request: DeviceRequest) -> Pool:
    """Looks for the GPUs that a request means; ``auto`` and ``cuda`` mean every visible one.

    Raises:
        UsageError: The one GPU that the request names is not there, others are.
        RequirementError: It names one, and there is none at all.
    """
    seen = survey()
    visible = visible_gpus(seen=seen)
    why_none = "" if visible else _why_none(seen)
    named = visible
    if request.names_one and not visible:
        fix = "lab doctor says what is wrong with the driver; or use device=auto"
        if seen.gpus:
            fix = "unset CUDA_VISIBLE_DEVICES, or use device=auto"
        raise RequirementError(f"{request.text}, but {why_none}", fix=fix)
    if request.index is not None:
        named = [_numbered(request, request.index, visible)]
    elif request.uuid:
        named = [_called(request, visible, seen)]
    return Pool(gpus=tuple(named), num_visible=len(visible), why_none=why_none, lost=seen.lost)


def _numbered(request: DeviceRequest, number: int, visible: Sequence[Gpu]) -> Gpu:
    if number < len(visible):
        return visible[number]
    count = f"{len(visible)} GPUs" if len(visible) > 1 else "one GPU"
    raise UsageError(
        f"{request.text}, but there {'are' if len(visible) > 1 else 'is'} only {count}",
        problems=listed((replace(gpu, index=at), "") for at, gpu in enumerate(visible)),
        fix=f"use device=cuda:{len(visible) - 1} or less, or device=auto",
    )


def _called(request: DeviceRequest, visible: Sequence[Gpu], seen: Survey) -> Gpu:
    fitting = [gpu for gpu in visible if gpu.uuid.startswith(request.uuid)]
    if len(fitting) == 1:
        return fitting[0]
    fix = "lab devices shows the UUIDs; a start that only one of them has will do"
    if fitting:
        raise UsageError(
            f"{request.text} is the start of {len(fitting)} UUIDs",
            problems=[f"{gpu.uuid} is {gpu.name}" for gpu in fitting],
            fix=fix,
        )
    if any(gpu.uuid.startswith(request.uuid) for gpu in seen.gpus):
        raise RequirementError(
            f"{request.text}, but CUDA_VISIBLE_DEVICES={os.environ['CUDA_VISIBLE_DEVICES']!r} "
            "hides it",
            fix="unset CUDA_VISIBLE_DEVICES, or choose one of those that it leaves",
        )
    for parent in seen.parents:
        if parent.uuid.startswith(request.uuid):
            slices = [gpu for gpu in visible if gpu.parent_uuid == parent.uuid]
            raise UsageError(
                f"{request.text} is in MIG mode and cannot be used as a whole",
                problems=[f"{gpu.uuid} is its slice {gpu.mig_profile}" for gpu in slices],
                fix="name a slice" if slices else "make slices: nvidia-smi mig -cgi PROFILE -C",
            )
    raise UsageError(
        f"{request.text}, but no GPU has that UUID",
        problems=listed((gpu, gpu.uuid) for gpu in visible),
        fix=fix,
    )


def _why_none(seen: Survey) -> str:
    chosen = os.environ.get("CUDA_VISIBLE_DEVICES")
    if seen.gpus and chosen is not None:
        return f"CUDA_VISIBLE_DEVICES={chosen!r} hides every GPU"
    if seen.problem is not None and not seen.problem.is_no_driver:
        return seen.problem.text
    if seen.lost:
        return "; ".join(seen.lost)
    if seen.parents:
        return f"{seen.parents[0].name} is in MIG mode and has no slice"
    return "there is no NVIDIA GPU with a working driver"


def listed(said: Iterable[tuple[Gpu, str]]) -> list[str]:
    """Returns a line for each device, and one for those in a row of which the same is said.

    Args:
        said: Devices by number, each with what is said of it, in words that suit one and several.
    """
    rows: list[tuple[list[Gpu], str]] = []
    for gpu, text in said:
        if rows and rows[-1][1] == text and rows[-1][0][-1].kind == gpu.kind:
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
