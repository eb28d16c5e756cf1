"""Meshes: read from files, packaged, or computed; textured, of unit size."""

from plugins.render.meshes.choose import chosen_mesh, chosen_thing
from plugins.render.meshes.load import SUFFIXES, load_mesh
from plugins.render.meshes.primitives import primitive

__all__ = ["SUFFIXES", "chosen_mesh", "chosen_thing", "load_mesh", "primitive"]
