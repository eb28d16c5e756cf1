"""Textured models inside the package miniworld, which is fetched as data and never installed.

The declaration of the plugin reads this module, so it imports nothing heavy.
"""

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from labcore import Dataset

__all__ = ["MEMBERS", "PACKAGED", "file_of", "prepare"]

_FILES = {
    "duck": "duckie",
    "chair": "office_chair",
    "barrel": "barrel",
    "building": "building",
    "potion": "potion",
}
"""Name of a model to the name of its files."""

_FOLDER = "miniworld/meshes"

PACKAGED = tuple(_FILES)
"""Names of the models."""

MEMBERS = tuple(
    f"{_FOLDER}/{stem}.{suffix}" for stem in _FILES.values() for suffix in ("obj", "png")
)
"""The files of the package that are needed."""


def file_of(folder: Path, name: str) -> Path:
    """Returns the OBJ file of a model in the folder of the dataset."""
    return folder / f"{name}.obj"


def prepare(dataset: "Dataset", raw: Path, out: Path) -> None:
    """Writes each model as OBJ with its material and texture.

    The OBJ files name materials that the package does not have; each model has one texture,
    called like itself, so that is what the material written here says.
    """
    for name, stem in _FILES.items():
        source = raw / _FOLDER / f"{stem}.obj"
        shutil.copyfile(source.with_suffix(".png"), out / f"{name}.png")
        (out / f"{name}.mtl").write_text(
            f"newmtl {name}\nKd 1 1 1\nmap_Kd {name}.png\n", encoding="utf-8"
        )
        text = source.read_text(encoding="utf-8")
        body = [x for x in text.splitlines() if not x.startswith(("mtllib", "usemtl"))]
        head = [f"mtllib {name}.mtl", f"usemtl {name}"]
        file_of(out, name).write_text("\n".join([*head, *body, ""]), encoding="utf-8")
