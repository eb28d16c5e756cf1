"""Open surfaces: walls with holes, and ground. One side of them is never seen."""

from collections.abc import Iterable

import numpy as np

from plugins.render.rooms.scenes.solids import Solid

__all__ = ["ground", "panel"]


def panel(
    x: tuple[float, float],
    y: tuple[float, float],
    holes: Iterable[tuple[float, float, float, float]] = (),
) -> Solid:
    """Returns a rectangle in the plane z = 0 that faces +z; an open surface.

    Args:
        x: Its extent along x.
        y: Its extent along y.
        holes: Rectangles to leave out: left, right, low, high.
    """
    holes = list(holes)
    xs = np.unique([*x, *(edge for hole in holes for edge in hole[:2])])
    ys = np.unique([*y, *(edge for hole in holes for edge in hole[2:])])
    vertices = np.array([(a, b, 0.0) for b in ys for a in xs])
    faces = []
    for row in range(len(ys) - 1):
        for column in range(len(xs) - 1):
            a, b = (xs[column] + xs[column + 1]) / 2, (ys[row] + ys[row + 1]) / 2
            if any(hole[0] < a < hole[1] and hole[2] < b < hole[3] for hole in holes):
                continue
            corner = row * len(xs) + column
            above = corner + len(xs)
            faces += [(corner, corner + 1, above + 1), (corner, above + 1, above)]
    triangles = np.array(faces, np.int64)
    return Solid(vertices, triangles, vertices[triangles][..., :2] - (x[0], y[0]))


def ground(x: tuple[float, float], z: tuple[float, float]) -> Solid:
    """Returns a rectangle in the plane y = 0 that faces up; an open surface."""
    upright = panel(x, (-z[1], -z[0]))
    return upright.turned(np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]]))
