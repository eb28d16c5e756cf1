"""Shapes that are computed: torus, knot, sphere, cube, cylinder, cone, plane."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from pytorch3d.structures import Meshes

from plugins.render.config.scene import PRIMITIVES
from plugins.render.meshes.patch import Patch, assemble, fit_to_unit
from plugins.render.meshes.pattern import NUM_COLUMNS, NUM_ROWS, checker

__all__ = ["primitive", "primitive_patches"]

Floats = NDArray[np.float64]
Surface = Callable[[Floats, Floats], Floats]
"""Takes u and v in [0, 1] to points ``[..., 3]``; u goes to the right and v up, seen from outside.
"""


def primitive(name: str, *, resolution: int = 48, textured: bool = True) -> Meshes:
    """Returns a shape that fits into a ball of radius 1 round the origin, y up.

    Args:
        name: One of :data:`PRIMITIVES`.
        resolution: Quads round it; a surface has that many times half as many.
        textured: With coloured squares that show it turn; plain otherwise.

    Raises:
        ValueError: There is no such shape.
    """
    return assemble(primitive_patches(name, resolution=resolution, textured=textured))


def primitive_patches(name: str, *, resolution: int = 48, textured: bool = True) -> list[Patch]:
    """Returns the same shape as patches."""
    if name not in PRIMITIVES:
        raise ValueError(f"there is no shape called {name!r}; use one of {', '.join(PRIMITIVES)}")
    if resolution < 4:
        raise ValueError(f"a resolution of {resolution} makes no shape; use at least 4")
    around, along = resolution, max(resolution // 2, 2)
    image = checker() if textured else None
    build = {
        "torus": lambda: [_sheet(_torus, around, along, image, wraps=(True, True))],
        "knot": lambda: [_sheet(_knot, 4 * around, along, image, wraps=(True, True))],
        "sphere": lambda: [_sheet(_sphere, around, along, image, wraps=(True, False))],
        "cube": lambda: [
            _sheet(side, along, along, image, window=_window(index))
            for index, side in enumerate(_cube_sides())
        ],
        "cylinder": lambda: [
            _sheet(_cylinder, around, along, image, wraps=(True, False)),
            _sheet(_disc(1.0), around, along // 2, image, wraps=(True, False)),
            _sheet(_disc(-1.0), around, along // 2, image, wraps=(True, False)),
        ],
        "cone": lambda: [
            _sheet(_cone, around, along, image, wraps=(True, False)),
            _sheet(_disc(-1.0), around, along // 2, image, wraps=(True, False)),
        ],
        "plane": lambda: [_sheet(_plane, along, along, image)],
    }
    return fit_to_unit(build[name]())


def _sheet(
    surface: Surface,
    columns: int,
    rows: int,
    image: NDArray[np.float32] | None,
    wraps: tuple[bool, bool] = (False, False),
    window: tuple[float, float, float, float] = (0.0, 0.0, 1.0, 1.0),
) -> Patch:
    """Cuts a surface into ``columns`` x ``rows`` quads of two triangles each.

    Args:
        surface: The surface.
        columns: Quads along u.
        rows: Quads along v.
        image: Its texture.
        wraps: Whether the ends of u, and of v, are sewn together.
        window: Part of the texture that it has: left, bottom, width, height.
    """
    u, v = np.meshgrid(np.linspace(0, 1, columns + 1), np.linspace(0, 1, rows + 1))
    points = surface(u, v).reshape(-1, 3)
    index = np.arange(points.shape[0]).reshape(rows + 1, columns + 1)
    sewn = index.copy()
    if wraps[0]:
        sewn[:, -1] = sewn[:, 0]
    if wraps[1]:
        sewn[-1] = sewn[0]
    triangles, places = _triangles(sewn), _triangles(index)
    # A pole is one point: sewn to one vertex, and its triangles without area dropped.
    _, first, same = np.unique(np.round(points, 9), axis=0, return_index=True, return_inverse=True)
    triangles = first[same.reshape(-1)][triangles]
    a, b, c = (points[triangles[:, corner]] for corner in range(3))
    solid = np.linalg.norm(np.cross(b - a, c - a), axis=1) > 1e-12
    used, local = np.unique(triangles[solid], return_inverse=True)
    textured = image is not None
    uvs = np.stack([window[0] + window[2] * u, window[1] + window[3] * v], axis=-1)
    return Patch(
        vertices=points[used],
        faces=local.reshape(-1, 3),
        uvs=uvs.reshape(-1, 2) if textured else None,
        faces_uvs=places[solid] if textured else None,
        image=image,
    )


def _triangles(grid: NDArray[np.int64]) -> NDArray[np.int64]:
    """Two triangles for each square of a grid of indices, counter-clockwise seen from outside."""
    a, b, c, d = grid[:-1, :-1], grid[:-1, 1:], grid[1:, 1:], grid[1:, :-1]
    lower, upper = np.stack([a, b, c], axis=-1), np.stack([a, c, d], axis=-1)
    return np.concatenate([lower.reshape(-1, 3), upper.reshape(-1, 3)])


def _circle(u: Floats) -> tuple[Floats, Floats]:
    """Returns x and z of a point on the circle; u goes to the right for a viewer outside."""
    angle = 2 * np.pi * u
    return np.sin(angle), np.cos(angle)


def _point(x: Floats, y: Floats, z: Floats) -> Floats:
    return np.stack(np.broadcast_arrays(x, y, z), axis=-1)


def _sphere(u: Floats, v: Floats) -> Floats:
    x, z = _circle(u)
    latitude = np.pi * (v - 0.5)
    return _point(x * np.cos(latitude), np.sin(latitude), z * np.cos(latitude))


def _torus(u: Floats, v: Floats) -> Floats:
    x, z = _circle(u)
    tube = 2 * np.pi * (v - 0.5)
    reach = 1 + 0.42 * np.cos(tube)
    return _point(x * reach, 0.42 * np.sin(tube), z * reach)


def _knot(u: Floats, v: Floats) -> Floats:
    """A tube along the trefoil knot."""

    def curve(at: Floats) -> Floats:
        angle = 2 * np.pi * at
        x = np.sin(angle) + 2 * np.sin(2 * angle)
        y = np.cos(angle) - 2 * np.cos(2 * angle)
        return _point(x, y, np.sin(3 * angle))

    step = 1e-4
    middle = curve(u)
    ahead = curve(u + step) - curve(u - step)
    ahead /= np.linalg.norm(ahead, axis=-1, keepdims=True)
    out = middle - ahead * (middle * ahead).sum(axis=-1, keepdims=True)
    out /= np.linalg.norm(out, axis=-1, keepdims=True)
    side = np.cross(out, ahead)
    tube = (2 * np.pi * v)[..., None]
    return middle + 0.62 * (np.cos(tube) * out + np.sin(tube) * side)


def _cylinder(u: Floats, v: Floats) -> Floats:
    x, z = _circle(u)
    return _point(x, 2 * v - 1, z)


def _cone(u: Floats, v: Floats) -> Floats:
    x, z = _circle(u)
    return _point(x * (1 - v), 2 * v - 1, z * (1 - v))


def _disc(height: float) -> Surface:
    """The lid (at 1) or the bottom (at -1) of a cylinder, seen from outside."""

    def surface(u: Floats, v: Floats) -> Floats:
        x, z = _circle(u)
        reach = 1 - v if height > 0 else v
        return _point(x * reach, np.full_like(v, height), z * reach)

    return surface


def _plane(u: Floats, v: Floats) -> Floats:
    return _point(2 * u - 1, np.zeros_like(u), 1 - 2 * v)


def _window(side: int) -> tuple[float, float, float, float]:
    """Four by four squares of the texture for a side of the cube, others for each."""
    wide, high = 4 / NUM_COLUMNS, 4 / NUM_ROWS
    return (side % 3) * wide, (side // 3) * (1 - high), wide, high


def _cube_sides() -> list[Surface]:
    front = np.array([[1.0, 0, 0], [0, 1, 0], [0, 0, 1]])  # rows: right, up, towards the viewer
    quarter = np.array([[0.0, 0, -1], [0, 1, 0], [1, 0, 0]])  # round y
    over = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])
    under = np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]])
    frames = [front, quarter, quarter @ quarter, quarter @ quarter @ quarter, over, under]

    def side(frame: Floats) -> Surface:
        return lambda u, v: _point(2 * u - 1, 2 * v - 1, np.ones_like(u)) @ frame

    return [side(frame) for frame in frames]
