"""The core of ``lab``: finds plugins, composes their configs, runs them, and keeps what they leave.

Importing it imports no framework.
"""

from labcore.errors import Interrupted, LabError, RequirementError, RunFailed, UsageError
from labcore.plugin import Dataset, Paper, Plugin, Requires, Task

__all__ = [
    "Dataset",
    "Interrupted",
    "LabError",
    "Paper",
    "Plugin",
    "RequirementError",
    "Requires",
    "RunFailed",
    "Task",
    "UsageError",
    "__version__",
]

__version__ = "0.1.0"
