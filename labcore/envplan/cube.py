"""A test of an installed PyTorch3D: its compiled part loads, and a cube is drawn right."""

__all__ = ["CUBE"]

CUBE = """\
import torch
from pytorch3d import _C
from pytorch3d.renderer import FoVPerspectiveCameras, MeshRasterizer, RasterizationSettings
from pytorch3d.structures import Meshes

corners = [[x, y, z] for x in (-1.0, 1.0) for y in (-1.0, 1.0) for z in (-1.0, 1.0)]
sides = [
    [0, 1, 3], [0, 3, 2], [4, 6, 7], [4, 7, 5], [0, 4, 5], [0, 5, 1],
    [2, 3, 7], [2, 7, 6], [0, 2, 6], [0, 6, 4], [1, 5, 7], [1, 7, 3],
]
devices = ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]
for device in devices:
    cube = Meshes([torch.tensor(corners, device=device)], [torch.tensor(sides, device=device)])
    cameras = FoVPerspectiveCameras(
        T=torch.tensor([[0.0, 0.0, 4.0]], device=device), fov=60.0, device=device
    )
    settings = RasterizationSettings(image_size=64)
    seen = MeshRasterizer(cameras=cameras, raster_settings=settings)(cube)
    covered = (seen.pix_to_face[..., 0] >= 0).float().mean().item()
    # The near side is 3 away and 2 wide: (2 / (2 * 3 * tan 30 deg)) ** 2 = 1 / 3 of the picture.
    assert abs(covered - 1 / 3) < 0.04, f"the cube covers {covered:.3f} of the picture"
    print(f"pytorch3d draws a cube on {device}: torch {torch.__version__}")
"""
"""Python text; stops with an error when something is wrong."""
