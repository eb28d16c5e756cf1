"""A trial under way: its record, its handle, its logs, and whether it is to end."""

import json
import math
import time
from dataclasses import dataclass

from labcore.sweeps.local.metric_log import MetricLog
from labcore.sweeps.local.record import Record
from labcore.sweeps.local.verdict import Verdict
from labcore.sweeps.trial import RunningTrial

__all__ = ["LiveTrial", "device_of"]


@dataclass(kw_only=True, slots=True)
class LiveTrial:
    """A trial under way, and all that is known of it here."""

    record: Record
    handle: RunningTrial
    log: MetricLog | None
    adopted: bool = False
    """Found running, or dead, when this controller took up the sweep."""
    verdict: Verdict | None = None
    killed_at: float = math.inf
    """When patience with it ends."""
    device: str = ""
    logged: float = 0.0
    """When its logs were last written to the study."""

    @property
    def is_stopping(self) -> bool:
        """Whether it has been asked to end."""
        return self.killed_at < math.inf

    def stop(self, grace_s: float) -> None:
        """Asks it to write a checkpoint and end; patience with it ends after so many seconds."""
        self.killed_at = time.monotonic() + grace_s
        self.handle.stop()


def device_of(record: Record) -> str:
    """Returns in a few words where a trial computes, once its run has written it down."""
    try:
        row = json.loads((record.folder / "environment.json").read_text(encoding="utf-8"))
        device = row["device"]
        return "CPU" if device["kind"] == "cpu" else f"GPU {device['index']}"
    except (OSError, ValueError, KeyError, TypeError):
        return ""
