"""How good guesses at a pose are: by their silhouettes, and by the true pose."""

import math
from typing import NamedTuple

import torch
from pytorch3d.renderer import FoVPerspectiveCameras
from pytorch3d.structures import Meshes
from torch import Tensor

from plugins.render.fitting.pose import Poses, cameras_at
from plugins.render.fitting.silhouettes import coverage, iou
from plugins.render.rasterize import Backend

__all__ = ["Guesses", "measure_poses", "rotation_angle_deg"]

_ALIKE_IOU, _APART_DEG = 0.97, 10.0


class Guesses(NamedTuple):
    """Poses and how good they are, ``[S]`` each."""

    rotations: Tensor
    translations: Tensor
    iou: Tensor
    """Of what the mesh covers of the picture, with the target."""
    rotation_deg: Tensor
    """Angle of the rotation to the true one."""
    translation: Tensor
    """Distance between the places of the object seen from the two cameras."""

    @property
    def best(self) -> int:
        """The one whose silhouette agrees best; the true pose has no say."""
        return int(self.iou.argmax())

    @property
    def is_ambiguous(self) -> bool:
        """Whether the best silhouette agrees though its pose is far from the true one."""
        agrees = float(self.iou[self.best]) > _ALIKE_IOU
        return agrees and float(self.rotation_deg[self.best]) > _APART_DEG

    def cameras(
        self, truth: FoVPerspectiveCameras, index: int | None = None
    ) -> FoVPerspectiveCameras:
        """Returns cameras with the lens of the true one: all, or one."""
        chosen = slice(None) if index is None else slice(index, index + 1)
        return cameras_at(truth, self.rotations[chosen], self.translations[chosen])


@torch.no_grad()
def measure_poses(
    poses: Poses,
    mesh: Meshes,
    truth: FoVPerspectiveCameras,
    target: Tensor,
    *,
    backend: Backend = "auto",
) -> Guesses:
    """Measures guesses.

    Args:
        poses: S of them.
        mesh: What the camera looks at.
        truth: The true camera.
        target: The silhouette that it sees, ``[H, W]``.
        backend: Rasterizer.
    """
    rotations, translations = poses()
    cameras = cameras_at(truth, rotations, translations)
    return Guesses(
        rotations=rotations,
        translations=translations,
        iou=iou(coverage(mesh, cameras, target.shape[0], backend=backend), target),
        rotation_deg=rotation_angle_deg(rotations, truth.R),
        translation=(translations - truth.T).norm(dim=1),
    )


def rotation_angle_deg(rotations: Tensor, others: Tensor) -> Tensor:
    """Returns the angle of the rotation from each of some rotations to another, in degrees."""
    # |R - R'| = 2 sqrt(2) sin(angle / 2): exact for small angles too, where the arc cosine is not.
    chord = (rotations.double() - others.double()).flatten(1).norm(dim=1)
    return torch.rad2deg(2 * torch.asin((chord / math.sqrt(8)).clamp(max=1)))
