"""Trials as processes of this machine, started by a warm worker where the platform allows."""

from labcore.sweeps.agents.local import LocalStarter

__all__ = ["LocalStarter"]
