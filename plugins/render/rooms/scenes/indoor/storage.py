"""Cabinets, shelves, and the books in them."""

import numpy as np

from plugins.render.rooms.scenes.materials import Materials
from plugins.render.rooms.scenes.solids import box
from plugins.render.rooms.scenes.stage import Surface, Thing

__all__ = ["book", "book_row", "cabinet", "shelf"]

Rng = np.random.Generator


def cabinet(
    rng: Rng,
    materials: Materials,
    size: tuple[float, float, float],
    *,
    columns: int,
    rows: int,
) -> Thing:
    """A body on a plinth with fronts and knobs.

    Args:
        rng: Chooses materials.
        materials: Of the scene.
        size: Width, height and depth.
        columns: Fronts side by side.
        rows: Fronts one above another.
    """
    width, height, depth = size
    body = (
        materials("wood", int(rng.integers(3))) if rng.random() < 0.6 else materials("lacquer", 0)
    )
    front = materials("front", int(rng.integers(2)))
    thing = Thing("cabinet", "cabinet", surfaces=[Surface(0, height, 0, width, depth)])
    plinth = 0.07
    thing.add(body, box((width - 0.06, plinth, depth - 0.08), at=(0, 0, -0.02)))
    thing.add(body, box((width, height - plinth, depth - 0.02), at=(0, plinth, -0.01)))
    wide, high = width / columns, (height - plinth) / rows
    fronts, knobs = [], []
    for column in range(columns):
        for row in range(rows):
            x, y = (column + 0.5) * wide - width / 2, plinth + row * high
            fronts.append(
                box((wide - 0.02, high - 0.02, 0.018), at=(x, y + 0.01, depth / 2 - 0.011))
            )
            side = 0.4 * wide * (1 if column % 2 == 0 else -1) if high > wide else 0.0
            knobs.append(box((0.03, 0.03, 0.025), at=(x + side, y + high / 2, depth / 2 + 0.0105)))
    thing.add(front, *fronts)
    return thing.add(materials("metal"), *knobs)


def shelf(
    rng: Rng, materials: Materials, size: tuple[float, float, float], *, boards: int
) -> Thing:
    """An open case of boards, with a back; its surfaces are its compartments.

    Args:
        rng: Chooses the material.
        materials: Of the scene.
        size: Width, height and depth.
        boards: Level boards in all, the top one included.
    """
    width, height, depth = size
    wood = (
        materials("wood", int(rng.integers(3))) if rng.random() < 0.7 else materials("lacquer", 0)
    )
    thick = 0.025
    sides = [
        box((thick, height, depth), at=(x * (width - thick) / 2, 0, 0)).across() for x in (-1, 1)
    ]
    inner = width - 2 * thick
    step = (height - thick - 0.06) / (boards - 1)
    levels = [0.06 + index * step for index in range(boards)]
    planks = [box((inner, thick, depth - 0.02), at=(0, level, 0.01)) for level in levels]
    back = box((inner, height - 0.06, 0.012), at=(0, 0.06, 0.006 - depth / 2)).across()
    thing = Thing("shelf", "shelf").add(wood, *sides, *planks, back)
    thing.surfaces = [
        Surface(0, level + thick, 0.01, inner - 0.02, depth - 0.06) for level in levels
    ]
    return thing


def book(rng: Rng, materials: Materials) -> Thing:
    """A book that lies flat."""
    size = (rng.uniform(0.14, 0.24), rng.uniform(0.02, 0.05), rng.uniform(0.2, 0.3))
    return Thing("book", "book").add(materials("lacquer", int(rng.integers(1, 4))), box(size))


def book_row(
    rng: Rng, materials: Materials, width: float, height: float, depth: float
) -> list[tuple[Thing, float]]:
    """Returns books that stand side by side from x = 0 on, and each one's x.

    Most of the row is one block on whose front a picture shows the spines; single ones, of other
    heights and depths, stand beside it.
    """
    row: list[tuple[Thing, float]] = []
    x = 0.0
    while x < width - 0.05:
        if rng.random() < 0.55:
            wide, variant = rng.uniform(0.18, 0.42), int(rng.integers(2))
            thing = Thing("books", "book")
            material = materials("books", variant)
        else:
            wide = rng.uniform(0.02, 0.055)
            thing = Thing("book", "book")
            material = materials("lacquer", int(rng.integers(1, 4)))
        if x + wide > width:
            break
        high = min(height, rng.uniform(0.17, 0.3))
        thing.add(material, box((wide, high, min(depth, rng.uniform(0.13, 0.22)))))
        row.append((thing, x + wide / 2))
        x += wide + (rng.uniform(0.05, 0.3) if rng.random() < 0.2 else 0.003)
    return row
