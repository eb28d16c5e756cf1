"""Makes the pictures of the render pages from the packaged models.

    python docs/make_render_images.py MODELS

MODELS is the folder that ``lab data prepare render/models`` printed. Writes to docs/images:
turntable.gif, render_styles.png and render_shapes.png.
"""

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path

from pytorch3d.structures import Meshes

from labcore.kit.video import Frame, GifWriter, contact_sheet
from plugins.render.cameras import orbit
from plugins.render.config.scene import PRIMITIVES, STYLES
from plugins.render.meshes import load_mesh, primitive
from plugins.render.packaged import PACKAGED, file_of
from plugins.render.shading import as_bytes, render

IMAGES = Path(__file__).parent / "images"
MAX_KB = 300
DISTANCE = 3.0


def main() -> None:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", type=Path, help="folder of the dataset render/models")
    options = parser.parse_args()
    IMAGES.mkdir(exist_ok=True)
    models = {name: load_mesh(file_of(options.models, name), unit=True) for name in PACKAGED}
    written = [
        turn(models["duck"], IMAGES / "turntable.gif"),
        contact_sheet(
            [picture(mesh, style, 160) for mesh in (models["duck"], knot()) for style in STYLES],
            IMAGES / "render_styles.png",
            tile_px=160,
        ),
        contact_sheet(
            [
                picture(mesh, "phong", 160, view=1)
                for mesh in (*models.values(), *(primitive(name) for name in PRIMITIVES))
            ],
            IMAGES / "render_shapes.png",
            tile_px=160,
        ),
    ]
    for path in written:
        size_kb = path.stat().st_size / 1000
        sys.stdout.write(f"{path}: {size_kb:.0f} kB\n")
        if size_kb > MAX_KB:
            sys.exit(f"{path.name} has more than {MAX_KB} kB")


def knot() -> Meshes:
    """The knot with fewer faces than usual, so that its edges can be told apart."""
    return primitive("knot", resolution=20)


def picture(mesh: Meshes, style: str, size: int, view: int = 0) -> Frame:
    """Draws one picture from one of eight sides."""
    camera = orbit(8, distance=DISTANCE)[view]
    return as_bytes(render(mesh, camera, image_size=size, style=style, supersampling=3))[0]


def turn(mesh: Meshes, path: Path, *, frames: int = 24, size: int = 160) -> Path:
    """Writes a small turn."""
    cameras = orbit(frames, distance=DISTANCE)
    write_gif(
        (
            as_bytes(render(mesh, cameras[index], image_size=size, supersampling=3))[0]
            for index in range(frames)
        ),
        path,
        fps=12,
    )
    return path


def write_gif(frames: Iterable[Frame], path: Path, *, fps: float) -> None:
    """Writes frames as they come."""
    with GifWriter(path, fps=fps) as gif:
        for frame in frames:
            gif.add(frame)


if __name__ == "__main__":
    main()
