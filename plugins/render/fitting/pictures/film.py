"""The film of a fit: pictures from the first step to the last, most of them early."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from labcore.kit.video import Frame, GifWriter

__all__ = ["Film", "film_steps"]

_STILL_S = 1.5
"""Seconds for which a single picture at the end is shown."""


def film_steps(last_step: int, count: int) -> list[int]:
    """Returns the steps to show: close together at the start, where most happens.

    Args:
        last_step: Steps of the fit; it is always shown.
        count: Most pictures.
    """
    shares = (np.arange(count) / (count - 1)) ** 2
    return sorted({round(share * last_step) for share in shares})


class Film:
    """Pictures of a fit under way, kept in the run folder until the film is put together.

    A resumed fit draws the pictures after its checkpoint again, and finds those before.

    Args:
        folder: Where the pictures are kept.
        last_step: Steps of the fit.
        count: Most pictures.
    """

    def __init__(self, folder: Path, *, last_step: int, count: int) -> None:
        self._folder = folder
        self._order = {step: index for index, step in enumerate(film_steps(last_step, count))}

    def __len__(self) -> int:
        return len(self._order)

    def index(self, step: int) -> int | None:
        """Returns the place in the film of the picture at a step; None when it has none."""
        return self._order.get(step)

    def keep(self, step: int, frame: Frame) -> None:
        """Keeps the picture of a step."""
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / f"{step:08d}.png"
        temporary = path.with_suffix(".tmp")
        Image.fromarray(frame).save(temporary, format="PNG")
        temporary.replace(path)

    def write(self, path: Path, ending: Sequence[Frame], *, fps: float) -> None:
        """Writes the film as a GIF.

        Args:
            path: The file.
            ending: What the fit ended with; a single picture stands still for a while.
            fps: Pictures a second.
        """
        with GifWriter(path, fps=fps) as film:
            for step in sorted(self._order)[:-1]:
                kept = self._folder / f"{step:08d}.png"
                if kept.exists():  # a fit that ends early has no pictures of its later steps
                    with Image.open(kept) as picture:
                        film.add(np.asarray(picture.convert("RGB")))
            still = max(1, round(fps * _STILL_S)) if len(ending) == 1 else 1
            for frame in list(ending) * still:
                film.add(frame)
