"""From ``--launcher`` and its options to where the trials of a sweep run."""

import importlib.util
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from labcore.config.root import peek_request
from labcore.devices import available_cores, visible_gpus
from labcore.discovery import install_command
from labcore.errors import RequirementError, UsageError
from labcore.sweeps.agents import LocalStarter
from labcore.sweeps.folder import Settings, SweepFolder
from labcore.sweeps.launchers.ray_cluster import Node, RayCluster, check_reachable
from labcore.sweeps.launchers.remote import RemoteStarter
from labcore.sweeps.launchers.slurm_cluster import (
    LocalJobs,
    SlurmCluster,
    check_commands,
    sbatch_text,
)
from labcore.sweeps.launchers.slurm_options import SlurmOptions
from labcore.sweeps.prepare import Prepared, agents_here, threads_of_each
from labcore.sweeps.trial import Launcher

__all__ = ["agents_of", "check_launcher", "connect", "first_job"]

_PACKAGES = {"ray": "ray", "slurm": "submitit"}
_ADDRESS = re.compile(r"auto|[\w.\-]+:\d+")
_JOBS = 4
"""Jobs of Slurm at once when nobody says how many."""
_CPUS = 4
"""CPUs of a job when nobody says how many."""


def check_launcher(settings: Settings, prepared: Prepared, *, starting: bool = True) -> None:
    """Checks what can be known before anything is started or asked.

    Args:
        settings: Of the sweep.
        prepared: The sweep, checked.
        starting: Whether trials are to be started; a dry run needs no Slurm.

    Raises:
        UsageError: The options are wrong, or do not go together.
        RequirementError: A package, or Slurm, is not here.
    """
    name, address = settings.launcher, settings.ray_address
    is_elsewhere = name != "local"
    device = peek_request(prepared.sweep.overrides)
    hint = "; start the sweep on a machine of the cluster, with auto"
    refusals = (
        (
            settings.engine == "wandb" and is_elsewhere,
            f"--launcher {name} is for sweeps that this machine leads; W&B's agents start their "
            "trials themselves",
            "add --engine local, or start an agent on each machine",
        ),
        (address and name != "ray", "--ray-address is for --launcher ray", "add --launcher ray"),
        (
            settings.slurm and name != "slurm",
            "--slurm is for --launcher slurm",
            "add --launcher slurm",
        ),
        (
            address and not _ADDRESS.fullmatch(address),
            f"--ray-address {address} is no address",
            f"write it as auto or HOST:PORT{hint if address.startswith('ray://') else ''}",
        ),
        (
            is_elsewhere and device.names_one,
            f"{device.text} names one GPU of one machine, and --launcher {name} chooses the "
            "machine",
            "use device=cuda, or device=auto",
        ),
    )
    for is_wrong, message, fix in refusals:
        if is_wrong:
            raise UsageError(message, fix=fix)
    options = SlurmOptions.read(settings.slurm)
    if is_elsewhere and sys.platform == "win32":
        raise RequirementError(
            f"--launcher {name} works on Linux and macOS", fix="leave it out: --agents N"
        )
    if is_elsewhere and importlib.util.find_spec(_PACKAGES[name]) is None:
        raise RequirementError(
            f"--launcher {name} needs the package {_PACKAGES[name]}", fix=install_command(name)
        )
    if address:
        check_reachable(address)
    if starting and name == "slurm" and options.executor == "slurm":
        check_commands()


def connect(folder: SweepFolder, prepared: Prepared, settings: Settings) -> Launcher:
    """Makes ready what starts the trials of a sweep.

    Args:
        folder: The sweep's.
        prepared: The sweep, checked.
        settings: Of the sweep, checked; 0 agents leave their number to the cluster.

    Raises:
        RequirementError: The cluster is not to be had.
    """
    if settings.launcher == "ray":
        return _on_ray(folder, prepared, settings)
    requires = prepared.plugin.requires
    if settings.launcher == "local":
        here = LocalStarter(
            plugin=prepared.plugin.name,
            overrides=prepared.overrides_in(folder, settings),
            framework=requires.framework,
            threads=threads_of_each(prepared, settings.agents),
            log=folder.path / "worker.log",
            env=requires.env,
        )
        return Launcher(starter=here, agents=settings.agents)
    options, cpus, gpus = _job_of(prepared, settings)
    kind = LocalJobs if options.executor == "local" else SlurmCluster
    cluster = kind((folder.path / "jobs").absolute(), options, cpus=cpus, gpus=gpus)
    starter = RemoteStarter(cluster, threads=cpus, env=requires.env)
    return Launcher(starter=starter, agents=settings.agents or _JOBS)


