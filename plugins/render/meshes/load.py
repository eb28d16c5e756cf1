"""Files with a mesh or a cloud of points, checked before anything is drawn."""

import logging
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from pytorch3d.structures import Meshes

from labcore.errors import UsageError, nearest, suggestion
from plugins.render.meshes.patch import Patch, assemble, fit_to_unit

__all__ = ["SUFFIXES", "load_mesh", "load_patches", "with_faces"]

log = logging.getLogger(__name__)

SUFFIXES = (".obj", ".ply", ".glb", ".gltf", ".stl", ".off")


def load_mesh(
    path: Path, *, unit: bool = False, up: str = "y", warn: Callable[[str], None] = log.warning
) -> Meshes:
    """Reads a mesh with its colours or texture.

    Args:
        path: OBJ, PLY, GLB, glTF, STL or OFF.
        unit: Fit it into a ball of radius 1 round the origin.
        up: Axis that points up in the file; only with ``unit``.
        warn: Told of missing materials and the like: the mesh is shown plain then.

    Raises:
        UsageError: The file is missing, damaged, of another kind, or holds no faces.
    """
    patches = with_faces(path, load_patches(path, warn=warn))
    return assemble(fit_to_unit(patches, up=up) if unit else patches)


def load_patches(path: Path, *, warn: Callable[[str], None] = log.warning) -> list[Patch]:
    """Reads a mesh or a cloud of points, which is patches without faces; checks the numbers.

    Raises:
        UsageError: The file is missing, damaged, of another kind, or holds nothing.
    """
    path = Path(path)
    _check_file(path)
    try:
        patches = _read(path, warn)
    except UsageError:
        raise
    # The readers meet whatever is in the file, and raise whatever comes of it.
    except Exception as error:
        reason = str(error).strip() or type(error).__name__
        raise UsageError(
            f"{path} cannot be read as {path.suffix[1:].upper()}: {' '.join(reason.split())}",
            fix="see that another viewer opens it, or export it again",
        ) from error
    _check_numbers(path, patches)
    return patches


def with_faces(path: Path, patches: Sequence[Patch]) -> list[Patch]:
    """Returns the patches that have faces.

    Raises:
        UsageError: None has any.
    """
    surfaces = [patch for patch in patches if len(patch.faces)]
    if not surfaces:
        count = sum(len(patch.vertices) for patch in patches)
        raise UsageError(
            f"{path} has {count:,} vertices and no faces, so there is no surface",
            fix="task=turntable shows PLY files without faces as points; else give a mesh",
        )
    return surfaces


def _read(path: Path, warn: Callable[[str], None]) -> list[Patch]:
    if path.suffix.lower() == ".obj":
        from plugins.render.meshes.obj import read_obj

        return read_obj(path, warn)
    from plugins.render.meshes.others import read_other

    return read_other(path, warn)


def _check_file(path: Path) -> None:
    if path.is_dir():
        inside = sorted(p.name for p in path.iterdir() if p.suffix.lower() in SUFFIXES)
        found = f"; it holds {', '.join(inside[:4])}" if inside else ""
        raise UsageError(f"{path} is a folder{found}", fix="give the file: mesh.path=FOLDER/FILE")
    if not path.exists():
        here = [p.name for p in path.parent.glob("*")] if path.parent.is_dir() else []
        raise UsageError(
            f"there is no file {path}",
            fix=suggestion(nearest(path.name, here)) or "give the path of a mesh: mesh.path=FILE",
        )
    if path.suffix.lower() not in SUFFIXES:
        guess = suggestion(nearest(path.suffix.lower(), SUFFIXES))
        raise UsageError(
            f"{path.name}: {path.suffix or 'a file without suffix'} is no format that can be read",
            fix=f"{guess} use one of {', '.join(s[1:].upper() for s in SUFFIXES)}".strip(),
        )
    if not path.is_file():
        raise UsageError(f"{path} is no regular file", fix="give the path of a mesh")
    if path.stat().st_size == 0:
        raise UsageError(f"{path} is empty", fix="export or download it again")


def _check_numbers(path: Path, patches: Sequence[Patch]) -> None:
    if not sum(len(patch.vertices) for patch in patches):
        raise UsageError(f"{path} has no vertices", fix="export it again, with its geometry")
    for patch in patches:
        wrong = np.flatnonzero(~np.isfinite(patch.vertices).all(axis=1))
        if len(wrong):
            raise UsageError(
                f"{path}: {len(wrong):,} of {len(patch.vertices):,} vertices are not finite "
                f"numbers, the first is {patch.vertices[wrong[0]].tolist()}",
                fix="repair the mesh: remove these vertices, or export it again",
            )
        if patch.uvs is not None and not np.isfinite(patch.uvs).all():
            raise UsageError(
                f"{path}: its texture coordinates are not finite numbers",
                fix="export it again, or without its texture",
            )
        if len(patch.faces) and not 0 <= patch.faces.min() <= patch.faces.max() < len(
            patch.vertices
        ):
            raise UsageError(
                f"{path}: a face names a vertex that the file does not have",
                fix="the file is damaged: export or download it again",
            )
    spots = np.concatenate([patch.vertices for patch in patches])
    if len(spots) > 1 and not np.ptp(spots, axis=0).any():
        raise UsageError(f"{path}: all its vertices are in one place", fix="export it again")
