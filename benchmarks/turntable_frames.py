"""One frame of a turntable, light and all, with either rasterizer.

    python benchmarks/turntable_frames.py [--threads 1] [--repeats 5]

Processor time of ``plugins.render.shading.render`` with Phong light, medians. The peer, PyTorch3D's
rasterizer under the same light, takes turns with ours on the smallest mesh; on the others it would
take minutes. Ratios are peer / ours.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Sequence

import torch
from pytorch3d.ops import sample_points_from_meshes
from pytorch3d.structures import Pointclouds
from rich.console import Console
from rich.table import Table

from plugins.render.cameras import orbit
from plugins.render.meshes import primitive
from plugins.render.shading import render

SIZE = 256
NUM_POINTS = 30_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)
    cameras = orbit(arguments.repeats + 1, distance=3.0)
    table = Table(title=f"A frame of {SIZE} x {SIZE} pixels, {arguments.threads} thread(s)")
    table.add_column("what")
    for column in ("samples a pixel", "ours ms", "PyTorch3D ms", "ratio"):
        table.add_column(column, justify="right")
    torus, knot, fine = primitive("torus"), primitive("knot"), primitive("knot", resolution=132)
    points, colours = sample_points_from_meshes(knot, NUM_POINTS, return_textures=True)
    cloud = Pointclouds(points=points, features=colours)

    def frame(thing: object, samples: int, backend: str = "torch") -> Callable[[int], None]:
        return lambda index: render(
            thing, cameras[index], image_size=SIZE, supersampling=samples, backend=backend
        )

    for name, samples, ways in (
        (faces("torus", torus), 1, [frame(torus, 1), frame(torus, 1, "pytorch3d")]),
        (faces("torus", torus), 4, [frame(torus, 2)]),
        (faces("knot", knot), 4, [frame(knot, 2)]),
        (faces("knot", fine), 4, [frame(fine, 2)]),
        (f"cloud, {NUM_POINTS:,} points", 4, [frame(cloud, 2)]),
    ):
        ours, *peer = medians_ms(ways, arguments.repeats)
        rest = (f"{peer[0]:.0f}", f"{peer[0] / ours:.0f}") if peer else ("", "")
        table.add_row(name, str(samples), f"{ours:.0f}", *rest)
    Console().print(table)


def faces(name: str, mesh: object) -> str:
    return f"{name}, {len(mesh.faces_packed()):,} faces"


def medians_ms(ways: Sequence[Callable[[int], None]], repeats: int) -> list[float]:
    """Times the ways by turns, each on one frame after the other; the first is not counted."""
    times: list[list[float]] = [[] for _ in ways]
    for index in range(repeats + 1):
        for way, taken in zip(ways, times, strict=True):
            start = time.process_time()
            way(index)
            taken.append((time.process_time() - start) * 1000)
    return [statistics.median(taken[1:]) for taken in times]


if __name__ == "__main__":
    main()
