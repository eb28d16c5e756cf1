"""Which places are taken: boxes on the ground plan, and whether they meet or how far they are.

Each solid of a thing is one box, turned about the vertical, so that a chair may stand under the
edge of a table, and a camera may pass over a low table.

Legend: B boxes, P points.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from plugins.render.rooms.scenes.rotation import yaw_matrix

__all__ = ["Boxes", "Place", "Space"]

Float64 = NDArray[np.float64]

_CONTACT = 1e-3
"""Metres by which boxes may overlap and still only touch."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a thing stands: its origin and its turn about the vertical."""

    x: float
    y: float
    z: float
    yaw: float = 0.0

    def of(self, x: float, y: float, z: float, yaw: float = 0.0) -> "Place":
        """Returns the place in the world of a place within this one."""
        cos, sin = np.cos(self.yaw), np.sin(self.yaw)
        return Place(
            float(self.x + cos * x + sin * z),
            self.y + y,
            float(self.z - sin * x + cos * z),
            self.yaw + yaw,
        )


@dataclass(frozen=True, slots=True, eq=False)
class Boxes:
    """Boxes in the world."""

    centres: Float64
    """(B, 3)"""
    halves: Float64
    """(B, 3) half extents along their own axes."""
    yaws: Float64
    """(B,) turn about +Y."""

    @staticmethod
    def at(bounds: Float64, place: Place) -> "Boxes":
        """Returns boxes given by their lowest and highest corners (B, 2, 3), at a place."""
        centres = bounds.mean(axis=1) @ yaw_matrix(place.yaw).T + (place.x, place.y, place.z)
        return Boxes(centres, (bounds[:, 1] - bounds[:, 0]) / 2, np.full(len(bounds), place.yaw))

    @staticmethod
    def concatenate(several: "list[Boxes]") -> "Boxes":
        """Returns all as one."""
        return Boxes(
            np.concatenate([boxes.centres for boxes in several]),
            np.concatenate([boxes.halves for boxes in several]),
            np.concatenate([boxes.yaws for boxes in several]),
        )

    @property
    def corners(self) -> Float64:
        """Corners on the ground plan, (B, 4, 2) as x and z."""
        cos, sin = np.cos(self.yaws)[:, None], np.sin(self.yaws)[:, None]
        x = self.halves[:, :1] * np.array([1, 1, -1, -1])
        z = self.halves[:, 2:] * np.array([1, -1, -1, 1])
        return np.stack(
            [self.centres[:, :1] + cos * x + sin * z, self.centres[:, 2:] - sin * x + cos * z],
            axis=-1,
        )

    def distance(self, points: Float64) -> Float64:
        """Returns the distance (P, B) from each point (P, 3) to each box, 0 inside."""
        cos, sin = np.cos(self.yaws), np.sin(self.yaws)
        offset = points[:, None, :] - self.centres
        local = np.stack(
            [
                cos * offset[..., 0] - sin * offset[..., 2],
                offset[..., 1],
                sin * offset[..., 0] + cos * offset[..., 2],
            ],
            axis=-1,
        )
        return np.sqrt((np.maximum(np.abs(local) - self.halves, 0) ** 2).sum(-1))


class Space:
    """What is taken already."""

    def __init__(self) -> None:
        self._taken: list[Boxes] = []
        self._all: Boxes | None = None

    def take(self, boxes: Boxes) -> None:
        """Adds boxes to what is taken."""
        self._taken.append(boxes)
        self._all = None

    @property
    def boxes(self) -> Boxes | None:
        """All that is taken, or None."""
        if self._all is None and self._taken:
            self._all = Boxes.concatenate(self._taken)
            self._taken = [self._all]
        return self._all

    def meets(self, boxes: Boxes, *, margin: float = 0.0) -> bool:
        """Returns whether a box, widened by a margin on the plan, meets what is taken."""
        return self.boxes is not None and _meet(boxes, self.boxes, margin)

    def clearance(self, points: Float64) -> Float64:
        """Returns the distance (P,) from points (P, 3) to the nearest box, infinite if none."""
        if self.boxes is None:
            return np.full(len(points), np.inf)
        return self.boxes.distance(points).min(axis=1)


def _meet(first: Boxes, second: Boxes, margin: float) -> bool:
    """Whether a box of the first meets one of the second: no axis separates their plans."""
    near = np.abs(first.centres[:, None, 1] - second.centres[:, 1]) < (
        first.halves[:, None, 1] + second.halves[:, 1] - _CONTACT
    )
    reach = np.hypot(first.halves[:, 0], first.halves[:, 2])[:, None] + margin
    reach = reach + np.hypot(second.halves[:, 0], second.halves[:, 2])
    x = second.centres[:, 0] - first.centres[:, None, 0]
    z = second.centres[:, 2] - first.centres[:, None, 2]
    one, other = np.nonzero(near & (x * x + z * z < reach * reach))
    if not len(one):
        return False
    x, z = x[one, other], z[one, other]
    a = first.halves[one][:, [0, 2]] + margin - _CONTACT
    b = second.halves[other][:, [0, 2]]
    turn = second.yaws[other] - first.yaws[one]
    cos, sin = np.abs(np.cos(turn)), np.abs(np.sin(turn))
    apart = np.zeros(len(one), bool)
    for yaws, own, foreign in ((first.yaws[one], a, b), (second.yaws[other], b, a)):
        along_x = np.abs(np.cos(yaws) * x - np.sin(yaws) * z)
        along_z = np.abs(np.sin(yaws) * x + np.cos(yaws) * z)
        apart |= along_x > own[:, 0] + cos * foreign[:, 0] + sin * foreign[:, 1]
        apart |= along_z > own[:, 1] + sin * foreign[:, 0] + cos * foreign[:, 1]
    return bool((~apart).any())
