"""The pixels of pictures of a mesh that see it, and where on its surface each of them looks.

The mesh and the cameras stay as they are while colours are fitted, so the rasterizer runs once.
Legend: ``P`` pixels of all views that see the mesh.
"""

from dataclasses import dataclass

import torch
from pytorch3d.renderer import RasterizationSettings
from pytorch3d.renderer.cameras import CamerasBase
from pytorch3d.renderer.mesh.rasterizer import Fragments
from pytorch3d.renderer.mesh.textures import TexturesBase
from pytorch3d.structures import Meshes
from torch import Tensor

from plugins.render.rasterize import Backend, make_rasterizer

__all__ = ["SurfacePixels", "colours_at"]


@dataclass(frozen=True, eq=False, kw_only=True, slots=True)
class SurfacePixels:
    """Places on a surface, and the pixels that look at them.

    Attributes:
        face: Triangle of each place, int64 ``[P]``.
        barycentrics: Place in the triangle, ``[P, 3]``.
        pixel: Which pixel it is, counted through all pictures, int64 ``[P]``.
        shape: Number, height and width of the pictures.
    """

    face: Tensor
    barycentrics: Tensor
    pixel: Tensor
    shape: tuple[int, int, int]

    @classmethod
    @torch.no_grad()
    def of(
        cls, mesh: Meshes, cameras: CamerasBase, image_size: int, *, backend: Backend = "auto"
    ) -> "SurfacePixels":
        """Returns what square pictures from some cameras see of a mesh.

        Args:
            mesh: One mesh.
            cameras: N cameras.
            image_size: Height and width in pixels.
            backend: Rasterizer.
        """
        settings = RasterizationSettings(image_size=image_size, faces_per_pixel=1, blur_radius=0.0)
        rasterizer = make_rasterizer(backend, raster_settings=settings, device=mesh.device)
        faces, places, pixels = [], [], []
        # One at a time: a batch is no quicker, and many views are soon too large for one.
        for index in range(len(cameras)):
            fragments = rasterizer(mesh, cameras=cameras[index])
            face = fragments.pix_to_face.flatten()
            seen = (face >= 0).nonzero()[:, 0]
            faces.append(face[seen])
            places.append(fragments.bary_coords.view(-1, 3)[seen])
            pixels.append(seen + index * image_size**2)
        return cls(
            face=torch.cat(faces),
            barycentrics=torch.cat(places),
            pixel=torch.cat(pixels),
            shape=(len(cameras), image_size, image_size),
        )

    def pictures(self, colours: Tensor, *, background: float = 1.0) -> Tensor:
        """Returns pictures ``[N, H, W, 3]`` of which the pixels have some colours ``[P, 3]``."""
        number, height, width = self.shape
        blank = colours.new_full((number * height * width, 3), background)
        return blank.index_copy(0, self.pixel, colours).view(number, height, width, 3)


def colours_at(textures: TexturesBase, faces: Tensor, face: Tensor, barycentrics: Tensor) -> Tensor:
    """Returns the colours of places on a surface without light, ``[P, 3]``.

    Args:
        textures: Of one mesh.
        faces: Its triangles, int64 ``[F, 3]``.
        face: Triangle of each place, int64 ``[P]``.
        barycentrics: Place in the triangle, ``[P, 3]``.
    """
    # To the textures, these are the pixels of a picture with one row.
    row = Fragments(
        pix_to_face=face[None, None, :, None],
        bary_coords=barycentrics[None, None, :, None],
        zbuf=None,
        dists=None,
    )
    colours: Tensor = textures.sample_textures(row, faces_packed=faces)[0, 0, :, 0, :3]
    return colours
