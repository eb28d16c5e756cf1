"""From a mesh or a cloud and cameras to pictures."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from pytorch3d.renderer import RasterizationSettings
from pytorch3d.renderer.cameras import CamerasBase
from pytorch3d.structures import Meshes, Pointclouds
from torch import Tensor
from torch.nn import functional as F

from plugins.render.config.scene import LightConfig
from plugins.render.points import splat
from plugins.render.rasterize import Backend, make_rasterizer
from plugins.render.shading.pixels import MeshPixels, Pixels
from plugins.render.shading.styles import PAINTERS, Look

__all__ = ["as_bytes", "render"]

_ON_EDGE = 1e-10
"""Squared distance in NDC within which a pixel's centre is on an edge. A face has none of its own
edges, so that a centre right on an edge would see neither of two neighbours: a cube seen from the
front would have a crack along its diagonals."""


@torch.no_grad()
def render(
    things: Meshes | Pointclouds,
    cameras: CamerasBase,
    *,
    image_size: int | tuple[int, int],
    style: str = "phong",
    light: LightConfig | None = None,
    background: Sequence[float] = (1.0, 1.0, 1.0),
    supersampling: int = 1,
    depth_range: tuple[float, float] | None = None,
    point_radius: float = 0.02,
    backend: Backend = "auto",
) -> Tensor:
    """Draws pictures; one thing before many cameras, many before one, or each before its own.

    Args:
        things: Meshes (textured, with vertex colours, or plain) or clouds of points.
        cameras: PyTorch3D's cameras on the same device.
        image_size: Height and width in pixels, or one number for both.
        style: phong, flat, silhouette, depth, normals or wireframe.
        light: The lamp; the default one when None.
        background: Colour behind, 0 to 1.
        supersampling: Samples along each side of a pixel.
        depth_range: Nearest and farthest depth of the colours of depth; those that are seen in a
            picture when None.
        point_radius: Of the points of a cloud, in the world.
        backend: Rasterizer of meshes.

    Returns:
        Colours in [0, 1], ``[N, H, W, 3]``.
    """
    count = max(len(things), len(cameras))
    if len(things) not in {1, count} or len(cameras) not in {1, count}:
        raise ValueError(f"{len(things)} things for {len(cameras)} cameras; give one or as many")
    if style not in PAINTERS:
        raise ValueError(f"style is {style!r}; use one of {', '.join(PAINTERS)}")
    height, width = (image_size, image_size) if isinstance(image_size, int) else image_size
    size = (height * supersampling, width * supersampling)
    behind = torch.tensor(list(background), dtype=torch.float32, device=cameras.device)
    pictures = []
    # One at a time: a batch is no quicker on a CPU, and a turn is soon too large for one.
    for index in range(count):
        camera = cameras[index if len(cameras) > 1 else 0]
        thing = things if len(things) == 1 else things[index]
        pixels: Pixels
        if isinstance(thing, Pointclouds):
            pixels = splat(thing, camera, size, radius=point_radius)
        else:
            pixels = _rasterized(thing, camera, size, backend)
        near, far = depth_range or _range(pixels.depth)
        look = Look(
            light=light or LightConfig(),
            background=behind,
            near=near,
            far=far,
            scale=supersampling,
        )
        picture = behind.expand(*size, 3).clone()
        if len(pixels.depth):
            picture[pixels.hit] = PAINTERS[style](pixels, look)
        pictures.append(_smaller(picture, supersampling))
    return torch.stack(pictures)


def as_bytes(pictures: Tensor) -> NDArray[np.uint8]:
    """Returns pictures with colours in [0, 1] as bytes, for the encoders."""
    return (pictures.clamp(0, 1) * 255).round().to(torch.uint8).cpu().numpy()


def _rasterized(
    mesh: Meshes, camera: CamerasBase, size: tuple[int, int], backend: Backend
) -> MeshPixels:
    settings = RasterizationSettings(image_size=size, blur_radius=_ON_EDGE, faces_per_pixel=1)
    rasterizer = make_rasterizer(backend, raster_settings=settings, device=camera.device)
    return MeshPixels(mesh, rasterizer(mesh, cameras=camera), camera)


def _range(depth: Tensor) -> tuple[float, float]:
    return (float(depth.min()), float(depth.max())) if len(depth) else (0.0, 1.0)


def _smaller(picture: Tensor, scale: int) -> Tensor:
    if scale == 1:
        return picture
    return F.avg_pool2d(picture.permute(2, 0, 1), scale).permute(1, 2, 0)
