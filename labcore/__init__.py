"""The core of ``lab``: finds plugins, composes their configs, runs them, and keeps what they leave.

Importing it imports no framework. From Python, ``labcore.run("musicvae", preset="smoke")`` does
what ``lab run`` does, and ``labcore.runs()`` finds what was run before.
"""

import importlib
from typing import Any

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
_LATE = ("run", "runs")
"""Not in ``__all__``: a plugin that takes all names must not wait for them."""


def __getattr__(name: str) -> Any:
    if name == "run":  # the package, which can be called
        return importlib.import_module("labcore.run")
    if name == "runs":
        return importlib.import_module("labcore.api").runs
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*globals(), *_LATE]
