"""The model of ``fit_pose``: several guesses at where a camera stands.

PyTorch3D's convention: row vectors, ``x_view = x_world R + T``. T is the place of the object's
origin seen from the camera, so turning a guess about the object leaves T as it is.
Legend: ``S`` guesses.
"""

import math

import torch
from pytorch3d.renderer import FoVPerspectiveCameras
from pytorch3d.transforms import so3_exp_map
from torch import Tensor, nn
from torch.nn import functional as F

__all__ = ["Poses", "cameras_at", "offset_poses"]


class Poses(nn.Module):
    """Guesses that are optimised: a rotation vector and a translation added to each start.

    Args:
        rotations: Of the starts, ``[S, 3, 3]``.
        translations: Of the starts, ``[S, 3]``.
    """

    def __init__(self, rotations: Tensor, translations: Tensor) -> None:
        super().__init__()
        self.turn = nn.Parameter(torch.zeros_like(translations))
        self.shift = nn.Parameter(torch.zeros_like(translations))
        self.rotations: Tensor
        self.translations: Tensor
        self.register_buffer("rotations", rotations, persistent=False)
        self.register_buffer("translations", translations, persistent=False)

    def forward(self) -> tuple[Tensor, Tensor]:
        """Returns rotations ``[S, 3, 3]`` and translations ``[S, 3]``."""
        return self.rotations @ so3_exp_map(self.turn), self.translations + self.shift


def offset_poses(
    truth: FoVPerspectiveCameras, count: int, *, angle_deg: float, distance: float, seed: int
) -> Poses:
    """Returns guesses that are off by a given angle and distance, in directions drawn at random.

    Args:
        truth: One camera.
        count: S.
        angle_deg: Angle of the rotation between each guess and the truth.
        distance: Length of the difference between their translations.
        seed: Decides the directions.
    """
    generator = torch.Generator().manual_seed(seed)
    axes, ways = (
        F.normalize(torch.randn(count, 3, generator=generator), dim=1).to(truth.device)
        for _ in range(2)
    )
    turned = truth.R @ so3_exp_map(axes * math.radians(angle_deg))
    return Poses(turned, truth.T + ways * distance)


def cameras_at(
    truth: FoVPerspectiveCameras, rotations: Tensor, translations: Tensor
) -> FoVPerspectiveCameras:
    """Returns cameras with the lens of one and other poses."""
    return FoVPerspectiveCameras(
        R=rotations,
        T=translations,
        fov=truth.fov,
        znear=truth.znear,
        zfar=truth.zfar,
        device=rotations.device,
    )
