"""The triangles of a batch of pictures, in front of the near plane, and how they are looked at."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from pytorch3d.structures import Meshes
from torch import Tensor

from plugins.render.rasterize.clipping import ClippedFaces, clip_faces
from plugins.render.rasterize.grid import PixelGrid

__all__ = ["Portion", "Scene", "build_scene"]

MAX_PIXELS = 1 << 16
"""Pixels of the pictures that are worked on at a time; one picture may have more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """Triangles of a batch of pictures, and how they are looked at."""

    faces: Tensor
    """Corners: x, y in NDC and depth, without gradients, ``[F, 3, 3]``."""
    picture_of_face: Tensor
    """Which picture each belongs to, int64 ``[F]``."""
    num_pictures: int
    grid: PixelGrid
    blur_radius: float
    """Squared distance in NDC up to which pixels round a triangle count as its."""
    perspective: bool
    """Whether x and y are divided by the depth."""
    clip_barycentrics: bool
    """Whether pixels round a triangle take the coordinates of its edge."""
    cull_backfaces: bool
    """Leave out triangles whose corners run clockwise."""
    half: Tensor | None
    """Whether it is half of a cut triangle, next to the other half, bool ``[F]``; None when no
    triangle is."""

    @property
    def num_pixels(self) -> int:
        """Pixels of all pictures."""
        return self.num_pictures * self.grid.num_pixels

    def portions(self) -> Iterator["Portion"]:
        """Gives the pictures a few at a time, so that the tensors stay in the caches of a core."""
        size = max(MAX_PIXELS // self.grid.num_pixels, 1)
        if size >= self.num_pictures:
            yield Portion(self, first_face=0, first_pixel=0)
            return
        starts = torch.arange(0, self.num_pictures + size, size, device=self.faces.device)
        bounds = torch.searchsorted(self.picture_of_face, starts).tolist()
        for picture, begin, end in zip(starts.tolist(), bounds[:-1], bounds[1:], strict=False):
            scene = replace(
                self,
                faces=self.faces[begin:end],
                picture_of_face=self.picture_of_face[begin:end] - picture,
                num_pictures=min(size, self.num_pictures - picture),
                half=None if self.half is None else self.half[begin:end],
            )
            yield Portion(scene, begin, picture * self.grid.num_pixels)


@dataclass(frozen=True, slots=True)
class Portion:
    """Some pictures of a batch."""

    scene: Scene
    first_face: int
    """Index in the batch of the first triangle."""
    first_pixel: int
    """Index in the batch of the first pixel."""


def build_scene(
    meshes: Meshes,
    grid: PixelGrid,
    *,
    near: float | None,
    perspective: bool,
    blur_radius: float = 0.0,
    clip_barycentrics: bool = False,
    cull_backfaces: bool = False,
) -> tuple[ClippedFaces, Scene]:
    """Returns the triangles of projected meshes, with gradients, and the scene that they make.

    Args:
        meshes: Vertices: x, y in NDC and the depth z.
        grid: The pixels of a picture.
        near: Depth in front of which triangles are cut off; None cuts nothing.
        perspective: Whether x and y are divided by the depth.
        blur_radius: Squared distance in NDC up to which pixels round a triangle count as its.
        clip_barycentrics: Whether pixels round a triangle take the coordinates of its edge.
        cull_backfaces: Leave out triangles whose corners run clockwise.
    """
    vertices, index = meshes.verts_packed(), meshes.faces_packed()
    faces = vertices.index_select(0, index.reshape(-1)).view(-1, 3, 3)
    clipped = clip_faces(faces, near, perspective=perspective)
    picture = meshes.faces_packed_to_mesh_idx()
    scene = Scene(
        faces=clipped.faces.detach(),
        picture_of_face=picture if clipped.origin is None else picture[clipped.origin],
        num_pictures=len(meshes),
        grid=grid,
        blur_radius=blur_radius,
        perspective=perspective,
        clip_barycentrics=clip_barycentrics,
        cull_backfaces=cull_backfaces,
        half=clipped.half,
    )
    return clipped, scene
