"""Tables, chairs, sofas and beds."""

import numpy as np

from plugins.render.rooms.scenes.materials import Materials
from plugins.render.rooms.scenes.solids import Solid, box, frustum, prism
from plugins.render.rooms.scenes.stage import Surface, Thing

__all__ = ["bed", "chair", "sofa", "stool", "table"]

Rng = np.random.Generator


def _legs(
    width: float, depth: float, height: float, thick: float, *, taper: float = 1.0
) -> list[Solid]:
    """Four legs at the corners of a rectangle."""
    return [
        frustum(
            (thick * taper, thick * taper),
            (thick, thick),
            height,
            at=(x * (width - thick) / 2, 0, z * (depth - thick) / 2),
        ).across()
        for x in (-1, 1)
        for z in (-1, 1)
    ]


def table(rng: Rng, materials: Materials, size: tuple[float, float, float]) -> Thing:
    """A table on four legs, on two trestles or, if small, on a column.

    Args:
        rng: Chooses the form.
        materials: Of the scene.
        size: Width, height and depth.
    """
    width, height, depth = size
    wood = materials("wood", int(rng.integers(3)))
    legs = materials("metal") if rng.random() < 0.3 else wood
    thick = rng.uniform(0.025, 0.05)
    form = rng.random()
    thing = Thing("table", "table", surfaces=[Surface(0, height, 0, width, depth)])
    rest = height - thick
    if form < 0.25 and width < 1.3:
        radius = min(width, depth) / 2
        thing.add(wood, prism(radius, thick, 10, at=(0, rest, 0)))
        column = prism(0.045, rest - 0.03, 6, at=(0, 0.03, 0))
        thing.add(legs, column, prism(radius * 0.55, 0.03, 8))
        thing.surfaces = [Surface(0, height, 0, radius * 1.35, radius * 1.35)]
        return thing
    thing.add(wood, box((width, thick, depth), at=(0, rest, 0)))
    if form < 0.75:
        thing.add(
            legs, *_legs(width - 0.06, depth - 0.06, rest, rng.uniform(0.04, 0.08), taper=0.8)
        )
    else:
        boards = [
            box((0.04, rest, depth * 0.8), at=(x * (width / 2 - 0.12), 0, 0)).across()
            for x in (-1, 1)
        ]
        thing.add(legs, *boards)
    return thing


def chair(rng: Rng, materials: Materials) -> Thing:
    """A chair that looks along +z: legs, seat, and a back of boards or of cloth."""
    wood = materials("wood", int(rng.integers(3)))
    cloth = materials("cloth", int(rng.integers(3)))
    wide, high = rng.uniform(0.4, 0.46), rng.uniform(0.43, 0.47)
    top = rng.uniform(0.82, 1.0)
    thing = Thing("chair", "chair", surfaces=[Surface(0, high, 0.03, 0.25, 0.25)])
    thing.add(wood, *_legs(wide, wide, high - 0.04, 0.04, taper=0.7))
    padded = rng.random() < 0.5
    thing.add(cloth if padded else wood, box((wide, 0.04, wide), at=(0, high - 0.04, 0)))
    lean = -0.06
    if padded:
        back = frustum(
            (wide, 0.05),
            (wide * 0.9, 0.035),
            top - high,
            at=(0, high, 0.03 - wide / 2),
            shift=(0, lean),
        )
        return thing.add(cloth, back)
    posts = [
        frustum(
            (0.035, 0.035), (0.03, 0.03), top - high, at=(x, high, 0.02 - wide / 2), shift=(0, lean)
        ).across()
        for x in (-wide / 2 + 0.02, wide / 2 - 0.02)
    ]
    rails = [
        box(
            (wide - 0.07, 0.07, 0.018),
            at=(0, high + share * (top - high), 0.02 - wide / 2 + share * lean),
        )
        for share in (0.4, 0.78)
    ]
    return thing.add(wood, *posts, *rails)


