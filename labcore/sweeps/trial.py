"""One trial of a sweep: what is asked for, a handle while it runs, and how it ended.

Whoever starts trials (the local agents, W&B's agent, Ray, Slurm) takes a :class:`TrialRequest` and
gives a :class:`RunningTrial`. A trial is a lab run like any other: its folder tells everything.
"""

import contextlib
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from labcore.errors import Diverged
from labcore.record.locks import is_held
from labcore.record.status import Status, read_status
from labcore.record.trial import SWEEP_VARIABLE, TRIAL_FOLDER_VARIABLE, TRIAL_VARIABLE

__all__ = [
    "Launcher",
    "RunningTrial",
    "Starter",
    "TrialRequest",
    "TrialResult",
    "read_result",
    "shows_life",
    "status_of",
    "thread_variables",
]


@dataclass(frozen=True, kw_only=True, slots=True)
class TrialRequest:
    """A trial, ready to be started."""

    sweep: str
    """Name or id of the sweep."""
    number: int
    """Number of the trial within the sweep, from 0."""
    overrides: tuple[str, ...]
    """What follows ``lab run``, ``plugin=NAME`` among it."""
    folder: Path | None = None
    """The run folder, when whoever asks wants to know it beforehand."""
    resume: bool = False
    """Go on in :attr:`folder` from its last checkpoint."""
    env: Mapping[str, str] = field(default_factory=dict)
    """Environment variables beside this process's own."""
    log: Path | None = None
    """Takes what the trial prints; nothing is kept when left out."""
    lock: Path | None = None
    """A file that is locked as long as the trial lives, however its starter fares."""

    @property
    def words(self) -> list[str]:
        """What is typed after ``lab``."""
        if self.resume:
            return ["resume", str(self.folder)]
        return ["run", *self.overrides]

    @property
    def command(self) -> list[str]:
        """The command of a process of its own."""
        return [sys.executable, "-m", "labcore", *self.words]

    def variables(self) -> dict[str, str]:
        """Returns the environment variables to add, those that name sweep and trial included."""
        named = {SWEEP_VARIABLE: self.sweep, TRIAL_VARIABLE: str(self.number)}
        if self.folder is not None and not self.resume:
            named[TRIAL_FOLDER_VARIABLE] = str(self.folder)
        return {**self.env, **named}

    def environment(self) -> dict[str, str]:
        """Returns all environment variables of the trial's process."""
        return {**os.environ, **self.variables()}


@dataclass(frozen=True, kw_only=True, slots=True)
class TrialResult:
    """How a trial ended."""

    state: str
    """As in the run's status (finished, failed, interrupted); ``lost`` when its process was killed,
    ``not started`` when there is no run folder."""
    exit_code: int | None = None
    """128 + signal when a signal ended it; None when nobody saw the end."""
    metrics: Mapping[str, float] = field(default_factory=dict)
    """Latest validation and test figures."""
    run: Path | None = None
    """The run folder."""
    error: str = ""
    """What went wrong, in one line."""
    diverged: bool = False
    """Whether it failed because its numbers were not finite."""


class RunningTrial(Protocol):
    """A trial under way."""

    @property
    def where(self) -> str:
        """On which machine it is, in a few words; nothing when it is this one."""

    def poll(self) -> bool:
        """Whether it has ended."""

    def stop(self) -> None:
        """Asks it to write a checkpoint and end."""

    def kill(self) -> None:
        """Ends it at once."""

    def result(self) -> TrialResult:
        """Says how it ended; only after :meth:`poll` was true."""


class Starter(Protocol):
    """Starts trials, here or elsewhere."""

    def start(self, request: TrialRequest) -> RunningTrial:
        """Starts a trial and returns at once."""

    def adopt(self, request: TrialRequest) -> RunningTrial:
        """Finds a trial that an earlier controller started, whatever has become of it."""

    def close(self) -> None:
        """Lets go of what it holds; trials under way go on."""


def thread_variables(threads: int) -> dict[str, str]:
    """Returns the variables that keep numerical libraries to so many threads, which do not spin."""
    names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    return {"OMP_WAIT_POLICY": "passive", **dict.fromkeys(names, str(threads))}


@dataclass(frozen=True, kw_only=True, slots=True)
class Launcher:
    """Where the trials of a sweep run, ready to take them."""

    starter: Starter
    agents: int
    """Trials at once."""
    warnings: tuple[str, ...] = ()


def status_of(folder: Path | None) -> Status | None:
    """Returns the status of a trial's run, once it has one that can be read."""
    try:
        return None if folder is None else read_status(folder)
    except (OSError, ValueError):
        return None


def shows_life(lock: Path | None, folder: Path | None) -> bool:
    """Whether a trial is alive: its lock is held, or its run says so, which may be elsewhere."""
    with contextlib.suppress(OSError):  # its disk may know no locks
        if lock is not None and is_held(lock):
            return True
    status = status_of(folder)
    return status is not None and status.observed_state() in {"queued", "running"}


def read_result(folder: Path | None, exit_code: int | None, log: Path | None = None) -> TrialResult:
    """Reads from a run folder how the run ended, now that its process is gone.

    Args:
        folder: The run folder, whether it is there or not.
        exit_code: Of the process, as far as known.
        log: What the trial printed; says why there is no folder.
    """
    status = status_of(folder)
    if status is None:
        return TrialResult(state="not started", exit_code=exit_code, error=_last_words(log))
    state = "lost" if status.state in {"queued", "running"} else status.state
    failure = status.error or {}
    return TrialResult(
        state=state,
        exit_code=status.exit_code if exit_code is None and state != "lost" else exit_code,
        metrics=status.metrics,
        run=folder,
        error=failure.get("message", "").partition("\n")[0],
        diverged=failure.get("kind") == Diverged.__name__,
    )


def _last_words(log: Path | None) -> str:
    """Returns the message of the error that a command printed, its problems included."""
    if log is None or not log.exists():
        return ""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    starts = [number for number, line in enumerate(lines) if line.startswith("error: ")]
    if not starts:
        return next((line for line in reversed(lines) if line.strip()), "")
    first = lines[starts[-1]].removeprefix("error: ")
    problems = [line.strip() for line in lines[starts[-1] + 1 :] if line.startswith("  - ")]
    return " ".join([first, *problems])
