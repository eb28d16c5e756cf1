"""What ``CUDA_VISIBLE_DEVICES`` leaves of the machine's GPUs."""

import os
from collections.abc import Mapping, Sequence

from labcore.devices.inventory.gpu import Gpu
from labcore.devices.inventory.survey import gpus

__all__ = ["visible_gpus"]


def visible_gpus(
    environ: Mapping[str, str] | None = None, known: Sequence[Gpu] | None = None
) -> list[Gpu]:
    """Returns the GPUs that ``CUDA_VISIBLE_DEVICES`` leaves to this process, in its order.

    Numbers in it count in PCI bus order, as schedulers mean them. As in CUDA, an entry that names
    no GPU ends the list.

    Args:
        environ: Environment to read; this process's by default.
        known: GPUs of the machine; asked from the driver by default.
    """
    every = gpus() if known is None else list(known)
    value = (os.environ if environ is None else environ).get("CUDA_VISIBLE_DEVICES")
    if value is None:
        return every
    visible: list[Gpu] = []
    for entry in (part.strip() for part in value.split(",")):
        gpu = _named(entry, every)
        if gpu is None or gpu in visible:
            break
        visible.append(gpu)
    return visible


def _named(entry: str, known: Sequence[Gpu]) -> Gpu | None:
    if entry.isdecimal():
        return known[int(entry)] if int(entry) < len(known) else None
    # CUDA takes any unambiguous start of a UUID.
    fitting = [gpu for gpu in known if entry and gpu.uuid.startswith(entry)]
    return fitting[0] if len(fitting) == 1 else None
