"""Where the points of one view are in another: optical flow, disparity, and what stays visible.

The point under a pixel's centre is known exactly, and so is the motion of its thing and of the
camera; so the flow is exact, also for points that leave the picture or get hidden.

A point stays visible when it falls inside the other picture and no face hides it there. The faces
that could are those that the other view's samples around that place see; the ray through the
exact place is met with each of them. Only what is thinner than a sample can be missed.

Legend: ``P`` pixels with a surface, ``I`` things.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from labcore.kit.cameras import Pinhole
from plugins.render.rooms.rays import rays_at, rays_through
from plugins.render.rooms.view import NEAR_M, View

__all__ = ["Matches", "match", "motions"]

_SAME = 1e-5
"""Relative difference in depth below which two surfaces are one: both are computed exactly."""


@dataclass(frozen=True, slots=True)
class Matches:
    """For each pixel of one view, its place in another."""

    flow: Tensor
    """Place there minus place here in pixels, (x, y), float64 ``[H, W, 2]``; 0 without a surface,
    and for points that are no longer before the camera."""
    visible: Tensor
    """Whether the other view sees the point too, ``[H, W]``."""


def motions(
    here: Pinhole,
    there: Pinhole,
    poses_here: tuple[NDArray[np.float64], NDArray[np.float64]],
    poses_there: tuple[NDArray[np.float64], NDArray[np.float64]],
) -> NDArray[np.float64]:
    """Returns what takes a point from one camera's frame to another's, by thing, ``[I, 3, 4]``.

    Args:
        here: The camera in whose frame the points are.
        there: The camera in whose frame they shall be.
        poses_here: Rotations ``[I, 3, 3]`` and translations ``[I, 3]`` of the things in the world
            when ``here`` looks.
        poses_there: The same when ``there`` looks.
    """
    turned = poses_there[0] @ poses_here[0].transpose(0, 2, 1)  # of the thing, in the world
    shifted = poses_there[1] - (turned @ poses_here[1][..., None])[..., 0]
    rotation = there.R @ turned @ here.R.T
    translation = (shifted + turned @ here.centre) @ there.R.T + there.t
    return np.concatenate([rotation, translation[..., None]], axis=-1)


def match(here: View, there: View, moved: NDArray[np.float64]) -> Matches:
    """Finds the points of one view in another.

    Args:
        here: Whose pixels are asked for.
        there: Where they are looked for.
        moved: What takes points from one camera to the other, by thing (:func:`motions`).
    """
    height, width = here.face.shape
    device = here.face.device
    face = here.face.reshape(-1)
    seen = torch.nonzero(face >= 0)[:, 0]
    faces = face[seen]
    rays = rays_through(here.camera, 1, device).reshape(-1, 3)[seen]
    points = rays * here.table.depth(faces, rays)[:, None]
    thing = torch.as_tensor(here.mesh.instances, device=device)[faces]
    motion = torch.as_tensor(moved, device=device)[thing]
    points = (motion[..., :3] @ points[..., None])[..., 0] + motion[..., 3]
    before = points[:, 2] > NEAR_M
    z = points[:, 2].clamp_min(NEAR_M)
    focal = z.new_tensor([there.camera.K[0, 0], there.camera.K[1, 1]])
    centre = z.new_tensor([there.camera.K[0, 2], there.camera.K[1, 2]])
    place = points[:, :2] / z[:, None] * focal + centre
    size = z.new_tensor([there.camera.width, there.camera.height])
    within = before & ((place >= 0) & (place < size)).all(-1)

    flow = torch.zeros(height * width, 2, dtype=torch.float64, device=device)
    start = torch.stack([seen % width, seen // width], dim=-1) + 0.5
    flow[seen] = torch.where(before[:, None], place - start, 0)
    visible = torch.zeros(height * width, dtype=torch.bool, device=device)
    inside = torch.nonzero(within)[:, 0]
    visible[seen[inside]] = ~_hidden(there, place[inside], z[inside])
    return Matches(flow.reshape(height, width, 2), visible.reshape(height, width))


def _hidden(view: View, place: Tensor, z: Tensor) -> Tensor:
    """Says which points, at these places ``[P, 2]`` and depths ``[P]``, something hides."""
    rays = rays_at(view.camera, place)
    height, width = view.fine.shape
    corner = (place * view.samples - 0.5).floor().long()  # upper left of the four samples around
    row = corner[:, 1].clamp(0, height - 2)
    cell = row * width + corner[:, 0].clamp(0, width - 2)
    face = view.fine.flatten()[cell]
    hits = view.table.meet(face.clamp_min(0), rays)
    hidden = hits.z < z * (1 - _SAME)
    # Inside one large face there is nothing else to ask.
    sure = view.uniform.flatten()[cell] & hits.inside
    rest = torch.nonzero(~sure)[:, 0]
    hidden[rest] = _hidden_at_edges(view, corner[rest], rays[rest], z[rest])
    return hidden


def _hidden_at_edges(view: View, corner: Tensor, rays: Tensor, z: Tensor) -> Tensor:
    """The same where several faces meet: all that the 4 x 4 samples around see are asked."""
    height, width = view.fine.shape
    step = torch.arange(-1, 3, device=z.device)
    rows = (corner[:, 1:] + step).clamp(0, height - 1)
    columns = (corner[:, :1] + step).clamp(0, width - 1)
    around = view.fine[rows[:, :, None], columns[:, None, :]].flatten(1)
    hidden = torch.zeros(len(z), dtype=torch.bool, device=z.device)
    for face in around.unbind(1):
        hits = view.table.meet(face.clamp_min(0), rays)
        hidden |= hits.inside & (face >= 0) & (hits.z < z * (1 - _SAME))
    return hidden
