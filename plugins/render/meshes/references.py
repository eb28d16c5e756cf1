"""Texture files that PLY and glTF files name: trimesh goes on in silence where one is missing."""

import json
from pathlib import Path

__all__ = ["named_textures"]

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
    if suffix == ".gltf":
        images = json.loads(path.read_text(encoding="utf-8")).get("images", [])
        names = [image["uri"] for image in images if "uri" in image]
        return [name for name in names if not name.startswith("data:")]
    return []


def _of_ply(path: Path) -> list[str]:
    with path.open("rb") as stream:
        header = stream.read(_HEADER_BYTES).partition(b"end_header")[0]
    names = []
    for line in header.decode("ascii", errors="replace").splitlines():
        words = line.split(maxsplit=2)
        if len(words) == 3 and [word.lower() for word in words[:2]] == ["comment", "texturefile"]:
            names.append(words[2].strip())
    return names
