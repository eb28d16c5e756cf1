"""What the pixels of a picture see of a mesh, worked out for those that see something.

P pixels of one picture that see something; H W its size.
"""

from functools import cached_property
from typing import Protocol

import torch
from pytorch3d.renderer.cameras import CamerasBase
from pytorch3d.renderer.mesh.rasterizer import Fragments
from pytorch3d.structures import Meshes
from torch import Tensor
from torch.nn import functional as F

from plugins.render.meshes.patch import PLAIN

__all__ = ["MeshPixels", "Pixels"]


class Pixels(Protocol):
    """What a style needs to know; a mesh and a cloud of points answer alike."""

    hit: Tensor
    """Which pixels see something, ``[H, W]``."""
    camera: CamerasBase
    """The one camera of the picture."""

    @property
    def depth(self) -> Tensor:
        """Distance along the view axis, ``[P]``."""
        ...

    @property
    def positions(self) -> Tensor:
        """Places in the world, ``[P, 3]``."""
        ...

    @property
    def centres(self) -> Tensor:
        """Middles of the faces or balls that they belong to, ``[P, 3]``."""
        ...

    @property
    def colours(self) -> Tensor:
        """Colours without light, ``[P, 3]``."""
        ...

    def normals(self, *, smooth: bool) -> Tensor:
        """Unit normals in the world that face the viewer, ``[P, 3]``."""
        ...

    def edge_px(self) -> Tensor | None:
        """Distance to the nearest edge of the face in pixels, ``[P]``; None when there are none."""
        ...


class MeshPixels:
    """The nearest face of a mesh at each pixel.

    Args:
        mesh: One mesh.
        fragments: What the rasterizer saw of it, one face a pixel.
        camera: The camera of the picture.
    """

    def __init__(self, mesh: Meshes, fragments: Fragments, camera: CamerasBase) -> None:
        face = fragments.pix_to_face[0, ..., 0]
        self.hit = face >= 0
        self.camera = camera
        self.depth = fragments.zbuf[0, ..., 0][self.hit]
        self._mesh = mesh
        self._face = face[self.hit]
        self._bary = fragments.bary_coords[0, ..., 0, :][self.hit]
        self._corners = mesh.faces_packed()[self._face]
        self._size = (int(face.shape[0]), int(face.shape[1]))

    @cached_property
    def positions(self) -> Tensor:
        """Places in the world."""
        return self._mix(self._mesh.verts_packed())

    @property
    def centres(self) -> Tensor:
        """Middles of the faces."""
        return self._mesh.verts_packed()[self._corners].mean(dim=1)

    @cached_property
    def colours(self) -> Tensor:
        """Texture or vertex colour; plain without either."""
        if self._mesh.textures is None:
            return self.positions.new_tensor(PLAIN).expand(len(self._face), 3)
        # A picture of one row, so that the textures look at no empty pixel.
        row = Fragments(
            pix_to_face=self._face[None, None, :, None],
            zbuf=self.depth[None, None, :, None],
            bary_coords=self._bary[None, None, :, None],
            dists=None,
        )
        return self._mesh.sample_textures(row)[0, 0, :, 0, :3]

    def normals(self, *, smooth: bool) -> Tensor:
        """Normals of the vertices, interpolated, or of the faces; towards the viewer."""
        if smooth:
            normals = self._mix(self._mesh.verts_normals_packed())
        else:
            normals = self._mesh.faces_normals_packed()[self._face]
        normals = F.normalize(normals, dim=-1)
        # A surface is seen from both sides. By its face, not by the normal: near the outline an
        # interpolated normal may point away from a viewer who sees the front.
        to_viewer = self.camera.get_camera_center() - self.positions
        front = self._mesh.faces_normals_packed()[self._face]
        behind = (front * to_viewer).sum(dim=-1, keepdim=True) < 0
        return torch.where(behind, -normals, normals)

    def edge_px(self) -> Tensor:
        """Distance to the nearest edge, from the heights of the projected triangle."""
        height, width = self._size
        seen = self.camera.transform_points_screen(
            self._mesh.verts_packed(), image_size=((height, width),)
        )
        corners = seen.reshape(-1, 3)[self._corners][..., :2]
        view = self.camera.get_world_to_view_transform()
        z = view.transform_points(self._mesh.verts_packed()).reshape(-1, 3)[self._corners][..., 2]
        # Barycentrics on the screen, from those on the surface.
        flat = self._bary * z
        flat = flat / flat.sum(dim=-1, keepdim=True)
        sides = corners[:, [2, 0, 1]] - corners[:, [1, 2, 0]]  # opposite each corner
        first, second = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
        twice_area = (first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0]).abs()
        heights = twice_area[:, None] / sides.norm(dim=-1).clamp(min=1e-9)
        return (flat * heights).min(dim=-1).values

    def _mix(self, of_vertices: Tensor) -> Tensor:
        return (of_vertices[self._corners] * self._bary[..., None]).sum(dim=1)
