"""Floor, ceiling and walls of a room, with windows and doors set into the walls.

A wall is made in its own frame, seen from inside: x to the right along the wall, y up, the room at
z > 0. All six planes reach beyond the corners, so that no ray slips out between two of them.
"""

from dataclasses import dataclass

import numpy as np

from plugins.render.rooms.scenes.materials import Material
from plugins.render.rooms.scenes.panels import ground, panel
from plugins.render.rooms.scenes.solids import Solid, box
from plugins.render.rooms.scenes.space import Boxes, Place
from plugins.render.rooms.scenes.stage import Stage, Thing

__all__ = ["Hinge", "Opening", "Shell", "Wall", "add_shell", "keep_out", "make_walls"]

Rng = np.random.Generator

_BEYOND = 0.35
"""Metres by which a plane reaches beyond the corners; more than any recess is deep."""
_TO_CORNER = 0.45
"""Metres from an opening to the corner at least."""
_FIELD = 1.2
"""Metres of wall that an opening needs."""
_LIP = 0.04
_BEHIND = 0.001
"""The strips that line a recess begin this far behind the wall and reach so far under it."""
_HALL = 0.3
_LEAF = 0.04
"""Depth of the recess behind a door, and how thick its leaf is."""
_BEFORE_DOOR = 0.85
_BEFORE_WINDOW = 0.4
_MARGIN = 0.09
"""Metres that stay free before a door and a window, and around them."""


@dataclass(frozen=True, slots=True)
class Opening:
    """A window or a door: a recess in a wall."""

    label: str
    left: float
    right: float
    low: float
    high: float
    depth: float


@dataclass(frozen=True, slots=True)
class Wall:
    """One of four walls."""

    place: Place
    """Its middle at floor level, facing inwards."""
    length: float
    openings: tuple[Opening, ...]


@dataclass(frozen=True, slots=True)
class Hinge:
    """The leaf of a door, which turns about its own origin into the room."""

    instance: int
    leaf: Thing
    place: Place


@dataclass(frozen=True, slots=True)
class Shell:
    """Size and walls of a room whose middle is the origin."""

    width: float
    """Along x."""
    depth: float
    """Along z."""
    height: float
    walls: tuple[Wall, ...]


def make_walls(rng: Rng, width: float, depth: float, height: float) -> Shell:
    """Returns walls with one or two doors and one to four windows."""
    places = (
        (Place(0, 0, -depth / 2, 0.0), width),
        (Place(-width / 2, 0, 0, np.pi / 2), depth),
        (Place(0, 0, depth / 2, np.pi), width),
        (Place(width / 2, 0, 0, -np.pi / 2), depth),
    )
    wanted: list[list[str]] = [[], [], [], []]
    wanted[rng.integers(4)].append("door")
    if rng.random() < 0.35:
        wanted[rng.integers(4)].append("door")
    # The first window has a wall without a door: a short wall takes one opening only.
    wanted[rng.choice([index for index in range(4) if not wanted[index]])].append("window")
    for _ in range(int(rng.integers(0, 4))):
        wanted[rng.integers(4)].append("window")
    walls = tuple(
        Wall(place, length, _openings(rng, length, height, labels))
        for (place, length), labels in zip(places, wanted, strict=True)
    )
    return Shell(width, depth, height, walls)


def _openings(rng: Rng, length: float, height: float, labels: list[str]) -> tuple[Opening, ...]:
    """Cuts the wall into equal fields and sets an opening into each, while they are wide enough."""
    openings = []
    low, recess = rng.uniform(0.75, 1.0), rng.uniform(0.1, 0.28)
    high = min(height - 0.25, low + rng.uniform(1.0, 1.5))
    count = min(len(labels), int((length - 2 * _TO_CORNER) / _FIELD))
    field = (length - 2 * _TO_CORNER) / max(count, 1)
    for index, label in enumerate(labels[:count]):
        start = -length / 2 + _TO_CORNER + index * field
        if label == "door":
            wide = rng.uniform(0.8, 0.95)
        else:
            wide = rng.uniform(0.7, min(1.8, field - 0.2))
        left = start + rng.uniform(0.08, field - wide - 0.08)
        if label == "door":
            openings.append(Opening(label, left, left + wide, 0, 2.05, _HALL))
        else:
            openings.append(Opening(label, left, left + wide, low, high, recess))
    return tuple(openings)


