"""The dataset ``rooms``: procedural scenes, rendered with everything that is known about them."""

from plugins.render.rooms.frames import Frame, render_frames
from plugins.render.rooms.generate import generate
from plugins.render.rooms.sheet import draw_sheet
from plugins.render.rooms.spec import SIZES, RoomsSpec
from plugins.render.rooms.view import Eye

__all__ = ["SIZES", "Eye", "Frame", "RoomsSpec", "draw_sheet", "generate", "render_frames"]
