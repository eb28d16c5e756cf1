"""The models of ``fit_texture``: colours of vertices, or texture images.

Colours are sigmoids of the parameters, so that they stay between 0 and 1; all start grey.
"""

from pathlib import Path

import torch
from PIL import Image
from pytorch3d.io import IO, save_obj
from pytorch3d.renderer import TexturesUV, TexturesVertex
from pytorch3d.renderer.mesh.textures import TexturesBase
from pytorch3d.structures import Meshes
from torch import Tensor, nn
from torch.nn import functional as F

from labcore.errors import UsageError
from plugins.render.shading import as_bytes

__all__ = ["Paint", "TextureImages", "VertexColours", "make_paint"]

_COARSEST = 8


class VertexColours(nn.Module):
    """A colour for each vertex.

    Args:
        num_vertices: V.
    """

    def __init__(self, num_vertices: int) -> None:
        super().__init__()
        self.logits = nn.Parameter(torch.zeros(num_vertices, 3))

    def forward(self) -> Tensor:
        """Returns colours, ``[V, 3]``."""
        return self.logits.sigmoid()

    def textures(self, colours: Tensor) -> TexturesVertex:
        """Returns what PyTorch3D draws colours of :meth:`forward` with."""
        return TexturesVertex([colours])

    def describe(self) -> str:
        """Says how much there is to fit."""
        return f"{len(self.logits):,} colours of vertices"

    def save(self, colours: Tensor, mesh: Meshes, stem: Path) -> list[Path]:
        """Writes the mesh with colours of :meth:`forward` as PLY; returns the files to look at."""
        path = stem.with_suffix(".ply")
        painted = Meshes(mesh.verts_list(), mesh.faces_list(), self.textures(colours))
        IO().save_mesh(painted.cpu(), path, binary=True, colors_as_uint8=True)
        return [path]


class TextureImages(nn.Module):
    """The texture images of a mesh, each as a sum of images from coarse to fine.

    Texels that no picture shows take the colour that the coarse images have learnt nearby.

    Args:
        textures: The mesh's own: where each triangle lies in which image.
        size: Height and width of the images in texels.
    """

    def __init__(self, textures: TexturesUV, size: int) -> None:
        super().__init__()
        self._layout = textures
        ids = textures.maps_ids_padded()
        self._count = 1 if ids is None else textures.maps_padded().shape[1]
        sides = [size]
        while sides[-1] // 2 >= _COARSEST:
            sides.append(sides[-1] // 2)
        self.levels = nn.ParameterList(
            torch.zeros(self._count, 3, side, side) for side in reversed(sides)
        )

    def forward(self) -> Tensor:
        """Returns the images, ``[M, H, W, 3]``, the top row first."""
        total: Tensor = self.levels[0]
        for level in list(self.levels)[1:]:
            side = level.shape[-1]
            total = level + F.interpolate(total, (side, side), mode="bilinear")
        return total.sigmoid().permute(0, 2, 3, 1)

    def textures(self, images: Tensor) -> TexturesUV:
        """Returns what PyTorch3D draws images of :meth:`forward` with, laid out as the mesh's."""
        layout = self._layout
        ids = layout.maps_ids_padded()
        return type(layout)(
            maps=images if ids is None else images[None],
            faces_uvs=layout.faces_uvs_padded(),
            verts_uvs=layout.verts_uvs_padded(),
            maps_ids=ids,
            padding_mode=layout.padding_mode,
            align_corners=layout.align_corners,
        )

    def describe(self) -> str:
        """Says how much there is to fit."""
        side = self.levels[-1].shape[-1]
        images = "a texture image" if self._count == 1 else f"{self._count} texture images"
        return f"{images} of {side}x{side} texels"

    def save(self, images: Tensor, mesh: Meshes, stem: Path) -> list[Path]:
        """Writes images of :meth:`forward` as PNG, and the mesh that wears them as OBJ.

        Meshes with several images are left out: PyTorch3D writes one.

        Returns:
            The files to look at.
        """
        if self._count > 1:
            paths = [stem.with_name(f"{stem.name}-{index}.png") for index in range(self._count)]
            for path, image in zip(paths, as_bytes(images), strict=True):
                Image.fromarray(image).save(path)
            return paths
        path = stem.with_suffix(".obj")
        save_obj(
            path,
            mesh.verts_packed().cpu(),
            mesh.faces_packed().cpu(),
            verts_uvs=self._layout.verts_uvs_padded()[0].cpu(),
            faces_uvs=self._layout.faces_uvs_padded()[0].cpu(),
            texture_map=images[0].cpu(),
        )
        picture = stem.with_suffix(".png")
        Image.fromarray(as_bytes(images)[0]).save(picture)  # PyTorch3D's own is rounded down
        return [picture, path]


Paint = VertexColours | TextureImages


def make_paint(mesh: Meshes, mode: str, size: int) -> Paint:
    """Makes the model that fits a mesh.

    Args:
        mesh: One mesh with the colours that are to be recovered.
        mode: ``map``, ``vertices``, or ``auto``: the map where there is one.
        size: Height and width of the texture images.

    Raises:
        UsageError: The mesh has no texture coordinates and the mode needs them.
    """
    textures: TexturesBase | None = mesh.textures
    has_map = isinstance(textures, TexturesUV)
    if mode == "map" and not has_map:
        raise UsageError(
            "fit.texture.mode=map needs a mesh with texture coordinates, and this one has none",
            fix="give it colours at its vertices: fit.texture.mode=vertices",
        )
    paint: Paint
    if has_map and mode != "vertices":
        paint = TextureImages(textures, size)
    else:
        paint = VertexColours(int(mesh.num_verts_per_mesh()[0]))
    return paint.to(mesh.device)
