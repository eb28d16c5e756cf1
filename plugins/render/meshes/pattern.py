"""A texture for the primitives: coloured squares with veins, so that turning is seen."""

import colorsys
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

__all__ = ["NUM_COLUMNS", "NUM_ROWS", "checker"]

NUM_COLUMNS = 12
"""Squares across; their hues go once round the colour circle."""
NUM_ROWS = 6
"""Squares up."""
_SQUARE = 32


@lru_cache(maxsize=1)
def checker() -> NDArray[np.float32]:
    """Returns the texture, ``[192, 384, 3]`` in [0, 1]: every other square pale, veins across."""
    row, column = np.mgrid[0 : NUM_ROWS * _SQUARE, 0 : NUM_COLUMNS * _SQUARE]
    hue = np.array(
        [colorsys.hsv_to_rgb(index / NUM_COLUMNS, 0.72, 0.92) for index in range(NUM_COLUMNS)]
    )
    colour = hue[column // _SQUARE]
    pale = ((row // _SQUARE + column // _SQUARE) % 2)[..., None]
    picture = colour * (1 - pale) + (0.35 * colour + 0.65) * pale
    return (picture * (1 - 0.22 * _veins(row, column))[..., None]).astype(np.float32)


def _veins(row: NDArray[np.int64], column: NDArray[np.int64]) -> NDArray[np.float64]:
    """Marble: thin lines of a wave that other waves bend; it repeats at the edges."""
    x = 2 * np.pi * column / column.shape[1]
    y = 2 * np.pi * row / row.shape[0]
    bend = np.sin(2 * x + y) + 0.6 * np.sin(3 * y - x + 1.3) + 0.4 * np.sin(5 * x + 2 * y + 4.1)
    wave = np.abs(np.sin(2 * x + 2 * y + 1.4 * bend))
    return np.clip(1 - wave / 0.16, 0, 1)
