"""A toy sweep, and what its trials leave behind."""

import os
from pathlib import Path
from typing import Any

from labcore.record.status import Status, write_status
from labcore.sweeps.distributions import IntUniform
from labcore.sweeps.sweep import Metric, Sweep

__all__ = ["toy_sweep", "write_run"]


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
        "raw": raw,
    }
    return Sweep(**{**fields, **changes})


def write_run(folder: Path, state: str, **more: Any) -> None:
    """Writes the ``status.json`` of a run whose process is gone."""
    gone = {"host": "another-machine", "pid": 1, "started": 0.0}
    folder.mkdir(parents=True, exist_ok=True)
    fields = {"run": f"toy/{folder.name}", "plugin": "toy", "task": "work", "preset": ""}
    write_status(folder, Status(**fields, state=state, heartbeat=0.0, owner=gone, **more))
    # A file that was written just now would be a sign of life.
    os.utime(folder / "status.json", (0, 0))
