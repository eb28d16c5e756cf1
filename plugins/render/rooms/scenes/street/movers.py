"""What moves in a street: cars in their lanes, people on the pavements, a drone, a ball."""

import numpy as np

from plugins.render.rooms.scenes import camera
from plugins.render.rooms.scenes.drone import drone
from plugins.render.rooms.scenes.motion import Choreography
from plugins.render.rooms.scenes.people import person
from plugins.render.rooms.scenes.solids import sphere
from plugins.render.rooms.scenes.stage import Stage, Thing
from plugins.render.rooms.scenes.street import cars
from plugins.render.rooms.scenes.street.plan import Plan

__all__ = ["add_movers"]

Rng = np.random.Generator

_KEEP_OFF = 0.5
_TRIES = 8


def add_movers(
    stage: Stage, plan: Plan, motion: camera.Motion, speed: float, rng: Rng, rate_hz: float
) -> None:
    """Adds a car that comes, one that drives ahead, people who walk, and some rarer things.

    Args:
        stage: The street with all that stands still.
        plan: Of the street.
        motion: Of the camera.
        speed: Of the camera along the street, metres a second.
        rng: Chooses all.
        rate_hz: Frames a second.
    """
    dance = Choreography(stage, rate_hz, keep_off=_KEEP_OFF)
    middle = motion.eyes[len(motion.eyes) // 2]
    _drive(dance, stage, plan, rng, lane=plan.lane, speed=-rng.uniform(3, 9), near=middle[2] + 6)
    if rng.random() < 0.6:
        pace = max(speed, 1.0) * rng.uniform(0.9, 1.5)
        _drive(dance, stage, plan, rng, lane=-plan.lane, speed=pace, near=middle[2] + 8)
    for _ in range(int(rng.integers(1, 4))):
        _stroll(dance, stage, plan, rng, middle[2])
    if rng.random() < 0.35:
        _fly(dance, stage, rng, middle)
    if rng.random() < 0.35:
        _kick(dance, stage, plan, rng, middle[2])


def _drive(
    dance: Choreography,
    stage: Stage,
    plan: Plan,
    rng: Rng,
    *,
    lane: float,
    speed: float,
    near: float,
) -> None:
    """A car that sways a little in its lane."""
    car = cars.car(rng, stage.materials)
    for _ in range(_TRIES):
        z = near + rng.uniform(0, 14) + speed * dance.time
        wave, phase = 2 * np.pi / rng.uniform(20, 40), rng.uniform(0, 2 * np.pi)
        x = lane + 0.12 * np.sin(wave * z + phase)
        course = np.arctan(0.12 * wave * np.cos(wave * z + phase))
        yaws = course + (0.0 if speed > 0 else np.pi)
        if dance.slide(car, np.stack([x, np.zeros_like(x), z], axis=1), yaws):
            return


def _stroll(dance: Choreography, stage: Stage, plan: Plan, rng: Rng, near: float) -> None:
    """Someone who walks along a pavement, or across the road."""
    figure = person(rng, stage.materials)
    for _ in range(_TRIES):
        pace, z = rng.uniform(0.9, 1.6), near + rng.uniform(2.5, 14)
        if rng.random() < 0.7:
            side, way = rng.choice((-1, 1)), rng.choice((-1, 1))
            x = side * (plan.half_road + rng.uniform(0.5, plan.pavement - 0.5))
            places = [np.full_like(dance.time, x), z + way * pace * dance.time]
            height, yaw = plan.kerb, 0.0 if way > 0 else np.pi
        else:
            way = rng.choice((-1, 1))
            places = [rng.uniform(-2, 2) + way * pace * dance.time, np.full_like(dance.time, z)]
            height, yaw = 0.0, way * np.pi / 2
            if np.abs(places[0]).max() > plan.half_road - 0.5:
                continue
        way_through = np.stack([places[0], np.full_like(dance.time, height), places[1]], axis=1)
        if dance.slide(figure, way_through, np.full_like(dance.time, yaw)):
            return


def _fly(dance: Choreography, stage: Stage, rng: Rng, middle: np.ndarray) -> None:
    """A drone that circles before the camera, above heads."""
    thing = drone(stage.materials, "metal", "lacquer")
    for _ in range(_TRIES):
        radius, speed = rng.uniform(0.8, 2.0), rng.uniform(0.8, 2.5)
        angle = rng.uniform(0, 2 * np.pi) + speed / radius * dance.time
        way = np.stack(
            [
                middle[0] + rng.uniform(-1.5, 1.5) + radius * np.sin(angle),
                rng.uniform(2.3, 3.2) + 0.15 * np.sin(2 * dance.time),
                middle[2] + rng.uniform(5, 9) + radius * np.cos(angle),
            ],
            axis=1,
        )
        if dance.slide(thing, way, angle):
            return


def _kick(dance: Choreography, stage: Stage, plan: Plan, rng: Rng, near: float) -> None:
    """A ball that rolls across the road."""
    radius = rng.uniform(0.11, 0.2)
    thing = Thing("ball", "ball").add(stage.materials("ball"), sphere(radius))
    for _ in range(_TRIES):
        start = np.array([rng.uniform(-1.5, 1.5), near + rng.uniform(3, 9)])
        course, speed = rng.uniform(0, 2 * np.pi), rng.uniform(0.8, 2.5)
        velocity = speed * np.array([np.sin(course), np.cos(course)])
        reach = np.abs(start[0] + velocity[0] * dance.time).max()
        if reach < plan.half_road - 0.3 and dance.roll(thing, radius, start, velocity):
            return
