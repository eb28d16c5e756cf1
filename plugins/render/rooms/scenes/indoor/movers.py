"""What moves in a room: balls, a robot that sweeps, a drone, someone who walks, a door."""

import numpy as np
from numpy.typing import NDArray

from plugins.render.rooms.scenes import camera
from plugins.render.rooms.scenes.drone import drone
from plugins.render.rooms.scenes.indoor.shell import Hinge, Shell
from plugins.render.rooms.scenes.materials import Materials
from plugins.render.rooms.scenes.motion import Choreography
from plugins.render.rooms.scenes.people import person
from plugins.render.rooms.scenes.solids import box, prism, sphere
from plugins.render.rooms.scenes.stage import Stage, Thing

__all__ = ["add_movers"]

Float64 = NDArray[np.float64]
Rng = np.random.Generator

_KEEP_OFF = 0.45
_TRIES = 24


class _Room:
    """Where things can move: before the camera and between the walls."""

    def __init__(self, shell: Shell, motion: camera.Motion, rng: Rng) -> None:
        self._limits = np.array([shell.width / 2, shell.depth / 2])
        middle = len(motion.eyes) // 2
        self._eye, self._heading = motion.eyes[middle][[0, 2]], motion.yaws[middle]
        self.rng = rng

    def spot(self, nearest: float = 1.0) -> Float64:
        """A place (2,) in view at the middle of the sequence, some metres away at least."""
        bearing = self._heading + self.rng.uniform(-0.4, 0.4)
        away = self.rng.uniform(nearest, 3.8)
        return self._eye + away * np.array([np.sin(bearing), np.cos(bearing)])

    def holds(self, places: Float64, radius: float) -> bool:
        """Whether a way (N, 2) stays off the walls."""
        return bool((np.abs(places) < self._limits - radius - 0.06).all())


def add_movers(
    stage: Stage,
    shell: Shell,
    hinges: list[Hinge],
    motion: camera.Motion,
    rng: Rng,
    rate_hz: float,
) -> None:
    """Opens doors, and adds up to three moving things.

    Args:
        stage: The room with all that stands still.
        shell: Its walls.
        hinges: Its doors.
        motion: Of the camera.
        rng: Chooses all.
        rate_hz: Frames a second.
    """
    dance = Choreography(stage, rate_hz, keep_off=_KEEP_OFF)
    room = _Room(shell, motion, rng)
    for hinge in hinges:
        if rng.random() < 0.6:
            swing = rng.uniform(0.35, 0.65)
            angles = 0.72 + swing * np.sin(rng.uniform(0.5, 1.3) * dance.time + rng.uniform(0, 6.3))
            dance.swing(hinge.instance, hinge.leaf, hinge.place, angles)
    makers = [_roll_ball, _sweep, _stroll, _roll_ball, _push]
    if rng.random() < 0.4:
        makers.append(_fly)
    wanted = int(rng.integers(1, 4))
    for index in rng.permutation(len(makers)):
        wanted -= makers[index](dance, room, stage.materials)
        if wanted == 0:
            break


def _straight(dance: Choreography, start: Float64, velocity: Float64) -> Float64:
    return start + velocity * dance.time[:, None]


def _velocity(rng: Rng, low: float, high: float) -> Float64:
    course = rng.uniform(0, 2 * np.pi)
    return rng.uniform(low, high) * np.array([np.sin(course), np.cos(course)])


def _lifted(places: Float64, height: float | Float64) -> Float64:
    y = np.broadcast_to(np.asarray(height, float), len(places))
    return np.stack([places[:, 0], y, places[:, 1]], axis=1)


def _roll_ball(dance: Choreography, room: _Room, materials: Materials) -> bool:
    rng = room.rng
    radius = rng.uniform(0.09, 0.2)
    ball = Thing("ball", "ball").add(materials("ball", int(rng.integers(2))), sphere(radius))
    for _ in range(_TRIES):
        start, velocity = room.spot(), _velocity(rng, 0.3, 1.2)
        if room.holds(_straight(dance, start, velocity), radius) and dance.roll(
            ball, radius, start, velocity
        ):
            return True
    return False


def _sweep(dance: Choreography, room: _Room, materials: Materials) -> bool:
    """A flat round robot that drives in a curve."""
    rng = room.rng
    robot = Thing("robot", "object")
    robot.add(materials("lacquer", int(rng.integers(3))), prism(0.17, 0.075, 12, at=(0, 0.01, 0)))
    robot.add(materials("metal"), prism(0.05, 0.02, 8, at=(0, 0.085, 0.06)))
    for _ in range(_TRIES):
        radius, speed = rng.uniform(0.4, 1.5), rng.choice((-1, 1)) * rng.uniform(0.2, 0.45)
        angle = rng.uniform(0, 2 * np.pi) + speed / radius * dance.time
        places = room.spot() + radius * np.stack([np.sin(angle), np.cos(angle)], axis=1)
        yaws = angle + np.sign(speed) * np.pi / 2
        if room.holds(places, 0.2) and dance.slide(robot, _lifted(places, 0.0), yaws):
            return True
    return False


def _fly(dance: Choreography, room: _Room, materials: Materials) -> bool:
    rng = room.rng
    for _ in range(_TRIES):
        radius, speed = rng.uniform(0.25, 0.8), rng.uniform(0.3, 1.0)
        angle = rng.uniform(0, 2 * np.pi) + speed / radius * dance.time
        places = room.spot() + radius * np.stack([np.sin(angle), np.cos(angle)], axis=1)
        height = rng.uniform(1.0, 1.9) + 0.08 * np.sin(2.1 * dance.time)
        thing = drone(materials, "metal", "lacquer")
        if room.holds(places, 0.3) and dance.slide(thing, _lifted(places, height), angle):
            return True
    return False


def _stroll(dance: Choreography, room: _Room, materials: Materials) -> bool:
    rng = room.rng
    figure = person(rng, materials)
    for _ in range(_TRIES):
        velocity = _velocity(rng, 0.4, 1.0)
        places = _straight(dance, room.spot(nearest=1.7), velocity)
        yaws = np.full(dance.num_frames, np.arctan2(velocity[0], velocity[1]))
        if room.holds(places, 0.4) and dance.slide(figure, _lifted(places, 0.0), yaws):
            return True
    return False


def _push(dance: Choreography, room: _Room, materials: Materials) -> bool:
    """A toy car that drives straight on."""
    rng = room.rng
    toy = Thing("toy car", "object")
    paint = materials("lacquer", int(rng.integers(4)))
    toy.add(
        paint,
        box((0.18, 0.08, 0.36), at=(0, 0.04, 0)),
        box((0.15, 0.07, 0.17), at=(0, 0.12, -0.03)),
    )
    toy.add(materials("metal"), *(box((0.2, 0.08, 0.08), at=(0, 0, z)) for z in (-0.11, 0.11)))
    for _ in range(_TRIES):
        velocity = _velocity(rng, 0.3, 1.0)
        places = _straight(dance, room.spot(), velocity)
        yaws = np.full(dance.num_frames, np.arctan2(velocity[0], velocity[1]))
        if room.holds(places, 0.25) and dance.slide(toy, _lifted(places, 0.0), yaws):
            return True
    return False
