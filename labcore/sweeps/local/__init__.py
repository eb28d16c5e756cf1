"""The local engine: a sweep with no server.

Optuna keeps the study and suggests values; the controller starts trials, stops those without hope,
and can be killed and resumed at any moment.
"""

from labcore.sweeps.local.controller import Controller, Ended
from labcore.sweeps.local.engine import conduct, open_study, write_up
from labcore.sweeps.local.record import Record
from labcore.sweeps.local.standing import best_record
from labcore.sweeps.local.store import open_store

__all__ = [
    "Controller",
    "Ended",
    "Record",
    "best_record",
    "conduct",
    "open_store",
    "open_study",
    "write_up",
]
