"""Houses in a row, each with its front towards +z of its own frame."""

from dataclasses import replace

import numpy as np

from plugins.render.rooms.scenes.materials import Materials
from plugins.render.rooms.scenes.solids import box, extruded, frustum
from plugins.render.rooms.scenes.space import Place
from plugins.render.rooms.scenes.stage import Stage, Thing
from plugins.render.rooms.scenes.street.catalogue import BAY_M, STOREY_M
from plugins.render.rooms.scenes.street.plan import Plan
from plugins.render.rooms.scenes.textures.outdoors import BAYS

__all__ = ["add_houses", "house"]

Rng = np.random.Generator

_DEPTH = 8.0
_DETAILED = 40.0
"""Metres down the street up to which houses have doors, shops and balconies."""
_BACK = 16.0
"""Metres from the fronts to the hedges that close the view between two houses."""


def add_houses(stage: Stage, plan: Plan, rng: Rng, beyond: float) -> None:
    """Adds a row on each side, and what closes the far end.

    Args:
        stage: The scene.
        plan: Of the street.
        rng: Chooses houses.
        beyond: Where the far end's houses have their fronts.
    """
    for side in (-1, 1):
        z = plan.start + rng.uniform(0, 2)
        while z < plan.length - 4.5:
            if rng.random() < 0.22:
                gap = rng.uniform(2.5, 5.5)
                _add_garden(stage, plan, rng, side, z, gap)
                z += gap
                continue
            bays = int(rng.integers(2, 5))
            wide = bays * BAY_M * rng.uniform(0.85, 1.1)
            if z + wide > plan.length:
                break
            set_back = rng.choice((0.0, 0.0, rng.uniform(0.2, 0.6)))
            x = side * (plan.frontage + float(set_back) + _DEPTH / 2)
            place = Place(x, plan.kerb - 0.02, z + wide / 2, -side * np.pi / 2)
            detailed = -2 < z + wide / 2 < _DETAILED
            stage.put(house(rng, stage.materials, wide, bays, detailed=detailed), place)
            z += wide + (0.0 if rng.random() < 0.8 else rng.uniform(0.6, 1.5))
        hedge = box((plan.length - plan.start, rng.uniform(2.2, 3.4), 1.0))
        place = Place(
            side * (plan.frontage + _BACK), 0.0, (plan.length + plan.start) / 2, -side * np.pi / 2
        )
        stage.put(Thing("hedge", "tree").add(stage.materials("hedge"), hedge), place)
    _close(stage, rng, beyond)


def _close(stage: Stage, rng: Rng, beyond: float) -> None:
    """The end of the street: a row of houses across, or a park with a hill."""
    if rng.random() < 0.65:
        x = -24.0
        while x < 20:
            bays = int(rng.integers(3, 6))
            wide = bays * BAY_M
            place = Place(x + wide / 2, 0.1, beyond + _DEPTH / 2, np.pi)
            stage.put(house(rng, stage.materials, wide, bays, detailed=False), place)
            x += wide
        return
    hedge = box((84, rng.uniform(1.2, 2.2), 1.0), at=(0, 0, beyond + 1.0))
    hill = frustum((84, 14), (40, 2), rng.uniform(4, 8), at=(0, 0, beyond + 12.0))
    stage.put(Thing("hedge", "tree").add(stage.materials("hedge"), hedge), Place(0, 0, 0))
    stage.put(Thing("hill", "grass").add(stage.materials("turf"), hill), Place(0, 0, 0))


def _add_garden(stage: Stage, plan: Plan, rng: Rng, side: int, z: float, gap: float) -> None:
    """A gap between two houses, fenced off from the pavement."""
    wide, x = gap - 0.1, side * (plan.frontage + 0.1)
    place = Place(x, plan.kerb - 0.02, z + gap / 2, -side * np.pi / 2)
    choice = rng.random()
    if choice < 0.5:
        thing = Thing("fence", "fence").add(
            stage.materials("fence"), box((wide, rng.uniform(0.9, 1.3), 0.06))
        )
    elif choice < 0.8:
        thing = Thing("hedge", "tree").add(
            stage.materials("hedge"), box((wide, rng.uniform(0.9, 1.6), 0.18))
        )
    else:
        thing = Thing("garden wall", "fence").add(
            stage.materials("blank"), box((wide, rng.uniform(0.8, 1.8), 0.16))
        )
    stage.put(thing, place)


