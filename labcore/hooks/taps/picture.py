"""What a person sees of a saved tensor at a glance."""

from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["draw"]

_MOST_MAPS, _LONGEST, _LEAST_PX = 16, 256, 192


def draw(values: "np.ndarray[Any, Any]", path: Path) -> bool:
    """Draws a tensor in grey, from its least value in black to its largest in white, as a PNG.

    Of ``[B, C, H, W]`` it shows the first channels of the first item, of ``[B, T, D]`` the first
    items, in rows of four; ``[B, D]`` is one picture. Returns whether Pillow is there to draw it.
    """
    try:
        from PIL import Image
    except ImportError:
        return False
    while values.ndim > 3:
        values = values[0]
    maps = np.atleast_2d(values)
    maps = maps[None] if maps.ndim == 2 else maps[:_MOST_MAPS]
    maps = np.abs(maps) if np.iscomplexobj(maps) else maps.astype(np.float32)
    maps = np.nan_to_num(maps[:, :_LONGEST, :_LONGEST], nan=0.0, posinf=0.0, neginf=0.0)
    grey = (maps - maps.min()) / max(float(np.ptp(maps)), 1e-30) * 255
    grid = np.zeros((-(-len(grey) // 4) * 4, grey.shape[1] + 1, grey.shape[2] + 1))
    grid[: len(grey), :-1, :-1] = grey
    rows = [np.hstack(list(grid[at : at + 4])) for at in range(0, len(grid), 4)]
    sheet = np.vstack(rows) if len(grey) > 1 else grey[0]
    scale = max(1, _LEAST_PX // max(sheet.shape))
    Image.fromarray(sheet.astype(np.uint8).repeat(scale, 0).repeat(scale, 1)).save(path)
    return True
