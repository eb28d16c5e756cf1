"""Pictures that are stretched over faces outdoors: storeys, shop fronts, car windows, signs.

Colours are sRGB in [0, 1]. Each function returns a picture (S, S, 3) with its top row first.
"""

import numpy as np
from numpy.typing import NDArray

from plugins.render.rooms.scenes.textures.canvas import Canvas
from plugins.render.rooms.scenes.textures.colours import LACQUERS, one_of
from plugins.render.rooms.scenes.textures.noise import grid, noise
from plugins.render.rooms.scenes.textures.pictures import vivid

__all__ = ["BAYS", "car_windows", "hedge", "pickets", "road_sign", "shop_front", "storeys"]

Colour = tuple[float, float, float]
Picture = NDArray[np.float64]
Rng = np.random.Generator

BAYS = 2
"""Window bays and storeys in one picture of a front."""


def _glass(rng: Rng) -> Picture:
    """Panes that mirror the sky above and the street below."""
    _, y = grid()
    tone = 0.32 + 0.22 * np.sin(2 * np.pi * (y * BAYS + 0.1)) + 0.08 * noise(rng, 1, 5)
    return np.clip(tone, 0.08, 0.9)[..., None] * np.array([0.72, 0.86, 1.0])


def storeys(rng: Rng, ground: Picture, frame: Colour, trim: Colour) -> Picture:
    """Two bays by two storeys of a front: windows of one form, each with other curtains."""
    canvas = Canvas(ground)
    glass = _glass(rng)
    wide, top, bottom = rng.uniform(0.2, 0.36), rng.uniform(0.14, 0.22), rng.uniform(0.72, 0.82)
    bars, shutters = bool(rng.random() < 0.6), bool(rng.random() < 0.3)
    sill, lintel = bool(rng.random() < 0.8), bool(rng.random() < 0.6)
    shutter = one_of(rng, LACQUERS)
    for row in range(BAYS):
        for column in range(BAYS):

            def across(low: float, high: float, column: int = column) -> tuple[float, float]:
                return (column + low) / BAYS, (column + high) / BAYS

            def down(low: float, high: float, row: int = row) -> tuple[float, float]:
                return (row + low) / BAYS, (row + high) / BAYS

            left, right = 0.5 - wide, 0.5 + wide
            if shutters:
                canvas.rectangle(across(left - 0.16, right + 0.16), down(top, bottom), shutter)
            canvas.rectangle(across(left, right), down(top, bottom), glass)
            if rng.random() < 0.6:
                drawn = rng.uniform(0.1, 0.3)
                cloth = (0.85, 0.82, rng.uniform(0.6, 0.85))
                canvas.rectangle(across(left, left + drawn), down(top, bottom), cloth)
                canvas.rectangle(across(right - drawn, right), down(top, bottom), cloth)
            elif rng.random() < 0.4:
                blind = rng.uniform(0.2, 0.5)
                canvas.rectangle(across(left, right), down(top, top + blind), (0.75, 0.73, 0.68))
            canvas.frame(across(left, right), down(top, bottom), 0.022, frame)
            if bars:
                canvas.rectangle(across(0.48, 0.52), down(top, bottom), frame)
                canvas.rectangle(across(left, right), down(0.42, 0.455), frame)
            if sill:
                canvas.rectangle(
                    across(left - 0.05, right + 0.05), down(bottom, bottom + 0.05), trim
                )
            if lintel:
                canvas.rectangle(across(left - 0.03, right + 0.03), down(top - 0.07, top), trim)
    return canvas.picture


def shop_front(rng: Rng, frame: Colour) -> Picture:
    """A ground floor of glass under a name board."""
    canvas = Canvas(frame)
    _, y = grid()
    board = vivid(rng)
    light = 0.35 + 0.3 * (1 - y) + 0.08 * noise(rng, 2, 6)
    window = light[..., None] * np.array([0.8, 0.92, 1.0])
    canvas.rectangle((0.04, 0.96), (0.24, 0.86), window)
    for _ in range(int(rng.integers(4, 9))):
        x, high = rng.uniform(0.08, 0.9), rng.uniform(0.45, 0.75)
        canvas.rectangle((x, x + rng.uniform(0.04, 0.12)), (high, 0.86), vivid(rng))
    for x in (0.34, 0.64):
        canvas.rectangle((x, x + 0.02), (0.24, 0.86), frame)
    canvas.rectangle((0, 1), (0.04, 0.22), board)
    x = 0.15
    while x < 0.8:
        wide = rng.uniform(0.02, 0.07)
        canvas.rectangle((x, x + wide), (0.09, 0.17), (0.95, 0.94, 0.9))
        x += wide + 0.025
    canvas.shade(0.05 * noise(rng, 2, 10))
    return canvas.picture


