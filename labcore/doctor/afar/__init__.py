"""Diagnosis from afar: what a text pasted from another machine tells, and what is wrong there."""

from labcore.doctor.afar.conclusion import AllClear, Conclusion, conclude
from labcore.doctor.afar.errors import UNKNOWN_ERROR, known_in
from labcore.doctor.afar.known import KnownError, known_errors
from labcore.doctor.afar.report import FarReport, describe, diagnose_report, read

__all__ = [
    "UNKNOWN_ERROR",
    "AllClear",
    "Conclusion",
    "FarReport",
    "KnownError",
    "conclude",
    "describe",
    "diagnose_report",
    "known_errors",
    "known_in",
    "read",
]
