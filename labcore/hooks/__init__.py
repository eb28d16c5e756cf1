"""Everything that watches a run: the moments of its life, and the hooks that listen to them.

Importing this package imports no framework and no logger; each hook does so when a run uses it.
"""

from labcore.hooks.build import BUILT_IN, build_hooks
from labcore.hooks.manager import HookSet
from labcore.hooks.specs import hookimpl, hookspec

__all__ = ["BUILT_IN", "HookSet", "build_hooks", "hookimpl", "hookspec"]
