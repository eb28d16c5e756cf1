"""Textures made from photographs that ship with scikit-image and are in the public domain (CC0).

The docstrings of ``skimage.data.brick``, ``grass`` and ``gravel`` name source and licence. No other
picture of that package is used.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from labcore.errors import RequirementError
from plugins.render.rooms.scenes.textures.noise import SIZE

__all__ = ["PHOTOGRAPHS", "photograph"]

PHOTOGRAPHS = ("brick", "grass", "gravel")

_OVERLAP = 0.2
"""Share of the side over which the two ends of a photograph are faded into each other."""


@lru_cache(maxsize=len(PHOTOGRAPHS))
def _tile(name: str) -> NDArray[np.float64]:
    """A photograph as a tile of mean 0 and variance 1, (S, S)."""
    try:
        from skimage import data
    except ImportError as error:
        raise RequirementError(
            f"The scenes need the photograph {name!r} of scikit-image, which cannot be imported "
            f"({error}).",
            fix='pip install "unified-ml-lab[render]"',
        ) from error
    picture = np.asarray(getattr(data, name)(), dtype=np.float64)
    if name == "brick":  # its courses run upwards
        picture = picture.T
    for axis in (0, 1):
        picture = _wrapped(picture, axis)
    side = min(picture.shape)
    # Means over areas: rows and columns of texels, each a whole number of texels and a rest.
    weights = _area_weights(side)
    tile = weights @ picture[:side, :side] @ weights.T
    # What is darker on one side would be seen as a grid on a large wall: slow changes are removed.
    spectrum = np.fft.rfft2(tile)
    spectrum[:2, :2] = 0
    spectrum[-1:, :2] = 0
    tile = np.fft.irfft2(spectrum, s=(SIZE, SIZE))
    return tile / tile.std()


def _wrapped(picture: NDArray[np.float64], axis: int) -> NDArray[np.float64]:
    """The picture shortened by an overlap in which its end turns into its beginning."""
    picture = np.moveaxis(picture, axis, 0)
    length = int(len(picture) * _OVERLAP)
    kept = picture[:-length].copy()
    share = (np.arange(length) + 0.5)[:, None] / length
    # Weights whose squares sum to 1 keep the contrast where two unrelated pictures are added.
    mean = picture.mean()
    start, end = kept[:length] - mean, picture[-length:] - mean
    kept[:length] = mean + np.sqrt(share) * start + np.sqrt(1 - share) * end
    return np.moveaxis(kept, 0, axis)


def _area_weights(side: int) -> NDArray[np.float64]:
    """Matrix (S, side) that averages pixels over each texel's extent."""
    edges = np.linspace(0, side, SIZE + 1)
    pixels = np.arange(side)
    low = np.maximum(edges[:-1, None], pixels[None, :])
    high = np.minimum(edges[1:, None], pixels[None, :] + 1)
    return np.maximum(high - low, 0) * (SIZE / side)


def photograph(
    name: str, colour: tuple[float, float, float], *, contrast: float = 0.2
) -> NDArray[np.float64]:
    """Returns a photograph in a colour, as a picture (S, S, 3) that tiles.

    Args:
        name: One of :data:`PHOTOGRAPHS`.
        colour: Mean colour, sRGB in [0, 1].
        contrast: Standard deviation relative to the mean.

    Raises:
        RequirementError: scikit-image is not installed.
    """
    return np.asarray(colour) * (1 + contrast * np.tanh(_tile(name) / 2.5)[..., None] * 2)
