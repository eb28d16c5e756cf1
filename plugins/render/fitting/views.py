"""Cameras all round an object."""

import math

import torch
from pytorch3d.renderer import FoVPerspectiveCameras, look_at_view_transform

from plugins.render.config import CameraConfig

__all__ = ["sphere_views"]

_GOLDEN = math.pi * (3 - math.sqrt(5))


def sphere_views(
    count: int,
    camera: CameraConfig,
    *,
    turn: float = 0.0,
    device: torch.device | str = "cpu",
) -> FoVPerspectiveCameras:
    """Returns cameras spread evenly over a sphere, all looking at the origin.

    They lie on a spiral from the top to the bottom that goes on by the golden angle (Vogel, A
    better way to construct the sunflower head, 1979).

    Args:
        count: How many.
        camera: Their distance and field of view.
        turn: Where the spiral starts, in turns round the vertical axis.
        device: Device of the cameras.
    """
    index = torch.arange(count, dtype=torch.float64)
    height = 1 - (2 * index + 1) / count
    azimuth = torch.rad2deg(_GOLDEN * index + 2 * math.pi * turn)
    elevation = torch.rad2deg(torch.asin(height))
    # Straight above or below, "up" is no direction in the picture.
    rotation, translation = look_at_view_transform(
        camera.distance, elevation.clamp(-89.99, 89.99).float(), azimuth.float()
    )
    return FoVPerspectiveCameras(
        R=rotation,
        T=translation,
        fov=camera.fov_deg,
        znear=0.01,
        zfar=camera.distance + 100.0,
        device=device,
    )
