"""Checkpoints of torch: tensors and plain values only, read with ``weights_only=True``."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from labcore.record.checkpoints import CheckpointFormat

__all__ = ["TORCH"]


def _write(state: Mapping[str, Any], path: Path) -> None:
    # torch would leave a file that it opens itself open when the disk is full.
    with path.open("wb") as stream:
        torch.save(state, stream)


def _load(path: Path) -> Mapping[str, Any]:
    state: Mapping[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    return state


TORCH = CheckpointFormat(".pt", _write, _load)
