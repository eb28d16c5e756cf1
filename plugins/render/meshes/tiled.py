"""Texture images that repeat, several to a mesh. PyTorch3D's stretch their edges instead."""

import torch
from pytorch3d.ops import interpolate_face_attributes
from pytorch3d.renderer import TexturesUV
from torch import Tensor

__all__ = ["TiledTextures"]


class TiledTextures(TexturesUV):
    """Images ``[N, M, H, W, 3]``, one for each face, that repeat outside [0, 1].

    This is OpenGL's and glTF's default wrapping; OBJ files of floors and walls count on it. The
    centre of the first texel is at half a texel.
    """

    def sample_textures(self, fragments, **_) -> Tensor:  # type: ignore[no-untyped-def]  # PyTorch3D's signature
        """Returns the colour of each fragment, ``[N, H, W, K, 3]``, interpolated bilinearly."""
        pairs = zip(self.verts_uvs_list(), self.faces_uvs_list(), strict=True)
        places = torch.cat([uvs[faces] for uvs, faces in pairs])
        faces = fragments.pix_to_face
        uvs = interpolate_face_attributes(faces, fragments.bary_coords, places)
        maps = self.maps_padded()
        num_meshes, num_images, height, width = maps.shape[:4]
        x = uvs[..., 0] * width - 0.5
        y = (1 - uvs[..., 1]) * height - 0.5
        left, top = x.floor(), y.floor()
        across, down = (x - left)[..., None], (y - top)[..., None]
        image = torch.cat(list(self.maps_ids_list()))[faces.clamp(min=0)]
        mesh = torch.arange(num_meshes, device=faces.device)[:, None, None, None]
        layer = mesh * num_images + image
        texels = maps.reshape(-1, maps.shape[-1])

        def at(column: Tensor, row: Tensor) -> Tensor:
            column, row = column.long().remainder(width), row.long().remainder(height)
            return texels[(layer * height + row) * width + column]

        upper = torch.lerp(at(left, top), at(left + 1, top), across)
        lower = torch.lerp(at(left, top + 1), at(left + 1, top + 1), across)
        return torch.lerp(upper, lower, down)
