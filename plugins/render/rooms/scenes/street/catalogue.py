"""What the materials of a street are made of."""

import numpy as np
from numpy.typing import NDArray

from plugins.render.rooms.scenes.materials import Recipe, plain
from plugins.render.rooms.scenes.textures import colours, outdoors, photograph, surfaces
from plugins.render.rooms.scenes.textures.colours import one_of
from plugins.render.rooms.scenes.textures.pictures import door_leaf, vivid

__all__ = ["BAY_M", "CATALOGUE", "STOREY_M"]

Colour = tuple[float, float, float]
Picture = NDArray[np.float64]
Rng = np.random.Generator

BAY_M = 2.8
STOREY_M = 3.0
"""Width of a window bay and height of a storey of the fronts' pictures."""

_WHITE = (0.92, 0.91, 0.88)


def _asphalt(rng: Rng) -> Recipe:
    tone = rng.uniform(0.3, 0.45)
    return Recipe(lambda r: surfaces.asphalt(r, (tone, tone, tone + 0.01)), (1.5, 1.5))


def _paving(rng: Rng) -> Recipe:
    stone, other = one_of(rng, colours.STONES), one_of(rng, colours.STONES)
    choice = rng.random()
    if choice < 0.4:
        return Recipe(lambda r: surfaces.tiles(r, stone, stone, (0.36, 0.35, 0.33)), (2.0, 2.0))
    if choice < 0.6:
        return Recipe(lambda r: surfaces.tiles(r, stone, other, (0.36, 0.35, 0.33)), (1.8, 1.8))
    if choice < 0.8:
        brick = one_of(rng, colours.BRICKS)
        return Recipe(
            lambda r: surfaces.masonry(r, brick, (0.5, 0.48, 0.45), rows=8, columns=4), (1.2, 1.2)
        )
    return Recipe(lambda r: surfaces.concrete(r, stone), (2.4, 2.4))


def _turf(rng: Rng) -> Recipe:
    choice = rng.random()
    if choice < 0.7:
        green = one_of(rng, colours.GREENS)
        return Recipe(lambda _: photograph("grass", green, contrast=0.24), (2.4, 2.4))
    stone = one_of(rng, colours.STONES)
    return Recipe(lambda _: photograph("gravel", stone, contrast=0.22), (2.0, 2.0))


def _front(rng: Rng) -> Recipe:
    wall, trim = one_of(rng, colours.WALLS), one_of(rng, colours.STONES)
    frame = _WHITE if rng.random() < 0.6 else one_of(rng, colours.WOODS)
    period = (outdoors.BAYS * BAY_M, outdoors.BAYS * STOREY_M)
    if rng.random() < 0.5:
        brick = one_of(rng, colours.BRICKS)
        ground = surfaces.masonry(rng, brick, (0.68, 0.66, 0.62), rows=24, columns=10)
    elif rng.random() < 0.75:
        ground = surfaces.plaster(rng, wall)
    else:
        ground = surfaces.concrete(rng, wall)
    return Recipe(lambda r: outdoors.storeys(r, ground, frame, trim), period)


def _blank(rng: Rng) -> Recipe:
    """A wall without windows: plinths, ground floors, garages."""
    choice = rng.random()
    if choice < 0.35:
        brick = one_of(rng, colours.BRICKS)
        return Recipe(lambda _: photograph("brick", brick), (1.4, 1.4))
    if choice < 0.7:
        stone = one_of(rng, colours.STONES)
        return Recipe(
            lambda r: surfaces.masonry(r, stone, (0.5, 0.49, 0.46), rows=6, columns=2), (2.0, 1.8)
        )
    wall = one_of(rng, colours.WALLS)
    return Recipe(lambda r: surfaces.plaster(r, wall), (2.4, 2.4))


def _shop(rng: Rng) -> Recipe:
    frame = one_of(rng, colours.LACQUERS)
    return Recipe(lambda r: outdoors.shop_front(r, frame), None)


def _door(rng: Rng) -> Recipe:
    leaf = surfaces.paint(rng, one_of(rng, colours.LACQUERS[1:]))
    return Recipe(lambda r: door_leaf(r, leaf), None)


def _car_glass(rng: Rng) -> Recipe:
    tone = rng.uniform(0.08, 0.2)
    return Recipe(lambda r: outdoors.car_windows(r, (tone, tone, tone)), None)


def _awning(rng: Rng) -> Recipe:
    colour = vivid(rng)
    return Recipe(lambda r: surfaces.stripes(r, colour, _WHITE, count=4), (1.2, 1.2))


def _cloth(rng: Rng) -> Recipe:
    colour, other = one_of(rng, colours.CLOTHS), vivid(rng)
    if rng.random() < 0.5:
        return Recipe(lambda r: surfaces.fabric(r, colour), (0.5, 0.5))
    return Recipe(lambda r: surfaces.stripes(r, other, colour).transpose(1, 0, 2), (0.6, 0.6))


def _ball(rng: Rng) -> Recipe:
    colour, other = vivid(rng), vivid(rng)
    return Recipe(lambda r: surfaces.stripes(r, colour, other, count=4), (0.6, 0.6))


def _slates(rng: Rng, colour: Colour) -> Picture:
    return surfaces.masonry(rng, colour, (0.16, 0.14, 0.13), rows=10, columns=6)


CATALOGUE = {
    "asphalt": _asphalt,
    "awning": _awning,
    "ball": _ball,
    "blank": _blank,
    "car": plain(surfaces.paint, colours.CARS, (1.6, 1.6)),
    "car glass": _car_glass,
    "cloth": _cloth,
    "door": _door,
    "fence": plain(outdoors.pickets, (*colours.WOODS, _WHITE), (0.9, 1.3)),
    "front": _front,
    "hedge": plain(outdoors.hedge, colours.GREENS, (2.0, 2.0)),
    "kerb": plain(surfaces.concrete, ((0.62, 0.61, 0.58),), (1.6, 1.6)),
    "lacquer": plain(surfaces.paint, colours.LACQUERS, (0.8, 0.8)),
    "leaves": plain(surfaces.foliage, (*colours.GREENS, colours.RUST), (1.6, 1.6)),
    "marking": plain(surfaces.concrete, ((0.88, 0.87, 0.83),), (2.0, 2.0)),
    "metal": plain(surfaces.metal, colours.POSTS, (0.8, 0.4)),
    "paving": _paving,
    "plate": lambda _: Recipe(outdoors.road_sign, None),
    "roof": plain(_slates, colours.ROOFS, (2.2, 2.6)),
    "rubber": plain(surfaces.fabric, ((0.1, 0.1, 0.11),), (0.5, 0.5)),
    "shop": _shop,
    "skin": plain(surfaces.paint, colours.SKINS, (0.4, 0.4)),
    "trim": plain(surfaces.plaster, (_WHITE, *colours.STONES), (1.5, 1.5)),
    "turf": _turf,
    "wood": plain(surfaces.wood, colours.WOODS, (1.1, 0.55)),
}
"""For each role, a function from a generator to a recipe."""
