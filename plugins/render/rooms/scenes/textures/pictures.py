"""Pictures that are stretched over one face indoors: posters, views, doors, books, rugs, screens.

Colours are sRGB in [0, 1]. Each function returns a picture (S, S, 3) with its top row first.
"""

import numpy as np
from numpy.typing import NDArray

from plugins.render.rooms.scenes.textures.canvas import Canvas
from plugins.render.rooms.scenes.textures.noise import SIZE, grid, noise

__all__ = [
    "book_spines",
    "cardboard",
    "dial",
    "door_leaf",
    "landscape",
    "panelled",
    "poster",
    "rug",
    "screen",
    "vivid",
    "window_view",
]

Colour = tuple[float, float, float]
Picture = NDArray[np.float64]
Rng = np.random.Generator


def vivid(rng: Rng) -> Colour:
    """A colour with a clear hue."""
    hue, depth, value = 6 * rng.random(), rng.uniform(0.45, 0.95), rng.uniform(0.45, 0.95)
    # Distance of the hue from red, green and blue on the circle of six.
    distance = [abs((hue - 2 * channel + 3) % 6 - 3) for channel in range(3)]
    red, green, blue = (value * (1 - depth * min(max(d - 1, 0), 1)) for d in distance)
    return float(red), float(green), float(blue)


def poster(rng: Rng) -> Picture:
    """Shapes in a few colours, within a border."""
    canvas = Canvas(vivid(rng))
    palette = [vivid(rng) for _ in range(4)]
    for colour in palette[: rng.integers(1, 4)]:
        canvas.half_plane(rng.uniform(0, 2 * np.pi), rng.uniform(-0.2, 0.3), colour)
    for _ in range(int(rng.integers(3, 8))):
        x, y = rng.uniform(0.1, 0.9, 2)
        a, b = rng.uniform(0.05, 0.25, 2)
        colour = palette[rng.integers(len(palette))]
        if rng.random() < 0.5:
            canvas.ellipse(x, y, (a, a if rng.random() < 0.6 else b), colour)
        else:
            canvas.rectangle((x - a, x + a), (y - b, y + b), colour)
    canvas.shade(0.05 * noise(rng, 2, 9))
    canvas.frame((0, 1), (0, 1), rng.uniform(0.03, 0.1), (0.92, 0.9, 0.86))
    return canvas.picture


def landscape(rng: Rng) -> Picture:
    """Hills one before another under a sky with a sun."""
    canvas = Canvas((0, 0, 0))
    evening = rng.random() < 0.4
    canvas.gradient((0.35, 0.55, 0.85), (0.95, 0.7, 0.5) if evening else (0.85, 0.92, 0.97))
    canvas.shade(0.04 * noise(rng, 1, 6, stretch=(4, 1)))
    canvas.ellipse(rng.uniform(0.2, 0.8), rng.uniform(0.15, 0.4), (0.07, 0.07), (1, 0.95, 0.75))
    u, _ = grid()
    hue = rng.uniform(0.2, 0.55)
    for depth in range(3):
        waves = sum(
            rng.uniform(0.01, 0.06) * np.sin(2 * np.pi * (k * u[0] + rng.random()))
            for k in (1, 2, 3)
        )
        light = 0.75 - 0.2 * depth
        canvas.below(0.5 + 0.14 * depth + waves, (light * hue, light * 0.8, light * (0.9 - hue)))
    canvas.shade(0.09 * noise(rng, 4, 11, slope=0.3))
    return canvas.picture


def window_view(rng: Rng, frame: Colour, *, panes: tuple[int, int] = (2, 2)) -> Picture:
    """A window from inside: what lies outdoors, behind its frame and bars."""
    canvas = Canvas((0, 0, 0))
    canvas.gradient((0.55, 0.72, 0.95), (0.93, 0.95, 0.98))
    canvas.shade(0.035 * noise(rng, 1, 3, stretch=(3, 1)))
    u, _ = grid()
    far = 0.6 + 0.05 * np.sin(2 * np.pi * (u[0] + rng.random()))
    canvas.below(far, (0.55, 0.66, 0.6))
    for _ in range(int(rng.integers(1, 4))):
        x, wide, high = rng.uniform(0, 1), rng.uniform(0.08, 0.2), rng.uniform(0.35, 0.6)
        tone = rng.uniform(0.5, 0.8)
        canvas.rectangle((x - wide, x + wide), (high, 1), (tone, tone * 0.9, tone * 0.8))
    for _ in range(int(rng.integers(2, 6))):
        x, size = rng.uniform(0, 1), rng.uniform(0.06, 0.16)
        canvas.ellipse(x, rng.uniform(0.65, 0.8), (size, size * 1.3), (0.3, 0.45, 0.24))
    canvas.below(np.full(SIZE, 0.88), (0.42, 0.55, 0.32))
    canvas.shade(0.08 * noise(rng, 4, 12, slope=0.3))
    columns, rows = panes
    for column in range(1, columns):
        canvas.rectangle((column / columns - 0.02, column / columns + 0.02), (0, 1), frame)
    for row in range(1, rows):
        canvas.rectangle((0, 1), (row / rows - 0.02, row / rows + 0.02), frame)
    canvas.frame((0, 1), (0, 1), 0.055, frame)
    return canvas.picture


