"""The GPUs of this machine, asked from NVIDIA's driver, and those that a process may use."""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Protocol, TypeVar

from labcore.devices.inventory.gpu import Gpu, GpuProcess
from labcore.devices.inventory.nvml import NvmlFailure, NvmlProblem, ask, opened, problem_of

__all__ = ["Survey", "read_visible", "survey", "visible_gpus"]

_MIB = 1 << 20
_MOST_PLAUSIBLE_PID = 1 << 31
_COMPUTE_MODES = {0: "Default", 1: "Exclusive_Thread", 2: "Prohibited", 3: "Exclusive_Process"}
_THROTTLE = {
    0x02: "application clocks setting",
    0x04: "software power cap",
    0x08: "hardware slowdown",
    0x10: "sync boost",
    0x20: "software thermal slowdown",
    0x40: "hardware thermal slowdown",
    0x80: "hardware power brake",
    0x100: "display clock setting",
}
"""Bits of NVML's clock event reasons; 0x01 is an idle card."""
_MIG_PROFILE = re.compile(r"\bMIG\s+(\S+)\s*\Z")


@dataclass(frozen=True, kw_only=True, slots=True)
class Survey:
    """What NVIDIA's driver says about this machine."""

    gpus: tuple[Gpu, ...] = ()
    """Every device that a process can be given, in PCI bus order; a card that is cut into MIG
    slices is listed as its slices."""
    parents: tuple[Gpu, ...] = ()
    """Cards in MIG mode, which no process can use as a whole; with or without slices."""
    driver: str | None = None
    cuda_driver: str | None = None
    """Highest CUDA version that the driver supports, such as ``13.0``."""
    problem: NvmlProblem | None = None
    """Why there is no answer; None when there is one."""
    lost: tuple[str, ...] = ()
    """A line for each card that the driver counts and that does not answer."""

    @property
    def cards(self) -> list[Gpu]:
        """The cards themselves in PCI bus order, those cut into slices too, as schedulers count."""
        whole = [gpu for gpu in self.gpus if gpu.parent_uuid is None]
        return sorted((*whole, *self.parents), key=lambda card: card.pci_bus_id or "")


def survey() -> Survey:
    """Asks NVIDIA's driver. Without one the answer has a problem, and no exception is raised."""
    try:
        with opened() as pynvml:
            return _survey(pynvml)
    except NvmlFailure as failure:
        return Survey(problem=failure.problem)


def _survey(pynvml: Any) -> Survey:
    driver = _text(pynvml.nvmlSystemGetDriverVersion())
    cuda = ask(pynvml, pynvml.nvmlSystemGetCudaDriverVersion)
    found: list[Gpu] = []
    parents: list[Gpu] = []
    lost: list[str] = []
    for position in range(pynvml.nvmlDeviceGetCount()):
        # A card that has fallen off the bus must not hide the others.
        try:
            card = pynvml.nvmlDeviceGetHandleByIndex(position)
            slices = _slices(pynvml, card)
            whole = _read(pynvml, card, card, driver, len(found) if slices is None else position)
            if slices is None:
                found.append(whole)
                continue
            parents.append(replace(whole, mig_enabled=True))
            for handle in slices:
                piece = _read(pynvml, handle, card, driver, len(found))
                profile = _MIG_PROFILE.search(piece.name)
                size = None if profile is None else profile[1]
                found.append(replace(piece, parent_uuid=whole.uuid, mig_profile=size))
        except pynvml.NVMLError as error:
            lost.append(f"card {position} does not answer: {problem_of(error).text}")
    return Survey(
        gpus=tuple(found),
        parents=tuple(parents),
        driver=driver,
        cuda_driver=None if cuda is None else f"{cuda // 1000}.{cuda % 1000 // 10}",
        lost=tuple(lost),
    )


