"""Facts about the operating system, the container and what it leaves to a process."""

import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from labcore.doctor.gather.files import first_match, nearest, read

__all__ = ["read_limits", "read_resources", "read_system"]

_OSES = {"linux": "linux", "win32": "windows", "darwin": "macos"}
_CLUSTERS = {"SLURM_JOB_ID": "slurm", "RAY_JOB_ID": "ray", "PBS_JOBID": "pbs", "LSB_JOBID": "lsf"}


def read_system(root: Path = Path("/"), environ: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """Returns which system this is, and what it runs in."""
    kernel = platform.release()
    library, version = platform.libc_ver()
    return {
        "os": _OSES.get(sys.platform),
        "os_name": _os_name(root),
        "kernel": kernel,
        "architecture": platform.machine(),
        "glibc": version if library == "glibc" else None,
        "is_wsl": "microsoft" in kernel.lower(),
        "container": _container(root, environ),
        "is_cluster": next((name for key, name in _CLUSTERS.items() if environ.get(key)), ""),
        "encoding": sys.getfilesystemencoding(),
    }


def read_resources() -> dict[str, Any]:
    """Returns cores, memory and free space."""
    import psutil

    from labcore.data import data_folder
    from labcore.devices import available_cores

    shm = Path("/dev/shm")  # noqa: S108  # asked for its size, not written to
    folders = [Path.cwd(), data_folder(""), Path(tempfile.gettempdir())]
    free = {folder: shutil.disk_usage(nearest(folder)).free for folder in folders}
    return {
        "cores": os.cpu_count(),
        "usable_cores": available_cores(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "shm_gb": round(shutil.disk_usage(shm).total / 1e9, 2) if shm.is_dir() else None,
        "disk_free_gb": {str(folder): round(size / 1e9, 1) for folder, size in free.items()},
    }


def read_limits(root: Path = Path("/")) -> dict[str, Any]:
    """Returns what this process may not exceed."""
    from labcore.devices.inventory.limits import read_limits

    limit = read_limits(root).memory_bytes
    return {
        "memory_limit_gb": None if limit is None else round(limit / 1e9, 1),
        "open_files": _open_files(),
    }


def _os_name(root: Path) -> str:
    pretty = first_match(r'^PRETTY_NAME="?([^"\n]+)', read(root / "etc/os-release"))
    return pretty or f"{platform.system()} {platform.release()}"


def _container(root: Path, environ: Mapping[str, str]) -> str:
    if environ.get("KUBERNETES_SERVICE_HOST"):
        return "kubernetes"
    if environ.get("APPTAINER_CONTAINER") or environ.get("SINGULARITY_CONTAINER"):
        return "apptainer"
    if (root / "run/.containerenv").exists():
        return "podman"
    if (root / ".dockerenv").exists():
        return "docker"
    return environ.get("container", "")  # systemd's convention is lower case


def _open_files() -> int | None:
    try:
        import resource
    except ImportError:  # Windows
        return None
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]
