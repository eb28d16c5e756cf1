"""What a task sees: its run, progress, signals, and the earlier run that it works on.

The package can be called: ``labcore.run("musicvae", preset="smoke")`` starts a run and waits for
it. Importing any of its modules makes ``labcore`` hold the package under this name, so a function
of the name would be gone as soon as somebody says ``from labcore.run import Run``.
"""

import sys
from types import ModuleType
from typing import Any

from labcore.plugin import load_object
from labcore.run.progress import Progress
from labcore.run.run import Run
from labcore.run.source import SourceRun

__all__ = ["Progress", "Run", "SourceRun"]


class _Package(ModuleType):
    """This package, which :func:`labcore.api.run` answers for, a floor above."""

    def __call__(self, *words: Any, **options: Any) -> Any:
        return load_object("labcore.api:run")(*words, **options)


sys.modules[__name__].__class__ = _Package
