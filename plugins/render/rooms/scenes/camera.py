"""Where the camera goes, and how a pose becomes R and t."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from plugins.render.rooms.scenes.rotation import look
from plugins.render.rooms.scenes.space import Space

__all__ = ["FRAME_RATE_HZ", "Motion", "intrinsics", "open_view", "rest_gaze", "walk"]

Float64 = NDArray[np.float64]
Rng = np.random.Generator

FRAME_RATE_HZ = 10.0
"""Frames a second, of a camera carried in the hand as of one that is driven."""


@dataclass(frozen=True, slots=True, eq=False)
class Motion:
    """A camera's way: N poses."""

    eyes: Float64
    """(N, 3) positions in the world."""
    yaws: Float64
    """(N,) headings; 0 is +z."""
    pitches: Float64
    """(N,) upwards."""
    rolls: Float64
    """(N,)"""

    def extrinsics(self) -> tuple[Float64, Float64]:
        """Returns R (N, 3, 3) and t (N, 3) from the world to the camera."""
        rotations = look(self.yaws, self.pitches, self.rolls)
        return rotations, -np.einsum("nij,nj->ni", rotations, self.eyes)


def intrinsics(rng: Rng, height: int, width: int) -> Float64:
    """Returns K of a camera that sees 60 to 75 degrees along the longer side of its picture."""
    view = np.deg2rad(rng.uniform(60, 75))
    focal = max(height, width) / 2 / np.tan(view / 2)
    return np.array([[focal, 0, width / 2], [0, focal, height / 2], [0, 0, 1]])


def walk(rng: Rng, reach: tuple[float, float], num_frames: int, rate_hz: float) -> Float64:
    """Returns positions (N, 3) of someone who strolls about the middle of a room.

    Both axes swing like pendulums of unlike periods, so that the way is smooth and stays within
    bounds for any number of frames.

    Args:
        rng: Chooses the way.
        reach: Greatest distance from the middle along x and z.
        num_frames: N.
        rate_hz: Frames a second.
    """
    time = np.arange(num_frames) / rate_hz
    speed, course = rng.uniform(0.2, 0.65), rng.uniform(0, 2 * np.pi)
    eyes = np.empty((num_frames, 3))
    for axis, (limit, part) in enumerate(zip(reach, (np.cos(course), np.sin(course)), strict=True)):
        swing = limit * rng.uniform(0.5, 1.0)
        middle = rng.uniform(-1, 1) * (limit - swing)
        phase = speed * part / swing * time + rng.uniform(0, 2 * np.pi)
        eyes[:, 2 * axis] = middle + swing * np.sin(phase)
    eyes[:, 1] = rng.uniform(1.15, 1.65) + 0.012 * np.sin(2 * np.pi * 1.7 * time)
    return eyes


def rest_gaze(
    rng: Rng,
    eyes: Float64,
    headings: Float64,
    rate_hz: float,
    *,
    pitch: float,
    turn: tuple[float, float],
) -> Motion:
    """Returns the motion of a camera held in the hand: it looks about and trembles a little.

    Args:
        rng: Chooses the swing.
        eyes: (N, 3) positions.
        headings: (N,) or (1,) mean yaw.
        rate_hz: Frames a second.
        pitch: Mean pitch.
        turn: Least and greatest swing to either side, in degrees.
    """
    time = np.arange(len(eyes)) / rate_hz

    def sway(degrees: float, period_s: float) -> Float64:
        phase = rng.uniform(0, 2 * np.pi)
        return np.deg2rad(degrees) * np.sin(2 * np.pi * time / period_s + phase)

    swing, period = rng.uniform(*turn), rng.uniform(4.5, 8.0)
    return Motion(
        eyes,
        headings + sway(swing, period) + sway(0.5, rng.uniform(0.7, 1.1)),
        pitch + sway(rng.uniform(1, 4), rng.uniform(3.5, 6)) + sway(0.4, rng.uniform(0.6, 1.0)),
        sway(rng.uniform(0.3, 1.5), rng.uniform(2, 4)),
    )


def open_view(rng: Rng, space: Space, eye: Float64, limits: tuple[float, float]) -> float:
    """Returns a heading in which there is much to see: far walls and many things before them.

    Args:
        rng: Chooses one of the better headings.
        space: What stands in the room.
        eye: (3,) where the camera is.
        limits: Half extents of the room in x and z.
    """
    headings = np.arange(24) * (2 * np.pi / 24) + rng.uniform(0, 0.2)
    steps = np.arange(0.3, 7.0, 0.3)
    spread = np.deg2rad([-24, 0, 24])
    rays = headings[:, None] + spread
    x = eye[0] + np.sin(rays)[..., None] * steps
    z = eye[2] + np.cos(rays)[..., None] * steps
    points = np.stack([x, np.broadcast_to(eye[1] - 0.08 * steps, x.shape), z], axis=-1)
    blocked = (np.abs(x) > limits[0]) | (np.abs(z) > limits[1])
    blocked |= (space.clearance(points.reshape(-1, 3)) < 0.06).reshape(x.shape)
    blocked[..., -1] = True
    free = steps[np.argmax(blocked, axis=-1)]
    score = np.minimum(free, 4.5).mean(axis=1) + np.minimum(free.min(axis=1), 1.0)
    if space.boxes is not None:
        offset = space.boxes.centres - eye
        bearing = np.arctan2(offset[:, 0], offset[:, 2])
        away = np.abs((bearing - headings[:, None] + np.pi) % (2 * np.pi) - np.pi)
        seen = (away < np.deg2rad(32)) & (np.hypot(offset[:, 0], offset[:, 2]) < 5)
        score = score + 2.5 * seen.sum(axis=1) / max(1, seen.sum(axis=1).max())
    best = np.argsort(-score, kind="stable")[:6]
    return float(headings[rng.choice(best)])
