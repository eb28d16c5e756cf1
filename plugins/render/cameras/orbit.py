"""Cameras on a circle round the origin, all looking at it."""

import torch
from pytorch3d.renderer import FoVPerspectiveCameras, look_at_view_transform

__all__ = ["orbit"]


def orbit(
    num_views: int,
    *,
    distance: float,
    elevation_deg: float = 20.0,
    fov_deg: float = 40.0,
    start_deg: float = 0.0,
    device: torch.device | str = "cpu",
) -> FoVPerspectiveCameras:
    """Returns cameras at even angles round the vertical axis, as one batch.

    The first looks at the origin from ``start_deg``, where 0 is from +z and 90 from +x. Seen
    by them in turn, what is at the origin turns clockwise, seen from above.

    Args:
        num_views: Cameras in the full turn.
        distance: From the origin.
        elevation_deg: Above the horizon; the poles are possible.
        fov_deg: Field of view across the shorter side of the picture.
        start_deg: Where the first camera is.
        device: Device of the cameras.
    """
    azimuths = start_deg + 360.0 / num_views * torch.arange(num_views)
    # Straight above or below, "up" is no direction in the picture: the height of the circle is.
    elevation_deg = max(-89.99, min(89.99, elevation_deg))
    rotation, translation = look_at_view_transform(
        dist=distance, elev=elevation_deg, azim=azimuths, device=device
    )
    return FoVPerspectiveCameras(
        R=rotation,
        T=translation,
        fov=fov_deg,
        znear=0.01,
        zfar=distance + 100.0,
        device=device,
    )