def car_windows(rng: Rng, paint: Colour, *, posts: int = 1) -> Picture:
    """Glass between posts in the colour of the car."""
    canvas = Canvas(paint)
    _, y = grid()
    tone = 0.18 + 0.25 * (1 - y) + 0.06 * noise(rng, 1, 5)
    canvas.rectangle((0.07, 0.93), (0.1, 0.94), tone[..., None] * np.array([0.8, 0.92, 1.0]))
    for post in range(posts):
        x = (post + 1) / (posts + 1)
        canvas.rectangle((x - 0.025, x + 0.025), (0, 1), paint)
    return canvas.picture


def road_sign(rng: Rng) -> Picture:
    """A disc, a warning triangle, or a board with an arrow, on a plate."""
    x, y = grid()
    form = int(rng.integers(3))
    if form == 0:
        canvas = Canvas((0.62, 0.64, 0.66))
        canvas.ellipse(0.5, 0.5, (0.47, 0.47), (0.75, 0.1, 0.1))
        canvas.ellipse(0.5, 0.5, (0.34, 0.34), (0.95, 0.95, 0.93))
        canvas.rectangle((0.28, 0.46), (0.36, 0.64), (0.08, 0.08, 0.08))
        canvas.rectangle((0.54, 0.72), (0.36, 0.64), (0.08, 0.08, 0.08))
    elif form == 1:
        canvas = Canvas((0.62, 0.64, 0.66))
        slope = np.abs(x - 0.5) / 0.5
        canvas.fill((y < 0.92) & (y > 0.06 + 0.86 * slope), (0.75, 0.1, 0.1))
        canvas.fill((y < 0.82) & (y > 0.28 + 0.86 * slope), (0.95, 0.95, 0.93))
        canvas.rectangle((0.46, 0.54), (0.45, 0.68), (0.08, 0.08, 0.08))
        canvas.ellipse(0.5, 0.75, (0.045, 0.045), (0.08, 0.08, 0.08))
    else:
        blue = (0.1, 0.25, 0.62) if rng.random() < 0.6 else (0.1, 0.45, 0.25)
        canvas = Canvas(blue)
        canvas.frame((0.04, 0.96), (0.04, 0.96), 0.03, (0.95, 0.95, 0.93))
        canvas.rectangle((0.2, 0.62), (0.44, 0.56), (0.95, 0.95, 0.93))
        head = np.abs(y - 0.5) < 0.75 * (0.84 - x)
        canvas.fill(head & (x > 0.58) & (x < 0.84), (0.95, 0.95, 0.93))
    canvas.shade(0.03 * noise(rng, 2, 8))
    return canvas.picture


def hedge(rng: Rng, colour: Colour) -> Picture:
    """Cut leaves: dark gaps and light spots, darker towards the ground."""
    _, y = grid()
    spots = np.tanh(noise(rng, 6, 12, slope=0.1))
    shade = 0.3 * spots + 0.12 * noise(rng, 1, 4) - 0.15 * (y - 0.5)
    return np.asarray(colour) * (1 + shade[..., None])


def pickets(rng: Rng, colour: Colour) -> Picture:
    """Upright boards with dark gaps."""
    x, _ = grid()
    gap = np.abs(np.mod(x * 6, 1) - 0.5) > 0.43
    shade = 0.08 * noise(rng, 3, 12, slope=0.3, stretch=(1, 8))
    canvas = Canvas(np.asarray(colour) * (1 + shade[..., None]))
    canvas.fill(np.broadcast_to(gap, shade.shape), (0.12, 0.1, 0.08))
    return canvas.picture
