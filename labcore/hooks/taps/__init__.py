"""Module taps: look at what goes through a layer, named by its dotted path.

The names below import torch when first used.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from labcore.hooks.taps.capture import Seen, SeenLayers, tap
    from labcore.hooks.taps.paths import resolve_paths
    from labcore.hooks.taps.recorder import Observations, Recorder

__all__ = ["Observations", "Recorder", "Seen", "SeenLayers", "resolve_paths", "tap"]

_HOMES = {"Observations": "recorder", "Recorder": "recorder", "resolve_paths": "paths"}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES.get(name, 'capture')}"), name)
