"""Files that mesh files name: which they are, and whether they may be read.

A name in a file of another's making can be a device that never ends, a picture of gigabytes, or a
file outside the folder; the readers themselves take all of these.
"""

import json
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path, PureWindowsPath

from PIL import Image

__all__ = ["MAX_PIXELS", "checked", "named_files", "named_textures", "textures_of_mtl"]

MAX_PIXELS = 1 << 24
"""Of one picture: 4096 x 4096, which take 200 MB once they are numbers."""
_MAX_MTL_BYTES = 4_000_000
_HEADER_BYTES = 65_536


def named_textures(path: Path) -> list[str]:
    """Returns the names of the texture files beside a file, as it gives them.

    Args:
        path: A PLY file (``comment TextureFile NAME`` in its header) or a glTF file with its
            images outside; other files name none.
    """
    suffix = path.suffix.lower()
    if suffix == ".ply":
        return _of_ply(path)
    return _uris(path, "images") if suffix == ".gltf" else []


def named_files(path: Path) -> list[str]:
    """Returns the names of all files that a PLY or glTF file needs, textures included."""
    buffers = _uris(path, "buffers") if path.suffix.lower() == ".gltf" else []
    return [*named_textures(path), *buffers]


def textures_of_mtl(path: Path) -> list[str]:
    """Returns the names of the pictures that a file of materials gives."""
    with path.open(encoding="utf-8", errors="replace") as lines:
        words = [line.split(maxsplit=1) for line in lines if line.strip().startswith("map_Kd")]
    return [pair[1].strip() for pair in words if len(pair) == 2]


def checked(path: Path, names: Iterable[str], warn: Callable[[str], None]) -> str:
    """Says why a file that a mesh names must not be read; empty when all may, or are not there.

    Args:
        path: The mesh.
        names: As it gives them, relative to its folder.
        warn: Told of names that lead out of the folder: they are read all the same.
    """
    for name in dict.fromkeys(names):
        file = path.parent / name
        if Path(name).is_absolute() or PureWindowsPath(name).is_absolute() or ".." in file.parts:
            warn(f"{path.name} names a file outside its folder: {name}")
        if not file.exists():
            continue
        if not file.is_file():
            return f"{name} is no regular file"
        if file.suffix.lower() == ".mtl" and file.stat().st_size > _MAX_MTL_BYTES:
            return f"{name} is too large for a file of materials"
        if file.suffix.lower() in Image.registered_extensions():
            too_large = _is_too_large(file)
            if too_large:
                return f"{name} has {too_large}"
    return ""


def _is_too_large(file: Path) -> str:
    """Says how large a picture is when it is too large; looks at its header alone."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(file) as picture:
                width, height = picture.size
    except Image.DecompressionBombError as error:
        return str(error)
    except (OSError, ValueError):
        return ""  # no picture: its reader says so
    if width * height <= MAX_PIXELS:
        return ""
    return f"{width:,} x {height:,} pixels, over {MAX_PIXELS:,}"


def _uris(path: Path, kind: str) -> list[str]:
    entries = json.loads(path.read_text(encoding="utf-8")).get(kind, [])
    names = [entry["uri"] for entry in entries if "uri" in entry]
    return [name for name in names if not name.startswith("data:")]


def _of_ply(path: Path) -> list[str]:
    with path.open("rb") as stream:
        header = stream.read(_HEADER_BYTES).partition(b"end_header")[0]
    names = []
    for line in header.decode("ascii", errors="replace").splitlines():
        words = line.split(maxsplit=2)
        if len(words) == 3 and [word.lower() for word in words[:2]] == ["comment", "texturefile"]:
            names.append(words[2].strip())
    return names
