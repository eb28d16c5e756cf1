"""Pictures of a shape beside the one that it should become."""

from collections.abc import Mapping

from pytorch3d.structures import Meshes

from labcore.kit.panels import beside, stacked
from labcore.kit.video import Frame
from plugins.render.cameras import orbit
from plugins.render.config import RenderConfig
from plugins.render.shading import as_bytes, render

__all__ = ["ShapePictures"]

_SIDES = 4
"""Views of a row."""


class ShapePictures:
    """Draws shapes without colours of their own, from the camera of the options and round them.

    Args:
        config: Camera, light and rasterizer.
        target: What the shapes should become.
    """

    def __init__(self, config: RenderConfig, target: Meshes) -> None:
        self._config = config
        self._target = target

    def frame(self, mesh: Meshes, turn: float, word: str) -> Frame:
        """Draws the target and a mesh from one place, ``turn`` of the way round them."""
        pictures = [self._picture(each, turn) for each in (self._target, mesh)]
        return beside(pictures, ("target", word))

    def sheet(self, meshes: Mapping[str, Meshes]) -> Frame:
        """Draws a row of views of the target, and one of each mesh below it."""
        rows = {"target": self._target, **meshes}
        turns = [side / _SIDES for side in range(_SIDES)]
        return stacked(
            [
                beside([self._picture(mesh, turn) for turn in turns], (word,))
                for word, mesh in rows.items()
            ]
        )

    def _picture(self, mesh: Meshes, turn: float) -> Frame:
        camera = self._config.camera
        view = orbit(
            1,
            distance=camera.distance,
            elevation_deg=camera.elevation_deg,
            fov_deg=camera.fov_deg,
            start_deg=camera.azimuth_deg + 360 * turn,
            device=mesh.device,
        )
        plain = Meshes(mesh.verts_list(), mesh.faces_list())
        pictures = render(
            plain,
            view,
            image_size=camera.image_size,
            light=self._config.light,
            backend=self._config.backend,
        )
        return as_bytes(pictures)[0]
