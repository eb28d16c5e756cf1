"""The options of a training loop, which a plugin keeps under ``train``: the one way to ask."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["TrainingOptions", "training_options"]


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainingOptions:
    """What the rest of the core wants to know of them."""

    monitor: str
    """Validation metric that decides which checkpoint is the best."""
    maximize: bool
    """Whether large values of it are good."""
    devices: int = 1
    """Processes on each machine."""


def training_options(config: Any) -> TrainingOptions | None:
    """Returns the options of the loop, or None when the config is of no training.

    Args:
        config: A typed config, a composed one, or the content of a saved one.
    """
    train = _get(config, "train")
    monitor = _get(train, "monitor")
    if not isinstance(monitor, str):
        return None
    goal, devices = _get(train, "goal"), _get(train, "devices")
    return TrainingOptions(
        monitor=monitor,
        maximize=str(getattr(goal, "name", goal)).lower().endswith("maximize"),
        devices=devices if isinstance(devices, int) else 1,
    )


def _get(node: Any, name: str) -> Any:
    return node.get(name) if isinstance(node, Mapping) else getattr(node, name, None)
