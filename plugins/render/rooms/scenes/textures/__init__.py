"""Textures: tileable pictures of materials, painted from noise or made from photographs."""

from plugins.render.rooms.scenes.textures.noise import CUTOFF, SIZE, band_limited, to_albedo
from plugins.render.rooms.scenes.textures.photographs import PHOTOGRAPHS, photograph

__all__ = ["CUTOFF", "PHOTOGRAPHS", "SIZE", "band_limited", "photograph", "to_albedo"]
