"""What the encoders share: one frame at a time, and a file that appears whole or not at all."""

import os
from abc import ABC, abstractmethod
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

__all__ = ["Frame", "FrameWriter"]

Frame = NDArray[np.uint8]
"""A picture, ``[H, W, 3]``."""


class FrameWriter(ABC):
    """Writes pictures of one size to a file; use as a context manager.

    The file gets its name when the block ends. When it ends with an error, or with no picture,
    nothing is left, and an older file of that name stays.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self.path = Path(path)
        self.num_frames = 0
        # The suffix stays last: encoders go by it.
        self._temporary = self.path.with_name(f".{self.path.stem}.tmp-{os.getpid()}{path.suffix}")
        self._shape: tuple[int, ...] | None = None

    def add(self, frame: Frame) -> None:
        """Adds a picture.

        Raises:
            ValueError: It is no picture, or of another size than the first.
        """
        if frame.dtype != np.uint8 or frame.ndim != 3 or frame.shape[2] != 3 or not frame.size:
            raise ValueError(
                f"a frame is uint8 of shape (H, W, 3); this one is {frame.dtype} {frame.shape}"
            )
        if self._shape is None:
            self._open(frame)
            self._shape = frame.shape
        elif frame.shape != self._shape:
            raise ValueError(
                f"{self.path.name} has frames of {self._shape[1]}x{self._shape[0]} pixels; this "
                f"one has {frame.shape[1]}x{frame.shape[0]}"
            )
        self._add(np.ascontiguousarray(frame))
        self.num_frames += 1

    @abstractmethod
    def _open(self, frame: Frame) -> None:
        """Starts ``self._temporary`` for frames like this one."""

    @abstractmethod
    def _add(self, frame: Frame) -> None:
        """Encodes a frame."""

    @abstractmethod
    def _close(self, *, finish: bool) -> None:
        """Closes the file; ``finish`` says whether what is written is wanted."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        finish = exc_type is None and self.num_frames > 0
        try:
            if self._shape is not None:
                self._close(finish=finish)
            if finish:
                self._temporary.replace(self.path)
        finally:
            self._temporary.unlink(missing_ok=True)
        if exc_type is None and not finish:
            raise ValueError(f"{self.path.name} would have no frame")
