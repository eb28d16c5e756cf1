"""Slurm: each trial is a job that submitit hands to ``sbatch``, or to a process in its place."""

import dataclasses
import getpass
import logging
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from labcore.devices import visible_gpus
from labcore.errors import LabError, RequirementError, RunFailed
from labcore.record.process import ProcessId
from labcore.sweeps.launchers.notes import Job, Order, Place
from labcore.sweeps.launchers.slurm_options import SlurmOptions
from labcore.sweeps.launchers.supervise import supervise

__all__ = ["LocalJobs", "SlurmCluster", "check_commands", "sbatch_text"]

_COMMANDS = ("sbatch", "squeue", "scancel", "srun")
_LOOK_S = 5.0
_PATIENCE_S = 60.0
_CLOSE_S = 5.0
log = logging.getLogger(__name__)


def check_commands() -> None:
    """Sees that this machine can talk to a Slurm cluster.

    Raises:
        RequirementError: It cannot.
    """
    missing = [name for name in _COMMANDS if shutil.which(name) is None]
    if missing:
        raise RequirementError(
            f"--launcher slurm needs Slurm's commands, and {', '.join(missing)} cannot be found",
            fix="start the sweep on a login node of the cluster; to try it out on this machine: "
            "--slurm executor=local",
        )


def sbatch_text(folder: Path, options: SlurmOptions, *, name: str, cpus: int, gpus: int) -> str:
    """Returns the file that ``sbatch`` would be given.

    Args:
        folder: Takes the files of all jobs.
        options: As typed.
        name: Of the job.
        cpus: Of the job.
        gpus: Of the job.
    """
    # Not by the executor, which has to find srun, so that a dry run writes the file anywhere.
    from submitit.slurm.slurm import _make_sbatch_string

    command = shlex.join([sys.executable, "-u", "-m", "submitit.core._submit", str(folder)])
    parameters = _parameters(options, cpus=cpus, gpus=gpus)
    text: str = _make_sbatch_string(command, folder, job_name=name, **parameters)
    return text


class SlurmCluster:
    """Runs trials as jobs.

    Whether a job is still there is asked of ``squeue``, for all jobs at once: unlike ``sacct`` it
    answers where no accounting is set up. How a trial ended is told by its place and its run.

    Args:
        folder: Takes the files of all jobs.
        options: As typed.
        cpus: Of a job.
        gpus: Of a job.
    """

    def __init__(self, folder: Path, options: SlurmOptions, *, cpus: int, gpus: int) -> None:
        self._folder = folder
        self._executor = self._make_executor(options, cpus=cpus, gpus=gpus)
        self._queue: Mapping[str, str] | None = None
        """Name of a job to its id; None when squeue does not answer."""
        self._looked = 0.0

    def _make_executor(self, options: SlurmOptions, *, cpus: int, gpus: int) -> Any:
        from submitit.slurm.slurm import SlurmExecutor

        executor = SlurmExecutor(self._folder)
        executor.update_parameters(**_parameters(options, cpus=cpus, gpus=gpus))
        return executor

    def submit(self, order: Order) -> Job:
        """Hands the trial to ``sbatch``."""
        from submitit.core.utils import FailedJobError

        self._executor.update_parameters(job_name=order.name)
        try:
            job = self._executor.submit(supervise, order)
        except (FailedJobError, OSError, subprocess.SubprocessError) as error:
            raise _refused(error) from error
        self._looked = 0.0  # the queue has changed
        return Job(name=order.name, id=str(job.job_id))

    def is_gone(self, job: Job) -> bool:
        """Whether the job has left the queue."""
        if time.monotonic() > self._looked + _LOOK_S or not self._looked:
            self._looked = time.monotonic()
            self._queue = read_queue()
        return self._queue is not None and job.name not in self._queue

    def end(self, job: Job, place: Place | None, *, at_once: bool) -> None:
        """Warns the job as Slurm does before its limit, or cancels it; as one that waits is."""
        number = self._id(job)
        words = ["--signal=USR2"] if place is not None and not at_once else []
        if number:
            with suppress(OSError, subprocess.SubprocessError):
                subprocess.run(
                    ["scancel", *words, number],
                    check=False,
                    timeout=_PATIENCE_S,
                    capture_output=True,
                )
        self._looked = 0.0

    def where(self, job: Job, place: Place | None) -> str:
        """Returns the job's number."""
        return f"job {self._id(job)}" + (" waits" if place is None else "")

    def advice(self, job: Job) -> str:
        """Says where to look when a trial never began."""
        return f"its job {self._id(job)} ended before the trial began; see {self._folder}"

    def close(self) -> None:
        """Does nothing: jobs live by themselves."""

    def _id(self, job: Job) -> str:
        return job.id or (self._queue or {}).get(job.name, "")


