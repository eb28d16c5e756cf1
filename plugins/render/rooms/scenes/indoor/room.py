"""A room: shell, theme, lights and the camera's walk."""

import numpy as np
from numpy.typing import NDArray

from plugins.render.rooms.scenes import camera
from plugins.render.rooms.scenes.indoor.catalogue import CATALOGUE
from plugins.render.rooms.scenes.indoor.movers import add_movers
from plugins.render.rooms.scenes.indoor.placing import Furnisher
from plugins.render.rooms.scenes.indoor.shell import Shell, add_shell, make_walls
from plugins.render.rooms.scenes.indoor.themes import THEMES, finish
from plugins.render.rooms.scenes.scene import Lights
from plugins.render.rooms.scenes.solids import box
from plugins.render.rooms.scenes.space import Place
from plugins.render.rooms.scenes.stage import Stage, Thing
from plugins.render.rooms.scenes.streams import Streams

__all__ = ["build_room"]

Float64 = NDArray[np.float64]

_KEEP_OFF = 0.45
"""Metres between the camera and anything that stands in the room."""
_TO_WALL = 1.05
"""Metres from the camera's way to the walls, while the room is wide enough."""

_LARGE = 24.0
"""Square metres from which on a room has a second use."""


def build_room(
    streams: Streams, num_frames: int, *, moving: bool
) -> tuple[Stage, camera.Motion, Lights]:
    """Builds a room.

    Args:
        streams: Randomness of the scene.
        num_frames: Poses of the camera.
        moving: Whether some things move.
    """
    rng = streams("shell")
    width, depth, height = rng.uniform(3.2, 8), rng.uniform(3.2, 7), rng.uniform(2.4, 3.2)
    shell = make_walls(rng, width, depth, height)
    reach = (max(width / 2 - _TO_WALL, 0.35), max(depth / 2 - _TO_WALL, 0.35))
    eyes = camera.walk(streams("walk"), reach, num_frames, camera.FRAME_RATE_HZ)
    stage = Stage(streams, CATALOGUE, eyes, keep_off=_KEEP_OFF)
    hinges = add_shell(stage, shell, rng)
    _add_structure(stage, shell, streams("structure"))
    furnisher = Furnisher(stage, shell, streams("furniture"))
    theme = str(streams("theme").choice(sorted(THEMES)))
    THEMES[theme](furnisher)
    if width * depth > _LARGE and theme != "store room":
        other = "dining room" if theme != "dining room" else "living room"
        THEMES[other](furnisher)
    finish(furnisher)

    gaze = streams("gaze")
    heading = camera.open_view(gaze, stage.space, eyes[num_frames // 2], (width / 2, depth / 2))
    motion = camera.rest_gaze(
        gaze,
        eyes,
        np.array([heading]),
        camera.FRAME_RATE_HZ,
        pitch=float(np.deg2rad(gaze.uniform(-20, -6))),
        turn=(3, 14),
    )
    if moving:
        add_movers(stage, shell, hinges, motion, streams("movers"), camera.FRAME_RATE_HZ)
    return stage, motion, _lights(streams("lights"), shell, furnisher.lamps)


def _add_structure(stage: Stage, shell: Shell, rng: np.random.Generator) -> None:
    """A pillar, or beams below the ceiling, in some rooms."""
    if rng.random() < 0.4:
        wide, deep = rng.uniform(0.25, 1.2), rng.uniform(0.2, 0.5)
        pillar = box((wide, shell.height, deep))
        thing = Thing("pillar", "wall").add(stage.materials("wall"), pillar)
        Furnisher(stage, shell, rng).along_wall(thing)
    elif rng.random() < 0.4:
        count = int(shell.width / 0.9)
        low = shell.height - 0.16
        beams = [
            box(
                (0.12, 0.16, shell.depth + 0.1),
                at=((i + 0.5) * shell.width / count - shell.width / 2, low, 0),
            )
            for i in range(count)
        ]
        thing = Thing("beams", "ceiling").add(
            stage.materials("wood", 2), *(b.across() for b in beams)
        )
        stage.put(thing, Place(0, 0, 0))


def _lights(
    rng: np.random.Generator, shell: Shell, lamps: list[tuple[float, float, float]]
) -> Lights:
    """Daylight from the side of a window, and one to three lamps."""
    windows = [w for w in shell.walls if any(o.label == "window" for o in w.openings)]
    day = rng.uniform(0.25, 1.0)
    side = windows[rng.integers(len(windows))].place.yaw + np.pi + rng.normal(0, 0.4)
    rise = rng.uniform(0.35, 0.9)
    towards = np.array([np.sin(side) * np.cos(rise), np.sin(rise), np.cos(side) * np.cos(rise)])
    warm = np.array([1.0, 0.84, 0.62])
    cool = np.array([0.92, 0.97, 1.0])
    positions = np.array(lamps[:3]) if lamps else np.array([[0.0, shell.height - 0.4, 0.0]])
    strength = rng.uniform(0.4, 1.3, (len(positions), 1)) * (1.35 - day)
    return Lights(
        ambient=(0.3 + 0.26 * day) * (cool * day + warm * (1 - day)),
        sun_direction=towards,
        sun_colour=rng.uniform(0.22, 0.42) * day * np.array([1.0, 0.95, 0.86]),
        lamp_positions=positions,
        lamp_colours=strength * (warm + (cool - warm) * rng.random((len(positions), 1)) * 0.6),
    )
