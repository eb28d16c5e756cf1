"""What a task sees: its run, progress, signals, and the earlier run that it works on."""

from labcore.run.progress import Progress
from labcore.run.run import Run
from labcore.run.source import SourceRun

__all__ = ["Progress", "Run", "SourceRun"]
