"""Processes of one run that a launcher (torchrun, srun) has started side by side."""

import os

__all__ = ["leads_machine", "local_processes", "processes_agree"]


def local_processes() -> int:
    """Returns how many processes of this run torchrun has started here; 0 without torchrun."""
    return _number("LOCAL_WORLD_SIZE")


def processes_agree(processes: int) -> bool:
    """Whether several processes choose their GPUs at the same time and must come to the same.

    Memory in use and leases may change between two looks, so they take the first that will do.

    Args:
        processes: Processes of the run on this machine.
    """
    return local_processes() > 1 or (processes > 1 and _number("SLURM_NTASKS") > 1)


def leads_machine() -> bool:
    """Whether this is the process that leases the GPUs for all those of its run on this machine."""
    return all(os.environ.get(name, "0") == "0" for name in ("LOCAL_RANK", "SLURM_LOCALID"))


def _number(variable: str) -> int:
    value = os.environ.get(variable, "")
    return int(value) if value.isdecimal() else 0
