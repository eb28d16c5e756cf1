"""What a comparison wants to know of a run, from the files in its folder."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from labcore.config.options import flatten
from labcore.config.root import TrainingOptions, training_options
from labcore.record.store import StoredRun
from labcore.report.metrics import Metrics, read_metrics
from labcore.report.sources import read_config

__all__ = ["ComparedRun", "read_runs"]

_MEASURED = ("val", "test", "result")


@dataclass(frozen=True, kw_only=True, slots=True)
class ComparedRun:
    """A run that can be compared.

    Attributes:
        stored: Its folder and status.
        options: Dotted option to value, as the run was composed.
        training: What its loop monitored; None when it was no training.
        metrics: All that it recorded.
        figures: Newest value of each ``phase/name`` of validation, test and result.
    """

    stored: StoredRun
    options: Mapping[str, Any]
    training: TrainingOptions | None
    metrics: Metrics
    figures: Mapping[str, float]

    @property
    def id(self) -> str:
        """Plugin and folder name."""
        return self.stored.id

    @property
    def folder(self) -> Path:
        """The run folder."""
        return self.stored.folder

    @property
    def state(self) -> str:
        """How it stands."""
        return self.stored.status.observed_state()

    @property
    def seed(self) -> str:
        """Its seed, written out."""
        return str(self.options.get("seed", ""))


def read_runs(stored: Iterable[StoredRun], left_out: dict[Path, str]) -> list[ComparedRun]:
    """Reads runs; one that cannot be compared is left out.

    Args:
        stored: The runs, in the order in which they are compared.
        left_out: Gets the folders of those that are left out, and why.
    """
    found = []
    for run in stored:
        config = read_config(run.folder / "config.yaml")
        if not isinstance(config, Mapping):
            left_out[run.folder] = "its config.yaml is absent or damaged"
            continue
        metrics = read_metrics(run.folder / "metrics.jsonl")
        found.append(
            ComparedRun(
                stored=run,
                options=flatten(config),
                training=training_options(config),
                metrics=metrics,
                figures=_figures(run, metrics),
            )
        )
    return found


def _figures(run: StoredRun, metrics: Metrics) -> dict[str, float]:
    """Takes from the status what ``metrics.jsonl`` does not have: a file may be lost."""
    recorded = {series.full_name: series.last for series in metrics.of(*_MEASURED)}
    told = {name: value for name, value in run.status.metrics.items() if math.isfinite(value)}
    return {**recorded, **{name: told[name] for name in told if name not in recorded}}
