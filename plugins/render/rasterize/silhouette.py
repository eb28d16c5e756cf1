"""Soft silhouettes (Liu et al., Soft Rasterizer, 2019, equations 1 and 3).

A triangle j covers pixel i with probability ``D = sigmoid(-d / sigma)``, where d is the squared
distance to its outline, negative inside. The silhouette is the probability that any triangle
covers the pixel, ``1 - prod_j (1 - D_j)``, over all triangles in reach: there is no limit on
their number, so every triangle that matters has a gradient.
"""

import math
from dataclasses import replace
from typing import Any

import torch
from pytorch3d.renderer import RasterizationSettings
from pytorch3d.renderer.cameras import CamerasBase
from pytorch3d.structures import Meshes
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from plugins.render.rasterize.grid import PixelGrid
from plugins.render.rasterize.rasterizer import TorchRasterizer
from plugins.render.rasterize.scene import Scene, build_scene
from plugins.render.rasterize.triangle import Edges
from plugins.render.rasterize.visibility import find_pairs

__all__ = ["soft_silhouette"]

LEAST = 1e-4
"""Coverage at the end of a triangle's reach."""


def soft_silhouette(
    meshes: Meshes, cameras: CamerasBase, image_size: int | tuple[int, int], *, sigma: float = 1e-4
) -> Tensor:
    """Draws silhouettes that are differentiable with respect to vertices and cameras.

    Args:
        meshes: A batch in the world.
        cameras: One camera, or one for each mesh.
        image_size: Side of square pictures, or (height, width), in pixels.
        sigma: Squared distance in NDC over which an outline fades.

    Returns:
        Opacity in [0, 1], ``[N, H, W]``.
    """
    if not sigma > 0:
        raise ValueError(f"sigma is {sigma}; an outline fades over a positive distance")
    settings = RasterizationSettings(image_size=image_size)
    perspective, near = TorchRasterizer.projection(settings, cameras)
    clipped, scene = build_scene(
        TorchRasterizer(cameras).transform(meshes),
        PixelGrid.of(image_size),
        near=near,
        perspective=perspective,
        blur_radius=math.log(1 / LEAST - 1) * sigma,
        clip_barycentrics=True,
    )
    # Once what is behind the near plane is cut off, an outline is flat: perspective has no part.
    clear = _LogTransparency.apply(clipped.faces, replace(scene, perspective=False), sigma)
    return -torch.expm1(clear).view(len(meshes), scene.grid.height, scene.grid.width)


class _LogTransparency(torch.autograd.Function):
    """The logarithm of the probability that no triangle covers a pixel, ``[N * H * W]``.

    log(1 - sigmoid(-x)) = logsigmoid(x), so it is a sum over the triangles in reach. Its gradient
    is written out: autograd would keep twenty numbers for each pair of a pixel and a triangle.
    """

    @staticmethod
    def forward(ctx: Any, faces: Tensor, scene: Scene, sigma: float) -> Tensor:
        clear = faces.new_zeros(scene.num_pixels)
        kept = []
        for pairs in find_pairs(scene, with_distances=True):
            assert pairs.distance is not None  # they were asked for
            clear.index_add_(0, pairs.pixel, F.logsigmoid(pairs.distance / sigma))
            kept.append(pairs)
        ctx.scene, ctx.sigma, ctx.pairs = scene, sigma, kept
        return clear

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None]:
        scene = ctx.scene
        corners = torch.zeros_like(scene.faces).view(-1)
        for pairs in ctx.pairs:
            # By the signed distance, then by the unsigned one.
            slope = grad.index_select(0, pairs.pixel) / ctx.sigma
            slope *= torch.sigmoid(-pairs.distance / ctx.sigma) * torch.sign(pairs.distance)
            centre = scene.grid.centres(pairs.pixel, scene.faces.dtype)
            edge = Edges.nearest(scene.faces, pairs.face, centre)
            for corner, (by_x, by_y) in edge.gradients(centre):
                place = corner * 3
                corners.index_add_(0, place, slope * by_x)
                corners.index_add_(0, place + 1, slope * by_y)
        return corners.view_as(scene.faces), None, None
