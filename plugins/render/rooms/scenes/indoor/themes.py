"""What stands together in rooms of one use."""

from collections.abc import Callable

import numpy as np

from plugins.render.rooms.scenes.indoor import decor, seating, storage
from plugins.render.rooms.scenes.indoor.placing import Furnisher, Support
from plugins.render.rooms.scenes.space import Place
from plugins.render.rooms.scenes.stage import Thing

__all__ = ["THEMES", "finish"]


def _living_room(f: Furnisher) -> None:
    rng, materials = f.rng, f.stage.materials
    sofa = seating.sofa(rng, materials, int(rng.integers(2, 4)))
    place = f.along_wall(sofa) or f.in_middle(sofa)
    if place is not None:
        low = seating.table(
            rng, materials, (rng.uniform(0.7, 1.1), rng.uniform(0.36, 0.46), rng.uniform(0.5, 0.65))
        )
        f.at(low, place.of(0, 0, sofa.bounds[1, 2] + 0.75))
        _lay_rug(f, place.of(0, 0, sofa.bounds[1, 2] + 0.8), 2.2, 1.5)
    if rng.random() < 0.8:
        _television(f)
    for _ in range(int(rng.integers(0, 3))):
        f.in_middle(seating.sofa(rng, materials, 1))
    if rng.random() < 0.7:
        _bookshelf(f)
    if rng.random() < 0.5:
        _low_cabinet(f)


def _bedroom(f: Furnisher) -> None:
    rng, materials = f.rng, f.stage.materials
    bed = seating.bed(rng, materials, float(rng.choice((0.95, 1.4, 1.6))))
    place = f.along_wall(bed, tries=24)
    if place is not None:
        night = _box_table(f)
        half = bed.bounds[1, 0] + night.bounds[1, 0] + 0.06
        for side in (-1, 1):
            at = place.of(side * half, 0, bed.bounds[0, 2] - night.bounds[0, 2] + 0.02)
            if f.at(night, at):
                f.on_top(decor.table_lamp(rng, materials), f.supports[-1])
        _lay_rug(f, place.of(0, 0, bed.bounds[1, 2] + 0.2), 1.7, 1.1)
    wardrobe = storage.cabinet(
        rng, materials, (rng.uniform(0.9, 1.7), rng.uniform(1.8, 2.1), 0.58), columns=3, rows=1
    )
    f.along_wall(wardrobe)
    if rng.random() < 0.7:
        _desk(f)
    if rng.random() < 0.4:
        _low_cabinet(f)


def _study(f: Furnisher) -> None:
    rng = f.rng
    for _ in range(int(rng.integers(1, 3))):
        _desk(f)
    for _ in range(int(rng.integers(1, 4))):
        _bookshelf(f)
    if rng.random() < 0.5:
        f.in_middle(seating.sofa(rng, f.stage.materials, 1))
    _lay_rug(f, Place(0, 0, 0, float(rng.normal(0, 0.3))), 2.0, 1.4)


def _dining_room(f: Furnisher) -> None:
    rng, materials = f.rng, f.stage.materials
    _table_with_chairs(f, (rng.uniform(1.2, 1.9), rng.uniform(0.72, 0.78), rng.uniform(0.8, 0.95)))
    for _ in range(int(rng.integers(1, 3))):
        _low_cabinet(f)
    if rng.random() < 0.5:
        _bookshelf(f)
    if rng.random() < 0.4:
        f.along_wall(seating.sofa(rng, materials, 2))


def _kitchen(f: Furnisher) -> None:
    rng, materials = f.rng, f.stage.materials
    wall = int(rng.integers(4))
    for _ in range(int(rng.integers(2, 5))):
        counter = storage.cabinet(
            rng,
            materials,
            (rng.uniform(0.6, 1.2), 0.88, 0.6),
            columns=2,
            rows=int(rng.integers(1, 4)),
        )
        f.along_wall(counter, wall=wall if rng.random() < 0.7 else None)
    fridge = storage.cabinet(rng, materials, (0.62, rng.uniform(1.6, 1.9), 0.62), columns=1, rows=2)
    f.along_wall(fridge)
    for _ in range(int(rng.integers(1, 4))):
        cupboard = storage.cabinet(
            rng, materials, (rng.uniform(0.5, 1.0), 0.62, 0.34), columns=2, rows=1
        )
        f.on_wall(_hung(cupboard), 1.45, 1.6)
    _table_with_chairs(f, (rng.uniform(0.8, 1.2), 0.75, rng.uniform(0.7, 0.85)))
    for _ in range(int(rng.integers(0, 3))):
        f.in_middle(seating.stool(rng, materials))


