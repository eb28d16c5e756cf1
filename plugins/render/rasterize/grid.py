"""Where the pixels of a picture lie in PyTorch3D's normalised device coordinates (NDC).

The shorter side of a picture spans [-1, 1] in NDC, x points left and y up, and a pixel is the point
in its middle. Columns count to the right and rows down, from 0.
"""

import operator
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = ["PixelGrid"]


@dataclass(frozen=True, slots=True)
class PixelGrid:
    """The pixels of pictures of one size."""

    height: int
    width: int

    @classmethod
    def of(cls, image_size: int | Sequence[int]) -> "PixelGrid":
        """Returns the grid of a square picture (one number) or of one of (height, width)."""
        try:
            height, width = image_size if isinstance(image_size, Sequence) else [image_size] * 2
            grid = cls(operator.index(height), operator.index(width))
        except (TypeError, ValueError):
            grid = None
        if grid is None or min(grid.height, grid.width) < 1:
            raise ValueError(
                f"image_size is {image_size!r}; give the side of a square picture, or "
                "(height, width), in whole pixels"
            )
        return grid

    @property
    def num_pixels(self) -> int:
        """Pixels of one picture."""
        return self.height * self.width

    @property
    def scale(self) -> float:
        """Pixels that one unit of NDC spans."""
        return min(self.height, self.width) / 2

    def columns(self, x: Tensor) -> Tensor:
        """Returns columns, fractions included, of x in NDC."""
        return (self.width - 1) / 2 - x * self.scale

    def rows(self, y: Tensor) -> Tensor:
        """Returns rows, fractions included, of y in NDC."""
        return (self.height - 1) / 2 - y * self.scale

    def centres(self, pixels: Tensor, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
        """Returns x and y in NDC of pixels, counted row by row through a batch of pictures."""
        x = _centres(self.width, self.height, dtype, pixels.device)
        y = _centres(self.height, self.width, dtype, pixels.device)
        rows = torch.div(pixels, self.width, rounding_mode="floor")
        columns = pixels - rows * self.width
        return x.index_select(0, columns), y.index_select(0, rows % self.height)


def _centres(side: int, other: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    """Returns NDC of the pixel centres along a side.

    The order of the operations is PyTorch3D's, so that the roundings are its too.
    """
    extent = torch.full((), 2.0, dtype=dtype, device=device)
    if side > other:
        extent = extent * side / other
    half = extent / 2
    index = torch.arange(side - 1, -1, -1, dtype=dtype, device=device)
    return -half + (extent * index + half) / side
