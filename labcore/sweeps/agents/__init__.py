"""Trials as processes of this machine, started by a warm worker where the platform allows."""

from labcore.sweeps.agents.local import LocalStarter
from labcore.sweeps.agents.process import TrialProcess

__all__ = ["LocalStarter", "TrialProcess"]
