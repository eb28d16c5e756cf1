"""What ``CUDA_VISIBLE_DEVICES`` leaves of the machine's GPUs."""

import os
from collections.abc import Mapping, Sequence
from typing import Protocol, TypeVar

from labcore.devices.inventory.gpu import Gpu
from labcore.devices.inventory.survey import Survey, survey

__all__ = ["read_visible", "visible_gpus"]


class _HasUuid(Protocol):
    @property
    def uuid(self) -> str | None: ...


C = TypeVar("C", bound=_HasUuid)


def visible_gpus(environ: Mapping[str, str] | None = None, seen: Survey | None = None) -> list[Gpu]:
    """Returns the GPUs that ``CUDA_VISIBLE_DEVICES`` leaves to this process, in its order.

    Args:
        environ: Environment to read; this process's by default.
        seen: The machine; asked from the driver by default.
    """
    seen = survey() if seen is None else seen
    value = (os.environ if environ is None else environ).get("CUDA_VISIBLE_DEVICES")
    if value is None:
        return list(seen.gpus)
    slices = [gpu for gpu in seen.gpus if gpu.parent_uuid is not None]
    named, _ = read_visible(value, seen.cards, slices)
    visible: list[Gpu] = []
    for gpu in named:
        if gpu.mig_enabled:  # CUDA takes the first slice of a card that is cut
            gpu = next((piece for piece in slices if piece.parent_uuid == gpu.uuid), gpu)
        if gpu.mig_enabled or gpu in visible:
            break
        visible.append(gpu)
    return visible


def read_visible(value: str, cards: Sequence[C], slices: Sequence[C]) -> tuple[list[C], str]:
    """Reads the variable as CUDA does: up to the first entry that names no GPU.

    Args:
        value: Of the variable.
        cards: The cards of the machine in PCI bus order, as schedulers count them; those that are
            cut into MIG slices count as well.
        slices: The MIG slices, which go by UUID alone.

    Returns:
        What is named, and what is wrong with the first entry that names nothing. A GPU that is
        named twice makes CUDA refuse the whole list.
    """
    named: list[C] = []
    for entry in (part.strip() for part in value.split(",")):
        found, problem = _named(entry, cards, slices)
        if found is None:
            return named, problem
        if found in named:
            return [], f"{entry} names a GPU for the second time"
        named.append(found)
    return named, ""


def _named(entry: str, cards: Sequence[C], slices: Sequence[C]) -> tuple[C | None, str]:
    if entry.isdecimal():
        if int(entry) < len(cards):
            return cards[int(entry)], ""
        return None, f"there is no GPU {entry} (there are {len(cards)})"
    # CUDA takes any unambiguous start of a UUID.
    fitting = [each for each in (*cards, *slices) if entry and (each.uuid or "").startswith(entry)]
    if len(fitting) == 1:
        return fitting[0], ""
    if fitting:
        return None, f"{entry} fits {len(fitting)} GPUs"
    return None, f"{entry or 'an empty entry'} names no GPU"
