"""Plans for what pip alone does not get right: which versions, which settings, in which order.

A plan is text for a person or a script; nothing here installs or builds.
"""

from labcore.doctor.plans.plan import Plan, Step, commands_of, shell_of, snippet
from labcore.doctor.plans.pytorch3d import plan_pytorch3d
from labcore.doctor.plans.target import Target, described, target_of

__all__ = [
    "Plan", "Step", "Target", "commands_of", "described", "plan_pytorch3d", "shell_of", "snippet",
    "target_of",
]  # fmt: skip
