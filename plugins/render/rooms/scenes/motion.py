"""Rigid motion of things: poses for each frame that keep clear of all else.

Legend: N frames.
"""

import numpy as np
from numpy.typing import NDArray

from plugins.render.rooms.scenes.rotation import about, yaw_matrix
from plugins.render.rooms.scenes.space import Boxes, Place, Space
from plugins.render.rooms.scenes.stage import MAX_FACES, Stage, Thing

__all__ = ["Choreography"]

Float64 = NDArray[np.float64]


class Choreography:
    """Sets things in motion on a stage, while they meet nothing.

    Args:
        stage: The scene with all that stands still.
        rate_hz: Frames a second.
        keep_off: Metres that moving things keep from the camera.
    """

    def __init__(self, stage: Stage, rate_hz: float, *, keep_off: float) -> None:
        self._stage = stage
        self._keep_off = keep_off
        self._swept = Space()
        self.num_frames = len(stage.eyes)
        # Moments relative to the middle of the sequence: a start there is seen from the middle.
        self.time = (np.arange(self.num_frames) - (self.num_frames - 1) / 2) / rate_hz

    def slide(self, thing: Thing, translations: Float64, yaws: Float64) -> bool:
        """Moves a thing along a way if that is free.

        Args:
            thing: What.
            translations: (N, 3) of its origin.
            yaws: (N,) its turn about the vertical.

        Returns:
            Whether it could.
        """
        return self._go(thing, yaw_matrix(yaws), translations, yaws)

    def roll(self, thing: Thing, radius: float, start: Float64, velocity: Float64) -> bool:
        """Rolls a ball over the floor without slipping, if its way is free.

        Args:
            thing: A ball about its own origin.
            radius: Of the ball.
            start: (2,) x and z at the middle of the sequence.
            velocity: (2,) metres a second.
        """
        speed = float(np.hypot(*velocity))
        axis = (float(velocity[1] / speed), 0.0, float(-velocity[0] / speed))
        rotations = about(axis, speed * self.time / radius)
        translations = np.stack(
            [
                start[0] + velocity[0] * self.time,
                np.full(self.num_frames, radius),
                start[1] + velocity[1] * self.time,
            ],
            axis=1,
        )
        return self._go(thing, rotations, translations, np.zeros(self.num_frames))

    def swing(self, instance: int, leaf: Thing, place: Place, angles: Float64) -> bool:
        """Turns a leaf that hangs in its frame already, if that is free.

        Args:
            instance: Of the leaf.
            leaf: What turns, about its own origin.
            place: Where it hangs when closed.
            angles: (N,) by which it is open, towards its +z.

        Returns:
            Whether it could.
        """
        yaws = place.yaw - angles
        translations = np.tile([place.x, place.y, place.z], (self.num_frames, 1))
        if not self._free(leaf.hull(translations, yaws)):
            return False
        self._stage.animate(instance, yaw_matrix(yaws), translations)
        return True

    def _go(self, thing: Thing, rotations: Float64, translations: Float64, yaws: Float64) -> bool:
        if self._stage.num_faces + thing.num_faces > MAX_FACES:
            return False
        if not self._free(thing.hull(translations, yaws)):
            return False
        self._stage.add(thing, rotations, translations)
        return True

    def _free(self, hull: Boxes) -> bool:
        """Takes the way of a box through the frames, and returns True, if nothing is met on it."""
        away = hull.distance(self._stage.eyes).diagonal()
        if (away < self._keep_off).any() or self._stage.space.meets(hull):
            return False
        if self._swept.meets(hull):
            return False
        self._swept.take(hull)
        return True
