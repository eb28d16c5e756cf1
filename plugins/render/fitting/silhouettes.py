"""Silhouettes to fit to, and how well two of them agree."""

import torch
from pytorch3d.renderer import RasterizationSettings
from pytorch3d.renderer.cameras import CamerasBase
from pytorch3d.structures import Meshes
from torch import Tensor
from torch.nn import functional as F

from plugins.render.rasterize import Backend, make_rasterizer

__all__ = ["blur", "coverage", "iou"]

_SHARP = 0.8
"""Share of a fit after which outlines get no sharper."""


@torch.no_grad()
def coverage(
    mesh: Meshes,
    cameras: CamerasBase,
    image_size: int,
    *,
    supersampling: int = 4,
    backend: Backend = "auto",
) -> Tensor:
    """Returns how much of each pixel a mesh covers, 0 to 1, ``[N, H, W]``: what a camera would see.

    Args:
        mesh: One mesh.
        cameras: N cameras.
        image_size: Height and width in pixels.
        supersampling: Samples along each side of a pixel.
        backend: Rasterizer.
    """
    settings = RasterizationSettings(
        image_size=image_size * supersampling, faces_per_pixel=1, blur_radius=0.0
    )
    rasterizer = make_rasterizer(backend, raster_settings=settings, device=mesh.device)
    # One at a time: a batch is no quicker, and many views are soon too large for one.
    seen = [
        rasterizer(mesh, cameras=cameras[index]).pix_to_face[..., 0] >= 0
        for index in range(len(cameras))
    ]
    return torch.cat([F.avg_pool2d(each.float(), supersampling) for each in seen])


def iou(ours: Tensor, theirs: Tensor) -> Tensor:
    """Returns intersection over union of silhouettes with opacities in [0, 1], ``[N]``.

    The lesser opacity is what both have, the greater what either has: 1 when the two are equal,
    pixels that are covered in part included.
    """
    both = torch.minimum(ours, theirs).sum((-2, -1))
    either = torch.maximum(ours, theirs).sum((-2, -1))
    return both / either.clamp(min=1e-9)


def blur(progress: float, start: float, end: float) -> float:
    """Returns the sigma of outlines at a point of the fit: from one to the other by even factors.

    Args:
        progress: From 0 to 1; the end is reached at 0.8.
        start: Sigma at 0.
        end: Sigma from 0.8 on.
    """
    return float(start * (end / start) ** min(1.0, progress / _SHARP))
