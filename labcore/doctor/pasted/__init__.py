"""Diagnosis from afar: what a text pasted from another machine tells, and what is wrong there."""

from labcore.doctor.pasted.conclusion import AllClear, conclude
from labcore.doctor.pasted.errors import UNKNOWN_ERROR, known_in
from labcore.doctor.pasted.known import known_errors
from labcore.doctor.pasted.report import describe, diagnose_report, explain_raised, read

__all__ = [
    "UNKNOWN_ERROR",
    "AllClear",
    "conclude",
    "describe",
    "diagnose_report",
    "explain_raised",
    "known_errors",
    "known_in",
    "read",
]