def _store_room(f: Furnisher) -> None:
    rng, materials = f.rng, f.stage.materials
    for _ in range(int(rng.integers(2, 5))):
        rack = storage.shelf(
            rng, materials, (rng.uniform(0.9, 1.6), rng.uniform(1.5, 2.0), 0.5), boards=4
        )
        place = f.along_wall(rack)
        if place is not None:
            for surface in rack.surfaces:
                for _ in range(2):
                    f.on_top(decor.carton(rng, materials), Support(place, surface), turn=0.15)
    if rng.random() < 0.7:
        bench = seating.table(rng, materials, (rng.uniform(1.2, 1.8), 0.85, 0.7))
        f.along_wall(bench)
    for _ in range(int(rng.integers(4, 9))):
        if f.in_middle(decor.carton(rng, materials)):
            f.on_top(decor.carton(rng, materials), f.supports[-1])


THEMES: dict[str, Callable[[Furnisher], None]] = {
    "bedroom": _bedroom,
    "dining room": _dining_room,
    "kitchen": _kitchen,
    "living room": _living_room,
    "store room": _store_room,
    "study": _study,
}


def finish(f: Furnisher) -> None:
    """Adds what any room has: lamps, plants, pictures, and small things here and there."""
    rng, materials = f.rng, f.stage.materials
    if rng.random() < 0.75:
        x, z = rng.uniform(-0.2, 0.2) * f.shell.width, rng.uniform(-0.2, 0.2) * f.shell.depth
        f.at(decor.pendant(rng, materials, f.shell.height), Place(float(x), 0, float(z)))
    if rng.random() < 0.5 or not f.lamps:
        lamp = decor.floor_lamp(rng, materials)
        f.along_wall(lamp) or f.in_middle(lamp)
    for _ in range(int(rng.integers(1, 6))):
        f.on_wall(decor.picture(rng, materials), 1.3, 1.75)
    if rng.random() < 0.4:
        f.on_wall(decor.clock(rng, materials), 1.6, 2.0)
    for _ in range(int(rng.integers(0, 3))):
        f.along_wall(decor.plant(rng, materials, rng.uniform(0.6, 1.5)))
    _strew(f, rounds=int(rng.integers(4, 14)))
    if rng.random() < 0.6:
        f.along_wall(decor.bin_(rng, materials))
    for _ in range(int(rng.integers(0, 4))):
        f.in_middle(decor.carton(rng, materials))
    for _ in range(int(rng.integers(0, 3))):
        f.in_middle(decor.ball(rng, materials, rng.uniform(0.09, 0.2)))
    if rng.random() < 0.6:
        chair = seating.chair(rng, materials)
        f.along_wall(chair) or f.in_middle(chair)


def _strew(f: Furnisher, rounds: int) -> None:
    """Stands small things on what has a top."""
    rng, materials = f.rng, f.stage.materials
    makers: list[Callable[[], Thing]] = [
        lambda: decor.vase(rng, materials),
        lambda: decor.mug(rng, materials),
        lambda: storage.book(rng, materials),
        lambda: decor.plant(rng, materials, rng.uniform(0.22, 0.42)),
        lambda: decor.ball(rng, materials, rng.uniform(0.05, 0.1)),
        lambda: decor.carton(rng, materials),
    ]
    for _ in range(rounds):
        if f.supports:
            support = f.supports[rng.integers(len(f.supports))]
            f.on_top(makers[rng.integers(len(makers))](), support, tries=2, turn=np.pi)


def _lay_rug(f: Furnisher, place: Place, width: float, depth: float) -> None:
    """A rug that ends before the walls; whatever stands there stands on it."""
    thing = decor.rug(f.rng, f.stage.materials, width, depth)
    corners = np.abs(thing.boxes(place).corners)
    limits = (f.shell.width / 2 - 0.1, f.shell.depth / 2 - 0.1)
    if f.rng.random() < 0.8 and (corners <= limits).all():
        f.stage.put(thing, place, solid=False)


