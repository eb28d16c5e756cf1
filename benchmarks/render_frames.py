"""Frames a second of depth, normals and textured colours, ours against PyTorch3D called plainly.

    python benchmarks/render_frames.py [--repeats 5] [--sizes 128x160,256x256] [--faces 5120,70000]
    python benchmarks/render_frames.py --settings

A frame is what a dataset of RGB-D pictures needs: depth, unit normals, and colours of a texture
under a lamp (Lambert). The peer is written as PyTorch3D's tutorials do: a ``MeshRasterizer`` and a
shader, one frame at a time, on all pixels. Ours finds the pixels that see something and paints
those. Times are of the processor, on one thread. Both pictures are compared before anything is
timed, but for 70,000 faces, where a frame of PyTorch3D takes tens of seconds and is made once.
``--settings`` tries ways to use ours: several faces a pixel, culling, batches, two processes.
"""

import argparse
import functools
import multiprocessing
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor

import torch
from _render_cases import camera_at, make_mesh, median_ms, pixels_of, textured
from pytorch3d.ops import interpolate_face_attributes
from pytorch3d.renderer import MeshRasterizer, RasterizationSettings
from pytorch3d.renderer.cameras import CamerasBase
from pytorch3d.renderer.mesh.rasterizer import Fragments
from pytorch3d.structures import Meshes
from rich.console import Console
from rich.table import Table
from torch import Tensor
from torch.nn import functional as F

from plugins.render.rasterize import TorchRasterizer

SLOW_PAIRS = 500_000_000
LIGHT = F.normalize(torch.tensor([0.4, 0.8, 0.5]), dim=0)
AMBIENT = 0.3


def lambert(albedo: Tensor, normals: Tensor) -> Tensor:
    """Colours under one far lamp."""
    return albedo * (AMBIENT + (1 - AMBIENT) * (normals @ LIGHT).clamp_min(0))[..., None]


def plain_frame(mesh: Meshes, camera: CamerasBase, size: tuple[int, int]) -> list[Tensor]:
    """Depth, normals and colours, as PyTorch3D's tutorials write it."""
    fragments = MeshRasterizer(camera, RasterizationSettings(image_size=size))(mesh)
    corners = mesh.verts_normals_packed()[mesh.faces_packed()]
    normals = F.normalize(
        interpolate_face_attributes(fragments.pix_to_face, fragments.bary_coords, corners), dim=-1
    )
    colours = lambert(mesh.sample_textures(fragments), normals)
    seen = fragments.pix_to_face >= 0
    return [fragments.zbuf[..., 0], normals[..., 0, :], torch.where(seen, colours[..., 0, :], 1.0)]


def our_frames(
    mesh: Meshes, cameras: CamerasBase, size: tuple[int, int], **options: object
) -> list[list[Tensor]]:
    """The same with our rasterizer, worked out for the pixels that see something.

    Args:
        mesh: One mesh.
        cameras: One camera for each frame; all frames are rasterized at once.
        size: Height and width in pixels.
        **options: Settings of the rasterizer.
    """
    raster_settings = RasterizationSettings(image_size=size, **options)
    meshes = mesh if len(cameras) == 1 else mesh.extend(len(cameras))
    fragments = TorchRasterizer(cameras, raster_settings)(meshes)
    frames = []
    for index in range(len(cameras)):
        face = fragments.pix_to_face[index, ..., 0]
        hit = (face >= 0).nonzero(as_tuple=True)
        face = face[hit] % len(mesh.faces_packed())
        weights = fragments.bary_coords[index, ..., 0, :][hit]
        corners = mesh.verts_normals_packed()[mesh.faces_packed().index_select(0, face)]
        normals = F.normalize((corners * weights[..., None]).sum(1), dim=-1)
        # A picture of one row, so that the textures look at no empty pixel.
        row = Fragments(
            pix_to_face=face[None, None, :, None],
            zbuf=torch.empty(0),
            bary_coords=weights[None, None, :, None],
            dists=None,
        )
        colours = lambert(mesh.sample_textures(row)[0, 0, :, 0], normals)
        pictures = [torch.zeros(*size, 3), torch.ones(*size, 3)]
        pictures[0][hit], pictures[1][hit] = normals, colours
        frames.append([fragments.zbuf[index, ..., 0], *pictures])
    return frames


def check_same(ours: list[Tensor], theirs: list[Tensor]) -> None:
    """Raises when depth, normals or colours differ at more than a pixel in ten thousand."""
    for mine, other in zip(ours, theirs, strict=True):
        different = (mine - other.view(mine.shape)).abs() > 1e-4
        if different.sum() > different.numel() / 10_000:
            raise RuntimeError("the two do not paint the same picture")


