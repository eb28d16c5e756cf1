"""A sheet of samples to look at: each row a frame, each column a field drawn in colours."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labcore.kit.panels import (
    colour_flow,
    colour_labels,
    colour_normals,
    colour_scalar,
    sheet_of,
)
from labcore.kit.video import Frame

__all__ = ["draw_sheet", "panels"]


def panels(sample: Mapping[str, Any]) -> dict[str, Frame]:
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


def draw_sheet(samples: Sequence[Mapping[str, Any]], *, scale: int = 1) -> Frame:
    """Draws samples below each other under the titles of their fields.

    Args:
        samples: At least one, all of one size.
        scale: Screen pixels for a pixel.
    """
    return sheet_of([panels(sample) for sample in samples], scale=scale)


def _dim(picture: Frame, seen: NDArray[Any]) -> Frame:
    return np.where(seen[..., None] > 0, picture, picture // 3).astype(np.uint8)
