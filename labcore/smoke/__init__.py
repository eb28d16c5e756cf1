"""Whether every plugin really computes on the GPU of this machine. Imports no framework."""

from labcore.smoke.cases import Case, plan_cases
from labcore.smoke.execute import execute
from labcore.smoke.outcome import Outcome, SmokeReport
from labcore.smoke.probed import PROBED, try_probe

__all__ = [
    "PROBED",
    "Case",
    "Outcome",
    "SmokeReport",
    "execute",
    "plan_cases",
    "try_probe",
]
