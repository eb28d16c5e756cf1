"""Contact sheets: some of the frames side by side in one picture."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from labcore.kit.video.writer import Frame, FrameWriter

__all__ = ["ContactSheet", "contact_sheet"]

_GAP = 2
_GREY = 205


class ContactSheet(FrameWriter):
    """Writes a PNG with frames spread evenly over a film; the others are passed over.

    Args:
        path: The file.
        num_frames: Frames that will be added.
        columns: Pictures in a row.
        max_pictures: Most pictures.
        tile_px: Longer side of a picture; larger frames are made smaller.
    """

    def __init__(
        self,
        path: Path,
        *,
        num_frames: int,
        columns: int = 6,
        max_pictures: int = 12,
        tile_px: int = 192,
    ) -> None:
        super().__init__(path)
        count = min(num_frames, max_pictures)
        self._chosen = {index * num_frames // count: index for index in range(count)}
        self._columns = min(columns, count)
        self._rows = -(-count // self._columns)
        self._tile_px = tile_px
        self._sheet: Image.Image | None = None
        self._tile = (0, 0)

    def _open(self, frame: Frame) -> None:
        height, width = frame.shape[:2]
        scale = min(1.0, self._tile_px / max(height, width))
        self._tile = max(1, round(width * scale)), max(1, round(height * scale))
        size = (
            self._columns * (self._tile[0] + _GAP) + _GAP,
            self._rows * (self._tile[1] + _GAP) + _GAP,
        )
        self._sheet = Image.new("RGB", size, (_GREY, _GREY, _GREY))

    def _add(self, frame: Frame) -> None:
        place = self._chosen.get(self.num_frames)
        if place is None:
            return
        assert self._sheet is not None
        picture = Image.fromarray(frame)
        if picture.size != self._tile:
            picture = picture.resize(self._tile, Image.Resampling.LANCZOS)
        row, column = divmod(place, self._columns)
        self._sheet.paste(
            picture,
            (_GAP + column * (self._tile[0] + _GAP), _GAP + row * (self._tile[1] + _GAP)),
        )

    def _close(self, *, finish: bool) -> None:
        if finish and self._sheet is not None:
            self._sheet.save(self._temporary, format="PNG", optimize=True)


def contact_sheet(
    frames: Sequence[Frame], path: Path, *, columns: int = 6, tile_px: int = 192
) -> Path:
    """Writes all of some pictures of one size side by side.

    Args:
        frames: The pictures.
        path: PNG to write.
        columns: Pictures in a row.
        tile_px: Longer side of a picture; larger ones are made smaller.
    """
    sheet = ContactSheet(
        path,
        num_frames=max(len(frames), 1),
        columns=columns,
        max_pictures=max(len(frames), 1),
        tile_px=tile_px,
    )
    with sheet:
        for frame in frames:
            sheet.add(np.asarray(frame))
    return path
