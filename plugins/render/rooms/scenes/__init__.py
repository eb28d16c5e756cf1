"""Procedural scenes of the dataset ``rooms``: rooms and streets as arrays, from a seed."""

from plugins.render.rooms.scenes.labels import LABELS, label_index
from plugins.render.rooms.scenes.make import KINDS, make_scene
from plugins.render.rooms.scenes.scene import Lights, Mesh, Part, Scene

__all__ = ["KINDS", "LABELS", "Lights", "Mesh", "Part", "Scene", "label_index", "make_scene"]
