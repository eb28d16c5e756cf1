"""Cameras: the data's pinhole in OpenCV's convention, and orbits round an object."""

from plugins.render.cameras.opencv import Pinhole, pixel_centres
from plugins.render.cameras.orbit import orbit

__all__ = ["Pinhole", "orbit", "pixel_centres"]
