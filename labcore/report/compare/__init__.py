"""Several runs beside one another: what differs, how each fared, and one page of it all."""

from labcore.report.compare.comparison import Comparison, Group, Spread, compare
from labcore.report.compare.page import build
from labcore.report.compare.reading import ComparedRun, read_runs
from labcore.report.compare.table import write_csv

__all__ = [
    "ComparedRun",
    "Comparison",
    "Group",
    "Spread",
    "build",
    "compare",
    "read_runs",
    "write_csv",
]