def compare(sizes: list[tuple[int, int]], faces: list[int], repeats: int) -> Table:
    """Frames a second of PyTorch3D called plainly, and of ours."""
    table = Table(title="Depth, normals and colours: frames a second of one core")
    for column in ("faces", "pixels", "PyTorch3D", "ours", "ratio"):
        table.add_column(column, justify="right")
    for num_faces in faces:
        mesh, camera = textured(make_mesh(num_faces)), camera_at(30.0)
        for size in sizes:
            plain = functools.partial(plain_frame, mesh, camera, size)
            ours = functools.partial(our_frames, mesh, camera, size)
            slow = len(mesh.faces_packed()) * size[0] * size[1] > SLOW_PAIRS
            if not slow:
                check_same(ours()[0], plain())
            plain_ms = median_ms(plain, 1 if slow else repeats, warm_up=not slow)
            our_ms = median_ms(ours, 4 * repeats)
            table.add_row(
                f"{len(mesh.faces_packed()):,}",
                f"{size[0]} x {size[1]}",
                f"{1000 / plain_ms:.2f}",
                f"{1000 / our_ms:.1f}",
                f"{plain_ms / our_ms:,.0f}",
            )
    return table


def render_turn(size: tuple[int, int], num_faces: int, num_frames: int) -> int:
    """Renders frames in this process."""
    torch.set_num_threads(1)
    mesh = turning_mesh(num_faces)
    for index in range(num_frames):
        our_frames(mesh, camera_at(float(index)), size)
    return num_frames


@functools.cache
def turning_mesh(num_faces: int) -> Meshes:
    """The mesh, made once in a process."""
    return textured(make_mesh(num_faces))


def best_ms(work: Callable[[], object], num_frames: int, clock: Callable[[], float]) -> float:
    """Least milliseconds for a frame of three runs; a first run only warms up."""
    times = []
    for _ in range(4):
        start = clock()
        work()
        times.append((clock() - start) * 1000 / num_frames)
    return min(times[1:])


def try_settings(sizes: list[tuple[int, int]], faces: list[int], num_frames: int = 16) -> Table:
    """Milliseconds a frame of ours, used in different ways that render the same frames.

    Of the processor, but for two processes against one, where only the wall clock can tell.
    """
    table = Table(title="Ours, ms a frame by how it is used", caption="* of the wall clock")
    ways = ("plain", "K = 4", "culled", "8 at once", "1 process*", "2*")
    for column in ("faces", "pixels", *ways):
        table.add_column(column, justify="right")
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(2, mp_context=context) as pool:
        for num_faces in faces:
            for size in sizes:
                table.add_row(
                    f"{len(turning_mesh(num_faces).faces_packed()):,}",
                    f"{size[0]}x{size[1]}",
                    *[f"{ms:.1f}" for ms in time_ways(num_faces, size, num_frames, pool)],
                )
    return table


def time_ways(
    num_faces: int, size: tuple[int, int], num_frames: int, pool: ProcessPoolExecutor
) -> list[float]:
    """Milliseconds a frame for each column of the table."""
    mesh, cameras = turning_mesh(num_faces), camera_at(torch.arange(float(num_frames)))

    def one_by_one(**options: object) -> None:
        for index in range(num_frames):
            our_frames(mesh, cameras[index], size, **options)

    def in_batches() -> None:
        for begin in range(0, num_frames, 8):
            our_frames(mesh, cameras[list(range(begin, begin + 8))], size)

    def in_processes(number: int) -> None:
        each = num_frames // number
        list(pool.map(render_turn, [size] * number, [num_faces] * number, [each] * number))

    alone = [
        one_by_one,
        functools.partial(one_by_one, faces_per_pixel=4),
        functools.partial(one_by_one, cull_backfaces=True),
        in_batches,
    ]
    shared = [functools.partial(in_processes, number) for number in (1, 2)]
    return [best_ms(way, num_frames, time.process_time) for way in alone] + [
        best_ms(way, num_frames, time.perf_counter) for way in shared
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--sizes", default="128x160,256x256", help="HEIGHTxWIDTH, ...")
    parser.add_argument("--faces", default="5120,70000")
    parser.add_argument("--settings", action="store_true", help="try ways to use ours")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    sizes = [pixels_of(size) for size in arguments.sizes.split(",")]
    faces = [int(number) for number in arguments.faces.split(",")]
    if arguments.settings:
        Console().print(try_settings(sizes, faces))
    else:
        Console().print(compare(sizes, faces, arguments.repeats))


if __name__ == "__main__":
    main()