def house(rng: Rng, materials: Materials, wide: float, bays: int, *, detailed: bool) -> Thing:
    """A house of one to four storeys, over a shop or with a door of its own.

    Args:
        rng: Chooses the form.
        materials: Of the scene.
        wide: Along its front.
        bays: Windows side by side.
        detailed: Whether it has what juts out: doors, shops, balconies, chimneys.
    """
    front = materials("front", int(rng.integers(4)))
    # Whole bays, whatever the house's width, from the corner of each wall on.
    front = replace(front, period=(BAYS * wide / bays, BAYS * STOREY_M), aligned=True)
    storeys = int(rng.integers(1, 5))
    thing = Thing("house", "building")
    base = 0.0
    if rng.random() < 0.55:
        base = rng.uniform(3.2, 3.8)
        thing.add(materials("blank", int(rng.integers(2))), box((wide, base, _DEPTH)))
        if detailed:
            ledge = box((wide - 0.02, 0.22, 0.14), at=(0, base - 0.24, _DEPTH / 2 + 0.07))
            thing.add(materials("trim"), ledge)
            _add_shops(rng, materials, thing, wide, base)
    else:
        storeys += 1
    if detailed and base == 0:
        x = (int(rng.integers(bays)) + 0.5) * wide / bays - wide / 2
        door = box((1.1, 2.2, 0.06), at=(x, 0.15, _DEPTH / 2 + 0.03))
        step = box((1.5, 0.13, 0.4), at=(x, 0.02, _DEPTH / 2 + 0.2))
        canopy = box((1.5, 0.08, 0.5), at=(x, 2.4, _DEPTH / 2 + 0.25))
        thing.add(materials("door", int(rng.integers(2))), door)
        thing.add(materials("trim"), step, canopy)
    high = storeys * STOREY_M
    body = box((wide, high, _DEPTH), at=(0, base, 0))
    thing.add(front, body)
    cornice = rng.uniform(0.2, 0.35)
    eaves = box((wide - 0.01, cornice, 0.3), at=(0, base + high - cornice, _DEPTH / 2 + 0.15))
    thing.add(materials("trim", int(rng.integers(2))), eaves)
    _add_roof(rng, materials, thing, wide, base + high, chimney=detailed)
    if detailed and rng.random() < 0.3 and storeys > 1:
        _add_balconies(rng, materials, thing, wide, bays, base)
    return thing


def _add_shops(rng: Rng, materials: Materials, thing: Thing, wide: float, base: float) -> None:
    """Shop windows and doors set before the ground floor, some under an awning."""
    count = max(1, round(wide / 5.0))
    span = wide / count
    for index in range(count):
        x = (index + 0.5) * span - wide / 2
        door = rng.random() < 0.8
        glass = span - (1.6 if door else 0.5)
        left = x - span / 2 + 0.25
        high = base - 0.6
        window = box((glass, high, 0.08), at=(left + glass / 2, 0.2, _DEPTH / 2 + 0.04))
        thing.add(materials("shop", int(rng.integers(2))), window)
        if door:
            leaf = box((0.95, 2.2, 0.06), at=(left + glass + 0.6, 0.02, _DEPTH / 2 + 0.03))
            thing.add(materials("door", int(rng.integers(2))), leaf)
        if rng.random() < 0.45:
            awning = frustum(
                (span - 0.5, 0.06),
                (span - 0.5, 0.06),
                0.5,
                at=(x, base - 0.85, _DEPTH / 2 + 1.0),
                shift=(0, -0.85),
            )
            thing.add(materials("awning", int(rng.integers(2))), awning)


def _add_roof(
    rng: Rng, materials: Materials, thing: Thing, wide: float, top: float, *, chimney: bool
) -> None:
    """A gable with a chimney, or a flat roof with a parapet."""
    roof = materials("roof", int(rng.integers(2)))
    if rng.random() < 0.6:
        rise = rng.uniform(1.6, 3.0)
        half = _DEPTH / 2 + 0.2
        gable = extruded([(half, top), (0.05, top + rise), (-0.05, top + rise), (-half, top)], wide)
        thing.add(roof, gable)
        if chimney and rng.random() < 0.6:
            x = float(rng.uniform(-0.35, 0.35)) * wide
            stack = box((0.7, rise, 0.5), at=(x, top + 0.4 * rise + 0.2, rng.uniform(-1.2, 1.2)))
            thing.add(materials("blank", 1), stack)
    else:
        high = rng.uniform(0.4, 0.9)
        parapet = box((wide, high, 0.3), at=(0, top, _DEPTH / 2 - 0.15))
        thing.add(materials("trim", 1), parapet)


def _add_balconies(
    rng: Rng, materials: Materials, thing: Thing, wide: float, bays: int, base: float
) -> None:
    """A slab with a parapet before one bay of the upper storeys."""
    x = (int(rng.integers(bays)) + 0.5) * wide / bays - wide / 2
    level = max(base, STOREY_M)
    slab = box((2.0, 0.12, 0.9), at=(x, level + 0.1, _DEPTH / 2 + 0.45))
    rail = box((2.0, 0.75, 0.05), at=(x, level + 0.22, _DEPTH / 2 + 0.875))
    thing.add(materials("trim"), slab).add(materials("metal"), rail)
