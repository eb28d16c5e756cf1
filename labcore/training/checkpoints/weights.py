"""A trained model's weights: read from its checkpoints, left as safetensors for other programs."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from labcore.record.checkpoints import first_readable
from labcore.record.files import replacing
from labcore.training.checkpoints.checkpoint import TORCH

__all__ = ["export_weights", "load_weights"]

log = logging.getLogger(__name__)


def load_weights(checkpoints: Path, *, prefer_best: bool = True) -> dict[str, Tensor] | None:
    """Returns the weights of the best checkpoint that can be read, as a ``state_dict``.

    Averaged weights (``train.ema``) when training kept an average. When the best checkpoint cannot
    be read, the newest that can takes its place.

    Args:
        checkpoints: The ``checkpoints`` folder of a run.
        prefer_best: Else the newest, whatever its validation.

    Returns:
        Tensors on the CPU; None when there is no checkpoint that can be read.
    """
    state = first_readable(checkpoints, TORCH, prefer_best=prefer_best)
    return None if state is None else _weights_in(state)


def export_weights(checkpoints: Path, path: Path) -> Path | None:
    """Writes what :func:`load_weights` returns as a safetensors file.

    Returns:
        ``path``, or None when there is no checkpoint or safetensors is not installed.
    """
    try:
        from safetensors.torch import save_file
    except ImportError:
        log.info("safetensors is not installed, so %s was not written", path)
        return None
    state = first_readable(checkpoints, TORCH)
    if state is None:
        return None
    # The format knows no tensors that share memory (tied weights), so each gets its own.
    tensors = {name: tensor.clone().contiguous() for name, tensor in _weights_in(state).items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as temporary:
        save_file(tensors, temporary, metadata={"step": str(state["loop"]["step"])})
    return path


def _weights_in(state: Mapping[str, Any]) -> dict[str, Tensor]:
    model: dict[str, Tensor] = dict(state["model"])
    average = state.get("ema")
    if average is not None:
        for name, value in average["weights"].items():
            model[name] = value.to(model[name].dtype)
    return {name: value for name, value in model.items() if isinstance(value, torch.Tensor)}
