"""Reading OBJ files with their materials, through PyTorch3D's parser."""

import re
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pytorch3d.io import load_obj

from plugins.render.meshes.normals import creased_normals
from plugins.render.meshes.patch import Patch
from plugins.render.meshes.references import checked, textures_of_mtl

__all__ = ["read_obj"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_ZERO = re.compile(r"[\s/]0+(?=[\s/]|$)")
"""An index of 0 in a line of a face."""


def read_obj(path: Path, warn: Callable[[str], None]) -> list[Patch]:
    """Reads an OBJ file: a patch for each material.

    Faces share a vertex where they share position and normal, so that hard edges stay hard and a
    seam of the texture is no seam of the surface. Without normals, sharp edges are hard.

    Args:
        path: The file.
        warn: Told of materials and textures that are missing; what had them is plain.

    Raises:
        ValueError: The file is damaged.
    """
    names, positions, libraries = _scan(path)
    refused = checked(path, libraries, warn)
    if not refused:
        found = [path.parent / name for name in libraries if (path.parent / name).is_file()]
        textures = [name for library in found for name in textures_of_mtl(library)]
        refused = checked(path, textures, warn)
    if refused:
        warn(f"{path.name}: {refused}; it is shown plain")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        _, faces, extra = load_obj(path, load_textures=not refused)
    _tell(path, names, [str(warning.message) for warning in caught], warn)
    corners = faces.verts_idx.numpy().reshape(-1, 3)
    if not len(corners) or not np.isfinite(positions).all():
        return [Patch(vertices=positions, faces=corners)]  # which is refused as it is
    _check(corners, len(positions), "vertex")
    normals, normal_corners = _normals(positions, corners, faces, extra)
    pairs, joined = np.unique(
        np.stack([corners.ravel(), normal_corners.ravel()], axis=1), axis=0, return_inverse=True
    )
    joined = joined.reshape(-1, 3)
    # A file with one material and no usemtl means that one.
    names = names or list(extra.material_colors or {})[:1]
    of_face = faces.materials_idx.numpy() if len(faces.materials_idx) else np.array([-1])
    of_face = np.broadcast_to(of_face, len(corners))
    of_face = np.where(of_face < 0, 0 if len(names) == 1 else -1, of_face)
    patches = []
    for material in np.unique(of_face):
        name = names[material] if material >= 0 else ""
        chosen = np.flatnonzero(of_face == material)
        used, local = np.unique(joined[chosen], return_inverse=True)
        patch = Patch(
            vertices=positions[pairs[used, 0]],
            normals=normals[pairs[used, 1]],
            faces=local.reshape(-1, 3),
            **_look(name, len(used), faces.textures_idx.numpy()[chosen], extra),
        )
        patches.append(patch)
    return patches


def _scan(path: Path) -> tuple[list[str], Floats, list[str]]:
    """Reads what the parser does not give.

    Returns:
        Names of the materials in the order of their first use, as the parser numbers them;
        positions in double precision, ``[V, 3]``: the parser's are coarse far from the origin; and
        the files of materials.

    Raises:
        ValueError: A face names index 0, which the parser would take for the last vertex.
    """
    names: dict[str, None] = {}
    positions: list[list[str]] = []
    libraries: list[str] = []
    with path.open(encoding="utf-8", errors="replace") as lines:
        for number, line in enumerate(map(str.strip, lines), start=1):
            if line.startswith("f ") and _ZERO.search(line):
                raise ValueError(f"line {number}: a face names index 0; OBJ files count from 1")
            if line.startswith("v "):
                positions.append(line.split()[1:4])
            elif line.startswith("usemtl"):
                names[line.split()[1]] = None
            elif line.startswith("mtllib"):
                libraries.append(line.partition(" ")[2].strip())
    return list(names), np.array(positions, dtype=np.float64).reshape(-1, 3), libraries


def _tell(
    path: Path, names: Sequence[str], messages: Sequence[str], warn: Callable[[str], None]
) -> None:
    for message in messages:
        kind, _, missing = message.partition(" file does not exist: ")
        if missing:
            kind = "materials" if kind == "Mtl" else "texture"
            warn(f"{path.name}: the file of its {kind}, {missing}, is missing; it is shown plain")
        elif names and message == "No mtl file provided":
            warn(f"{path.name} uses materials ({names[0]}) and names no file of them (mtllib)")


def _check(indices: Ints, count: int, what: str) -> None:
    wrong = (indices < 0) | (indices >= count)
    if wrong.any():
        raise ValueError(
            f"a face names {what} {int(indices[wrong][0]) + 1}, and the file has {count}"
        )


def _normals(positions: Floats, corners: Ints, faces: Any, extra: Any) -> tuple[Floats, Ints]:
    """The file's normals; where a corner has none, those of the faces round it."""
    creased, groups = creased_normals(positions, corners)
    given = faces.normals_idx.numpy().reshape(-1, 3)
    if extra.normals is None or not (given >= 0).any():
        return creased, groups
    _check(given[given >= 0], len(extra.normals), "normal")
    both = np.concatenate([extra.normals.double().numpy(), creased])
    return both, np.where(given >= 0, given, groups + len(extra.normals))


def _look(name: str, num_vertices: int, faces_uvs: Ints, extra: Any) -> dict[str, Any]:
    """What the vertices or the image of a material give their colour."""
    image = (extra.texture_images or {}).get(name)
    if image is not None and extra.verts_uvs is not None and (faces_uvs >= 0).all():
        _check(faces_uvs, len(extra.verts_uvs), "texture vertex")
        return {
            "image": image.numpy().astype(np.float32),
            "uvs": extra.verts_uvs.double().numpy(),
            "faces_uvs": faces_uvs,
        }
    colour = (extra.material_colors or {}).get(name, {}).get("diffuse_color")
    if colour is None:
        return {}
    return {"colours": np.tile(colour.double().numpy(), (num_vertices, 1))}
