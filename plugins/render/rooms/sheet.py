"""A sheet of samples to look at: each row a frame, each column a field drawn in colours."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.colors import hsv_to_rgb
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

__all__ = ["colour_flow", "colour_scalar", "draw_sheet", "panels"]

Picture = NDArray[np.uint8]

_GAP = 4
_HEADER = 20


def panels(sample: Mapping[str, Any]) -> dict[str, Picture]:
    """Draws the fields of a sample, title to uint8 ``[H, W, 3]``.

    Flow and disparity are dimmed where the other picture does not show the point.
    """
    depth = sample["depth"]
    return {
        "left": sample["rgb"],
        "right": sample["right"],
        "depth": colour_scalar(np.log(np.maximum(depth, 1e-3)), depth > 0, "turbo_r"),
        "normals": colour_normals(sample["normals"], depth > 0),
        "labels": colour_labels(sample["labels"]),
        "things": colour_labels(sample["instances"]),
        "disparity": _dim(
            colour_scalar(sample["disparity"], depth > 0, "turbo"), sample["visible_right"]
        ),
        "flow to next": _dim(colour_flow(sample["flow_next"]), sample["visible_next"]),
    }


def colour_scalar(values: NDArray[Any], valid: NDArray[np.bool_], name: str) -> Picture:
    """Draws numbers in a colour map of Matplotlib, from least to greatest; black where invalid."""
    some = values[valid]
    low, high = (float(some.min()), float(some.max())) if some.size else (0.0, 1.0)
    scaled = (values - low) / max(high - low, 1e-9)
    return _bytes(colormaps[name](scaled)[..., :3] * valid[..., None])


def colour_normals(normals: NDArray[Any], valid: NDArray[np.bool_]) -> Picture:
    """Draws unit vectors as colours: red is right, green is up, blue is towards the camera."""
    upright = normals.astype(np.float64) * [1, -1, -1]
    return _bytes((upright * 0.5 + 0.5) * valid[..., None])


def colour_labels(labels: NDArray[Any]) -> Picture:
    """Draws numbers as colours far from each other, the same number always alike; 0 is black."""
    index = np.arange(int(labels.max()) + 1)
    hue = index * 0.61803399 % 1  # the golden ratio spreads any count of hues
    value = 0.65 + 0.35 * (index % 3) / 2
    palette = hsv_to_rgb(np.stack([hue, np.full(len(index), 0.65), value], axis=-1))
    palette[0] = 0
    return _bytes(palette)[labels]


def colour_flow(flow: NDArray[Any], longest: float | None = None) -> Picture:
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


def draw_sheet(samples: Sequence[Mapping[str, Any]], *, scale: int = 1) -> Picture:
    """Draws samples below each other under the titles of their fields.

    Args:
        samples: At least one, all of one size.
        scale: Screen pixels for a pixel.
    """
    rows = [panels(sample) for sample in samples]
    height, width = (size * scale for size in samples[0]["depth"].shape)
    sheet = Image.new(
        "RGB",
        (len(rows[0]) * (width + _GAP) + _GAP, len(rows) * (height + _GAP) + _HEADER),
        "white",
    )
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(size=12)
    for column, title in enumerate(rows[0]):
        left = _GAP + column * (width + _GAP)
        draw.text((left, 2), title, fill="black", font=font)
        for row, drawn in enumerate(rows):
            picture = Image.fromarray(drawn[title]).resize(
                (width, height), Image.Resampling.NEAREST
            )
            sheet.paste(picture, (left, _HEADER + row * (height + _GAP)))
    return np.asarray(sheet)


def _dim(picture: Picture, seen: NDArray[Any]) -> Picture:
    return np.where(seen[..., None] > 0, picture, picture // 3).astype(np.uint8)


def _bytes(colours: NDArray[Any]) -> Picture:
    return np.clip(colours * 255 + 0.5, 0, 255).astype(np.uint8)
