"""Training with Keras 3 on TensorFlow or legacy Keras, watched and resumed as torch's is.

Importing this package imports no framework; the names below do when they are first used.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from labcore.training.keras.batches import ArrayBatches
    from labcore.training.keras.fitting import fit
    from labcore.training.keras.loop import KerasLoop

__all__ = ["ArrayBatches", "KerasLoop", "fit"]

_HOMES = {"ArrayBatches": "batches", "KerasLoop": "loop", "fit": "fitting"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
