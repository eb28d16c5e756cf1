"""Sweeps that W&B's server leads: its own agents run the trials, which are lab runs.

Importing this package imports neither wandb nor a framework.
"""

from labcore.sweeps.wandb_engine.conduct import Conducted, conduct
from labcore.sweeps.wandb_engine.create import SweepAddress, create_sweep
from labcore.sweeps.wandb_engine.trial import words_of_trial

__all__ = ["Conducted", "SweepAddress", "conduct", "create_sweep", "words_of_trial"]
