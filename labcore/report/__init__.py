"""The page that a run leaves behind: ``report.html``, one file that needs no network."""

from labcore.report.build import REPORT_FILE, build

__all__ = ["REPORT_FILE", "build"]
