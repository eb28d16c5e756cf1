"""What the render benchmarks share: meshes, a camera, and a fair clock."""

import statistics
import time
from collections.abc import Callable

import torch
from pytorch3d.renderer import FoVPerspectiveCameras, TexturesUV, look_at_view_transform
from pytorch3d.structures import Meshes
from pytorch3d.utils import ico_sphere, torus

__all__ = ["camera_at", "clock", "make_mesh", "median_ms", "pixels_of", "textured"]


def make_mesh(num_faces: int) -> Meshes:
    """A sphere of 5,120 faces for up to that many, a torus for more: about the size of a bunny."""
    if num_faces <= 5120:
        level = max(round(torch.log2(torch.tensor(num_faces / 20)).item() / 2), 0)
        return ico_sphere(level)
    sides = round((num_faces / 2) ** 0.5)
    return torus(r=0.4, R=0.8, sides=sides, rings=sides)


def textured(mesh: Meshes) -> Meshes:
    """The mesh with a picture of 512 x 512 wrapped round it."""
    verts = mesh.verts_padded()
    angle = torch.atan2(verts[..., 0], verts[..., 2]) / (2 * torch.pi) + 0.5
    uv = torch.stack([angle, verts[..., 1] / 2 + 0.5], -1)
    maps = torch.rand(1, 512, 512, 3, generator=torch.Generator().manual_seed(0))
    textures = TexturesUV(maps=maps, faces_uvs=mesh.faces_padded(), verts_uvs=uv)
    return Meshes(verts=mesh.verts_list(), faces=mesh.faces_list(), textures=textures)


def camera_at(azimuth: torch.Tensor | float) -> FoVPerspectiveCameras:
    """Cameras round the origin that see the whole mesh."""
    rotation, translation = look_at_view_transform(2.7, 20.0, azimuth)
    return FoVPerspectiveCameras(R=rotation, T=translation)


def pixels_of(size: str) -> tuple[int, int]:
    """Reads HEIGHTxWIDTH."""
    height, width = map(int, size.split("x"))
    return height, width


def clock() -> float:
    """Seconds: of the processor with one thread, so that other processes count little."""
    # Several threads spin while they wait for each other: their processor time means nothing.
    return time.process_time() if torch.get_num_threads() == 1 else time.perf_counter()


def median_ms(work: Callable[[], object], repeats: int, *, warm_up: bool = True) -> float:
    """Median milliseconds of some work."""
    if warm_up:
        work()
    times = []
    for _ in range(repeats):
        start = clock()
        work()
        times.append((clock() - start) * 1000)
    return statistics.median(times)
