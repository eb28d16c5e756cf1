"""MP4 that every browser plays: H.264 where the library has it, MPEG-4 otherwise."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from labcore.kit.video.writer import Frame, FrameWriter

__all__ = ["Mp4Writer"]


class Mp4Writer(FrameWriter):
    """Writes an MP4; frames go through the encoder as they come.

    Sides of an odd number of pixels get one more: the colours are stored at half the resolution.

    Args:
        path: The file.
        fps: Frames a second.
        crf: Quality of H.264; lower is better and larger, 18 looks like the original.
    """

    def __init__(self, path: Path, *, fps: float, crf: int = 18) -> None:
        super().__init__(path)
        if not fps > 0:
            raise ValueError(f"a film has more than 0 frames a second, not {fps:g}")
        self._fps = Fraction(fps).limit_denominator(1000)
        self._crf = crf
        self._container: Any = None
        self._stream: Any = None

    def _open(self, frame: Frame) -> None:
        import av

        height, width = frame.shape[:2]
        # The index in front: a browser can start before it has the whole file.
        self._container = av.open(
            str(self._temporary), "w", format="mp4", options={"movflags": "faststart"}
        )
        if "libx264" in av.codecs_available:
            stream = self._container.add_stream("libx264", rate=self._fps)
            stream.options = {"crf": str(self._crf), "preset": "medium", "threads": "1"}
        else:
            stream = self._container.add_stream("mpeg4", rate=self._fps)
            stream.bit_rate = int(height * width * float(self._fps))
        stream.width, stream.height = width + width % 2, height + height % 2
        stream.pix_fmt = "yuv420p"
        self._stream = stream

    def _add(self, frame: Frame) -> None:
        import av

        height, width = frame.shape[:2]
        even = np.pad(frame, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
        self._mux(av.VideoFrame.from_ndarray(even, format="rgb24"))

    def _close(self, *, finish: bool) -> None:
        try:
            if finish:
                self._mux(None)
        finally:
            self._container.close()

    def _mux(self, frame: Any) -> None:
        for packet in self._stream.encode(frame):
            self._container.mux(packet)
