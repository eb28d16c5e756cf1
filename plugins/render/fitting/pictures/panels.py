"""Pictures put together: side by side with a word on each, silhouettes over each other."""

from collections.abc import Sequence

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from labcore.kit.video import Frame
from plugins.render.shading import as_bytes

__all__ = ["beside", "overlay", "stacked"]

_ORANGE, _BLUE = (0.95, 0.55, 0.15), (0.25, 0.5, 0.95)
_INK = (70, 70, 70)


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


def overlay(target: Tensor, ours: Tensor) -> Frame:
    """Returns two silhouettes ``[H, W]`` in one picture.

    What only the target covers is orange, what only ours covers blue, and what both cover dark.
    """
    first, second = (
        torch.lerp(torch.ones(3), torch.tensor(colour), mask.detach().cpu()[..., None])
        for mask, colour in ((target, _ORANGE), (ours, _BLUE))
    )
    return as_bytes(first * second)


def _labelled(picture: Frame, word: str) -> Frame:
    if not word:
        return picture
    image = Image.fromarray(picture)
    size = max(9, picture.shape[0] // 18)
    font = ImageFont.load_default(size)
    ImageDraw.Draw(image).text((size // 2, size // 3), word, fill=_INK, font=font)
    return np.asarray(image)