class LocalJobs(SlurmCluster):
    """Runs the jobs that Slurm would run, with their time limit and its warning, as processes.

    They are submitit's local executor's; the leases of this machine choose their GPUs.
    """

    def _make_executor(self, options: SlurmOptions, *, cpus: int, gpus: int) -> Any:
        from submitit.local.local import LocalExecutor

        executor = LocalExecutor(self._folder)
        executor.update_parameters(
            timeout_min=options.time,
            signal_delay_s=options.signal,
            gpus_per_node=len(visible_gpus()) if gpus else 0,
            stderr_to_stdout=True,
            setup=list(options.setup),
        )
        self._jobs: list[Any] = []
        """Handles of submitit, which have to see the ends of their processes."""
        self._visible = os.environ.get("CUDA_VISIBLE_DEVICES") if gpus else None
        return executor

    def submit(self, order: Order) -> Job:
        """Starts the job's process."""
        if self._visible is not None:  # submitit numbers the GPUs from 0
            env = {**order.request.env, "CUDA_VISIBLE_DEVICES": self._visible}
            order = dataclasses.replace(order, request=dataclasses.replace(order.request, env=env))
        # It begins without SIGINT: a Ctrl-C is the controller's to pass on.
        previous = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            job = self._executor.submit(supervise, order)
        finally:
            signal.signal(signal.SIGINT, previous)
        self._jobs = [each for each in self._jobs if not each.done()] + [job]
        return Job(name=order.name, id=str(job.job_id), owner=ProcessId.of(int(job.job_id)))

    def is_gone(self, job: Job) -> bool:
        """Whether the job's process is; or its starter was killed before it could tell of it."""
        return job.owner is None or not job.owner.is_alive(0.0)

    def end(self, job: Job, place: Place | None, *, at_once: bool) -> None:
        """Asks or kills the trial, whose job then ends; or kills a job that has none yet."""
        process = job.owner if place is None else place.owner
        if place is not None and not at_once:
            place.owner.send(signal.SIGTERM)
        elif process is not None:
            process.kill_tree()

    def close(self) -> None:
        """Waits for jobs whose trials have ended; others live by themselves."""
        deadline = time.monotonic() + _CLOSE_S
        while not all(job.done() for job in self._jobs) and time.monotonic() < deadline:
            time.sleep(0.05)


def read_queue() -> dict[str, str] | None:
    """Returns this user's jobs, name to id; None when the queue does not answer."""
    command = ["squeue", "--noheader", f"--user={getpass.getuser()}", "--format=%i %j"]
    try:
        answer = subprocess.run(
            command, check=True, timeout=_PATIENCE_S, capture_output=True, text=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        log.debug("squeue does not answer: %s", error)
        return None
    rows = [line.partition(" ") for line in answer.stdout.splitlines()]
    return {name.strip(): number for number, _, name in rows}


def _parameters(options: SlurmOptions, *, cpus: int, gpus: int) -> dict[str, Any]:
    texts = ("partition", "account", "qos", "gres", "mem", "constraint", "nodelist", "exclude")
    given = {name: getattr(options, name) for name in (*texts, "comment") if getattr(options, name)}
    if gpus and not options.gres:
        given["gpus_per_node"] = gpus
    if options.setup:
        given["setup"] = list(options.setup)
    # A job that Slurm puts back into the queue would begin the trial anew; the controller goes on
    # with it instead.
    further: dict[str, Any] = {"no-requeue": True}
    if options.reservation:
        further["reservation"] = options.reservation
    return {
        **given,
        "additional_parameters": further,
        "time": options.time,
        "cpus_per_task": cpus,
        "signal_delay_s": options.signal,
        # Since Slurm 22.05 srun does not take it over from sbatch.
        "srun_args": [f"--cpus-per-task={cpus}"],
        "wckey": None,  # submitit's own would be refused where keys are checked
        "stderr_to_stdout": True,
    }


def _refused(error: Exception) -> LabError:
    lines = [line for line in str(error).splitlines() if line.strip()]
    return RunFailed(
        "sbatch did not take the job:\n" + "\n".join(f"  - {line}" for line in lines[:5]),
        fix="correct --slurm KEY=VALUE; the page on sweeps lists the keys",
    )
