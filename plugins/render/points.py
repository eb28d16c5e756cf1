"""Clouds of points drawn as little balls: every pixel a point covers, and the nearest of them.

PyTorch3D's rasterizer of points tests every point against every pixel on a CPU. Here a point is
spread over the pixels that its ball covers, and the nearest ball wins a pixel by a scatter. N
points, H W pixels, P of which see a point.
"""

import math

import torch
from pytorch3d.renderer.cameras import CamerasBase
from pytorch3d.structures import Pointclouds
from torch import Tensor

from plugins.render.meshes.patch import PLAIN

__all__ = ["CloudPixels", "splat"]

_CHUNK = 4_000_000
"""Pairs of point and pixel at a time."""
_FAR = torch.iinfo(torch.int64).max


class CloudPixels:
    """The nearest ball at each pixel.

    Attributes:
        hit: Which pixels see one, ``[H, W]``.
        camera: The camera of the picture.
        depth: Distance along the view axis, ``[P]``.
        positions: Places on the balls in the world, ``[P, 3]``.
        centres: Places of the points, ``[P, 3]``.
        colours: Colours of the points, ``[P, 3]``.
    """

    def __init__(
        self,
        *,
        hit: Tensor,
        camera: CamerasBase,
        depth: Tensor,
        positions: Tensor,
        centres: Tensor,
        colours: Tensor,
        balls: Tensor,
        discs: Tensor,
    ) -> None:
        self.hit = hit
        self.camera = camera
        self.depth = depth
        self.positions = positions
        self.centres = centres
        self.colours = colours
        self._balls = balls
        self._discs = discs

    def normals(self, *, smooth: bool) -> Tensor:
        """Normals of the balls, or of discs that face the viewer."""
        return self._balls if smooth else self._discs

    def edge_px(self) -> None:
        """Points have no edges."""


def splat(
    cloud: Pointclouds, camera: CamerasBase, size: tuple[int, int], *, radius: float
) -> CloudPixels:
    """Draws a cloud.

    Args:
        cloud: One cloud, with colours as features or without.
        camera: One perspective camera.
        size: Height and width in pixels.
        radius: Of the balls, in the world; none is smaller than half a pixel.
    """
    height, width = size
    points = cloud.points_packed()
    view = camera.get_world_to_view_transform().transform_points(points).reshape(-1, 3)
    screen = camera.transform_points_screen(points, image_size=(size,)).reshape(-1, 3)[:, :2]
    # Pixels that a length across the view covers at depth 1.
    focal = camera.get_projection_transform().get_matrix()[0, 0, 0] * min(size) / 2
    radii = (focal * radius / view[:, 2].clamp(min=1e-6)).clamp(min=0.5)
    before = view[:, 2] > 2 * radius
    inside = (
        (screen[:, 0] > -radii)
        & (screen[:, 0] < width + radii)
        & (screen[:, 1] > -radii)
        & (screen[:, 1] < height + radii)
    )
    shown = torch.nonzero(before & inside)[:, 0]
    winner, depths = _nearest(screen[shown], view[shown, 2], radii[shown], size, radius)
    hit = winner >= 0
    point = shown[winner[hit]]
    offset, lift = _on_ball(hit, screen[point], radii[point])
    # In the view x is to the left and z away from the viewer; the screen has x right, y down.
    normal = torch.stack([-offset[:, 0], -offset[:, 1], -lift], dim=-1)
    to_world = camera.R[0].T
    features = cloud.features_packed()
    colours = points.new_tensor(PLAIN).expand(len(points), 3) if features is None else features
    towards = torch.nn.functional.normalize(camera.get_camera_center() - points[point], dim=-1)
    return CloudPixels(
        hit=hit,
        camera=camera,
        depth=depths[hit],
        positions=points[point] + radius * normal @ to_world,
        centres=points[point],
        colours=colours[point, :3],
        balls=normal @ to_world,
        discs=towards,
    )


def _nearest(
    centres: Tensor, depth: Tensor, radii: Tensor, size: tuple[int, int], radius: float
) -> tuple[Tensor, Tensor]:
    """Returns the nearest point at each pixel (-1 for none) and its depth, both ``[H, W]``."""
    height, width = size
    device = centres.device
    best = torch.full((height * width,), _FAR, dtype=torch.int64, device=device)
    reach = math.ceil(float(radii.max())) if len(radii) else 0
    # Balls of like size together: a large one does not make work for the small.
    doubled = [2**step for step in range(3, reach.bit_length() + 1)]
    steps = sorted({min(step, reach) for step in (*range(1, 9), *doubled)} if reach else ())
    lower = 0.0
    for upper in steps:
        group = torch.nonzero((radii > lower) & (radii <= upper))[:, 0]
        lower = float(upper)
        span = torch.arange(-upper, upper + 1, device=device)
        shift = torch.stack(torch.meshgrid(span, span, indexing="xy"), dim=-1).reshape(-1, 2)
        # A pixel's centre is at most half a diagonal from where the ball's middle is in its own.
        shift = shift[shift.square().sum(dim=-1) < (upper + 0.71) ** 2]
        for part in group.split(max(_CHUNK // len(shift), 1)):
            pixel = centres[part].floor().long()[:, None] + shift
            offset = (pixel + 0.5 - centres[part][:, None]) / radii[part][:, None, None]
            square = offset.square().sum(dim=-1)
            # The pixel that a point is in is its own even when the ball misses the centre.
            covered = (square < 1) | (shift == 0).all(dim=-1)
            covered &= (pixel[..., 0] >= 0) & (pixel[..., 0] < width)
            covered &= (pixel[..., 1] >= 0) & (pixel[..., 1] < height)
            z = depth[part][:, None] - radius * (1 - square).clamp(min=0).sqrt()
            # The bits of positive floats are in the order of the floats; ties go to the first.
            key = z[covered].view(torch.int32).long() << 32
            key |= part[:, None].expand_as(covered)[covered]
            flat = (pixel[..., 1] * width + pixel[..., 0])[covered]
            best.scatter_reduce_(0, flat, key, reduce="amin")
    seen = best != _FAR
    winner = torch.where(seen, best & 0xFFFFFFFF, -1)
    bits = torch.where(seen, best >> 32, 0).to(torch.int32)
    return winner.reshape(height, width), bits.view(torch.float32).reshape(height, width)


def _on_ball(hit: Tensor, centres: Tensor, radii: Tensor) -> tuple[Tensor, Tensor]:
    """Where the pixels are on their balls: x, y from the middle in radii, and the height."""
    row, column = torch.nonzero(hit, as_tuple=True)
    pixel = torch.stack([column, row], dim=-1) + 0.5
    offset = (pixel - centres) / radii[:, None]
    length = offset.norm(dim=-1, keepdim=True)
    offset = offset / length.clamp(min=1.0)
    return offset, (1 - offset.square().sum(dim=-1)).clamp(min=0).sqrt()
