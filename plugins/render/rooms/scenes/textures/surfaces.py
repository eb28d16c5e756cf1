"""Materials that cover any area: their texture repeats without a seam.

Colours are sRGB in [0, 1]. Each function returns a picture (S, S, 3), before the filter.
"""

import numpy as np
from numpy.typing import NDArray

from plugins.render.rooms.scenes.textures.noise import SIZE, grid, noise

__all__ = [
    "asphalt",
    "boards",
    "checks",
    "concrete",
    "fabric",
    "foliage",
    "marble",
    "masonry",
    "metal",
    "paint",
    "plaster",
    "stripes",
    "tiles",
    "wood",
]

Colour = tuple[float, float, float]
Picture = NDArray[np.float64]
Rng = np.random.Generator


def _tinted(colour: Colour, shade: Picture) -> Picture:
    """A colour made lighter and darker by a field around 0."""
    return np.asarray(colour) * (1 + shade[..., None])


def _blend(first: Colour, second: Colour, share: Picture) -> Picture:
    """From the first colour (share 0) to the second (share 1)."""
    return np.asarray(first) + (np.asarray(second) - np.asarray(first)) * share[..., None]


def _mottle(rng: Rng, strength: float) -> Picture:
    """Slow changes of hue (S, S, 3), so that no surface has one colour."""
    fields = [noise(rng, 1, 3, slope=1.0) for _ in range(2)]
    return strength * np.stack([fields[0], fields[1] * 0.3, -fields[0]], axis=-1)


def plaster(rng: Rng, colour: Colour) -> Picture:
    """A wall: clouds and faint trowel marks."""
    clouds = 0.022 * noise(rng, 1, 4) + 0.03 * noise(rng, 6, 12, slope=0.3)
    marks = 0.025 * noise(rng, 4, 14, slope=0, stretch=(3, 1))
    return _tinted(colour, clouds + marks) + _mottle(rng, 0.008)


def paint(rng: Rng, colour: Colour) -> Picture:
    """Lacquer or plastic: nearly even, with wear."""
    wear = 0.03 * noise(rng, 1, 3) + 0.025 * noise(rng, 4, 9, slope=0.3)
    return _tinted(colour, wear)


def metal(rng: Rng, colour: Colour) -> Picture:
    """Brushed along u."""
    brushed = 0.07 * noise(rng, 2, 14, slope=0.2, stretch=(10, 1))
    return _tinted(colour, brushed + 0.04 * noise(rng, 1, 3))


def concrete(rng: Rng, colour: Colour) -> Picture:
    """Stains, and pores that are darker."""
    pores = np.minimum(noise(rng, 8, 14, slope=0) + 1.3, 0)
    return _tinted(colour, 0.07 * noise(rng, 1, 5) + 0.05 * noise(rng, 6, 12) + 0.16 * pores)


def asphalt(rng: Rng, colour: Colour) -> Picture:
    """Grit with mended spots and cracks."""
    grit = 0.13 * noise(rng, 9, 14, slope=0) + 0.08 * noise(rng, 2, 6)
    cracks = np.exp(-((noise(rng, 1, 3) / 0.06) ** 2))
    patches = 0.08 * np.tanh(6 * (noise(rng, 1, 1) - 0.9))
    return _tinted(colour, grit + patches - 0.22 * cracks)


def wood(rng: Rng, colour: Colour) -> Picture:
    """Sawn timber, its grain along u."""
    _, v = grid()
    bend = 0.35 * noise(rng, 1, 2, stretch=(2, 1))
    rings = np.sin(2 * np.pi * (int(rng.integers(4, 8)) * v + bend))
    fibres = noise(rng, 3, 14, slope=0.3, stretch=(12, 1))
    return _tinted(colour, 0.08 * rings + 0.07 * fibres + 0.05 * noise(rng, 1, 3)) + _mottle(
        rng, 0.006
    )


def boards(rng: Rng, colour: Colour, *, rows: int = 5) -> Picture:
    """A floor of planks along u, with seams, each plank cut from another tree."""
    u, v = grid()
    row = np.minimum((v * rows).astype(int), rows - 1)
    along = np.mod(u + rng.random(rows)[row], 1.0)
    half = (along * 2).astype(int)
    tone = rng.normal(0, 0.1, (rows, 2))[row, half]
    shift = rng.integers(0, SIZE, (rows, 2))[row, half]
    grain = 0.07 * noise(rng, 3, 14, slope=0.3, stretch=(10, 1)) + 0.06 * noise(
        rng, 1, 5, stretch=(3, 1)
    )
    columns = (np.arange(SIZE)[None, :] + shift) % SIZE
    grain = grain[np.arange(SIZE)[:, None], columns]
    across = np.abs(np.mod(v * rows + 0.5, 1) - 0.5) / rows
    ends = np.abs(np.mod(along * 2 + 0.5, 1) - 0.5) / 2
    seams = np.maximum(np.exp(-((across / 0.007) ** 2)), np.exp(-((ends / 0.007) ** 2)))
    return _tinted(colour, tone + grain - 0.5 * seams)