def add_shell(stage: Stage, shell: Shell, rng: Rng) -> list[Hinge]:
    """Adds floor, ceiling, walls, windows and doors, and takes the space of what sticks out.

    Returns:
        The leaves of the doors, all closed.
    """
    wide, deep = shell.width + 2 * _BEYOND, shell.depth + 2 * _BEYOND
    materials = stage.materials
    level = ground((-wide / 2, wide / 2), (-deep / 2, deep / 2))
    over = level.turned(np.diag([1.0, -1.0, -1.0])).moved((0, shell.height, 0))
    origin = Place(0, 0, 0)
    along = level if rng.random() < 0.5 else level.across()
    stage.put(Thing("floor", "floor").add(materials("floor"), along), origin, solid=False)
    stage.put(Thing("ceiling", "ceiling").add(materials("ceiling"), over), origin, solid=False)
    accent = int(rng.integers(4)) if rng.random() < 0.45 else -1
    trim = materials("lacquer", int(rng.integers(3)))
    hinges = []
    for index, wall in enumerate(shell.walls):
        holes = [(o.left, o.right, o.low, o.high) for o in wall.openings]
        half = wall.length / 2 + _BEYOND
        surface = panel((-half, half), (-_BEYOND, shell.height + _BEYOND), holes)
        sides = [side for opening in wall.openings for side in _reveal(opening)]
        covering = materials("wall", 1 if index == accent else 0)
        stage.put(Thing("wall", "wall").add(covering, surface, *sides), wall.place, solid=False)
        for opening in wall.openings:
            if opening.label == "window":
                thing = Thing("window", "window").add(materials("window"), _backing(opening))
                stage.put(thing.add(trim, _sill(opening)), wall.place)
            else:
                hall = Thing("hall", "wall").add(materials("hall"), _backing(opening))
                stage.put(hall, wall.place, solid=False)
                frame = Thing("door frame", "door").add(trim, *_architrave(opening))
                stage.put(frame, wall.place, solid=False)
                hinges.append(_add_leaf(stage, wall, opening, trim))
    if rng.random() < 0.75:
        _add_skirting(stage, shell, rng)
    return hinges


def _reveal(opening: Opening) -> list[Solid]:
    """The sides of a recess: strips that also reach behind the wall, so that no crack shows.

    A door's lower side is the floor, which reaches beyond the wall.
    """
    wide, high = opening.right - opening.left, opening.high - opening.low
    x, long = (opening.left + opening.right) / 2, opening.depth
    back, lip = -long / 2 - _BEHIND, _LIP
    upright = ("-z", "+y", "-y")
    jambs = [
        box(
            (lip, high + 2 * lip, long),
            at=(edge, opening.low - lip, back),
            open_sides=(*upright, away),
        )
        for edge, away in ((opening.left - lip / 2, "-x"), (opening.right + lip / 2, "+x"))
    ]
    level = ("-z", "+x", "-x")
    jambs.append(box((wide, lip, long), at=(x, opening.high, back), open_sides=(*level, "+y")))
    if opening.low > 0:
        sill = box((wide, lip, long), at=(x, opening.low - lip, back), open_sides=(*level, "-y"))
        jambs.append(sill)
    return jambs


def _backing(opening: Opening) -> Solid:
    """What closes a recess: the pane of a window, the dark hall behind a door."""
    wide, high = opening.right - opening.left, opening.high - opening.low
    middle, low = (opening.left + opening.right) / 2, max(opening.low - _LIP / 2, 0.0)
    return box((wide + _LIP, high + _LIP, 0.04), at=(middle, low, -opening.depth - 0.02))


def _sill(opening: Opening) -> Solid:
    wide, middle = opening.right - opening.left, (opening.left + opening.right) / 2
    return box((wide + 0.1, 0.03, 0.12), at=(middle, opening.low - 0.03, 0.06))


def _architrave(opening: Opening) -> list[Solid]:
    """Boards round a door on the wall."""
    wide, high = opening.right - opening.left, opening.high
    posts = [
        box((0.08, high, 0.02), at=(x, 0, 0.01))
        for x in (opening.left - 0.04, opening.right + 0.04)
    ]
    middle = (opening.left + opening.right) / 2
    return [*posts, box((wide + 0.16, 0.08, 0.02), at=(middle, high, 0.01))]


def _add_leaf(stage: Stage, wall: Wall, opening: Opening, trim: Material) -> Hinge:
    """A closed door about its hinge, which is at the left edge of the wall's opening."""
    wide, high = opening.right - opening.left - 0.01, opening.high - 0.01
    leaf = box((wide, high, _LEAF), at=(wide / 2, 0.005, -_LEAF / 2))
    handle = box((0.12, 0.025, 0.05), at=(wide - 0.1, 1.02, 0.025))
    thing = Thing("door", "door").add(stage.materials("door"), leaf).add(trim, handle)
    place = wall.place.of(opening.left + 0.005, 0, 0)
    return Hinge(stage.put(thing, place, solid=False), thing, place)


def _add_skirting(stage: Stage, shell: Shell, rng: Rng) -> None:
    """Boards along the foot of the walls, broken at the doors."""
    material = stage.materials("lacquer", int(rng.integers(3)))
    high = rng.uniform(0.07, 0.12)
    for wall in shell.walls:
        doors = [o for o in wall.openings if o.label == "door"]
        edges = [-wall.length / 2 + 0.02]
        for opening in doors:
            edges += [opening.left - 0.08, opening.right + 0.08]
        edges.append(wall.length / 2 - 0.02)
        boards = [
            box((right - left, high, 0.015), at=((left + right) / 2, 0, 0.0075))
            for left, right in zip(edges[::2], edges[1::2], strict=True)
        ]
        stage.put(Thing("skirting", "wall").add(material, *boards), wall.place, solid=False)


def keep_out(shell: Shell) -> Boxes:
    """Returns boxes before doors and windows that furniture leaves free."""
    boxes = []
    for wall in shell.walls:
        for opening in wall.openings:
            reach = _BEFORE_DOOR if opening.label == "door" else _BEFORE_WINDOW
            low = (opening.left - _MARGIN, opening.low - _MARGIN, 0)
            bounds = np.array([low, (opening.right + _MARGIN, opening.high + _MARGIN, reach)])
            boxes.append(Boxes.at(bounds[None], wall.place))
    return Boxes.concatenate(boxes)
