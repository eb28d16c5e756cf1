"""Rooms: their shell, what stands in them, and where."""

from plugins.render.rooms.scenes.indoor.room import build_room

__all__ = ["build_room"]
