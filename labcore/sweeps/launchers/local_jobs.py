"""submitit's local executor in place of Slurm: jobs as processes of this machine, to try it out."""

import dataclasses
import os
import signal
import time
from pathlib import Path
from typing import Any

from labcore.devices import visible_gpus
from labcore.record.process import ProcessId
from labcore.sweeps.launchers.notes import Job, Order, Place
from labcore.sweeps.launchers.slurm_options import SlurmOptions
from labcore.sweeps.launchers.supervise import supervise

__all__ = ["LocalJobs"]

_CLOSE_S = 5.0


class LocalJobs:
    """Runs the jobs that Slurm would run, with their time limit and its warning, as processes.

    Args:
        folder: Takes the files of all jobs.
        options: As typed.
        gpus: Of a job; the leases of this machine choose which.
    """

    def __init__(self, folder: Path, options: SlurmOptions, *, gpus: int) -> None:
        from submitit.local.local import LocalExecutor

        self._folder = folder
        self._executor = LocalExecutor(folder)
        self._executor.update_parameters(
            timeout_min=options.time,
            signal_delay_s=options.signal,
            gpus_per_node=len(visible_gpus()) if gpus else 0,
            stderr_to_stdout=True,
            setup=list(options.setup),
        )
        self._jobs: list[Any] = []
        """Handles of submitit, which have to see the ends of their processes."""
        self._visible = os.environ.get("CUDA_VISIBLE_DEVICES") if gpus else None

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

    def where(self, job: Job, place: Place | None) -> str:
        """Returns the job's number, which is that of its process."""
        return f"job {job.id}"

    def advice(self, job: Job) -> str:
        """Says where to look when a trial never began."""
        return f"its job {job.id} ended before the trial began; see {self._folder}"

    def close(self) -> None:
        """Waits for jobs whose trials have ended; others live by themselves."""
        deadline = time.monotonic() + _CLOSE_S
        while not all(job.done() for job in self._jobs) and time.monotonic() < deadline:
            time.sleep(0.05)
