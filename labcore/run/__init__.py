"""A run: its folder, its status, its life from composed config to report."""

from labcore.run.artifacts import Artifact
from labcore.run.progress import Progress
from labcore.run.run import Run
from labcore.run.source import SourceRun
from labcore.run.status import Status, read_status
from labcore.run.store import StoredRun, find_run, list_runs

__all__ = [
    "Artifact",
    "Progress",
    "Run",
    "SourceRun",
    "Status",
    "StoredRun",
    "find_run",
    "list_runs",
    "read_status",
]
