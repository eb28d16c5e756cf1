"""What the controller and the machine of a trial write down for each other, in two small files.

The controller writes ``0007.job`` before it hands the trial over: under which name. Whoever runs
the trial writes ``0007.place``: where, and in the end with which exit code. A job that finds
another name in the first file has been replaced and must not start.
"""

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from labcore.record.files import write_atomically
from labcore.record.process import ProcessId
from labcore.sweeps.trial import TrialRequest

__all__ = ["Job", "Notes", "Order", "Place"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """A trial as it was handed over."""

    name: str
    """Unlike that of any other job."""
    id: str = ""
    """What the scheduler calls it; empty until it has answered."""
    owner: ProcessId | None = None
    """The process behind it, when the scheduler is a process of this machine."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where a job runs its trial, or has run it."""

    name: str
    """Of the job."""
    owner: ProcessId
    """The trial's process."""
    exit_code: int | None = None
    """None as long as it runs."""

    @property
    def host(self) -> str:
        """Name of the machine, without its domain."""
        return self.owner.host.partition(".")[0]


@dataclass(frozen=True, kw_only=True, slots=True)
class Order:
    """A trial on its way to another machine."""

    name: str
    """Of the job."""
    request: TrialRequest
    folder: str
    """The working folder, on a disk that both machines see."""

    @property
    def notes(self) -> "Notes":
        """The trial's files."""
        assert self.request.lock is not None, "the controller gives every trial a lock"
        return Notes(self.request.lock)


@dataclass(frozen=True, slots=True)
class Notes:
    """The two files of a trial.

    Args:
        lock: The trial's lock, beside which they lie.
    """

    lock: Path

    def write(self, note: Job | Place) -> None:
        """Writes down how the trial was handed over, or where it is."""
        self.lock.parent.mkdir(parents=True, exist_ok=True)
        suffix = ".job" if isinstance(note, Job) else ".place"
        text = json.dumps(dataclasses.asdict(note))
        write_atomically(self.lock.with_suffix(suffix), text + "\n")

    def read_job(self) -> Job | None:
        """Returns how it was handed over; None when it never was."""
        row = self._read(".job")
        return None if row is None else Job(**row)

    def read_place(self, name: str) -> Place | None:
        """Returns where the trial is.

        Args:
            name: Of the job; what an earlier one has left does not count.
        """
        row = self._read(".place")
        is_right = row is not None and row["name"] == name and row["owner"] is not None
        return Place(**row) if row is not None and is_right else None

    def _read(self, suffix: str) -> dict[str, Any] | None:
        try:
            row = json.loads(self.lock.with_suffix(suffix).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return {**row, "owner": ProcessId.from_row(row["owner"])}
