"""Cameras of PyTorch3D: from and to OpenCV's convention, and orbits round an object."""

from plugins.render.cameras.opencv import from_pytorch3d, to_pytorch3d
from plugins.render.cameras.orbit import orbit

__all__ = ["from_pytorch3d", "orbit", "to_pytorch3d"]
