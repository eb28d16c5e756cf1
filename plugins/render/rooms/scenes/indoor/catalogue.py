"""What the materials of a room are made of."""

import numpy as np
from numpy.typing import NDArray

from plugins.render.rooms.scenes.materials import Recipe, plain
from plugins.render.rooms.scenes.textures import colours, photograph, pictures, surfaces
from plugins.render.rooms.scenes.textures.colours import one_of

__all__ = ["CATALOGUE"]

Colour = tuple[float, float, float]
Rng = np.random.Generator

_WHITE = (0.93, 0.92, 0.89)
_GROUT = (0.56, 0.55, 0.52)


def _wall(rng: Rng) -> Recipe:
    colour, other = one_of(rng, colours.WALLS), one_of(rng, colours.WALLS)
    choice = rng.random()
    if choice < 0.4:
        return Recipe(lambda r: surfaces.plaster(r, colour), (2.2, 2.2))
    if choice < 0.6:
        count = int(rng.integers(3, 7))
        return Recipe(lambda r: surfaces.stripes(r, colour, other, count=count), (1.3, 1.3))
    if choice < 0.72:
        brick = one_of(rng, colours.BRICKS)
        return Recipe(lambda _: photograph("brick", brick), (1.1, 1.1))
    if choice < 0.82:
        return Recipe(lambda r: surfaces.masonry(r, colour, _GROUT, rows=6, columns=2), (1.6, 1.2))
    if choice < 0.92:
        wood = one_of(rng, colours.WOODS)
        return Recipe(lambda r: surfaces.boards(r, wood, rows=6).transpose(1, 0, 2), (1.1, 2.6))
    return Recipe(lambda r: surfaces.tiles(r, colour, other, _WHITE), (1.0, 1.0))


def _floor(rng: Rng) -> Recipe:
    choice = rng.random()
    if choice < 0.4:
        wood = one_of(rng, colours.WOODS)
        rows = int(rng.integers(5, 9))
        return Recipe(lambda r: surfaces.boards(r, wood, rows=rows), (2.2, 1.1))
    if choice < 0.65:
        colour, other = one_of(rng, colours.FLOORS), one_of(rng, colours.FLOORS)
        size = float(rng.uniform(1.0, 1.8))
        return Recipe(lambda r: surfaces.tiles(r, colour, other, _GROUT), (size, size))
    if choice < 0.85:
        cloth = one_of(rng, colours.CLOTHS)
        return Recipe(lambda r: surfaces.fabric(r, cloth), (1.1, 1.1))
    stone = one_of(rng, colours.STONES)
    if choice < 0.93:
        return Recipe(lambda r: surfaces.concrete(r, stone), (2.0, 2.0))
    return Recipe(lambda r: surfaces.marble(r, (0.86, 0.85, 0.82), stone), (1.8, 1.8))


def _ceiling(rng: Rng) -> Recipe:
    if rng.random() < 0.2:
        wood = one_of(rng, colours.WOODS)
        return Recipe(lambda r: surfaces.boards(r, wood, rows=7), (2.4, 1.2))
    colour = one_of(rng, ((0.93, 0.92, 0.9), (0.88, 0.87, 0.83)), spread=0.015)
    return Recipe(lambda r: surfaces.plaster(r, colour), (2.5, 2.5))


def _cloth(rng: Rng) -> Recipe:
    colour, other = one_of(rng, colours.CLOTHS), one_of(rng, colours.CLOTHS)
    choice = rng.random()
    if choice < 0.5:
        return Recipe(lambda r: surfaces.fabric(r, colour), (0.6, 0.6))
    if choice < 0.75:
        return Recipe(lambda r: surfaces.checks(r, colour, other), (0.7, 0.7))
    return Recipe(lambda r: surfaces.stripes(r, colour, other, count=5), (0.7, 0.7))


def _front(rng: Rng) -> Recipe:
    """A drawer or a cupboard door."""
    if rng.random() < 0.6:
        wood = one_of(rng, colours.WOODS)
        return Recipe(lambda r: pictures.panelled(r, surfaces.wood(r, wood)), None)
    lacquer = one_of(rng, colours.LACQUERS)
    return Recipe(lambda r: pictures.panelled(r, surfaces.paint(r, lacquer)), None)


def _door(rng: Rng) -> Recipe:
    upright: NDArray[np.float64]
    if rng.random() < 0.6:
        upright = surfaces.wood(rng, one_of(rng, colours.WOODS)).transpose(1, 0, 2)
    else:
        upright = surfaces.paint(rng, one_of(rng, colours.LACQUERS))
    return Recipe(lambda r: pictures.door_leaf(r, upright), None)


def _window(rng: Rng) -> Recipe:
    frame = _WHITE if rng.random() < 0.7 else one_of(rng, colours.WOODS)
    panes = (int(rng.integers(1, 4)), int(rng.integers(1, 4)))
    return Recipe(lambda r: pictures.window_view(r, frame, panes=panes), None)


def _rug(rng: Rng) -> Recipe:
    colour, other = one_of(rng, colours.CLOTHS), one_of(rng, colours.CLOTHS)
    return Recipe(lambda r: pictures.rug(r, colour, other), None)


def _ceramic(rng: Rng) -> Recipe:
    colour, other = pictures.vivid(rng), one_of(rng, colours.WALLS)
    if rng.random() < 0.5:
        return Recipe(lambda r: surfaces.paint(r, colour), (0.5, 0.5))
    return Recipe(lambda r: surfaces.stripes(r, colour, other).transpose(1, 0, 2), (0.4, 0.4))


def _ball(rng: Rng) -> Recipe:
    colour, other = pictures.vivid(rng), pictures.vivid(rng)
    count = int(rng.integers(3, 6))
    return Recipe(lambda r: surfaces.stripes(r, colour, other, count=count), (0.6, 0.6))


CATALOGUE = {
    "ball": _ball,
    "books": lambda _: Recipe(pictures.book_spines, None),
    "carton": lambda _: Recipe(pictures.cardboard, None),
    "ceiling": _ceiling,
    "ceramic": _ceramic,
    "clock": lambda _: Recipe(pictures.dial, None),
    "cloth": _cloth,
    "door": _door,
    "floor": _floor,
    "front": _front,
    "hall": plain(surfaces.plaster, ((0.14, 0.13, 0.12), (0.32, 0.3, 0.27)), (2.0, 2.0)),
    "lacquer": plain(surfaces.paint, colours.LACQUERS, (0.8, 0.8)),
    "landscape": lambda _: Recipe(pictures.landscape, None),
    "leaves": plain(surfaces.foliage, colours.LEAVES, (0.5, 0.5)),
    "linen": plain(surfaces.fabric, (_WHITE,), (0.8, 0.8)),
    "metal": plain(surfaces.metal, colours.METALS, (0.7, 0.35)),
    "poster": lambda _: Recipe(pictures.poster, None),
    "rug": _rug,
    "screen": lambda _: Recipe(pictures.screen, None),
    "shade": plain(surfaces.fabric, colours.SHADES, (0.5, 0.5)),
    "skin": plain(surfaces.paint, colours.SKINS, (0.4, 0.4)),
    "wall": _wall,
    "window": _window,
    "wood": plain(surfaces.wood, colours.WOODS, (1.1, 0.55)),
}
"""For each role, a function from a generator to a recipe."""
