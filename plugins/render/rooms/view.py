"""What one camera sees of a scene at one moment: a face for each pixel, and for parts of pixels.

A rasterizer with PyTorch3D's interface decides which face a pixel sees; everything else about
the pixel follows from that face in closed form (:mod:`plugins.render.rooms.faces`).
"""

import functools

import numpy as np
import torch
from pytorch3d.renderer import RasterizationSettings
from pytorch3d.structures import Meshes
from torch import Tensor

from labcore.kit.cameras import Pinhole
from plugins.render.cameras import to_pytorch3d
from plugins.render.rasterize import TorchRasterizer, make_rasterizer
from plugins.render.rooms.faces import FaceTable
from plugins.render.rooms.scenes import Mesh

__all__ = ["NEAR_M", "Eye", "View"]

NEAR_M = 0.05
"""What is nearer to the camera is cut away."""


class Eye:
    """Looks at meshes through pinhole cameras.

    Args:
        backend: Which rasterizer: auto, torch or pytorch3d.
        samples: Samples a pixel in each direction for the colours.
        device: Where to compute.
    """

    def __init__(
        self, *, backend: str = "auto", samples: int = 2, device: torch.device | str = "cpu"
    ) -> None:
        self.samples = samples
        self.device = torch.device(device)
        self._rasterizer = make_rasterizer(backend, device=self.device)

    def look(self, mesh: Mesh, camera: Pinhole) -> "View":
        """Returns what a camera sees of a mesh."""
        return View(self, mesh, camera)

    def faces(self, mesh: Mesh, camera: Pinhole, samples: int) -> Tensor:
        """Finds the face under each sample, int64 ``[sH, sW]``; -1 where there is none."""
        meshes = Meshes(
            verts=[torch.as_tensor(mesh.vertices, device=self.device)],
            faces=[torch.as_tensor(mesh.faces, device=self.device)],
        )
        settings = RasterizationSettings(
            image_size=(camera.height * samples, camera.width * samples),
            faces_per_pixel=1,
            z_clip_value=NEAR_M,
        )
        given = {"cameras": to_pytorch3d(camera, self.device), "raster_settings": settings}
        faces: Tensor
        if isinstance(self._rasterizer, TorchRasterizer):
            faces = self._rasterizer.visible_faces(meshes, **given)
        else:
            faces = self._rasterizer(meshes, **given).pix_to_face
        return faces[0, ..., 0]


class View:
    """A mesh, a camera, and which face of the mesh each pixel sees, found when it is asked for."""

    def __init__(self, eye: Eye, mesh: Mesh, camera: Pinhole) -> None:
        self.mesh = mesh
        self.camera = camera
        self.samples = eye.samples
        self._eye = eye

    @functools.cached_property
    def table(self) -> FaceTable:
        """The faces in the frame of the camera."""
        vertices = self.camera.to_camera(self.mesh.vertices.astype(np.float64))
        return FaceTable.build(vertices[self.mesh.faces], self.mesh.uvs, self._eye.device)

    @functools.cached_property
    def face(self) -> Tensor:
        """Face under each pixel's centre, int64 ``[H, W]``; -1 where there is none."""
        return self._eye.faces(self.mesh, self.camera, 1)

    @functools.cached_property
    def fine(self) -> Tensor:
        """Face under each sample, int64 ``[sH, sW]``; -1 where there is none."""
        return self._eye.faces(self.mesh, self.camera, self.samples)

    @functools.cached_property
    def uniform(self) -> Tensor:
        """Whether a sample, the next to its right and the two below see one face, ``[sH, sW]``."""
        fine, same = self.fine, torch.zeros_like(self.fine, dtype=torch.bool)
        corner = fine[:-1, :-1]
        right, below, beyond = fine[:-1, 1:], fine[1:, :-1], fine[1:, 1:]
        same[:-1, :-1] = (corner >= 0) & (corner == right) & (corner == below) & (corner == beyond)
        return same
