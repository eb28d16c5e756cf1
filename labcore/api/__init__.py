"""The lab from Python: start a run and wait for it, find earlier ones, read what they left."""

from labcore.api.finished import FinishedRun
from labcore.api.metrics import Metric, Metrics
from labcore.api.start import run, runs

__all__ = ["FinishedRun", "Metric", "Metrics", "run", "runs"]
