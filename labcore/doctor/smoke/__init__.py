"""Whether every plugin really computes on the GPU of this machine. Imports no framework."""

from labcore.doctor.smoke.cases import Case, plan_cases
from labcore.doctor.smoke.execute import execute
from labcore.doctor.smoke.outcome import Outcome, SmokeReport
from labcore.doctor.smoke.probed import PROBED, try_probe

__all__ = [
    "PROBED",
    "Case",
    "Outcome",
    "SmokeReport",
    "execute",
    "plan_cases",
    "try_probe",
]
