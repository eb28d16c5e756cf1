"""Rotation matrices of things and cameras."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["about", "look", "yaw_matrix"]

Float64 = NDArray[np.float64]


def yaw_matrix(yaw: float | Float64) -> Float64:
    """Returns turns about +Y, (..., 3, 3): +z goes to (sin yaw, 0, cos yaw)."""
    yaw = np.asarray(yaw, float)
    cos, sin = np.cos(yaw), np.sin(yaw)
    zero, one = np.zeros_like(yaw), np.ones_like(yaw)
    rows = [[cos, zero, sin], [zero, one, zero], [-sin, zero, cos]]
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)


def about(axis: Float64 | tuple[float, float, float], angle: float | Float64) -> Float64:
    """Returns turns by angles (...) about a unit axis (3,), as (..., 3, 3)."""
    x, y, z = np.asarray(axis, float)
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    angle = np.asarray(angle, float)[..., None, None]
    # Rodrigues' formula.
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * (cross @ cross)


def look(yaw: Float64, pitch: Float64, roll: Float64) -> Float64:
    """Returns world-to-camera rotations (N, 3, 3) of a camera in OpenCV's convention.

    Args:
        yaw: (N,) heading; 0 looks along +z, a quarter turn along +x.
        pitch: (N,) upwards from the horizon.
        roll: (N,) clockwise as the camera sees it.
    """
    forward = np.stack(
        [np.sin(yaw) * np.cos(pitch), np.sin(pitch), np.cos(yaw) * np.cos(pitch)], axis=-1
    )
    level = np.stack([-np.cos(yaw), np.zeros_like(yaw), np.sin(yaw)], axis=-1)
    below = np.cross(forward, level)
    cos, sin = np.cos(roll)[:, None], np.sin(roll)[:, None]
    right = cos * level + sin * below
    down = cos * below - sin * level
    return np.stack([right, down, forward], axis=1)
