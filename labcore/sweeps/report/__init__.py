"""The page of a sweep: ``report.html`` in its folder, one file that needs no network."""

from labcore.sweeps.report.build import REPORT_FILE, build
from labcore.sweeps.report.model import Parameter, SweepResults, TrialRow

__all__ = ["REPORT_FILE", "Parameter", "SweepResults", "TrialRow", "build"]
