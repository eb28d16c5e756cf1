"""What the readers and the primitives make: patches, and the mesh that they are put together to."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from pytorch3d.renderer import TexturesUV, TexturesVertex
from pytorch3d.structures import Meshes

from plugins.render.meshes.normals import face_normals, smooth_normals
from plugins.render.meshes.tiled import TiledTextures

__all__ = ["PLAIN", "Patch", "assemble", "fit_to_unit", "flattened"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

PLAIN = (0.72, 0.72, 0.75)
"""Colour of what has none."""
_MAX_TEXELS = 1 << 25
"""Of all images of a mesh together: 400 MB."""


@dataclass(frozen=True, eq=False, kw_only=True, slots=True)
class Patch:
    """A part of a mesh with one look.

    Attributes:
        vertices: Positions, ``[V, 3]``.
        faces: Indices of vertices, ``[F, 3]``.
        normals: Normals of the vertices, ``[V, 3]``; worked out from the faces when None.
        colours: Colours of the vertices in [0, 1], ``[V, 3]``; plain when None.
        uvs: Places in the image, v upwards, ``[U, 2]``.
        faces_uvs: Indices of places, ``[F, 3]``.
        image: Texture in [0, 1], ``[H, W, 3]``; its colours are used instead of the vertices'.
    """

    vertices: Floats
    faces: Ints
    normals: Floats | None = None
    colours: Floats | None = None
    uvs: Floats | None = None
    faces_uvs: Ints | None = None
    image: NDArray[np.float32] | None = None


def assemble(patches: Sequence[Patch]) -> Meshes:
    """Puts patches together to one mesh on the CPU.

    When some patches have an image and others none, the others get one of their mean colour.
    """
    starts = np.cumsum([0, *(len(patch.vertices) for patch in patches)])
    vertices = np.concatenate([patch.vertices for patch in patches])
    faces = np.concatenate(
        [patch.faces + start for patch, start in zip(patches, starts, strict=False)]
    )
    normals = None
    if any(patch.normals is not None for patch in patches):
        normals = np.concatenate([_normals(patch) for patch in patches])
    textured = any(patch.image is not None for patch in patches)
    return Meshes(
        verts=[_float(vertices)],
        faces=[torch.from_numpy(faces)],
        textures=_images(patches) if textured else _vertex_colours(patches),
        verts_normals=None if normals is None else [_float(normals)],
    )


def fit_to_unit(patches: Sequence[Patch], *, up: str = "y") -> list[Patch]:
    """Moves and scales patches so that they fit into a ball of radius 1 round the origin.

    Args:
        patches: Parts of one thing.
        up: Axis that points up in them; it becomes y.

    Raises:
        ValueError: All vertices are in one place.
    """
    # Turning z up to y up keeps the handedness: (x, y, z) becomes (x, z, -y).
    turn = np.eye(3) if up == "y" else np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]])
    turned = [patch.vertices @ turn.T for patch in patches]
    lowest = np.min([v.min(axis=0) for v in turned if len(v)], axis=0)
    highest = np.max([v.max(axis=0) for v in turned if len(v)], axis=0)
    centre = (lowest + highest) / 2
    radius = max(np.linalg.norm(v - centre, axis=1).max() for v in turned if len(v))
    if radius == 0:
        raise ValueError("all its vertices are in one place")
    return [
        replace(
            patch,
            vertices=(vertices - centre) / radius,
            normals=None if patch.normals is None else patch.normals @ turn.T,
        )
        for patch, vertices in zip(patches, turned, strict=True)
    ]


def _normals(patch: Patch) -> Floats:
    """The patch's normals; where a file has none or zeros, those of its faces."""
    smooth = smooth_normals(patch.vertices, patch.faces)
    if patch.normals is None:
        return smooth
    length = np.linalg.norm(patch.normals, axis=1, keepdims=True)
    usable = np.isfinite(length) & (length > 1e-12)
    return np.where(usable, patch.normals / np.where(usable, length, 1), smooth)


def _colours(patch: Patch) -> Floats:
    if patch.colours is not None:
        return patch.colours
    return np.tile(np.array(PLAIN), (len(patch.vertices), 1))


def _vertex_colours(patches: Sequence[Patch]) -> TexturesVertex:
    return TexturesVertex([_float(np.concatenate([_colours(patch) for patch in patches]))])


def _images(patches: Sequence[Patch]) -> TexturesUV:
    images: list[NDArray[np.float32]] = []
    uvs, faces_uvs, ids = [], [], []
    start = 0
    for patch in patches:
        if patch.image is None or patch.uvs is None or patch.faces_uvs is None:
            mean = _colours(patch).mean(axis=0).astype(np.float32)
            image = np.broadcast_to(mean, (1, 1, 3)).copy()
            places, corners = np.full((1, 2), 0.5), np.zeros_like(patch.faces)
        else:
            image, places, corners = patch.image, patch.uvs, patch.faces_uvs
        known = next((i for i, other in enumerate(images) if other is image), None)
        if known is None:
            known = len(images)
            images.append(image)
        uvs.append(places)
        faces_uvs.append(corners + start)
        ids.append(np.full(len(corners), known))
        start += len(places)
    places = np.concatenate(uvs)
    corners = torch.from_numpy(np.concatenate(faces_uvs))[None]
    if len(images) == 1 and places.min() >= 0 and places.max() <= 1:
        return TexturesUV(
            maps=torch.from_numpy(images[0])[None],
            faces_uvs=corners,
            verts_uvs=_float(places)[None],
            align_corners=False,
        )
    return TiledTextures(
        maps=torch.from_numpy(_same_size(images))[None],
        faces_uvs=corners,
        verts_uvs=_float(places)[None],
        maps_ids=torch.from_numpy(np.concatenate(ids))[None],
    )


def _same_size(images: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    """Stacks images in the size of the largest, or smaller when they are many and large."""
    height, width = (max(image.shape[axis] for image in images) for axis in (0, 1))
    while len(images) * height * width > _MAX_TEXELS:
        height, width = max(height // 2, 1), max(width // 2, 1)
    return np.stack([_resized(image, height, width) for image in images])


def _resized(image: NDArray[np.float32], height: int, width: int) -> NDArray[np.float32]:
    if image.shape[:2] == (height, width):
        return image
    shrinks = image.shape[0] > height or image.shape[1] > width
    way = Image.Resampling.BOX if shrinks else Image.Resampling.NEAREST
    picture = Image.fromarray((image * 255).round().astype(np.uint8))
    return np.asarray(picture.resize((width, height), way), dtype=np.float32) / 255


def _float(values: Floats) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(values, dtype=np.float32))


def flattened(patch: Patch) -> Patch:
    """Returns the patch with each face by itself, so that it is shaded flat."""
    corners = patch.faces.ravel()
    return replace(
        patch,
        vertices=patch.vertices[corners],
        faces=np.arange(len(corners)).reshape(-1, 3),
        normals=np.repeat(face_normals(patch.vertices, patch.faces), 3, axis=0),
        colours=None if patch.colours is None else patch.colours[corners],
    )
