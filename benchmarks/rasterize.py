"""Rasterizing on a CPU: ours against PyTorch3D's, and depth alone against trimesh with Embree.

    python benchmarks/rasterize.py [--repeats 5] [--sizes 128x160,256x256] [--faces 5120,70000]
    python benchmarks/rasterize.py --plot docs/images/rasterize_cost.png

PyTorch3D is called plainly, one picture at a time; its fragments and ours are compared. It tests
every face against every pixel, so that a picture of 70,000 faces takes tens of seconds: those above
0.5 billion pairs are measured once, without a run to warm up. Embree casts a ray through each pixel
and finds faces and points, without barycentrics; building its tree is not counted. Times are of the
processor, on one thread. Ratios are theirs / ours.
"""

import argparse
import functools
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from _render_cases import camera_at, make_mesh, median_ms, pixels_of
from pytorch3d.renderer import FoVPerspectiveCameras, MeshRasterizer, RasterizationSettings
from pytorch3d.renderer.mesh.rasterizer import Fragments
from pytorch3d.structures import Meshes
from rich.console import Console
from rich.table import Table

from plugins.render.rasterize import TorchRasterizer

SLOW_PAIRS = 500_000_000


def count_differences(ours: Fragments, theirs: Fragments) -> int:
    """Counts pixels that show another face; raises when the same face is at another depth."""
    same = ours.pix_to_face == theirs.pix_to_face
    torch.testing.assert_close(ours.zbuf[same], theirs.zbuf[same], rtol=1e-5, atol=1e-5)
    return int((~same).sum())


def ray_caster(mesh: Meshes, camera: FoVPerspectiveCameras, size: tuple[int, int]) -> Callable:
    """Returns a call that casts a ray through each pixel with trimesh and Embree."""
    import trimesh
    from trimesh.ray.ray_pyembree import RayMeshIntersector

    height, width = size
    columns = (width - 1) / 2 - np.arange(width)
    rows = (height - 1) / 2 - np.arange(height)
    x, y = np.meshgrid(columns, rows)
    ndc = np.stack([x, y, np.full_like(x, min(size) / 2)], -1).reshape(-1, 3) / (min(size) / 2)
    far = camera.unproject_points(torch.from_numpy(ndc).float(), from_ndc=True).numpy()
    origin = camera.get_camera_center()[0].numpy()
    origins = np.broadcast_to(origin, far.shape).copy()
    caster = RayMeshIntersector(
        trimesh.Trimesh(mesh.verts_packed(), mesh.faces_packed(), process=False)
    )
    return functools.partial(caster.intersects_location, origins, far - origin, multiple_hits=False)


def measure(num_faces: int, size: tuple[int, int], repeats: int, *, plain: bool = True) -> dict:
    """Milliseconds of each way to find what the pixels of one picture see.

    Args:
        num_faces: Of the mesh, about.
        size: Height and width in pixels.
        repeats: Runs of the peers; ours, which are quick, run four times as often.
        plain: Whether to wait for PyTorch3D.
    """
    mesh, camera = make_mesh(num_faces), camera_at(30.0)
    raster_settings = RasterizationSettings(image_size=size)
    ours, cast = TorchRasterizer(camera, raster_settings), ray_caster(mesh, camera, size)
    fragments = ours(mesh)
    covered = int((fragments.pix_to_face >= 0).sum())
    if abs(len(cast()[0]) - covered) > 0.01 * covered:
        raise RuntimeError("the rays and the rasterizer see different pictures")
    result = {
        "faces": len(mesh.faces_packed()),
        "size": f"{size[0]}x{size[1]}",
        "ours": median_ms(lambda: ours(mesh), 4 * repeats),
        "faces_only": median_ms(lambda: ours.visible_faces(mesh), 4 * repeats),
        "embree": median_ms(cast, repeats),
    }
    if plain:
        theirs = MeshRasterizer(camera, raster_settings)
        seen: list[Fragments] = []
        slow = result["faces"] * size[0] * size[1] > SLOW_PAIRS
        result["pytorch3d"] = median_ms(
            lambda: seen.append(theirs(mesh)), 1 if slow else repeats, warm_up=not slow
        )
        result["differ"] = count_differences(fragments, seen[-1])
    return result


def plot(path: Path, repeats: int) -> None:
    """Draws cost against faces at 256 x 256 pixels, and against pixels at 5,120 faces."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    by_faces = [
        measure(faces, (256, 256), repeats, plain=faces <= 5120)
        for faces in (80, 320, 1280, 5120, 20000, 80000, 320000)
    ]
    by_pixels = [
        measure(5120, (side, side), repeats, plain=side <= 256)
        for side in (32, 64, 128, 256, 512, 1024)
    ]
    figure, axes = plt.subplots(1, 2, figsize=(9, 3.6), sharey=True, layout="constrained")
    sides = [int(row["size"].split("x")[0]) ** 2 for row in by_pixels]
    series = {"pytorch3d": "PyTorch3D", "embree": "trimesh + Embree (depth)", "ours": "ours"}
    for axis, rows, xs, label in (
        (axes[0], by_faces, [row["faces"] for row in by_faces], "faces, at 256 x 256 pixels"),
        (axes[1], by_pixels, sides, "pixels, with 5,120 faces"),
    ):
        for key, name in series.items():
            points = [(x, row[key]) for x, row in zip(xs, rows, strict=True) if key in row]
            axis.loglog(*zip(*points, strict=True), marker="o", label=name)
        axis.set_xlabel(label)
        axis.grid(alpha=0.3)
    axes[0].set_ylabel("ms a picture, one core")
    axes[1].legend()
    figure.savefig(path, dpi=150)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--sizes", default="128x160,256x256", help="HEIGHTxWIDTH, ...")
    parser.add_argument("--faces", default="5120,70000")
    parser.add_argument("--plot", type=Path, help="draw cost against faces and pixels instead")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    if arguments.plot:
        plot(arguments.plot, arguments.repeats)
        return
    table = Table(
        title="One picture, ms of one core",
        caption="* only which face each pixel sees; Embree: only faces and points",
    )
    columns = ("faces", "pixels", "PyTorch3D", "ours", "ratio", "ours*", "Embree", "Embree / ours*")
    for column in columns:
        table.add_column(column, justify="right")
    differing = 0
    for faces in map(int, arguments.faces.split(",")):
        for size in map(pixels_of, arguments.sizes.split(",")):
            row = measure(faces, size, arguments.repeats)
            differing += row["differ"]
            table.add_row(
                f"{row['faces']:,}",
                row["size"],
                f"{row['pytorch3d']:,.0f}",
                f"{row['ours']:.1f}",
                f"{row['pytorch3d'] / row['ours']:,.0f}",
                f"{row['faces_only']:.1f}",
                f"{row['embree']:.1f}",
                f"{row['embree'] / row['faces_only']:.1f}",
            )
    Console().print(table)
    Console().print(f"pixels where ours shows another face than PyTorch3D: {differing}")


if __name__ == "__main__":
    main()
