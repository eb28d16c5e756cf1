"""Normals for files that have none: smooth, flat, or with creases.

V vertices, F faces, P normals.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

__all__ = ["creased_normals", "face_normals", "smooth_normals"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

CREASE_DEG = 40.0
"""Edges whose faces turn further than this are hard: those of a box, not those of a round thing of
ten sides or more."""


def smooth_normals(vertices: Floats, faces: Ints) -> Floats:
    """Returns vertex normals: those of the faces round a vertex, by their angles there, ``[V, 3]``.

    By angles and not by areas, how a polygon was cut into triangles makes no difference.
    """
    return _normals_of_groups(vertices, faces, faces, len(vertices))


def creased_normals(
    vertices: Floats, faces: Ints, *, crease_deg: float = CREASE_DEG
) -> tuple[Floats, Ints]:
    """Returns normals that are smooth but across hard edges.

    The corners of a vertex share a normal where faces lead from one to the other over soft edges.

    Args:
        vertices: Positions, ``[V, 3]``.
        faces: Indices of vertices, ``[F, 3]``.
        crease_deg: Degrees between the normals of two faces from which their edge is hard.

    Returns:
        Normals, ``[P, 3]``, and which of them each corner has, ``[F, 3]``.
    """
    unit = face_normals(vertices, faces)
    corner = np.arange(faces.size).reshape(faces.shape)
    # Every edge as (low vertex, high vertex, corner at the low one, corner at the high one, face).
    ends = np.concatenate([faces[:, [i, (i + 1) % 3]] for i in range(3)])
    corners = np.concatenate([corner[:, [i, (i + 1) % 3]] for i in range(3)])
    face = np.tile(np.arange(len(faces)), 3)
    turned = ends[:, 0] > ends[:, 1]
    ends[turned], corners[turned] = ends[turned, ::-1], corners[turned, ::-1]
    order = np.lexsort((ends[:, 1], ends[:, 0]))
    ends, corners, face = ends[order], corners[order], face[order]
    cosine = (unit[face[1:]] * unit[face[:-1]]).sum(axis=1)
    soft = (ends[1:] == ends[:-1]).all(axis=1) & (cosine > np.cos(np.radians(crease_deg)))
    first, second = corners[:-1][soft].ravel(), corners[1:][soft].ravel()
    graph = coo_array((np.ones(len(first)), (first, second)), shape=(faces.size, faces.size))
    count, group = connected_components(graph, directed=False)
    groups = group.reshape(faces.shape).astype(np.int64)
    return _normals_of_groups(vertices, faces, groups, count), groups


def face_normals(vertices: Floats, faces: Ints) -> Floats:
    """Returns the unit normal of each face, ``[F, 3]``; zero for one without an area."""
    corners = vertices[faces]
    across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    return across / _length(across)


def _normals_of_groups(vertices: Floats, faces: Ints, groups: Ints, count: int) -> Floats:
    corners = vertices[faces]
    unit = face_normals(vertices, faces)
    total = np.zeros((count, 3))
    for corner in range(3):
        ahead = corners[:, (corner + 1) % 3] - corners[:, corner]
        behind = corners[:, (corner + 2) % 3] - corners[:, corner]
        cosine = (ahead * behind).sum(axis=1, keepdims=True) / _length(ahead) / _length(behind)
        np.add.at(total, groups[:, corner], unit * np.arccos(cosine.clip(-1, 1)))
    return total / _length(total)


def _length(vectors: Floats) -> Floats:
    """Lengths as a column, 1 for vectors of none."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.where(length > 0, length, 1)
