"""Facts about NVIDIA's driver: what it says, and what its files say when it is silent."""

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from labcore.devices import Gpu, survey
from labcore.doctor.gather.files import find_library, first_match, read
from labcore.doctor.machine import Card, DriverTrouble

__all__ = ["read_cards", "read_driver_files"]

_NVIDIA = "0x10de"
_DISPLAY_CLASS = "0x03"
_VERSION = r"(\d{3}\.\d+(?:\.\d+)?)"


def read_driver_files(root: Path = Path("/")) -> dict[str, Any]:
    """Returns what the files of the driver tell, working or not."""
    if sys.platform != "linux":
        return {}
    # The driver's version is in the name of the file that the link leads to.
    nvml = Path(find_library("libnvidia-ml.so.1")).resolve().name
    nodes = sorted((root / "dev").glob("nvidia*")) + sorted((root / "dev").glob("dxg"))
    return {
        "nvidia_pci": _pci_devices(root),
        "kernel_driver": first_match(_VERSION, read(root / "proc/driver/nvidia/version")) or "",
        "device_nodes": {
            f"/dev/{node.name}": os.access(node, os.R_OK | os.W_OK)
            for node in nodes
            if not node.is_dir()
        },
        "nvml_library": first_match(rf"\.so\.{_VERSION}$", nvml) or "",
        "libcuda": find_library("libcuda.so.1"),
    }


def read_cards() -> dict[str, Any]:
    """Returns what the driver says of itself and of the GPUs."""
    said = survey()
    if said.problem is not None:
        trouble = DriverTrouble(code=said.problem.code, text=said.problem.text)
        nothing = ("", "", ()) if said.problem.is_no_driver else (None, None, None)
        facts = dict(zip(("driver", "driver_cuda", "cards"), nothing, strict=True))
        return {"driver_trouble": trouble, **facts}
    cards = [replace(_card(gpu), index=number) for number, gpu in enumerate(said.cards)]
    slices = [_card(gpu) for gpu in said.gpus if gpu.parent_uuid is not None]
    return {
        "driver": said.driver,
        "driver_cuda": said.cuda_driver,
        "cards": (*cards, *slices),
        "lost_cards": said.lost,
    }


def _card(gpu: Gpu) -> Card:
    return Card(
        name=gpu.name,
        uuid=gpu.uuid,
        index=gpu.index,
        compute_capability=f"{gpu.compute_capability:.1f}",
        memory_mib=gpu.memory_total_mib,
        memory_used_mib=gpu.memory_used_mib,
        mig_enabled=gpu.mig_enabled,
        mig_profile=gpu.mig_profile or ("a MIG slice" if gpu.parent_uuid else None),
        ecc_errors=gpu.ecc_errors,
        persistence=gpu.persistence,
        compute_mode=gpu.compute_mode,
        throttle=gpu.throttle or (),
        temperature_c=gpu.temperature_c,
        num_processes=None if gpu.processes is None else len(gpu.processes),
    )


def _pci_devices(root: Path) -> int:
    devices = (root / "sys/bus/pci/devices").glob("*")
    displays = [each for each in devices if read(each / "class").startswith(_DISPLAY_CLASS)]
    return sum(read(each / "vendor").strip() == _NVIDIA for each in displays)
