"""Pictures of meshes and clouds: light, depth, normals, outlines, edges."""

from plugins.render.shading.render import as_bytes, render
from plugins.render.shading.styles import COLOUR_MAP

__all__ = ["COLOUR_MAP", "as_bytes", "render"]
