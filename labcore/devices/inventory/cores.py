"""How many CPU cores this process may really use."""

import math
import os

from labcore.devices.inventory.cgroup import read_limits

__all__ = ["available_cores"]


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
