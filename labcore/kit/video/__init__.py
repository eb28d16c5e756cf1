"""Pictures to files, a frame at a time: GIF, MP4, contact sheet."""

from labcore.kit.video.gif import GifWriter
from labcore.kit.video.mp4 import Mp4Writer
from labcore.kit.video.sheet import ContactSheet, contact_sheet
from labcore.kit.video.writer import Frame, FrameWriter

__all__ = ["ContactSheet", "Frame", "FrameWriter", "GifWriter", "Mp4Writer", "contact_sheet"]
