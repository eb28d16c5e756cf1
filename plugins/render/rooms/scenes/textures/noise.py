"""Tileable noise, and the filter that keeps every texture free of detail too fine to follow.

A texture is a picture on a torus, so all filtering is done on its Fourier series, in cycles a tile.

Legend: S texels a side.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

__all__ = ["CUTOFF", "SIZE", "band_limited", "grid", "noise", "to_albedo"]

SIZE = 128
"""Texels a side of every texture."""
CUTOFF = 16.0
"""Standard deviation in cycles a tile of the Gaussian filter that ends each texture.

Half of the amplitude is left at 19 cycles (6.8 texels a cycle), 1 % at 49 and less than 0.04 % at
the limit of the grid, 64; in texels the filter is a blur by 1.3."""

Picture = NDArray[np.float64]


@lru_cache(maxsize=1)
def _frequencies() -> tuple[Picture, Picture]:
    """Cycles a tile along rows (S, 1) and columns (1, S // 2 + 1) of the real transform."""
    return np.fft.fftfreq(SIZE, 1 / SIZE)[:, None], np.fft.rfftfreq(SIZE, 1 / SIZE)[None, :]


def grid() -> tuple[Picture, Picture]:
    """Returns u (1, S) and v (S, 1) at the texels' centres, in [0, 1)."""
    centres = (np.arange(SIZE) + 0.5) / SIZE
    return centres[None, :], centres[:, None]


@lru_cache(maxsize=128)
def _amplitude(low: float, high: float, slope: float, stretch: tuple[float, float]) -> Picture:
    """The spectrum of :func:`noise`, (S, S // 2 + 1); a few dozen kinds recur."""
    rows, columns = _frequencies()
    radius = np.hypot(rows * stretch[1], columns * stretch[0])
    amplitude = np.maximum(radius, low) ** -slope
    amplitude = amplitude * np.exp(-0.5 * (np.maximum(radius - low, 0) / high) ** 2)
    amplitude = np.where(radius < low, amplitude * (radius / low) ** 4, amplitude)
    amplitude[0, 0] = 0
    return amplitude


def noise(
    rng: np.random.Generator,
    low: float,
    high: float,
    *,
    slope: float = 1.0,
    stretch: tuple[float, float] = (1.0, 1.0),
) -> Picture:
    """Returns tileable noise (S, S) of mean 0 and variance 1.

    Args:
        rng: Source of randomness.
        low: Coarsest detail, in cycles a tile.
        high: Finest detail; beyond it the spectrum falls off as a Gaussian.
        slope: Amplitude falls with frequency to this power: 0 is even, 1 is cloudy.
        stretch: How many times longer the spots are along u and v: (8, 1) is grain along u.
    """
    amplitude = _amplitude(low, high, slope, stretch)
    spectrum = np.fft.rfft2(rng.standard_normal((SIZE, SIZE))) * amplitude
    field = np.fft.irfft2(spectrum, s=(SIZE, SIZE))
    return field / max(float(field.std()), 1e-12)


def band_limited(picture: Picture) -> Picture:
    """Returns a texture (S, S, 3) without detail beyond :data:`CUTOFF`, its seams smoothed."""
    rows, columns = _frequencies()
    kept = np.exp(-0.5 * (rows**2 + columns**2) / CUTOFF**2)[..., None]
    spectrum = np.fft.rfft2(picture, axes=(0, 1)) * kept
    return np.fft.irfft2(spectrum, s=(SIZE, SIZE), axes=(0, 1))


def to_albedo(picture: Picture) -> NDArray[np.float32]:
    """Returns the share of light that a surface of the given sRGB colours sends back.

    Rounded to 12 bits: the last bits of a Fourier transform differ between processors.
    """
    shown = np.clip(picture, 0, 1)
    # The sRGB curve of IEC 61966-2-1.
    linear = np.where(shown <= 0.04045, shown / 12.92, ((shown + 0.055) / 1.055) ** 2.4)
    return (np.round(linear * 4095) / 4095).astype(np.float32)
