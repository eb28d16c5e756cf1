"""A toy sweep, and trials that are no processes, for agents that talk to the stub."""

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from labcore.record.status import Status, write_status
from labcore.sweeps.distributions import IntUniform
from labcore.sweeps.sweep import Metric, Sweep
from labcore.sweeps.trial import TrialRequest, TrialResult

__all__ = ["FakeTrial", "FakeTrials", "toy_sweep", "write_run"]


def toy_sweep(**changes: Any) -> Sweep:
    """A random sweep over ``amount`` of plugin ``toy``."""
    raw = {
        "method": "random",
        "metric": {"name": "val/loss", "goal": "minimize"},
        "parameters": {"amount": {"min": 1, "max": 9}},
    }
    fields: dict[str, Any] = {
        "name": "toy",
        "method": "random",
        "metric": Metric(name="val/loss"),
        "parameters": {"amount": IntUniform(min=1, max=9)},
        "plugin": "toy",
        "source": Path("toy.json"),
        "raw": raw,
    }
    return Sweep(**{**fields, **changes})


@dataclass
class FakeTrial:
    """A trial that lasts some looks, then ends as told."""

    request: TrialRequest
    looks: int = 2
    ending: TrialResult = field(default_factory=lambda: TrialResult(state="finished", exit_code=0))
    is_deaf: bool = False
    """Whether it goes on when asked to stop."""
    signals: int = 0
    kills: int = 0

    def poll(self) -> bool:
        self.looks -= 1
        return self.looks <= 0

    def stop(self) -> None:
        self.signals += 1
        if not self.is_deaf:
            self.ending = TrialResult(state="interrupted", exit_code=143)
            self.looks = 0

    def kill(self) -> None:
        self.kills += 1
        self.ending = TrialResult(state="lost", exit_code=137)
        self.looks = 0

    def result(self) -> TrialResult:
        return self.ending


class FakeTrials:
    """Starts fake trials and keeps them.

    Args:
        make: Makes the trial of a request; one that finishes when left out.
    """

    def __init__(self, make: Callable[[TrialRequest], FakeTrial] = FakeTrial) -> None:
        self._make = make
        self._lock = threading.Lock()
        self.all: list[FakeTrial] = []

    def start(self, request: TrialRequest) -> FakeTrial:
        trial = self._make(request)
        with self._lock:
            self.all.append(trial)
        return trial

    def wait_for(self, count: int, timeout_s: float = 10.0) -> FakeTrial:
        """Returns the trial that was started as the ``count``-th."""
        until = time.monotonic() + timeout_s
        while len(self.all) < count:
            assert time.monotonic() < until, f"only {len(self.all)} trials have been started"
            time.sleep(0.01)
        return self.all[count - 1]


def write_run(folder: Path, state: str, **more: Any) -> None:
    """Writes the ``status.json`` of a run whose process is gone."""
    gone = {"host": "another-machine", "pid": 1, "started": 0.0}
    folder.mkdir(parents=True, exist_ok=True)
    fields = {"run": f"toy/{folder.name}", "plugin": "toy", "task": "work", "preset": ""}
    write_status(folder, Status(**fields, state=state, heartbeat=0.0, owner=gone, **more))
    # A file that was written just now would be a sign of life.
    os.utime(folder / "status.json", (0, 0))
