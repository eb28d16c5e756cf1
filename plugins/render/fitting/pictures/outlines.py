"""Pictures of a silhouette over the one that it should match."""

import torch
from pytorch3d.renderer import FoVPerspectiveCameras
from pytorch3d.structures import Meshes
from torch import Tensor

from labcore.kit.panels import beside, stacked
from labcore.kit.video import Frame
from plugins.render.config import RenderConfig
from plugins.render.fitting.silhouettes import coverage
from plugins.render.shading import as_bytes, render

__all__ = ["OutlinePictures", "overlay"]

_ORANGE, _BLUE = (0.95, 0.55, 0.15), (0.25, 0.5, 0.95)
_SUPERSAMPLING = 2
_SHOWN = 4
"""Cameras of a frame of the film."""


class OutlinePictures:
    """Draws what cameras see of a mesh, over what the true one sees of it.

    Args:
        config: Size of the pictures, light and rasterizer.
        mesh: What they look at.
        truth: The true camera.
    """

    def __init__(self, config: RenderConfig, mesh: Meshes, truth: FoVPerspectiveCameras) -> None:
        self._config = config
        self._mesh = mesh
        self._truth = truth
        self._target = self._outlines(truth)[0]

    def frame(self, cameras: FoVPerspectiveCameras, word: str) -> Frame:
        """Draws the silhouettes that the first cameras see, side by side."""
        first = cameras[list(range(min(len(cameras), _SHOWN)))]
        return beside([overlay(self._target, each) for each in self._outlines(first)], (word,))

    def sheet(self, start: FoVPerspectiveCameras, result: FoVPerspectiveCameras) -> Frame:
        """Draws what the true camera, a start and its result see: silhouettes, and the mesh."""
        cameras = (self._truth, start, result)
        outlines = [overlay(self._target, self._outlines(each)[0]) for each in cameras]
        pictures = [
            render(
                self._mesh,
                each,
                image_size=self._config.camera.image_size,
                light=self._config.light,
                supersampling=_SUPERSAMPLING,
                backend=self._config.backend,
            )
            for each in cameras
        ]
        return stacked(
            [
                beside(outlines, ("target", "start", "result")),
                beside([as_bytes(each)[0] for each in pictures]),
            ]
        )

    def _outlines(self, cameras: FoVPerspectiveCameras) -> Tensor:
        return coverage(
            self._mesh,
            cameras,
            self._config.camera.image_size,
            supersampling=_SUPERSAMPLING,
            backend=self._config.backend,
        )


def overlay(target: Tensor, ours: Tensor) -> Frame:
    """Returns two silhouettes ``[H, W]`` in one picture.

    What only the target covers is orange, what only ours covers blue, and what both cover dark.
    """
    first, second = (
        torch.lerp(torch.ones(3), torch.tensor(colour), mask.detach().cpu()[..., None])
        for mask, colour in ((target, _ORANGE), (ours, _BLUE))
    )
    return as_bytes(first * second)