def _read(pynvml: Any, handle: Any, card: Any, driver: str, index: int) -> Gpu:
    """Reads a card, or a slice of it.

    Args:
        pynvml: The initialised module.
        handle: What to read.
        card: The card itself, which alone knows its temperature and the like.
        driver: Version of the driver.
        index: Its number.
    """
    major, minor = pynvml.nvmlDeviceGetCudaComputeCapability(card)
    memory = pynvml.nvmlDeviceGetMemoryInfo(handle)
    tell = partial(ask, pynvml)
    pci = tell(pynvml.nvmlDeviceGetPciInfo, card)
    use = tell(pynvml.nvmlDeviceGetUtilizationRates, handle)
    power = tell(pynvml.nvmlDeviceGetPowerUsage, card)
    limit = tell(pynvml.nvmlDeviceGetEnforcedPowerLimit, card)
    mode = tell(pynvml.nvmlDeviceGetComputeMode, card)
    persistence = tell(pynvml.nvmlDeviceGetPersistenceMode, card)
    return Gpu(
        index=index,
        uuid=_text(pynvml.nvmlDeviceGetUUID(handle)),
        name=_text(pynvml.nvmlDeviceGetName(handle)),
        memory_total_mib=int(memory.total) // _MIB,
        memory_used_mib=int(memory.used) // _MIB,
        compute_capability=float(f"{major}.{minor}"),
        driver=driver,
        pci_bus_id=None if pci is None else _text(pci.busId),
        processes=_processes(pynvml, handle),
        utilisation_percent=None if use is None else int(use.gpu),
        temperature_c=tell(pynvml.nvmlDeviceGetTemperature, card, pynvml.NVML_TEMPERATURE_GPU),
        power_w=None if power is None else power / 1000,
        power_limit_w=None if limit is None else limit / 1000,
        ecc_errors=tell(
            pynvml.nvmlDeviceGetTotalEccErrors,
            card,
            pynvml.NVML_MEMORY_ERROR_TYPE_UNCORRECTED,
            pynvml.NVML_VOLATILE_ECC,
        ),
        compute_mode=None if mode is None else _COMPUTE_MODES.get(mode, str(mode)),
        persistence=None if persistence is None else bool(persistence),
        throttle=_throttle(pynvml, card),
    )


def _slices(pynvml: Any, card: Any) -> list[Any] | None:
    """Returns the MIG slices of a card, or None when it is not in MIG mode."""
    mode = ask(pynvml, pynvml.nvmlDeviceGetMigMode, card)  # cards without MIG do not know
    if not mode or not mode[0]:
        return None
    count = ask(pynvml, pynvml.nvmlDeviceGetMaxMigDeviceCount, card) or 0
    places = (
        ask(pynvml, pynvml.nvmlDeviceGetMigDeviceHandleByIndex, card, position)
        for position in range(count)
    )
    return [handle for handle in places if handle is not None]


def _processes(pynvml: Any, handle: Any) -> tuple[GpuProcess, ...] | None:
    listed = _newest(pynvml, handle, "ComputeRunningProcesses_v3", "ComputeRunningProcesses_v2")
    if listed is None:
        return None
    return tuple(
        GpuProcess(
            pid=int(each.pid),
            memory_mib=None if each.usedGpuMemory is None else int(each.usedGpuMemory) // _MIB,
        )
        for each in listed
        # Some drivers return entries that were never filled in.
        if 0 < each.pid < _MOST_PLAUSIBLE_PID
    )


def _throttle(pynvml: Any, card: Any) -> tuple[str, ...] | None:
    bits = _newest(pynvml, card, "CurrentClocksEventReasons", "CurrentClocksThrottleReasons")
    return None if bits is None else tuple(text for bit, text in _THROTTLE.items() if bits & bit)


def _newest(pynvml: Any, handle: Any, *names: str) -> Any:
    """Asks by the first of the calls, newest first, that the library and the driver know."""
    for name in names:
        call = getattr(pynvml, f"nvmlDeviceGet{name}", None)
        answer = None if call is None else ask(pynvml, call, handle)
        if answer is not None:
            return answer
    return None


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


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
