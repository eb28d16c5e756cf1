"""Finds places in a room: along a wall, in the middle, on a wall, on top of something."""

from dataclasses import dataclass

import numpy as np

from plugins.render.rooms.scenes.indoor.shell import Shell, keep_out
from plugins.render.rooms.scenes.space import Boxes, Place, Space
from plugins.render.rooms.scenes.stage import Stage, Surface, Thing

__all__ = ["Furnisher", "Support"]

_GAP = 0.03
"""Metres between a wall and what stands along it: room for a skirting board."""


@dataclass(frozen=True, slots=True)
class Support:
    """A surface of something that stands in the room."""

    place: Place
    surface: Surface


class Furnisher:
    """Places things at random where they fit.

    Args:
        stage: The scene.
        shell: The room.
        rng: Chooses places.
    """

    def __init__(self, stage: Stage, shell: Shell, rng: np.random.Generator) -> None:
        self.stage = stage
        self.shell = shell
        self.rng = rng
        self.supports: list[Support] = []
        self.lamps: list[tuple[float, float, float]] = []
        self._keep = Space()
        self._keep.take(keep_out(shell))

    def at(self, thing: Thing, place: Place, *, gap: float = 0.0) -> bool:
        """Places a thing if it fits there, and returns whether it did."""
        boxes = thing.boxes(place)
        if not self._inside(boxes) or self._keep.meets(boxes):
            return False
        if not self.stage.fits(thing, place, margin=gap):
            return False
        self.stage.put(thing, place)
        if thing.label == "lamp":
            top = place.of(thing.surfaces[0].x, thing.surfaces[0].y, thing.surfaces[0].z)
            self.lamps.append((top.x, top.y, top.z))
        else:
            self.supports += [Support(place, surface) for surface in thing.surfaces]
        return True

    def along_wall(self, thing: Thing, *, tries: int = 14, wall: int | None = None) -> Place | None:
        """Places a thing with its back to a wall; returns where, or None."""
        low, high = thing.bounds
        for _ in range(tries):
            index = int(self.rng.integers(4)) if wall is None else wall
            chosen = self.shell.walls[index]
            reach = (chosen.length - (high[0] - low[0])) / 2 - _GAP
            if reach < 0:
                continue
            # Corners fill first, as in most rooms.
            share = self.rng.choice((-1.0, 1.0, self.rng.uniform(-1, 1)))
            x = float(share) * reach - (high[0] + low[0]) / 2
            place = chosen.place.of(x, 0.0, _GAP - low[2])
            if self.at(thing, place, gap=0.01):
                return place
        return None

    def in_middle(self, thing: Thing, *, tries: int = 14, gap: float = 0.05) -> Place | None:
        """Places a thing anywhere on the floor, turned more or less along the walls."""
        for _ in range(tries):
            x = self.rng.uniform(-0.5, 0.5) * self.shell.width
            z = self.rng.uniform(-0.5, 0.5) * self.shell.depth
            yaw = self.rng.integers(4) * np.pi / 2 + self.rng.normal(0, 0.2)
            place = Place(float(x), 0.0, float(z), float(yaw))
            if self.at(thing, place, gap=gap):
                return place
        return None

    def on_wall(self, thing: Thing, low: float, high: float, *, tries: int = 10) -> Place | None:
        """Hangs a thing on a wall, its origin between two heights."""
        bounds = thing.bounds
        for _ in range(tries):
            wall = self.shell.walls[self.rng.integers(4)]
            reach = wall.length / 2 - 0.1 - max(bounds[1, 0], -bounds[0, 0])
            y = self.rng.uniform(low, high)
            if reach < 0 or y + bounds[1, 1] > self.shell.height - 0.08 or y + bounds[0, 1] < 0.15:
                continue
            place = wall.place.of(float(self.rng.uniform(-reach, reach)), float(y), 0.0)
            boxes = thing.boxes(place)
            if not self._keep.meets(boxes) and self.stage.fits(thing, place, margin=0.03):
                self.stage.put(thing, place)
                return place
        return None

    def on_top(self, thing: Thing, support: Support, *, tries: int = 6, turn: float = 0.4) -> bool:
        """Stands a thing on a surface, wholly within it, turned at random by some radians."""
        low, high = thing.bounds
        surface = support.surface
        for _ in range(tries):
            yaw = float(self.rng.uniform(-turn, turn))
            cos, sin = abs(np.cos(yaw)), abs(np.sin(yaw))
            half_x, half_z = np.abs([low[0], high[0]]).max(), np.abs([low[2], high[2]]).max()
            reach_x = surface.width / 2 - cos * half_x - sin * half_z
            reach_z = surface.depth / 2 - sin * half_x - cos * half_z
            if reach_x < 0 or reach_z < 0:
                continue
            x = surface.x + self.rng.uniform(-reach_x, reach_x)
            z = surface.z + self.rng.uniform(-reach_z, reach_z)
            place = support.place.of(float(x), surface.y, float(z), yaw)
            if self.at(thing, place, gap=0.01):
                return True
        return False

    def _inside(self, boxes: Boxes) -> bool:
        """Whether boxes are between the walls, the floor and the ceiling."""
        corners = boxes.corners
        limit = (self.shell.width / 2 - _GAP / 2, self.shell.depth / 2 - _GAP / 2)
        top = (boxes.centres[:, 1] + boxes.halves[:, 1]).max()
        return bool((np.abs(corners) <= limit).all()) and top <= self.shell.height + 1e-6