def door_leaf(rng: Rng, ground: Picture) -> Picture:
    """Panels cut into a leaf of some material."""
    canvas = Canvas(ground)
    columns, rows = int(rng.integers(1, 3)), int(rng.integers(2, 5))
    for column in range(columns):
        for row in range(rows):
            x = (0.1 + column * 0.82 / columns, 0.08 + (column + 1) * 0.82 / columns)
            y = (0.06 + row * 0.9 / rows, 0.03 + (row + 1) * 0.9 / rows)
            canvas.fill(canvas.inside(x, y), ground * 0.93)
            canvas.rectangle((x[0], x[1]), (y[0], y[0] + 0.012), ground * 0.6)
            canvas.rectangle((x[0], x[0] + 0.022), (y[0], y[1]), ground * 0.66)
            canvas.rectangle((x[0], x[1]), (y[1] - 0.012, y[1]), ground * 1.18)
    return canvas.picture


def panelled(rng: Rng, ground: Picture) -> Picture:
    """The front of a drawer or a cupboard door: one field within a rim."""
    canvas = Canvas(ground)
    rim = rng.uniform(0.06, 0.14)
    canvas.frame((0.01, 0.99), (0.01, 0.99), 0.012, (0.12, 0.1, 0.09))
    canvas.fill(canvas.inside((rim, 1 - rim), (rim, 1 - rim)), ground * rng.uniform(0.8, 0.92))
    return canvas.picture


def book_spines(rng: Rng) -> Picture:
    """A row of books as a shelf shows them, each with a band or a title."""
    canvas = Canvas((0.06, 0.05, 0.05))
    left = 0.0
    while left < 1:
        right = min(left + rng.uniform(0.05, 0.13), 1.0)
        colour = vivid(rng)
        light = rng.uniform(0.45, 1.0)
        canvas.rectangle((left, right - 0.008), (0, 1), light * np.array(colour))
        other = vivid(rng) if rng.random() < 0.5 else (0.9, 0.85, 0.7)
        y = rng.uniform(0.1, 0.4)
        inset = 0.2 * (right - left)
        canvas.rectangle((left + inset, right - inset), (y, y + rng.uniform(0.15, 0.4)), other)
        if rng.random() < 0.6:
            canvas.rectangle((left, right - 0.008), (0.82, 0.87), other)
        left = right
    canvas.shade(0.05 * noise(rng, 2, 9))
    return canvas.picture


def rug(rng: Rng, colour: Colour, other: Colour) -> Picture:
    """A carpet with a border, rows of lozenges and a middle piece."""
    x, y = grid()
    third = vivid(rng)
    canvas = Canvas(colour)
    count = int(rng.integers(3, 7))
    lozenge = np.abs(np.mod(x * count, 1) - 0.5) + np.abs(np.mod(y * count, 1) - 0.5)
    canvas.fill(lozenge < rng.uniform(0.18, 0.36), other)
    canvas.fill(lozenge < 0.1, third)
    middle = np.abs(x - 0.5) * 1.5 + np.abs(y - 0.5) * 1.5
    if rng.random() < 0.7:
        canvas.fill(middle < 0.42, other)
        canvas.fill(middle < 0.33, colour)
        canvas.fill(middle < 0.18, third)
    canvas.frame((0, 1), (0, 1), 0.13, other)
    canvas.frame((0.03, 0.97), (0.03, 0.97), 0.03, third)
    canvas.shade(0.09 * noise(rng, 7, 12, slope=0) + 0.06 * noise(rng, 2, 5))
    return canvas.picture


def screen(rng: Rng) -> Picture:
    """A television or a monitor that shows a landscape, in its black rim."""
    canvas = Canvas(landscape(rng) * 0.95)
    if rng.random() < 0.5:
        canvas.rectangle((0.05, 0.6), (0.75, 0.88), vivid(rng))
    canvas.frame((0, 1), (0, 1), 0.045, (0.05, 0.05, 0.055))
    return canvas.picture


def cardboard(rng: Rng) -> Picture:
    """A carton with tape and a label."""
    shade = 0.05 * noise(rng, 2, 8, stretch=(1, 4)) + 0.03 * noise(rng, 5, 12)
    canvas = Canvas(np.array((0.7, 0.54, 0.36)) * (1 + shade[..., None]))
    canvas.rectangle((0.44, 0.56), (0, 1), (0.8, 0.68, 0.48))
    x, y = rng.uniform(0.08, 0.2), rng.uniform(0.1, 0.5)
    canvas.rectangle((x, x + 0.26), (y, y + 0.3), (0.92, 0.91, 0.88))
    for line in range(3):
        height = y + 0.06 + 0.08 * line
        canvas.rectangle((x + 0.03, x + 0.2), (height, height + 0.03), (0.2, 0.2, 0.22))
    return canvas.picture


def dial(rng: Rng) -> Picture:
    """The face of a wall clock."""
    canvas = Canvas(vivid(rng))
    canvas.ellipse(0.5, 0.5, (0.46, 0.46), (0.08, 0.08, 0.08))
    canvas.ellipse(0.5, 0.5, (0.42, 0.42), (0.95, 0.94, 0.9))
    x, y = grid()
    for hour in range(12):
        angle = hour * np.pi / 6
        canvas.ellipse(
            0.5 + 0.34 * np.sin(angle), 0.5 - 0.34 * np.cos(angle), (0.03, 0.03), (0.1, 0.1, 0.1)
        )
    for length, width in ((0.2, 0.025), (0.32, 0.018)):
        angle = rng.uniform(0, 2 * np.pi)
        along = (x - 0.5) * np.sin(angle) - (y - 0.5) * np.cos(angle)
        across = (x - 0.5) * np.cos(angle) + (y - 0.5) * np.sin(angle)
        canvas.fill((along > -0.04) & (along < length) & (np.abs(across) < width), (0.1, 0.1, 0.1))
    return canvas.picture
