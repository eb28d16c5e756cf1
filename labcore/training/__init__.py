"""Training: one loop for every plugin, on Lightning Fabric, with exact resume.

Read ``loop.py`` first. Importing this package imports no framework (the command line reads
the options alone to compose a config); the names below import torch when first used.
"""

import importlib
from typing import TYPE_CHECKING, Any

from labcore.training.config import Goal, LoopConfig
from labcore.training.recipes import OptimizerConfig, ScheduleConfig

if TYPE_CHECKING:
    from labcore.training.checkpoints.weights import load_weights
    from labcore.training.feeding.batches import BatchSource, TensorBatches
    from labcore.training.feeding.loading import LoaderBatches, loader
    from labcore.training.fitting import fit
    from labcore.training.loop import Loop
    from labcore.training.monitor import FitResult
    from labcore.training.optimizers import build_optimizer
    from labcore.training.schedules import build_schedule
    from labcore.training.seeding import item_generator, seed_everything

__all__ = [
    "BatchSource",
    "FitResult",
    "Goal",
    "LoaderBatches",
    "Loop",
    "LoopConfig",
    "OptimizerConfig",
    "ScheduleConfig",
    "TensorBatches",
    "build_optimizer",
    "build_schedule",
    "fit",
    "item_generator",
    "load_weights",
    "loader",
    "seed_everything",
]

_HOMES = {
    "BatchSource": "feeding.batches",
    "FitResult": "monitor",
    "LoaderBatches": "feeding.loading",
    "Loop": "loop",
    "TensorBatches": "feeding.batches",
    "build_optimizer": "optimizers",
    "build_schedule": "schedules",
    "fit": "fitting",
    "item_generator": "seeding",
    "load_weights": "checkpoints.weights",
    "loader": "feeding.loading",
    "seed_everything": "seeding",
}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value
