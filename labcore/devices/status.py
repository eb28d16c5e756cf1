"""Everything that computes on this machine and who uses it, as ``lab devices`` shows it."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from labcore.devices.choice import Need, why_busy, why_unable
from labcore.devices.inventory.gpu import Gpu
from labcore.devices.inventory.limits import available_cores
from labcore.devices.inventory.survey import Survey, survey, visible_gpus
from labcore.devices.lease.desk import Desk, Leases
from labcore.devices.lease.owner import Owner

__all__ = ["DeviceStatus", "MachineStatus", "State", "machine_status"]

State = Literal["free", "leased", "in use", "closed", "hidden"]
_ANY = Need(count=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class DeviceStatus:
    """A GPU or MIG slice, and who uses it."""

    gpu: Gpu
    state: State
    """``in use`` is use by something that has no lease; ``hidden`` is by CUDA_VISIBLE_DEVICES."""
    typed: str | None
    """What ``device=`` takes for it; None when it is hidden."""
    why: str = ""
    """Why it is not free."""
    holder: Owner | None = None
    heartbeat: float | None = None
    """When the holder last showed that it is alive, in seconds since the epoch."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MachineStatus:
    """One look at a machine."""

    survey: Survey
    devices: tuple[DeviceStatus, ...]
    waiting: tuple[Owner, ...]
    """Who waits for a GPU, first come first."""
    lease_folder: Path
    cores: int
    usable_cores: int
    load: float | None
    """Processes that wanted a core, mean of the last minute; None where that is not counted."""
    memory_gb: float
    memory_free_gb: float
    disk_folder: Path
    disk_gb: float
    disk_free_gb: float


def machine_status(runs_dir: Path = Path("runs")) -> MachineStatus:
    """Looks at the machine. Takes nothing, and without leases makes no files.

    Args:
        runs_dir: Folder on whose disk runs are written; it need not exist.

    Raises:
        RequirementError: There are leases, in a folder that cannot be used.
    """
    import psutil

    seen = survey()
    visible = [gpu.uuid for gpu in visible_gpus(seen=seen)]
    leases = Leases()
    with leases.looked_at() as desk:
        devices = tuple(_status(gpu, visible, desk) for gpu in seen.gpus)
        waiting = desk.queue.tickets() if desk is not None else {}
    memory = psutil.virtual_memory()
    place = _nearest_folder(runs_dir)
    disk = shutil.disk_usage(place)
    return MachineStatus(
        survey=seen,
        devices=devices,
        waiting=tuple(waiting.values()),
        lease_folder=leases.folder,
        cores=os.cpu_count() or 1,
        usable_cores=available_cores(),
        load=os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        memory_gb=memory.total / 1e9,
        memory_free_gb=memory.available / 1e9,
        disk_folder=runs_dir,
        disk_gb=disk.total / 1e9,
        disk_free_gb=disk.free / 1e9,
    )


def _status(gpu: Gpu, visible: list[str], desk: Desk | None) -> DeviceStatus:
    typed = str(visible.index(gpu.uuid)) if gpu.uuid in visible else None
    holder = desk.holder(gpu) if desk is not None else None
    state: State = "free"
    why = why_unable(gpu, _ANY)
    if holder is not None:
        state, why = "leased", f"leased by {holder.describe()}"
    elif why:
        state = "closed"
    elif why := why_busy(gpu, _ANY):
        state = "in use"
    elif typed is None:
        state, why = "hidden", "hidden by CUDA_VISIBLE_DEVICES"
    return DeviceStatus(
        gpu=gpu,
        state=state,
        typed=typed,
        why=why,
        holder=holder,
        heartbeat=desk.heartbeat(gpu) if desk is not None and holder is not None else None,
    )


def _nearest_folder(path: Path) -> Path:
    absolute = path.resolve()
    return next(folder for folder in (absolute, *absolute.parents) if folder.exists())
