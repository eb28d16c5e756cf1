"""Convex closed solids of few faces, with texture coordinates in metres.

Normals point outwards. Texture coordinates start at a corner of each face and, seen from outside,
grow to the right and upwards, so that a picture stretched over a face is neither mirrored nor
upside down.

Legend: V vertices, F faces.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

__all__ = ["Solid", "box", "extruded", "frustum", "merge", "prism", "sphere"]

Vector = tuple[float, float, float]

# Corners of a box: bit 0 is +x, bit 1 is +y, bit 2 is +z. Each side: its corners, counter-clockwise
# from outside, beginning at the lower left; then the outward axis.
_SIDES = {
    "+x": (5, 1, 3, 7),
    "-x": (0, 4, 6, 2),
    "+y": (6, 7, 3, 2),
    "-y": (0, 1, 5, 4),
    "+z": (4, 5, 7, 6),
    "-z": (1, 0, 2, 3),
}


@dataclass(frozen=True, slots=True, eq=False)
class Solid:
    """A mesh with texture coordinates in metres."""

    vertices: NDArray[np.float64]
    """(V, 3)"""
    faces: NDArray[np.int64]
    """(F, 3)"""
    uvs: NDArray[np.float64]
    """(F, 3, 2)"""

    def moved(self, offset: Vector) -> "Solid":
        """Returns it shifted."""
        return Solid(self.vertices + np.asarray(offset, float), self.faces, self.uvs)

    def turned(self, rotation: NDArray[np.float64]) -> "Solid":
        """Returns it rotated about the origin by a matrix (3, 3)."""
        return Solid(self.vertices @ rotation.T, self.faces, self.uvs)

    def across(self) -> "Solid":
        """Returns it with the texture turned by a right angle: grain along the other way."""
        return Solid(self.vertices, self.faces, self.uvs[..., ::-1].copy())

    @property
    def bounds(self) -> NDArray[np.float64]:
        """Lowest and highest corner of its axis-aligned box, (2, 3)."""
        return np.stack([self.vertices.min(0), self.vertices.max(0)])


def frustum(
    bottom: tuple[float, float],
    top: tuple[float, float],
    height: float,
    *,
    at: Vector = (0, 0, 0),
    shift: tuple[float, float] = (0, 0),
    open_sides: Iterable[str] = (),
) -> Solid:
    """Returns a solid between two level rectangles, such as a seat back that leans.

    Args:
        bottom: Extent in x and z of the lower rectangle.
        top: The same of the upper one.
        height: Distance between them.
        at: Centre of the lower rectangle.
        shift: Offset in x and z of the upper rectangle's centre.
        open_sides: Sides to leave out, such as ``-y``; the solid is not closed then.
    """
    corner = np.arange(8)
    sign = np.stack([corner & 1, corner >> 1 & 1, corner >> 2 & 1], axis=1) * 2.0 - 1
    upper = sign[:, 1] > 0
    extent = np.where(upper[:, None], top, bottom)
    moved = np.where(upper[:, None], shift, (0.0, 0.0))
    vertices = np.stack(
        [
            sign[:, 0] * extent[:, 0] / 2 + moved[:, 0],
            np.where(upper, height, 0.0),
            sign[:, 2] * extent[:, 1] / 2 + moved[:, 1],
        ],
        axis=1,
    )
    left_out = set(open_sides)
    faces, uvs = [], []
    for side, (a, b, c, d) in _SIDES.items():
        if side in left_out:
            continue
        wide = max(
            np.linalg.norm(vertices[b] - vertices[a]), np.linalg.norm(vertices[c] - vertices[d])
        )
        high = max(
            np.linalg.norm(vertices[d] - vertices[a]), np.linalg.norm(vertices[c] - vertices[b])
        )
        faces += [(a, b, c), (a, c, d)]
        uvs += [((0, 0), (wide, 0), (wide, high)), ((0, 0), (wide, high), (0, high))]
    return Solid(vertices, np.array(faces, np.int64), np.array(uvs, float)).moved(at)


def box(size: Vector, *, at: Vector = (0, 0, 0), open_sides: Iterable[str] = ()) -> Solid:
    """Returns a cuboid.

    Args:
        size: Extent in x, y and z.
        at: Centre of its lower side.
        open_sides: Sides to leave out.
    """
    level = (size[0], size[2])
    return frustum(level, level, size[1], at=at, open_sides=open_sides)


def prism(
    radius: float,
    height: float,
    sides: int,
    *,
    top_radius: float | None = None,
    at: Vector = (0, 0, 0),
    turn: float = 0.0,
) -> Solid:
    """Returns an upright prism, truncated cone or cone (``top_radius=0``) on a regular polygon.

    Args:
        radius: Of the polygon's corners.
        height: Along y.
        sides: Of the polygon.
        top_radius: Of the upper polygon; the lower one's when left out.
        at: Centre of the lower polygon.
        turn: Angle of the first corner, in radians.
    """
    top = radius if top_radius is None else top_radius
    angle = turn + np.arange(sides) * (2 * np.pi / sides)
    # Seen from above, angles that grow from z to x run counter-clockwise.
    circle = np.stack([np.sin(angle), np.zeros(sides), np.cos(angle)], axis=1)
    low = circle * radius
    high = circle * top + (0, height, 0) if top > 0 else np.array([[0.0, height, 0.0]])
    vertices = np.concatenate([low, high])
    arc = 2 * np.pi * max(radius, top) / sides
    slant = float(np.hypot(height, radius - top))
    faces: list[tuple[int, int, int]] = []
    uvs: list[NDArray[np.float64]] = []
    for index in range(sides):
        after = (index + 1) % sides
        left, right = index * arc, (index + 1) * arc
        if top > 0:
            faces += [(index, after, sides + after), (index, sides + after, sides + index)]
            uvs += [
                np.array([(left, 0), (right, 0), (right, slant)]),
                np.array([(left, 0), (right, slant), (left, slant)]),
            ]
        else:
            faces.append((index, after, sides))
            uvs.append(np.array([(left, 0), (right, 0), ((left + right) / 2, slant)]))
    for index in range(1, sides - 1):
        faces.append((0, index + 1, index))
        uvs.append(low[[0, index + 1, index]][:, [0, 2]])
        if top > 0:
            faces.append((sides, sides + index, sides + index + 1))
            uvs.append(high[[0, index, index + 1]][:, [2, 0]])
    return Solid(vertices, np.array(faces, np.int64), np.array(uvs, float)).moved(at)


def sphere(radius: float, *, at: Vector = (0, 0, 0), subdivisions: int = 1) -> Solid:
    """Returns a ball of ``20 * 4**subdivisions`` faces.

    The texture goes round it like a map of the world: u along the equator, v from pole to pole.
    """
    directions, faces = _icosphere(subdivisions)
    longitude = np.arctan2(directions[:, 0], directions[:, 2])
    latitude = np.arcsin(np.clip(directions[:, 1], -1, 1))
    around = longitude[faces]
    # A face across the date line, or at a pole where longitude has no meaning.
    around = around + np.where(np.ptp(around, axis=1, keepdims=True) > np.pi, around < 0, 0) * (
        2 * np.pi
    )
    pole = np.abs(directions[faces, 1]) > 1 - 1e-9
    others = (around * ~pole).sum(1, keepdims=True) / np.maximum((~pole).sum(1, keepdims=True), 1)
    around = np.where(pole, others, around)
    uvs = np.stack([around, latitude[faces] + np.pi / 2], axis=-1) * radius
    return Solid(directions * radius + np.asarray(at, float), faces, uvs)


def extruded(outline: Iterable[tuple[float, float]], width: float) -> Solid:
    """Returns a convex outline in y and z, drawn out along x, such as the side of a car.

    Args:
        outline: Corners (z, y) in order, either way round.
        width: Extent along x, the middle at 0.
    """
    points = np.array([(y, z) for z, y in outline])
    ahead = np.roll(points, -1, axis=0)
    if (points[:, 0] * ahead[:, 1] - points[:, 1] * ahead[:, 0]).sum() < 0:
        points = points[::-1]
    count = len(points)
    side = np.concatenate([np.full((count, 1), width / 2), points], axis=1)
    vertices = np.concatenate([side, side * (-1, 1, 1)])
    faces: list[tuple[int, int, int]] = []
    uvs: list[list[tuple[float, float]]] = []
    run = 0.0
    for index in range(count):
        after = (index + 1) % count
        length = float(np.linalg.norm(points[after] - points[index]))
        faces += [(index, count + index, count + after), (index, count + after, after)]
        low, high = run, run + length
        uvs += [
            [(0, low), (width, low), (width, high)],
            [(0, low), (width, high), (0, high)],
        ]
        run = high
    for index in range(1, count - 1):
        for corners in ((0, index, index + 1), (count, count + index + 1, count + index)):
            faces.append(corners)
            uvs.append([(-vertices[c, 2], vertices[c, 1]) for c in corners])
    return Solid(vertices, np.array(faces, np.int64), np.array(uvs, float))


def merge(solids: Iterable[Solid]) -> Solid:
    """Returns several solids as one mesh."""
    solids = list(solids)
    starts = np.cumsum([0, *(len(solid.vertices) for solid in solids)])
    return Solid(
        np.concatenate([solid.vertices for solid in solids]),
        np.concatenate([solid.faces + start for solid, start in zip(solids, starts, strict=False)]),
        np.concatenate([solid.uvs for solid in solids]),
    )


@lru_cache(maxsize=4)
def _icosphere(subdivisions: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Unit directions and faces of a divided icosahedron with corners at both poles."""
    belt = np.arange(5) * (2 * np.pi / 5)
    height, radius = 1 / np.sqrt(5), 2 / np.sqrt(5)
    upper = np.stack([radius * np.sin(belt), np.full(5, height), radius * np.cos(belt)], axis=1)
    lower = upper * (-1, -1, -1)  # each lies below the middle of an upper edge
    order = [0, 1, 2, 3, 4]
    vertices = [np.array([0.0, 1.0, 0.0]), *upper, *lower, np.array([0.0, -1.0, 0.0])]
    faces = []
    for index in order:
        after = (index + 1) % 5
        below, below_after = 6 + (index + 3) % 5, 6 + (index + 4) % 5
        faces += [
            (0, 1 + index, 1 + after),
            (1 + index, below, 1 + after),
            (1 + after, below, below_after),
            (11, below_after, below),
        ]
    for _ in range(subdivisions):
        middle: dict[tuple[int, int], int] = {}

        def split(a: int, b: int, middle: dict[tuple[int, int], int] = middle) -> int:
            key = (min(a, b), max(a, b))
            if key not in middle:
                point = vertices[a] + vertices[b]
                vertices.append(point / np.linalg.norm(point))
                middle[key] = len(vertices) - 1
            return middle[key]

        finer = []
        for a, b, c in faces:
            ab, bc, ca = split(a, b), split(b, c), split(c, a)
            finer += [(a, ab, ca), (b, bc, ab), (c, ca, bc), (ab, bc, ca)]
        faces = finer
    return np.array(vertices), np.array(faces, np.int64)