def agents_of(prepared: Prepared, settings: Settings) -> int:
    """Returns how many trials run at once when nobody says, or 0 when the cluster has to."""
    if settings.launcher == "slurm":
        return _JOBS
    if settings.launcher == "ray" and settings.ray_address:
        return 0
    return agents_here(prepared)


def first_job(name: str, sweeps_dir: Path, prepared: Prepared, settings: Settings) -> str:
    """Returns the file that ``sbatch`` would be given for the first trial; nothing without Slurm.

    Args:
        name: Of the sweep, as typed.
        sweeps_dir: Folder of all sweeps.
        prepared: The sweep, checked.
        settings: Of the sweep, checked.
    """
    if settings.launcher != "slurm":
        return ""
    options, cpus, gpus = _job_of(prepared, settings)
    sweep = name or Path(settings.file).stem
    folder = (sweeps_dir / sweep / "jobs").absolute()
    return sbatch_text(folder, options, name=f"{sweep}-0000", cpus=cpus, gpus=gpus)


def _job_of(prepared: Prepared, settings: Settings) -> tuple[SlurmOptions, int, int]:
    """Returns the options of a job, its CPUs and its GPUs."""
    options = SlurmOptions.read(settings.slurm)
    threads: int = prepared.base.config.threads
    gpus = options.gpus
    if gpus is None:
        gpus = 1 if options.gres else gpus_of(prepared)
    return options, options.cpus or threads or _CPUS, gpus


def gpus_of(prepared: Prepared) -> int:
    """Returns how many GPUs a trial takes where there are some."""
    kind = peek_request(prepared.sweep.overrides).kind
    if kind == "cpu":
        return 0
    return max(prepared.num_gpus, 1) if kind == "cuda" else prepared.num_gpus


def _on_ray(folder: SweepFolder, prepared: Prepared, settings: Settings) -> Launcher:
    here = len(visible_gpus())
    agents = settings.agents or agents_here(prepared)
    cores = max(available_cores(), agents * threads_of_each(prepared, agents))
    cluster = RayCluster(
        address=settings.ray_address, num_cpus=cores, num_gpus=here, log=folder.path / "ray.log"
    )
    gpus = gpus_of(prepared)
    if peek_request(prepared.sweep.overrides).kind == "auto" and prepared.plugin.requires.cpu:
        gpus = gpus if any(node.gpus for node in cluster.nodes) else 0
    agents, threads = share(cluster.nodes, gpus, settings.agents)
    threads = prepared.base.config.threads or threads
    cluster.trial_cpus, cluster.trial_gpus = threads, gpus
    warnings: tuple[str, ...] = ()
    if not any(node.gpus >= gpus and node.cpus >= threads for node in cluster.nodes):
        need = f"{gpus} GPUs and {threads} CPUs" if gpus else f"{threads} CPUs"
        warnings = (f"no machine of the Ray cluster has {need} now; trials wait for one",)
    starter = RemoteStarter(cluster, threads=threads, env=prepared.plugin.requires.env)
    return Launcher(starter=starter, agents=agents, warnings=warnings)


def share(nodes: Sequence[Node], gpus: int, agents: int) -> tuple[int, int]:
    """Returns how many trials a cluster runs at once, and the CPUs of each.

    Args:
        nodes: Its machines.
        gpus: Of each trial.
        agents: As wished for; 0 takes one for each GPU, or one for each machine with none.
    """
    able = [node for node in nodes if node.cpus and node.gpus >= gpus]
    if not able:
        return max(agents, 1), 1
    slots = [node.gpus // gpus if gpus else 1 for node in able]
    agents = agents or sum(slots)
    if not gpus:
        slots = [-(-agents // len(able))] * len(able)
    threads = min(node.cpus // slot for node, slot in zip(able, slots, strict=True))
    return agents, max(1, threads)
