"""From a record to the trial to start, and from a run folder to what came of it."""

import json
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from labcore.run.status import Status, read_status
from labcore.sweeps.folder import Settings, SweepFolder
from labcore.sweeps.local.metric_log import MetricLog, split_name
from labcore.sweeps.local.record import Record
from labcore.sweeps.local.verdict import Verdict
from labcore.sweeps.overrides import as_overrides
from labcore.sweeps.sweep import Metric
from labcore.sweeps.trial import RunningTrial, TrialRequest, TrialResult

__all__ = ["LiveTrial", "Requests", "best_of", "device_of", "final_value", "read_status_of"]


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
    logged: float = field(default=0.0)
    """When its logs were last written to the study."""

    @property
    def is_stopping(self) -> bool:
        """Whether it has been asked to end."""
        return self.killed_at < math.inf

    def stop(self, grace_s: float) -> None:
        """Asks it to write a checkpoint and end; patience with it ends after so many seconds."""
        self.killed_at = time.monotonic() + grace_s
        self.handle.stop()


class Requests:
    """Makes the requests of a sweep's trials.

    Args:
        folder: The sweep's.
        settings: Of the sweep.
        overrides: What every trial sets, ``plugin=`` among it.
        threads: CPU threads of each.
        num_gpus: GPUs of each.
    """

    def __init__(
        self,
        folder: SweepFolder,
        settings: Settings,
        overrides: Sequence[str],
        *,
        threads: int = 0,
        num_gpus: int = 0,
    ) -> None:
        self._folder = folder
        self._settings = settings
        self._overrides = tuple(overrides)
        self._threads = threads
        self._num_gpus = num_gpus

    def run_folder(self, number: int, attempt: int) -> tuple[Path, int]:
        """Returns a run folder that is not there yet, and which attempt it is.

        Args:
            number: Of the trial.
            attempt: The first that may be; a trial that is begun anew gets another folder, and so
                does one whose name a sweep of the same name has taken.
        """
        runs = Path(self._settings.runs_dir).absolute() / self._settings.plugin
        while True:
            again = f"-{attempt + 1}" if attempt else ""
            folder = runs / f"{self._folder.name}-{number:04}{again}"
            if not folder.exists():
                return folder, attempt
            attempt += 1

    def overrides(self, record: Record) -> tuple[str, ...]:
        """Returns what follows ``lab run``."""
        return (*self._overrides, *as_overrides(record.values))

    def make(self, record: Record, *, resume: bool = False) -> TrialRequest:
        """Returns the request of a trial."""
        return TrialRequest(
            sweep=self._folder.name,
            number=record.number,
            overrides=self.overrides(record),
            folder=record.folder,
            resume=resume,
            log=self._folder.trial_file(record.number, "log").absolute(),
            lock=self._folder.trial_file(record.number, "lock").absolute(),
            threads=self._threads,
            num_gpus=self._num_gpus,
        )


def read_status_of(record: Record) -> Status | None:
    """Returns the status of a trial's run, once it has one."""
    try:
        return read_status(record.folder)
    except (OSError, ValueError):
        return None


def device_of(record: Record) -> str:
    """Returns in a few words where a trial computes, once its run has written it down."""
    try:
        row = json.loads((record.folder / "environment.json").read_text(encoding="utf-8"))
        device = row["device"]
        return "CPU" if device["kind"] == "cpu" else f"GPU {device['index']}"
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def best_of(metric: Metric | None, history: Sequence[float]) -> float | None:
    """Returns the best finite value of a history."""
    values = [value for value in history if math.isfinite(value)]
    if metric is None or not values:
        return None
    return min(values) if metric.goal == "minimize" else max(values)


def final_value(metric: Metric, result: TrialResult) -> float | None:
    """Returns the metric of a run that never logged it on its way, from its last figures."""
    phase, name = split_name(metric.name)
    for key in (f"{phase}/{name}", f"test/{name}", metric.name):
        if key in result.metrics:
            return float(result.metrics[key])
    return None
