"""Reading PLY, glTF, STL and OFF files, through trimesh."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plugins.render.meshes.patch import Patch, flattened
from plugins.render.meshes.references import MAX_PIXELS, checked, named_files, named_textures

__all__ = ["read_other"]

Floats = NDArray[np.float64]


def read_other(path: Path, warn: Callable[[str], None]) -> list[Patch]:
    """Reads a file of another format than OBJ: a patch for each part, placed as in its scene.

    A cloud of points is a patch with no faces.

    Args:
        path: The file.
        warn: Told of parts that cannot be shown.

    Raises:
        ValueError: The file is damaged.
    """
    import trimesh

    # It logs tracebacks of what is wrong with a file; the reason is told in one message.
    logging.getLogger("trimesh").setLevel(logging.CRITICAL)
    refused = checked(path, named_files(path), warn)
    if refused:
        raise ValueError(refused)
    named = named_textures(path)
    missing = [name for name in named if not (path.parent / name).is_file()]
    for texture in missing:
        warn(f"{path.name}: its texture {path.parent / texture} is missing; it is shown plain")
    # trimesh stands a grey picture in for a missing one.
    textured = path.suffix.lower() != ".ply" or len(named) > len(missing)
    is_gltf = path.suffix.lower() in {".glb", ".gltf"}
    scene = trimesh.load_scene(path, process=False)
    patches = []
    for node in scene.graph.nodes_geometry:
        transform, name = scene.graph[node]
        part = scene.geometry[name]
        if isinstance(part, trimesh.Trimesh):
            patch = _surface(part, transform, is_gltf=is_gltf, textured=textured)
            patches.append(patch)
        elif isinstance(part, trimesh.PointCloud):
            patches.append(_cloud(part, transform))
        else:
            warn(f"{path.name}: {name} is neither a surface nor points; it is left out")
    return patches


def _surface(part: Any, transform: Floats, *, is_gltf: bool, textured: bool) -> Patch:
    linear = transform[:3, :3]
    faces = np.asarray(part.faces, dtype=np.int64)
    if np.linalg.det(linear) < 0:
        faces = faces[:, ::-1]  # a mirror turns surfaces inside out
    vertices = _placed(part.vertices, transform)
    # glTF cuts vertices in two at hard edges and at seams; its normals know which is which.
    # trimesh keeps those of the file in its cache, and works them out when they are asked for.
    has_normals = is_gltf and "vertex_normals" in part._cache.cache
    normals = np.asarray(part.vertex_normals) @ np.linalg.inv(linear) if has_normals else None
    image, uvs = _image(part.visual) if textured else (None, None)
    patch = Patch(
        vertices=vertices,
        faces=faces,
        normals=normals,
        colours=_colours(part),
        uvs=uvs,
        faces_uvs=None if uvs is None else faces,
        image=image,
    )
    # glTF 2.0, section 3.7.2.1: without normals, flat ones are to be worked out.
    return flattened(patch) if is_gltf and normals is None and len(faces) else patch


def _cloud(part: Any, transform: Floats) -> Patch:
    colours = np.asarray(part.colors) if part.colors is not None else np.zeros((0, 4))
    return Patch(
        vertices=_placed(part.vertices, transform),
        faces=np.zeros((0, 3), dtype=np.int64),
        colours=colours[:, :3] / 255 if len(colours) == len(part.vertices) > 0 else None,
    )


def _placed(points: Any, transform: Floats) -> Floats:
    return np.asarray(points, dtype=np.float64) @ transform[:3, :3].T + transform[:3, 3]


def _image(visual: Any) -> tuple[NDArray[np.float32] | None, Floats | None]:
    """The picture of the material, its factor applied, and where the vertices are in it."""
    uvs = getattr(visual, "uv", None)
    material = getattr(visual, "material", None)
    picture = getattr(material, "baseColorTexture", None) or getattr(material, "image", None)
    if uvs is None or picture is None or not len(uvs):
        return None, None
    if picture.width * picture.height > MAX_PIXELS:
        raise ValueError(
            f"a texture of {picture.width:,} x {picture.height:,} pixels, over {MAX_PIXELS:,}"
        )
    image = np.asarray(picture.convert("RGB"), dtype=np.float32) / 255
    factor = _factor(material)
    if factor is not None:
        image = (image * factor).astype(np.float32)
    return image, np.asarray(uvs, dtype=np.float64)


def _colours(part: Any) -> Floats | None:
    count = len(part.vertices)
    if part.visual.kind in {"vertex", "face"}:
        return np.asarray(part.visual.vertex_colors, dtype=np.float64)[:count, :3] / 255
    factor = _factor(getattr(part.visual, "material", None))
    return None if factor is None else np.tile(factor, (count, 1))


def _factor(material: Any) -> Floats | None:
    """The base colour of a glTF material, as it is shown: the file has it in linear light."""
    factor = getattr(material, "baseColorFactor", None)
    if factor is None:
        return None
    linear = np.asarray(factor, dtype=np.float64)[:3]
    linear = linear / 255 if np.asarray(factor).dtype == np.uint8 else linear
    # IEC 61966-2-1, the transfer function of sRGB.
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
