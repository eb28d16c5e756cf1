"""GIFs written frame by frame.

Pillow and imageio keep all frames until the file is saved. Here Pillow encodes each frame as a GIF
of its own, and the blocks of that file are copied into the animation (GIF89a specification,
sections 17 to 23): memory stays that of two frames.
"""

import io
import struct
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image

from labcore.kit.video.writer import Frame, FrameWriter

__all__ = ["GifWriter"]

_EXTENSION, _PICTURE, _END = 0x21, 0x2C, 0x3B
_LOOP_FOREVER = b"\x21\xff\x0bNETSCAPE2.0\x03\x01\x00\x00\x00"
_KEEP = 1
"""Disposal: the next frame is drawn over this one (section 23)."""


class GifWriter(FrameWriter):
    """Writes a GIF that loops for ever.

    Each frame has its own 256 colours, and holds only the rectangle that changed.

    Args:
        path: The file.
        fps: Frames a second, at most 50; delays are in hundredths of a second, and rounded so that
            the whole lasts as long as it should.
    """

    def __init__(self, path: Path, *, fps: float) -> None:
        super().__init__(path)
        if not 0 < fps <= 50:
            raise ValueError(f"a GIF has more than 0 and at most 50 frames a second, not {fps:g}")
        self._fps = fps
        self._file: BinaryIO | None = None
        self._previous: Frame | None = None

    def _open(self, frame: Frame) -> None:
        height, width = frame.shape[:2]
        self._file = self._temporary.open("wb")
        # No global colour table; the pixels are square.
        self._file.write(b"GIF89a" + struct.pack("<HHBBB", width, height, 0x70, 0, 0))
        self._file.write(_LOOP_FOREVER)

    def _add(self, frame: Frame) -> None:
        assert self._file is not None
        left, top, right, bottom = self._changed(frame)
        palette, bits, data = _encode(frame[top:bottom, left:right])
        self._file.write(b"\x21\xf9\x04" + struct.pack("<BHBB", _KEEP << 2, self._delay(), 0, 0))
        self._file.write(
            struct.pack("<BHHHHB", _PICTURE, left, top, right - left, bottom - top, 0x80 | bits)
        )
        self._file.write(palette + data)
        self._previous = frame.copy()

    def _close(self, *, finish: bool) -> None:
        assert self._file is not None
        with self._file:
            if finish:
                self._file.write(bytes([_END]))

    def _delay(self) -> int:
        """Hundredths of a second until the next frame; rounding does not add up."""
        index = self.num_frames
        return round((index + 1) * 100 / self._fps) - round(index * 100 / self._fps)

    def _changed(self, frame: Frame) -> tuple[int, int, int, int]:
        """Left, top, right and bottom of what differs from the frame before."""
        height, width = frame.shape[:2]
        if self._previous is None:
            return 0, 0, width, height
        differs = (frame != self._previous).any(axis=2)
        rows, columns = np.flatnonzero(differs.any(axis=1)), np.flatnonzero(differs.any(axis=0))
        if not len(rows):
            return 0, 0, 1, 1
        return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def _encode(picture: Frame) -> tuple[bytes, int, bytes]:
    """Returns the colour table, its size field, and the compressed pixels of a picture."""
    stream = io.BytesIO()
    colours = Image.fromarray(picture).quantize(256, dither=Image.Dither.NONE)
    colours.save(stream, format="GIF", interlace=False)
    encoded = stream.getvalue()
    flags = encoded[10]
    bits = flags & 0x07
    position = 13 + (3 << (bits + 1))  # the header, the screen, the global colour table
    palette = encoded[13:position]
    while encoded[position] == _EXTENSION:
        position = _after_blocks(encoded, position + 2)
    assert encoded[position] == _PICTURE, "Pillow writes one picture"
    start = position + 10
    # The byte before the blocks is the smallest code size of the compression.
    return palette, bits, encoded[start : _after_blocks(encoded, start + 1)]


def _after_blocks(encoded: bytes, position: int) -> int:
    """Returns where a chain of sub-blocks ends; an empty one is its last (section 15)."""
    while encoded[position]:
        position += encoded[position] + 1
    return position + 1
