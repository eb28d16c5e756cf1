"""CPU cores and memory that this process may use: what control groups leave of the machine's."""

import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Limits", "available_cores", "read_limits"]

_NO_LIMIT_BYTES = 1 << 60
"""Control groups of the first version write "no limit" as a number near 2^63."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """The smallest limits that apply; None where there is none."""

    cpus: float | None = None
    """CPU time in cores."""
    memory_bytes: int | None = None


def read_limits(root: Path = Path("/")) -> Limits:
    """Reads the limits of both versions of control groups; none outside Linux.

    Args:
        root: Of the file system.
    """
    groups = root / "sys/fs/cgroup"
    cpus: list[float | None] = []
    memory: list[int | None] = []
    for controllers, path in _own(root / "proc/self/cgroup"):
        if not controllers:
            cpus += map(_cpus_v2, _up(groups, path))
            memory += [_bytes(group / "memory.max") for group in _up(groups, path)]
        if "cpu" in controllers:
            cpus += map(_cpus_v1, _up(groups / "cpu", path))
        if "memory" in controllers:
            top = groups / "memory"
            memory += [_bytes(group / "memory.limit_in_bytes") for group in _up(top, path)]
    return Limits(
        cpus=min((limit for limit in cpus if limit is not None), default=None),
        memory_bytes=min((limit for limit in memory if limit is not None), default=None),
    )


def _own(file: Path) -> Iterator[tuple[list[str], str]]:
    """Yields controllers, none for the second version, and the path of this process's groups."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = ["0::/", "1:cpu,memory:/"]
    for line in lines:
        _, controllers, path = line.split(":", 2)
        yield controllers.split(",") if controllers else [], path


def _up(top: Path, path: str) -> Iterator[Path]:
    """Yields a group and those above it, whose limits apply too; a container does not see all."""
    own = top / path.strip("/")
    for group in (own, *own.parents):
        yield group
        if group == top:
            return


def _cpus_v2(group: Path) -> float | None:
    try:
        limit, period = (group / "cpu.max").read_text(encoding="utf-8").split()
        return None if limit == "max" else int(limit) / int(period)
    except (OSError, ValueError, ZeroDivisionError):
        return None


def _cpus_v1(group: Path) -> float | None:
    limit, period = _number(group / "cpu.cfs_quota_us"), _number(group / "cpu.cfs_period_us")
    return limit / period if limit and period and limit > 0 else None


def _bytes(file: Path) -> int | None:
    limit = _number(file)
    return limit if limit is not None and limit < _NO_LIMIT_BYTES else None


def _number(file: Path) -> int | None:
    try:
        return int(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def available_cores() -> int:
    """Returns the cores that this process may use: affinity, then the quota of its container.

    ``os.cpu_count`` gives the cores of the machine; in a container or a Slurm job that has two of
    64, a framework that starts 64 threads is many times slower.
    """
    if hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    else:  # macOS and Windows
        cores = os.cpu_count() or 1
    quota = read_limits().cpus
    return max(1, cores if quota is None else min(cores, math.ceil(quota)))
