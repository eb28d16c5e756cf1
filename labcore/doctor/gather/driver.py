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
    nodes = sorted((root / "dev").glob("nvidia*")) + sorted((root / "dev").glob("dxg"))
    return {
        "nvidia_pci": _pci_devices(root),
        "kernel_driver": first_match(_VERSION, read(root / "proc/driver/nvidia/version")) or "",
        "device_nodes": {
            f"/dev/{node.name}": os.access(node, os.R_OK | os.W_OK)
            for node in nodes
            if not node.is_dir()
        },
        "nvml_library": _library_version("libnvidia-ml.so.1"),
        "libcuda": find_library("libcuda.so.1"),
    }


def read_cards() -> dict[str, Any]:
    """Returns what the driver says of itself and of the GPUs."""
    said = survey()
    if said.problem is not None:
        return {
            "driver": "" if said.problem.is_no_driver else None,
            "driver_cuda": "" if said.problem.is_no_driver else None,
            "driver_trouble": DriverTrouble(code=said.problem.code, text=said.problem.text),
            "cards": () if said.problem.is_no_driver else None,
        }
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
    found = 0
    for device in (root / "sys/bus/pci/devices").glob("*"):
        is_display = read(device / "class").startswith(_DISPLAY_CLASS)
        found += is_display and read(device / "vendor").strip() == _NVIDIA
    return found


def _library_version(soname: str) -> str:
    """Returns the driver version that a library's real file name ends with."""
    path = find_library(soname)
    if not path:
        return ""
    return first_match(rf"\.so\.{_VERSION}$", Path(path).resolve().name) or ""
