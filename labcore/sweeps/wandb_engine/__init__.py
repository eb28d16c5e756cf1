"""Sweeps that W&B's server leads: it chooses the values and ends trials; the trials are lab runs.

Importing this package imports neither wandb nor a framework.
"""

from labcore.sweeps.wandb_engine.address import SweepAddress
from labcore.sweeps.wandb_engine.agent import AgentPace, run_agent
from labcore.sweeps.wandb_engine.conduct import Conducted, conduct
from labcore.sweeps.wandb_engine.connection import NotThere, Unreachable
from labcore.sweeps.wandb_engine.create import create_sweep
from labcore.sweeps.wandb_engine.events import AgentEvent, AgentSummary
from labcore.sweeps.wandb_engine.server import WandbServer, is_logged_in
from labcore.sweeps.wandb_engine.trial_requests import RequestMaker

__all__ = [
    "AgentEvent",
    "AgentPace",
    "AgentSummary",
    "Conducted",
    "NotThere",
    "RequestMaker",
    "SweepAddress",
    "Unreachable",
    "WandbServer",
    "conduct",
    "create_sweep",
    "is_logged_in",
    "run_agent",
]
