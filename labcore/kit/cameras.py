"""A calibrated pinhole camera in OpenCV's convention.

x right, y down, z into the picture; ``x_cam = R x_world + t``; K in pixels; the centre of the top
left pixel is at (0.5, 0.5).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Pinhole", "pixel_centres"]

Array = NDArray[np.float64]


def pixel_centres(height: int, width: int) -> Array:
    """Returns the pixel coordinates (x, y) of all pixel centres, ``[H, W, 2]``."""
    x, y = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    return np.stack([x, y], axis=-1)


@dataclass(frozen=True, eq=False, kw_only=True, slots=True)
class Pinhole:
    """A calibrated camera with a pose.

    Attributes:
        K: Intrinsic matrix in pixels, ``[3, 3]``: focal lengths and principal point, no skew.
        R: Rotation from the world to the camera, ``[3, 3]``.
        t: Translation from the world to the camera in metres, ``[3]``.
        height: Rows of the picture.
        width: Columns of the picture.

    Raises:
        ValueError: The matrices are no intrinsics, no rotation, or of another shape.
    """

    K: Array
    R: Array
    t: Array
    height: int
    width: int

    def __post_init__(self) -> None:
        for name, shape in (("K", (3, 3)), ("R", (3, 3)), ("t", (3,))):
            value = np.array(getattr(self, name), dtype=np.float64)
            if value.shape != shape or not np.isfinite(value).all():
                raise ValueError(f"{name} must be {shape} finite numbers; it is {value.tolist()}")
            value.setflags(write=False)
            object.__setattr__(self, name, value)
        if self.height < 1 or self.width < 1:
            raise ValueError(f"a picture of {self.height} x {self.width} pixels is empty")
        if self.K[0, 0] <= 0 or self.K[1, 1] <= 0 or not np.array_equal(self.K[2], [0, 0, 1]):
            raise ValueError(f"K must be [[fx, 0, cx], [0, fy, cy], [0, 0, 1]]; it is {self.K}")
        if self.K[0, 1] or self.K[1, 0]:
            raise ValueError("K has skew, which this camera does not know")
        if np.abs(self.R @ self.R.T - np.eye(3)).max() > 1e-4 or np.linalg.det(self.R) < 0:
            raise ValueError(f"R is no rotation: {self.R}")

    @property
    def world_to_camera(self) -> Array:
        """The pose as a matrix that takes world points to the camera, ``[4, 4]``."""
        return _rigid(self.R, self.t)

    @property
    def camera_to_world(self) -> Array:
        """The pose as a matrix that takes camera points to the world, ``[4, 4]``."""
        return _rigid(self.R.T, -self.R.T @ self.t)

    @property
    def centre(self) -> Array:
        """Where the camera is in the world, ``[3]``."""
        return -self.R.T @ self.t

    def moved_right(self, baseline_m: float) -> "Pinhole":
        """Returns the right camera of a rectified stereo pair of which this one is the left."""
        shift = np.array([baseline_m, 0.0, 0.0])
        return Pinhole(K=self.K, R=self.R, t=self.t - shift, height=self.height, width=self.width)

    def to_camera(self, points: Array) -> Array:
        """Takes world points ``[..., 3]`` to the frame of the camera."""
        return points @ self.R.T + self.t

    def project(self, points: Array) -> Array:
        """Projects world points ``[..., 3]`` to pixels ``[..., 2]``.

        Points that are not before the camera have no picture: their pixels are NaN.
        """
        seen = self.to_camera(points)
        z = np.where(seen[..., 2:] > 0, seen[..., 2:], np.nan)
        return seen[..., :2] / z * self.K[[0, 1], [0, 1]] + self.K[:2, 2]

    def rays(self) -> Array:
        """Returns the direction of the ray through each pixel centre, with z = 1, ``[H, W, 3]``."""
        flat = (pixel_centres(self.height, self.width) - self.K[:2, 2]) / self.K[[0, 1], [0, 1]]
        return np.concatenate([flat, np.ones_like(flat[..., :1])], axis=-1)

    def unproject(self, depth: NDArray[Any]) -> Array:
        """Returns the world point that each pixel sees, ``[H, W, 3]``.

        Args:
            depth: z in metres at the pixel centres, ``[H, W]``.
        """
        points: Array = (self.rays() * depth[..., None] - self.t) @ self.R
        return points


def _rigid(rotation: Array, translation: Array) -> Array:
    """Returns the 4x4 matrix of a rotation and a translation."""
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = rotation, translation
    return matrix