def _television(f: Furnisher) -> None:
    rng, materials = f.rng, f.stage.materials
    board = storage.cabinet(
        rng, materials, (rng.uniform(1.2, 1.7), rng.uniform(0.4, 0.55), 0.42), columns=3, rows=1
    )
    if f.along_wall(board) is not None:
        f.on_top(decor.television(rng, materials), f.supports[-1], turn=0.05)


def _low_cabinet(f: Furnisher) -> None:
    rng, materials = f.rng, f.stage.materials
    size = (rng.uniform(0.8, 1.5), rng.uniform(0.7, 0.95), rng.uniform(0.38, 0.5))
    drawers = storage.cabinet(
        rng, materials, size, columns=int(rng.integers(1, 4)), rows=int(rng.integers(2, 4))
    )
    if f.along_wall(drawers) is not None and rng.random() < 0.5:
        f.on_top(decor.table_lamp(rng, materials), f.supports[-1])


def _bookshelf(f: Furnisher) -> None:
    rng, materials = f.rng, f.stage.materials
    boards = int(rng.integers(4, 6))
    size = (rng.uniform(0.7, 1.2), 0.38 * boards + rng.uniform(-0.05, 0.1), rng.uniform(0.26, 0.34))
    case = storage.shelf(rng, materials, size, boards=boards)
    place = f.along_wall(case)
    if place is None:
        return
    for surface in case.surfaces[:-1]:
        if rng.random() < 0.2:
            continue
        room = surface.width * rng.uniform(0.6, 1.0)
        for thing, x in storage.book_row(rng, materials, room, 0.29, surface.depth - 0.02):
            # Books stand at the front edge of the board.
            z = surface.z + surface.depth / 2 - thing.bounds[1, 2]
            f.at(thing, place.of(x - surface.width / 2, surface.y, z))


def _box_table(f: Furnisher) -> Thing:
    return storage.cabinet(f.rng, f.stage.materials, (0.42, 0.5, 0.38), columns=1, rows=2)


def _desk(f: Furnisher) -> None:
    rng, materials = f.rng, f.stage.materials
    desk = seating.table(rng, materials, (rng.uniform(1.0, 1.6), 0.74, rng.uniform(0.6, 0.75)))
    place = f.along_wall(desk)
    if place is None:
        return
    support = f.supports[-1]
    f.on_top(decor.monitor(rng, materials), support, turn=0.15)
    if rng.random() < 0.5:
        f.on_top(decor.table_lamp(rng, materials), support)
    for _ in range(int(rng.integers(0, 4))):
        f.on_top(storage.book(rng, materials), support, turn=1.0)
    chair = seating.chair(rng, materials)
    for _ in range(4):
        away = desk.bounds[1, 2] + rng.uniform(0.05, 0.35)
        at = place.of(float(rng.normal(0, 0.12)), 0, float(away), np.pi + float(rng.normal(0, 0.3)))
        if f.at(chair, at):
            break


def _table_with_chairs(f: Furnisher, size: tuple[float, float, float]) -> None:
    rng, materials = f.rng, f.stage.materials
    table = seating.table(rng, materials, size)
    place = f.in_middle(table, tries=24, gap=0.3)
    if place is None:
        return
    chair = seating.chair(rng, materials)
    width, _, depth = size
    seats = (
        [(0.0, 1), (0.0, -1)]
        if width < 1.3
        else [(x * width / 4, s) for x in (-1, 1) for s in (1, -1)]
    )
    spots = [(x, side * depth / 2, np.pi if side > 0 else 0.0) for x, side in seats]
    spots += [(side * width / 2, 0.0, -side * np.pi / 2) for side in (-1, 1)]
    for x, z, yaw in spots:
        if rng.random() < 0.85:
            out = rng.uniform(-0.06, 0.25)
            length = float(np.hypot(x, z)) if x == 0 or z == 0 else abs(z)
            push = out / max(length, 1e-6)
            at = (x * (1 + push), z) if z == 0 else (x, z * (1 + push))
            f.at(chair, place.of(float(at[0]), 0, float(at[1]), yaw + float(rng.normal(0, 0.12))))


def _hung(thing: Thing) -> Thing:
    """A thing whose back is at z = 0, to hang on a wall."""
    back = float(thing.bounds[0, 2])
    hung = Thing(thing.name, thing.label)
    for material, label, solids in thing.pieces:
        hung.add(material, *(solid.moved((0, 0, -back)) for solid in solids), label=label)
    return hung
