"""What a scheduler or launcher (torchrun, srun) tells a process of its GPUs and siblings."""

import os
from collections.abc import Mapping

__all__ = ["leads_machine", "local_processes", "processes_agree", "scheduler_job"]

_JOB_VARIABLES = {"Slurm": "SLURM_JOB_ID", "PBS": "PBS_JOBID", "LSF": "LSB_JOBID"}
_RAY = ("RAY_JOB_ID", "RAY_RAYLET_PID")


def scheduler_job(environ: Mapping[str, str] | None = None) -> str | None:
    """Returns the job in which a scheduler has chosen GPUs by setting ``CUDA_VISIBLE_DEVICES``.

    The scheduler may share a GPU on purpose (Slurm's shards, Ray's fractions), so a card that
    someone outside the job uses is no reason to refuse. Within one job it is different: several
    runs started in a job of four GPUs must not meet on one, and respect each other's leases.

    Returns:
        Such as ``Slurm 4711``. Empty where the scheduler chooses for every process (Ray): then no
        lease binds. None outside a scheduler's job.
    """
    variables = os.environ if environ is None else environ
    if "CUDA_VISIBLE_DEVICES" not in variables:
        return None
    if any(name in variables for name in _RAY):
        return ""
    for scheduler, name in _JOB_VARIABLES.items():
        if variables.get(name):
            return f"{scheduler} {variables[name]}"
    return None


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
