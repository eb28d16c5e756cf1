"""The ways to colour what the pixels see: P colours for P pixels that see something."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from plugins.render.config.scene import LightConfig
from plugins.render.shading.light import lit
from plugins.render.shading.pixels import Pixels

__all__ = ["COLOUR_MAP", "PAINTERS", "Look"]

COLOUR_MAP = "viridis"
"""Of depth, with its bright end near the viewer."""
_LINE_PX = 1.1
_INK = 0.12


@dataclass(frozen=True, kw_only=True, slots=True)
class Look:
    """What a style is told.

    Attributes:
        light: The lamp.
        background: Colour behind, ``[3]``.
        near: Depth of the bright end of the colours of depth.
        far: Depth of their dark end.
        scale: Pixels of the rasterizer to a pixel of the picture.
    """

    light: LightConfig
    background: Tensor
    near: float
    far: float
    scale: int = 1


def phong(pixels: Pixels, look: Look) -> Tensor:
    """Light by the interpolated normals."""
    normals = pixels.normals(smooth=True)
    return lit(pixels.colours, normals, pixels.positions, pixels.camera, look.light)


def flat(pixels: Pixels, look: Look) -> Tensor:
    """Light by the normals of the faces, the same all over a face."""
    normals = pixels.normals(smooth=False)
    return lit(pixels.colours, normals, pixels.centres, pixels.camera, look.light)


def silhouette(pixels: Pixels, look: Look) -> Tensor:
    """Black on a bright background, white on a dark one."""
    bright = float(look.background.mean()) > 0.5
    return pixels.depth.new_full((len(pixels.depth), 3), 0.0 if bright else 1.0)


def depth(pixels: Pixels, look: Look) -> Tensor:
    """Depth along the view axis in colours."""
    share = (pixels.depth - look.near) / max(look.far - look.near, 1e-9)
    table = _colour_table().to(pixels.depth.device)
    index = ((1 - share.clamp(0, 1)) * (len(table) - 1)).round().long()
    return table[index]


def normals(pixels: Pixels, look: Look) -> Tensor:
    """Normals in the viewer's frame: red to the right, green up, blue towards them."""
    view = pixels.normals(smooth=True) @ pixels.camera.R[0]
    return (view * view.new_tensor([-1.0, 1.0, -1.0]) + 1) / 2


def wireframe(pixels: Pixels, look: Look) -> Tensor:
    """Edges of the faces that are seen, over a pale surface."""
    distance = pixels.edge_px()
    if distance is None:
        raise ValueError("points have no edges: a wireframe needs a mesh")
    surface = 0.3 * flat(pixels, look) + 0.7 * look.background
    # Half of a line is on this face; one pixel of it fades.
    ink = (_LINE_PX * look.scale / 2 + 0.5 - distance).clamp(0, 1)[:, None]
    return torch.lerp(surface, torch.full_like(surface, _INK), ink)


PAINTERS: dict[str, Callable[[Pixels, Look], Tensor]] = {
    "phong": phong,
    "flat": flat,
    "silhouette": silhouette,
    "depth": depth,
    "normals": normals,
    "wireframe": wireframe,
}


@lru_cache(maxsize=1)
def _colour_table() -> Tensor:
    from matplotlib import colormaps

    return torch.tensor(colormaps[COLOUR_MAP].resampled(256)(range(256))[:, :3]).float()
