"""Makes the pictures of fitting on the render page from finished runs.

    python docs/make_fitting_images.py MESH_RUN POSE_RUN TEXTURE_RUN

Folders of runs of ``task=fit_mesh``, ``fit_pose`` and ``fit_texture``, preset laptop. Writes
to docs/images: fitting.gif, fit_pose.gif and fit_texture.png.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from labcore.kit.video import GifWriter

IMAGES = Path(__file__).parent / "images"
MAX_KB = 300


def main() -> None:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for task in ("mesh", "pose", "texture"):
        parser.add_argument(task, type=Path, help=f"folder of a run of task=fit_{task}")
    options = parser.parse_args()
    artifacts = {name: folder / "artifacts" for name, folder in vars(options).items()}
    IMAGES.mkdir(exist_ok=True)
    written = [
        shrunk_film(artifacts["mesh"] / "fit.gif", IMAGES / "fitting.gif", width=280),
        shrunk_film(artifacts["pose"] / "fit.gif", IMAGES / "fit_pose.gif", width=512),
        shrunk(artifacts["texture"] / "held-out-views.png", IMAGES / "fit_texture.png", width=720),
    ]
    for path in written:
        size_kb = path.stat().st_size / 1000
        sys.stdout.write(f"{path}: {size_kb:.0f} kB\n")
        if size_kb > MAX_KB:
            sys.exit(f"{path.name} has more than {MAX_KB} kB")


def shrunk(picture: Path, path: Path, *, width: int) -> Path:
    """Copies a picture, made smaller."""
    with Image.open(picture) as image:
        size = (width, round(width * image.height / image.width))
        image.convert("RGB").resize(size, Image.Resampling.LANCZOS).save(path, optimize=True)
    return path


def shrunk_film(film: Path, path: Path, *, width: int, frames: int = 18) -> Path:
    """Copies a GIF with fewer and smaller frames, the first and the last among them."""
    with Image.open(film) as gif, GifWriter(path, fps=6) as small:
        for index in np.linspace(0, gif.n_frames - 1, min(frames, gif.n_frames)).round():
            gif.seek(int(index))
            size = (width, round(width * gif.height / gif.width))
            small.add(np.asarray(gif.convert("RGB").resize(size)))
    return path


if __name__ == "__main__":
    main()
