"""``status.json``: where a run stands, and the heartbeat that shows it is alive."""

import dataclasses
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from labcore.record.process import ProcessId, last_heard
from labcore.record.records import read_record, write_json

__all__ = ["Heartbeat", "Status", "read_status", "write_status"]

_FILE = "status.json"


@dataclass(kw_only=True, slots=True)
class Status:
    """What ``lab runs`` shows of a run. Times are seconds since the epoch."""

    run: str
    plugin: str
    task: str
    preset: str
    state: str = "queued"
    """queued, running, finished, failed or interrupted; and see :meth:`observed_state`."""
    created: float = field(default_factory=time.time)
    started: float | None = None
    ended: float | None = None
    heartbeat: float = field(default_factory=time.time)
    owner: dict[str, Any] = field(default_factory=lambda: ProcessId.current().to_row())
    """The process; see :class:`labcore.record.process.ProcessId`."""
    step: int | None = None
    total_steps: int | None = None
    metrics: dict[str, float] = field(default_factory=dict)
    """Latest validation or test figures."""
    message: str = ""
    error: dict[str, str] | None = None
    """``message``, ``fix``, ``kind`` (a class of :mod:`labcore.errors`) and ``traceback`` (a file
    name) of a failure."""
    exit_code: int | None = None
    resumes: int = 0
    sweep: str = ""
    """Name of the sweep that it is a trial of; empty when it is none."""
    trial: int | None = None
    """Its number in the sweep."""

    def observed_state(self) -> str:
        """Returns the state, or ``lost`` when the process of an unfinished run is gone."""
        if self.state in {"queued", "running"}:
            process = ProcessId.from_row(self.owner)
            if process is None or not process.is_alive(time.time() - self.heartbeat):
                return "lost"
        return self.state


def write_status(folder: Path, status: Status) -> None:
    """Writes ``status.json`` of a run folder in one step."""
    write_json(folder / _FILE, dataclasses.asdict(status))


def read_status(folder: Path) -> Status:
    """Reads ``status.json`` of a run folder.

    Raises:
        OSError: The folder is no run folder, or it cannot be read.
        ValueError: The file is damaged.
    """
    status = read_record(Status, folder / _FILE)
    if status.state in {"queued", "running"}:
        process = ProcessId.from_row(status.owner)
        status.heartbeat = last_heard(process, status.heartbeat, folder / _FILE)
    return status


class Heartbeat:
    """Writes the status every few seconds from a thread of its own.

    Args:
        write: Writes the current status with a fresh heartbeat; a failure is ignored, since a
            full disk must not kill a run that could still finish.
        period_s: Seconds between two beats.
    """

    def __init__(self, write: Callable[[], None], period_s: float = 5.0) -> None:
        self._write = write
        self._period_s = period_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="lab-heartbeat", daemon=True)

    def start(self) -> None:
        """Starts beating."""
        self._thread.start()

    def stop(self) -> None:
        """Stops beating and waits for the last beat to be written."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def _beat(self) -> None:
        while not self._stop.wait(self._period_s):
            try:
                self._write()
            except (OSError, RuntimeError):  # or the metrics changed while they were written
                continue
