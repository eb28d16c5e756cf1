"""From the pinhole camera of the data, in OpenCV's convention, to PyTorch3D's cameras and back.

PyTorch3D: x left, y up, z into the picture; row vectors ``x_view = x_world R + T``; NDC in which
the shorter side of the picture spans [-1, 1].
"""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from pytorch3d.renderer import PerspectiveCameras

from labcore.kit.cameras import Pinhole

__all__ = ["from_pytorch3d", "to_pytorch3d"]

_FLIP = np.array([-1.0, -1.0, 1.0])
"""Turns the x and y axes of one convention into those of the other."""


def to_pytorch3d(pinhole: Pinhole, device: torch.device | str = "cpu") -> PerspectiveCameras:
    """Returns the same camera as PyTorch3D's, one in a batch, in NDC."""
    half = min(pinhole.height, pinhole.width) / 2
    size = np.array([pinhole.width, pinhole.height])

    def batch(values: NDArray[np.float64]) -> torch.Tensor:
        return torch.tensor(values[None], dtype=torch.float32, device=device)

    return PerspectiveCameras(
        R=batch(pinhole.R.T * _FLIP),
        T=batch(pinhole.t * _FLIP),
        focal_length=batch(pinhole.K[[0, 1], [0, 1]] / half),
        principal_point=batch((size / 2 - pinhole.K[:2, 2]) / half),
        image_size=torch.tensor([[pinhole.height, pinhole.width]], device=device),
        device=device,
    )


def from_pytorch3d(cameras: Any, *, height: int, width: int, index: int = 0) -> Pinhole:
    """Reads one camera of a batch of PyTorch3D's perspective cameras, FoV or not.

    Raises:
        ValueError: The projection is no pinhole's (orthographic, or skewed).
    """
    matrices = cameras.get_projection_transform().get_matrix().detach().cpu().double().numpy()
    matrix = matrices[index if len(matrices) > 1 else 0].T  # column vectors from here on
    if matrix[3, 2] == 0 or matrix[0, 1] or matrix[1, 0]:
        raise ValueError(f"{type(cameras).__name__} is no pinhole camera without skew")
    focal, centre = matrix[[0, 1], [0, 1]], matrix[:2, 2]
    if cameras.in_ndc():
        half = min(height, width) / 2
        focal, centre = focal * half, np.array([width, height]) / 2 - centre * half
    rotation, translation = (
        value.detach().cpu().double().numpy()[index if len(value) > 1 else 0]
        for value in (cameras.R, cameras.T)
    )
    return Pinhole(
        K=np.array([[focal[0], 0, centre[0]], [0, focal[1], centre[1]], [0, 0, 1]]),
        R=(rotation * _FLIP).T,
        t=translation * _FLIP,
        height=height,
        width=width,
    )
