"""Packages with a compiled part of their own beside PyTorch's: does it load, and is it right?"""

import importlib
from typing import Any

from labcore.doctor.probes.outcome import WrongResult, need, seen_kernels

__all__ = ["rasterise_cube", "suppress_boxes"]

_SIZE_PX = 64
_CUBE = [(x, y, z) for z in (1.0, 2.0) for y in (-0.5, 0.5) for x in (-0.49, 0.51)]
"""Corners in normalised device coordinates: half the picture wide and high, its near face at 1; a
little aside, so that no pixel's centre lies on an edge, which belongs to neither face."""
_FACES = [
    (0, 1, 3), (0, 3, 2), (4, 6, 7), (4, 7, 5), (0, 4, 5), (0, 5, 1),
    (2, 3, 7), (2, 7, 6), (0, 2, 6), (0, 6, 4), (1, 5, 7), (1, 7, 3),
]  # fmt: skip


def suppress_boxes() -> dict[str, Any]:
    """Runs torchvision's non-maximum suppression on boxes whose answer is plain to see."""
    torch, torchvision = need("torch", "torchvision")
    boxes = torch.tensor([[0, 0, 10, 10], [1, 1, 11, 11], [20, 20, 30, 30]], dtype=torch.float32)
    scores = torch.tensor([0.8, 0.9, 0.7])  # the first overlaps the better second by 68 %
    devices = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]
    for device in devices:
        kept = torchvision.ops.nms(boxes.to(device), scores.to(device), 0.5).tolist()
        if kept != [1, 2]:
            raise WrongResult(f"non-maximum suppression on {device} kept {kept}, not [1, 2]")
    return {"torchvision": torchvision.__version__, "devices": devices}


def rasterise_cube() -> dict[str, Any]:
    """Loads ``pytorch3d._C`` and rasterises a cube that covers a known square of the picture.

    On a GPU the same is held to have run there, by its kernels.
    """
    torch, _ = need("torch", "pytorch3d")
    importlib.import_module("pytorch3d._C")
    pixels = _rasterise(torch, "cpu")
    if not torch.cuda.is_available():
        return {"devices": ["cpu"], "pixels": pixels}
    kernels = seen_kernels(torch, lambda: _rasterise(torch, "cuda"), "PyTorch3D's rasterizer")
    return {"devices": ["cpu", "cuda"], "pixels": pixels, **kernels}


def _rasterise(torch: Any, device: str) -> int:
    structures = importlib.import_module("pytorch3d.structures")
    mesh_renderer = importlib.import_module("pytorch3d.renderer.mesh.rasterize_meshes")
    cube = structures.Meshes(
        verts=[torch.tensor(_CUBE, device=device)], faces=[torch.tensor(_FACES, device=device)]
    )
    faces, depth, _, _ = mesh_renderer.rasterize_meshes(cube, image_size=_SIZE_PX)
    mask = (faces[0, ..., 0] >= 0).cpu()
    covered = int(mask.sum())
    inside = mask[_SIZE_PX // 4 : -_SIZE_PX // 4, _SIZE_PX // 4 : -_SIZE_PX // 4]
    if covered != (_SIZE_PX // 2) ** 2 or not bool(inside.all()):
        raise WrongResult(
            f"on {device} the cube covers {covered} pixels, "
            f"not the {(_SIZE_PX // 2) ** 2} in the middle"
        )
    off = float((depth[0, ..., 0].cpu()[mask] - 1.0).abs().max())
    if not off < 1e-5:
        raise WrongResult(f"on {device} the near face of the cube is off by {off:.2g} in depth")
    return covered
