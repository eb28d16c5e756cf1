"""Rays against triangles in closed form: depth, texture coordinates and their change by pixel.

A ray through the camera is ``d = (x, y, 1)``. With the corners v0, v1, v2 of a triangle in the
frame of the camera, let ``E`` have the rows ``v1 x v2``, ``v2 x v0`` and ``v0 x v1``. Then

    e = E d                 weights of the corners, not normalised: of one sign inside the triangle
    z = det(v0 v1 v2) / (N d)       depth of the plane along the ray, with N the sum of E's rows
    u = (U d) / (N d)               texture coordinates, with U the corners' coordinates times E

so that one gather of a few numbers a face answers everything, exactly and for any point of the
picture: also between pixel centres, and for triangles that reach behind the camera.

Legend: ``F`` faces, ``P`` rays.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

__all__ = ["FaceTable", "Hits", "TextureHits"]


@dataclass(frozen=True, slots=True)
class Hits:
    """Where rays meet the planes of given faces."""

    z: Tensor
    """Depth of the plane, ``[P]``; not positive or infinite when the ray does not meet it."""
    inside: Tensor
    """Whether the ray meets the triangle itself, ``[P]``."""


@dataclass(frozen=True, slots=True)
class TextureHits:
    """Texture coordinates under rays, and how fast they change."""

    uv: Tensor
    """Coordinates in repeats of the texture, ``[P, 2]``."""
    by_x: Tensor
    """Their derivative by the x of the ray, ``[P, 2]``."""
    by_y: Tensor
    """Their derivative by the y of the ray, ``[P, 2]``."""


@dataclass(frozen=True, slots=True)
class FaceTable:
    """The triangles of one frame as a camera sees them."""

    edges: Tensor
    """E of each face, float64 ``[F, 3, 3]``."""
    volume: Tensor
    """det(v0 v1 v2) of each face, float64 ``[F]``."""
    texture: Tensor
    """U of each face, float64 ``[F, 2, 3]``."""
    nearest: Tensor
    """Least z of the corners, float64 ``[F]``."""
    farthest: Tensor
    """Greatest z of the corners, float64 ``[F]``."""

    @classmethod
    def build(
        cls,
        corners: NDArray[np.float64],
        uvs: NDArray[np.float32],
        device: torch.device | str = "cpu",
    ) -> "FaceTable":
        """Prepares the triangles with these corners.

        Args:
            corners: In the frame of the camera, ``[F, 3, 3]``: face, corner, axis.
            uvs: Texture coordinates of the corners, ``[F, 3, 2]``.
            device: Where the table will be used.
        """
        v = torch.as_tensor(corners, dtype=torch.float64).to(device)
        uv = torch.as_tensor(uvs, dtype=torch.float64).to(device)
        edges = torch.linalg.cross(v.roll(-1, 1), v.roll(-2, 1))
        # The scale of E cancels everywhere; unit normals keep the numbers of all faces alike.
        area = edges.sum(1).norm(dim=-1).clamp_min(1e-300)
        edges = edges / area[:, None, None]
        return cls(
            edges=edges,
            volume=(v[:, 0] * edges[:, 0]).sum(-1),
            texture=uv.transpose(1, 2) @ edges,
            nearest=v[..., 2].amin(1),
            farthest=v[..., 2].amax(1),
        )

    @property
    def normals(self) -> Tensor:
        """Unit normals by the right-hand rule of the corners, ``[F, 3]``."""
        return self.edges.sum(1)

    def meet(self, face: Tensor, rays: Tensor) -> Hits:
        """Meets rays ``[P, 3]`` with the planes of faces ``[P]``."""
        weights = (self.edges[face] @ rays[..., None])[..., 0]
        inside = (weights >= 0).all(-1) | (weights <= 0).all(-1)
        z = self.volume[face] / weights.sum(-1)
        return Hits(z, inside & (z > 0))

    def depth(self, face: Tensor, rays: Tensor) -> Tensor:
        """Returns the depth of faces ``[P]`` along rays ``[P, 3]`` that a rasterizer put there.

        A rasterizer in float32 may give a pixel to a triangle that it misses by a hair, and the
        plane of a triangle seen edge-on runs far off: the depth never leaves the triangle's range.
        """
        along = (self.normals[face] * rays).sum(-1)
        z = self.volume[face] / along
        z = torch.where(along == 0, self.nearest[face], z)
        return z.clamp(self.nearest[face].clamp_min(0), self.farthest[face])

    def texture_at(self, face: Tensor, rays: Tensor, dtype: torch.dtype) -> TextureHits:
        """Returns texture coordinates of faces ``[P]`` along rays ``[P, 3]``, computed in dtype."""
        table = torch.cat([self.texture, self.edges.sum(1, keepdim=True)], dim=1).to(dtype)
        rows = table[face]
        along = (rows @ rays.to(dtype)[..., None])[..., 0]
        below = along[:, 2:].abs().clamp_min(1e-9) * torch.where(along[:, 2:] < 0, -1, 1)
        uv = along[:, :2] / below
        # d(U d / N d) / dx = (U_x - u N_x) / N d
        by_x = (rows[:, :2, 0] - uv * rows[:, 2:, 0]) / below
        by_y = (rows[:, :2, 1] - uv * rows[:, 2:, 1]) / below
        return TextureHits(uv, by_x, by_y)
