"""Finding the facts about this machine, without importing a framework."""

import logging
from collections.abc import Callable, Sequence
from typing import Any

from labcore.doctor.gather.driver import read_cards, read_driver_files
from labcore.doctor.gather.frameworks import read_extensions, read_tensorflow, read_torch
from labcore.doctor.gather.libraries import find_libdevice, find_libraries
from labcore.doctor.gather.packages import find_shared_files, read_packages, read_python
from labcore.doctor.gather.system import read_limits, read_resources, read_system
from labcore.doctor.gather.toolchain import find_compilers, find_toolkits, read_cub_home
from labcore.doctor.gather.tools import find_caches, find_tools, read_environment, read_wandb
from labcore.doctor.machine import Machine

__all__ = ["GATHERERS", "gather_here"]

log = logging.getLogger(__name__)

Gatherer = Callable[[], dict[str, Any]]
"""Finds some facts: field of the machine to value."""

GATHERERS: tuple[Gatherer, ...] = (
    read_system, read_resources, read_limits, read_driver_files, read_cards, read_python,
    read_packages, find_shared_files, read_torch, read_tensorflow, read_extensions,
    find_toolkits, find_compilers, read_cub_home, find_libraries, find_libdevice,
    read_environment, find_tools, find_caches, read_wandb,
)  # fmt: skip


def gather_here(gatherers: Sequence[Gatherer] = GATHERERS) -> Machine:
    """Returns everything that is known of this machine.

    A gatherer that fails leaves its own facts unknown; the log says why at level DEBUG.

    Args:
        gatherers: Where the facts come from.
    """
    facts: dict[str, Any] = {}
    for gather in gatherers:
        try:
            facts |= gather()
        except Exception:  # a strange machine must not be the end of the doctor
            log.debug("%s failed", getattr(gather, "__name__", gather), exc_info=True)
    return Machine(origin="here", **facts)
