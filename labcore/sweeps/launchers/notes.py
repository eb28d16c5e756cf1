"""What the controller and the machine of a trial write down for each other, in two small files.

The controller writes ``0007.job`` before it hands the trial over: under which name. Whoever runs
the trial writes ``0007.place``: where, and in the end with which exit code. A job that finds
another name in the first file has been replaced and must not start.
"""

import dataclasses
import json
import os
from collections.abc import Mapping
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
    owner: Mapping[str, Any] | None = None
    """The process behind it, when the scheduler is a process of this machine."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where a job runs its trial, or has run it."""

    name: str
    """Of the job."""
    owner: Mapping[str, Any]
    """The trial's process; see :class:`labcore.record.process.ProcessId`."""
    exit_code: int | None = None
    """None as long as it runs."""

    @property
    def host(self) -> str:
        """Name of the machine, without its domain."""
        return self.process.host.partition(".")[0]

    @property
    def process(self) -> ProcessId:
        """The trial's process."""
        process = ProcessId.from_row(self.owner)
        assert process is not None, "Notes gives no other"
        return process


@dataclass(frozen=True, slots=True)
class Notes:
    """The two files of a trial.

    Args:
        lock: The trial's lock, beside which they lie.
    """

    lock: Path

    @property
    def job_file(self) -> Path:
        """What the controller writes."""
        return self.lock.with_suffix(".job")

    @property
    def place_file(self) -> Path:
        """What the machine of the trial writes."""
        return self.lock.with_suffix(".place")

    def write_job(self, job: Job) -> None:
        """Writes down how the trial was handed over."""
        self.lock.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(self.job_file, json.dumps(dataclasses.asdict(job)) + "\n")

    def read_job(self) -> Job | None:
        """Returns how it was handed over; None when it never was."""
        row = _read(self.job_file)
        return None if row is None else Job(**row)

    def write_place(self, place: Place) -> None:
        """Writes down where the trial is."""
        write_atomically(self.place_file, json.dumps(dataclasses.asdict(place)) + "\n")

    def read_place(self, name: str) -> Place | None:
        """Returns where the trial is.

        Args:
            name: Of the job; what an earlier one has left does not count.
        """
        row = _read(self.place_file)
        if row is None or row["name"] != name or ProcessId.from_row(row["owner"]) is None:
            return None
        return Place(**row)


@dataclass(frozen=True, kw_only=True, slots=True)
class Order:
    """A trial on its way to another machine."""

    name: str
    """Of the job."""
    request: TrialRequest
    folder: str
    """The working folder, on a disk that both machines see."""

    @classmethod
    def make(cls, name: str, request: TrialRequest) -> "Order":
        """Returns the order of a trial that is to run in this process's working folder."""
        return cls(name=name, request=request, folder=os.getcwd())  # noqa: PTH109  # text is sent

    @property
    def notes(self) -> Notes:
        """The trial's files."""
        assert self.request.lock is not None, "the controller gives every trial a lock"
        return Notes(self.request.lock)

    def to_json(self) -> dict[str, Any]:
        """Returns plain values that :meth:`from_json` reads."""
        return {"name": self.name, "request": self.request.to_json(), "folder": self.folder}

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> "Order":
        """Reads what :meth:`to_json` wrote."""
        return cls(**{**row, "request": TrialRequest.from_json(row["request"])})


def _read(path: Path) -> dict[str, Any] | None:
    try:
        row: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return row
    except (OSError, ValueError):
        return None
