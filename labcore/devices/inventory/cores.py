"""How many CPU cores this process may really use."""

import math
import os
from pathlib import Path

__all__ = ["available_cores"]

_CGROUPS = Path("/sys/fs/cgroup")
_OWN_CGROUP = Path("/proc/self/cgroup")


def available_cores() -> int:
    """Returns the cores that this process may use: affinity, then the quota of its container.

    ``os.cpu_count`` gives the cores of the machine; in a container or a Slurm job that has two of
    64, a framework that starts 64 threads is many times slower.
    """
    if hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    else:  # macOS and Windows
        cores = os.cpu_count() or 1
    quota = _cgroup_quota()
    return max(1, cores if quota is None else min(cores, math.ceil(quota)))


def _cgroup_quota() -> float | None:
    """Returns the smallest CPU quota, in cores, of this process's control groups."""
    try:
        lines = _OWN_CGROUP.read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    quotas: list[float] = []
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            root, read = _CGROUPS, _quota_v2
        elif "cpu" in controllers.split(","):
            root, read = _CGROUPS / "cpu", _quota_v1
        else:
            continue
        # A limit on any group above applies too; inside a container the path may not exist.
        own = root / path.strip("/")
        for group in (own, *own.parents):
            quota = read(group)
            if quota is not None:
                quotas.append(quota)
            if group == root:
                break
    return min(quotas, default=None)


def _quota_v2(group: Path) -> float | None:
    try:
        limit, period = (group / "cpu.max").read_text(encoding="utf-8").split()
        return None if limit == "max" else int(limit) / int(period)
    except (OSError, ValueError, ZeroDivisionError):
        return None


def _quota_v1(group: Path) -> float | None:
    try:
        limit = int((group / "cpu.cfs_quota_us").read_text(encoding="utf-8"))
        period = int((group / "cpu.cfs_period_us").read_text(encoding="utf-8"))
        return None if limit <= 0 else limit / period
    except (OSError, ValueError, ZeroDivisionError):
        return None