def stool(rng: Rng, materials: Materials) -> Thing:
    """A stool with a round seat."""
    high = rng.uniform(0.42, 0.66)
    thing = Thing("stool", "chair", surfaces=[Surface(0, high, 0, 0.2, 0.2)])
    thing.add(materials("wood", int(rng.integers(3))), *_legs(0.3, 0.3, high - 0.05, 0.035))
    return thing.add(
        materials("cloth", int(rng.integers(3))), prism(0.19, 0.05, 10, at=(0, high - 0.05, 0))
    )


def sofa(rng: Rng, materials: Materials, seats: int) -> Thing:
    """A sofa, or with one seat an armchair: base, cushions, back, arms, and pillows."""
    cloth = materials("cloth", int(rng.integers(3)))
    wide = 0.62 * seats + 0.36
    deep, arm = rng.uniform(0.78, 0.92), 0.18
    high, top, rest = 0.42, rng.uniform(0.72, 0.9), rng.uniform(0.56, 0.66)
    thing = Thing("sofa" if seats > 1 else "armchair", "sofa")
    feet = _legs(wide - 0.1, deep - 0.1, 0.08, 0.06)
    thing.add(materials("wood", 0), *feet)
    inner = wide - 2 * arm
    base = box((inner, 0.17, deep), at=(0, 0.08, 0))
    back = frustum(
        (inner, 0.24), (inner, 0.16), top - 0.25, at=(0, 0.25, 0.12 - deep / 2), shift=(0, -0.04)
    )
    arms = [box((arm, rest - 0.08, deep), at=(x * (wide - arm) / 2, 0.08, 0)) for x in (-1, 1)]
    thing.add(cloth, base, back, *arms)
    seat = inner / seats
    cushions = [
        box(
            (seat - 0.02, high - 0.25, deep - 0.26),
            at=((index + 0.5) * seat - inner / 2, 0.25, 0.13),
        )
        for index in range(seats)
    ]
    thing.add(cloth if rng.random() < 0.6 else materials("cloth", 3), *cushions)
    if rng.random() < 0.7:
        side = rng.choice((-1, 1))
        pillow = frustum(
            (0.38, 0.14),
            (0.34, 0.08),
            0.34,
            at=(float(side) * (inner / 2 - 0.22), high, 0.34 - deep / 2),
        )
        thing.add(materials("cloth", int(rng.integers(4))), pillow)
    return thing


def bed(rng: Rng, materials: Materials, width: float) -> Thing:
    """A bed with its head at -z: frame, mattress, blanket, pillows, headboard."""
    wood = materials("wood", int(rng.integers(3)))
    long, low = rng.uniform(1.95, 2.1), rng.uniform(0.18, 0.3)
    thing = Thing("bed", "bed")
    thing.add(wood, *_legs(width, long, low, 0.07))
    thing.add(wood, box((width, 0.12, long), at=(0, low, 0)))
    thing.add(
        wood,
        box((width + 0.06, rng.uniform(0.8, 1.15), 0.05), at=(0, 0, -long / 2 - 0.025)),
    )
    lying = low + 0.12
    mattress = box((width - 0.04, 0.18, long - 0.06), at=(0, lying, 0))
    thing.add(materials("linen"), mattress)
    cover = rng.uniform(0.6, 0.78) * long
    # The blanket hangs over both sides of the mattress.
    blanket = frustum(
        (width + 0.02, cover),
        (width - 0.04, cover),
        0.15,
        at=(0, lying + 0.09, (long - cover) / 2 + 0.01),
    )
    thing.add(materials("cloth", int(rng.integers(4))), blanket)
    count = 2 if width > 1.2 else 1
    pillows = [
        frustum(
            (0.58, 0.36),
            (0.46, 0.26),
            0.11,
            at=((index - (count - 1) / 2) * 0.66, lying + 0.18, 0.24 - long / 2),
        )
        for index in range(count)
    ]
    return thing.add(materials("linen"), *pillows)