def masonry(
    rng: Rng, colour: Colour, mortar: Colour, *, rows: int = 8, columns: int = 3
) -> Picture:
    """Courses of bricks or blocks, each shifted by half against the one below; rows is even."""
    u, v = grid()
    row = np.minimum((v * rows).astype(int), rows - 1)
    along = np.mod(u * columns + 0.5 * (row % 2), columns)
    column = np.minimum(along.astype(int), columns - 1)
    tone = rng.normal(0, 0.12, (rows, columns))[row, column]
    warm = rng.normal(0, 0.05, (rows, columns))[row, column]
    joint = np.minimum(
        (0.5 - np.abs(np.mod(v * rows, 1) - 0.5)) / rows,
        (0.5 - np.abs(np.mod(along, 1) - 0.5)) / columns,
    )
    bricks = _tinted(colour, tone + 0.07 * noise(rng, 3, 14, slope=0.4))
    bricks = bricks + warm[..., None] * np.array([1.0, 0.1, -0.6])
    share = 1 / (1 + np.exp((joint - 0.011) / 0.0025))
    ground = _tinted(mortar, 0.06 * noise(rng, 3, 12))
    return bricks + (ground - bricks) * share[..., None]


def tiles(
    rng: Rng, colour: Colour, other: Colour, grout: Colour, *, count: int = 4, joint: float = 0.008
) -> Picture:
    """Square tiles in two colours by turns; count is even, or the colours are alike."""
    u, v = grid()
    row = np.minimum((v * count).astype(int), count - 1)
    column = np.minimum((u * count).astype(int), count - 1)
    tone = rng.normal(0, 0.035, (count, count))[row, column]
    surface = _blend(colour, other, ((row + column) % 2).astype(float))
    surface = surface * (1 + tone + 0.045 * noise(rng, 2, 9))[..., None]
    distance = np.minimum(
        0.5 - np.abs(np.mod(v * count, 1) - 0.5), 0.5 - np.abs(np.mod(u * count, 1) - 0.5)
    )
    share = 1 / (1 + np.exp((distance / count - joint) / 0.0025))
    return surface + (np.asarray(grout) - surface) * share[..., None]


def marble(rng: Rng, colour: Colour, vein: Colour) -> Picture:
    """Veins where warped noise crosses 0."""
    field = noise(rng, 1, 3) + 0.35 * noise(rng, 4, 9)
    veins = np.exp(-((field / 0.22) ** 2)) * (0.35 + 0.25 * np.tanh(noise(rng, 1, 2)))
    cloud = 0.05 * noise(rng, 1, 4)
    return _blend(colour, vein, np.clip(veins, 0, 1)) * (1 + cloud)[..., None]


def fabric(rng: Rng, colour: Colour) -> Picture:
    """Cloth or carpet: a weave of soft spots."""
    weave = 0.09 * noise(rng, 8, 12, slope=0) + 0.07 * noise(rng, 2, 6)
    return _tinted(colour, weave) + _mottle(rng, 0.012)


def stripes(rng: Rng, colour: Colour, other: Colour, *, count: int = 6) -> Picture:
    """Stripes along v, of a width that varies: wallpaper, awnings, blankets."""
    u, _ = grid()
    edge = rng.uniform(0.25, 0.55)
    thin = rng.random() < 0.5
    phase = np.mod(u * count, 1)
    band = (phase < edge) | (thin & (np.abs(phase - (1 + edge) / 2) < 0.07))
    shade = 0.05 * noise(rng, 2, 9) + 0.03 * noise(rng, 1, 3)
    return _blend(colour, other, np.broadcast_to(band, (SIZE, SIZE)).astype(float)) * (
        1 + shade[..., None]
    )


def checks(rng: Rng, colour: Colour, other: Colour, *, count: int = 4) -> Picture:
    """Tartan: bands of two directions laid over each other."""
    u, v = grid()
    width = rng.uniform(0.3, 0.6)
    bands = (np.mod(u * count, 1) < width) * 0.5 + (np.mod(v * count, 1) < width) * 0.5
    lines = (np.abs(np.mod(u * count, 1) - 0.8) < 0.06) | (
        np.abs(np.mod(v * count, 1) - 0.8) < 0.06
    )
    cloth = _blend(colour, other, np.clip(bands + 0.35 * lines, 0, 1))
    return cloth * (1 + 0.06 * noise(rng, 6, 12, slope=0) + 0.04 * noise(rng, 1, 4))[..., None]


def foliage(rng: Rng, colour: Colour) -> Picture:
    """Leaves: light spots before dark gaps."""
    spots = noise(rng, 5, 12, slope=0.2)
    shade = 0.28 * np.tanh(spots) + 0.12 * noise(rng, 1, 4)
    hue = 0.05 * noise(rng, 2, 6)
    return _tinted(colour, shade) + hue[..., None] * np.array([0.8, 0.4, -0.4])
