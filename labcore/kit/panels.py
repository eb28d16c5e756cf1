"""Numbers as colours, and pictures put together: side by side, or in a sheet under their titles."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.colors import hsv_to_rgb
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from labcore.kit.video import Frame

__all__ = [
    "beside",
    "colour_flow",
    "colour_labels",
    "colour_normals",
    "colour_scalar",
    "sheet_of",
    "stacked",
]

_GAP = 4
_HEADER = 20
_INK = (70, 70, 70)


def colour_scalar(values: NDArray[Any], valid: NDArray[np.bool_], name: str) -> Frame:
    """Draws numbers in a colour map of Matplotlib, from least to greatest; black where invalid."""
    some = values[valid]
    low, high = (float(some.min()), float(some.max())) if some.size else (0.0, 1.0)
    scaled = (values - low) / max(high - low, 1e-9)
    return _bytes(colormaps[name](scaled)[..., :3] * valid[..., None])


def colour_normals(normals: NDArray[Any], valid: NDArray[np.bool_]) -> Frame:
    """Draws unit vectors as colours: red is right, green is up, blue is towards the camera."""
    upright = normals.astype(np.float64) * [1, -1, -1]
    return _bytes((upright * 0.5 + 0.5) * valid[..., None])


def colour_labels(labels: NDArray[Any]) -> Frame:
    """Draws numbers as colours far from each other, the same number always alike; 0 is black."""
    index = np.arange(int(labels.max()) + 1)
    hue = index * 0.61803399 % 1  # the golden ratio spreads any count of hues
    value = 0.65 + 0.35 * (index % 3) / 2
    palette = hsv_to_rgb(np.stack([hue, np.full(len(index), 0.65), value], axis=-1))
    palette[0] = 0
    colours: Frame = _bytes(palette)[labels]
    return colours


def colour_flow(flow: NDArray[Any], longest: float | None = None) -> Frame:
    """Draws vectors as colours: the hue is the direction, white is no motion.

    Args:
        flow: ``[H, W, 2]`` in pixels.
        longest: Length that gets the full colour; the longest but a hundredth when None.
    """
    length = np.linalg.norm(flow, axis=-1)
    if longest is None:
        longest = float(np.quantile(length, 0.99))
    hue = np.arctan2(flow[..., 1], flow[..., 0]) / (2 * np.pi) % 1
    saturation = np.clip(length / max(longest, 1e-9), 0, 1)
    return _bytes(hsv_to_rgb(np.stack([hue, saturation, np.ones_like(hue)], axis=-1)))


def beside(pictures: Sequence[Frame], words: Sequence[str] = ()) -> Frame:
    """Returns pictures of one height side by side.

    Args:
        pictures: The pictures.
        words: What to write into the upper left corner of the first ones.
    """
    unnamed = [""] * (len(pictures) - len(words))
    named = zip(pictures, [*words, *unnamed], strict=True)
    return np.concatenate([_labelled(picture, word) for picture, word in named], axis=1)


def stacked(rows: Sequence[Frame]) -> Frame:
    """Returns pictures of one width above each other."""
    return np.concatenate(list(rows), axis=0)


def sheet_of(rows: Sequence[Mapping[str, Frame]], *, scale: int = 1) -> Frame:
    """Returns rows of pictures below each other under the titles of the columns.

    Args:
        rows: Title to picture, at least one row; all of the same titles and one size.
        scale: Screen pixels for a pixel.
    """
    first = next(iter(rows[0].values()))
    height, width = first.shape[0] * scale, first.shape[1] * scale
    size = (len(rows[0]) * (width + _GAP) + _GAP, len(rows) * (height + _GAP) + _HEADER)
    sheet = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(size=12)
    for column, title in enumerate(rows[0]):
        left = _GAP + column * (width + _GAP)
        draw.text((left, 2), title, fill="black", font=font)
        for row, pictures in enumerate(rows):
            picture = Image.fromarray(pictures[title])
            picture = picture.resize((width, height), Image.Resampling.NEAREST)
            sheet.paste(picture, (left, _HEADER + row * (height + _GAP)))
    return np.asarray(sheet)


def _labelled(picture: Frame, word: str) -> Frame:
    if not word:
        return picture
    image = Image.fromarray(picture)
    size = max(9, picture.shape[0] // 18)
    font = ImageFont.load_default(size)
    ImageDraw.Draw(image).text((size // 2, size // 3), word, fill=_INK, font=font)
    return np.asarray(image)


def _bytes(colours: NDArray[Any]) -> Frame:
    return np.clip(colours * 255 + 0.5, 0, 255).astype(np.uint8)
