"""The doctor: says what is wrong with a machine and how to mend it. Imports no framework."""

from labcore.doctor.check import AREAS, Area, Check, diagnose
from labcore.doctor.finding import STATES, Finding, State, counted
from labcore.doctor.machine import Machine

__all__ = ["AREAS", "STATES", "Area", "Check", "Finding", "Machine", "State", "counted", "diagnose"]
