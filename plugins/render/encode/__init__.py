"""Pictures to files, a frame at a time: GIF, MP4, contact sheet."""

from plugins.render.encode.gif import GifWriter
from plugins.render.encode.mp4 import Mp4Writer
from plugins.render.encode.sheet import ContactSheet, contact_sheet
from plugins.render.encode.writer import Frame, FrameWriter

__all__ = ["ContactSheet", "Frame", "FrameWriter", "GifWriter", "Mp4Writer", "contact_sheet"]
