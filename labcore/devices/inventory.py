"""The GPUs of this machine, asked from NVIDIA's driver. Imports no framework."""

import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

__all__ = ["Gpu", "gpus", "visible_gpus"]

log = logging.getLogger(__name__)

_MIB = 1 << 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Gpu:
    """One GPU, or one MIG slice of a GPU that is cut into slices."""

    index: int
    """Position in PCI bus order among the GPUs listed."""
    uuid: str
    name: str
    memory_total_mib: int
    memory_used_mib: int
    compute_capability: float
    driver: str
    """Version of NVIDIA's driver."""

    @property
    def memory_gb(self) -> float:
        """Memory in GB (10^9 bytes), the unit on the box and in declarations."""
        return self.memory_total_mib * _MIB / 1e9

    @property
    def free_gb(self) -> float:
        """Memory that no process uses now, in GB (10^9 bytes)."""
        return max(0, self.memory_total_mib - self.memory_used_mib) * _MIB / 1e9


def gpus() -> list[Gpu]:
    """Returns every GPU of this machine in PCI bus order; none without a working driver."""
    try:
        import pynvml
    except ImportError:
        return []
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError as error:
        log.debug("no GPU: %s", error)
        return []
    try:
        driver = _text(pynvml.nvmlSystemGetDriverVersion())
        cards = range(pynvml.nvmlDeviceGetCount())
        found = [gpu for position in cards for gpu in _of_card(pynvml, position, driver)]
        return [replace(gpu, index=index) for index, gpu in enumerate(found)]
    except pynvml.NVMLError as error:
        log.warning("the GPUs cannot be listed: %s", error)
        return []
    finally:
        pynvml.nvmlShutdown()


def visible_gpus(environ: Mapping[str, str] | None = None) -> list[Gpu]:
    """Returns the GPUs that ``CUDA_VISIBLE_DEVICES`` leaves to this process, in its order.

    Numbers in it count in PCI bus order, as schedulers mean them. As in CUDA, an entry that names
    no GPU ends the list.

    Args:
        environ: Environment to read; this process's by default.
    """
    known = gpus()
    value = (os.environ if environ is None else environ).get("CUDA_VISIBLE_DEVICES")
    if value is None:
        return known
    visible: list[Gpu] = []
    for entry in (part.strip() for part in value.split(",")):
        gpu = _named(entry, known)
        if gpu is None or gpu in visible:
            break
        visible.append(gpu)
    return visible


def _named(entry: str, known: list[Gpu]) -> Gpu | None:
    if entry.isdecimal():
        return known[int(entry)] if int(entry) < len(known) else None
    # CUDA takes any unambiguous start of a UUID.
    fitting = [gpu for gpu in known if entry and gpu.uuid.startswith(entry)]
    return fitting[0] if len(fitting) == 1 else None


def _of_card(pynvml: Any, position: int, driver: str) -> list[Gpu]:
    """A card that has fallen off the bus must not hide the others."""
    try:
        return _read_card(pynvml, pynvml.nvmlDeviceGetHandleByIndex(position), driver)
    except pynvml.NVMLError as error:
        log.warning("GPU %d cannot be used: %s", position, error)
        return []


def _read_card(pynvml: Any, card: Any, driver: str) -> list[Gpu]:
    major, minor = pynvml.nvmlDeviceGetCudaComputeCapability(card)
    slices = _slices(pynvml, card)
    found = []
    for handle in [card] if slices is None else slices:
        memory = pynvml.nvmlDeviceGetMemoryInfo(handle)
        found.append(
            Gpu(
                index=0,
                uuid=_text(pynvml.nvmlDeviceGetUUID(handle)),
                name=_text(pynvml.nvmlDeviceGetName(handle)),
                memory_total_mib=int(memory.total) // _MIB,
                memory_used_mib=int(memory.used) // _MIB,
                compute_capability=float(f"{major}.{minor}"),
                driver=driver,
            )
        )
    return found


def _slices(pynvml: Any, card: Any) -> list[Any] | None:
    """Returns the MIG slices of a card, or None when it is not cut into slices."""
    try:
        current, _ = pynvml.nvmlDeviceGetMigMode(card)
        if not current:
            return None
        count = pynvml.nvmlDeviceGetMaxMigDeviceCount(card)
    except pynvml.NVMLError:  # cards without MIG answer "not supported"
        return None
    places = (_slice(pynvml, card, position) for position in range(count))
    return [handle for handle in places if handle is not None]


def _slice(pynvml: Any, card: Any, position: int) -> Any | None:
    try:
        return pynvml.nvmlDeviceGetMigDeviceHandleByIndex(card, position)
    except pynvml.NVMLError:  # a free place
        return None


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value
