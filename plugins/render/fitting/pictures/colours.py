"""Pictures of a mesh with fitted colours beside the same with its own."""

import torch
from pytorch3d.renderer import FoVPerspectiveCameras
from pytorch3d.renderer.mesh.textures import TexturesBase
from pytorch3d.structures import Meshes
from torch import Tensor

from labcore.kit.panels import beside, stacked
from labcore.kit.video import Frame
from plugins.render.config import RenderConfig
from plugins.render.shading import as_bytes, render

__all__ = ["ColourPictures"]

_SUPERSAMPLING = 2
_SHOWN = 4
"""Views on the sheet."""
_GAIN = 4


class ColourPictures:
    """Draws a mesh with its own and with other colours, under the light of the options.

    Args:
        config: Size of the pictures, light and rasterizer.
        mesh: With its own colours.
        views: Cameras that training does not see.
    """

    def __init__(self, config: RenderConfig, mesh: Meshes, views: FoVPerspectiveCameras) -> None:
        self._config = config
        self._mesh = mesh
        # Evenly from all: neighbours on the list are neighbours in height.
        places = torch.linspace(0, len(views) - 1, min(_SHOWN, len(views))).round().long()
        self._views = views[places.tolist()]
        middle = len(self._views) // 2
        self._view = self._views[middle]
        self._target = self._render(mesh, self._view, 1)

    def frame(self, textures: TexturesBase, word: str) -> Frame:
        """Draws one view: the mesh's own colours beside others."""
        ours = self._render(self._painted(textures), self._view, 1)
        return beside([as_bytes(each)[0] for each in (self._target, ours)], ("target", word))

    def sheet(self, textures: TexturesBase) -> Frame:
        """Draws a row of views with the mesh's own colours, one with others, and the difference."""
        theirs, ours = (
            self._render(mesh, self._views, _SUPERSAMPLING)
            for mesh in (self._mesh, self._painted(textures))
        )
        rows = {
            "target": theirs,
            "result": ours,
            f"difference, {_GAIN} times": 1 - _GAIN * (ours - theirs).abs(),
        }
        return stacked([beside(list(as_bytes(row)), (word,)) for word, row in rows.items()])

    def _painted(self, textures: TexturesBase) -> Meshes:
        mesh = self._mesh
        return Meshes(
            verts=mesh.verts_list(),
            faces=mesh.faces_list(),
            textures=textures,
            verts_normals=list(mesh.verts_normals_list()),
        )

    def _render(self, mesh: Meshes, views: FoVPerspectiveCameras, supersampling: int) -> Tensor:
        return render(
            mesh,
            views,
            image_size=self._config.camera.image_size,
            light=self._config.light,
            supersampling=supersampling,
            backend=self._config.backend,
        )
