"""A street: ground, houses, what stands and moves there, light, and the camera's way along it."""

import numpy as np
from numpy.typing import NDArray

from plugins.render.rooms.scenes import camera
from plugins.render.rooms.scenes.scene import Lights
from plugins.render.rooms.scenes.stage import Stage
from plugins.render.rooms.scenes.streams import Streams
from plugins.render.rooms.scenes.street.catalogue import CATALOGUE
from plugins.render.rooms.scenes.street.furnishing import furnish
from plugins.render.rooms.scenes.street.ground import CROSS_ROAD_M, add_ground
from plugins.render.rooms.scenes.street.houses import add_houses
from plugins.render.rooms.scenes.street.movers import add_movers
from plugins.render.rooms.scenes.street.plan import Plan, make_plan

__all__ = ["build_street"]

Float64 = NDArray[np.float64]
Rng = np.random.Generator

_KEEP_OFF = 0.6
"""Metres between the camera and anything beside its way."""
_AHEAD = 22.0
"""Metres of street that are left before the camera at the end of its way."""


def build_street(
    streams: Streams, num_frames: int, *, moving: bool
) -> tuple[Stage, camera.Motion, Lights]:
    """Builds a street.

    Args:
        streams: Randomness of the scene.
        num_frames: Poses of the camera.
        moving: Whether some things move.
    """
    plan = make_plan(streams("plan"))
    motion, speed = _travel(streams("travel"), plan, num_frames)
    stage = Stage(streams, CATALOGUE, motion.eyes, keep_off=_KEEP_OFF)
    add_ground(stage, plan, streams("ground"))
    far = plan.length + CROSS_ROAD_M + plan.pavement
    add_houses(stage, plan, streams("houses"), far)
    furnish(stage, plan, streams("furniture"))
    if moving:
        add_movers(stage, plan, motion, speed, streams("movers"), camera.FRAME_RATE_HZ)
    return stage, motion, _lights(streams("lights"))


def _travel(rng: Rng, plan: Plan, num_frames: int) -> tuple[camera.Motion, float]:
    """A drive in the right lane or a walk on the pavement, and its speed along the street."""
    driven = bool(rng.random() < 0.6)
    if driven:
        x, height, speed = (
            -plan.lane + rng.normal(0, 0.15),
            rng.uniform(1.25, 1.9),
            rng.uniform(2, 6),
        )
    else:
        x = -plan.half_road - rng.uniform(0.4, 0.6) * plan.pavement
        height, speed = plan.kerb + rng.uniform(1.45, 1.75), rng.uniform(1.0, 1.9)
    time = np.arange(num_frames) / camera.FRAME_RATE_HZ
    # A long sequence goes slower, so that there is street left before it.
    speed = min(float(speed), (plan.length - _AHEAD) / max(float(time[-1]), 1e-9))
    bend, phase = rng.uniform(0.1, 0.3), rng.uniform(0, 2 * np.pi)
    wave = 2 * np.pi / rng.uniform(14, 30)
    z = rng.uniform(0, 2) + speed * time
    eyes = np.stack([x + bend * np.sin(wave * z + phase), np.full(num_frames, height), z], axis=1)
    eyes[:, 1] += (0.004 if driven else 0.02) * np.sin(2 * np.pi * 1.8 * time)
    course = np.arctan(bend * wave * np.cos(wave * z + phase))
    # The walker sees the street rather than the wall beside him.
    glance = rng.normal(0, np.deg2rad(5)) + (0.0 if driven else np.deg2rad(rng.uniform(4, 16)))
    pitch = np.deg2rad(rng.uniform(-6, 2))
    motion = camera.rest_gaze(
        rng, eyes, course + glance, camera.FRAME_RATE_HZ, pitch=float(pitch), turn=(1.0, 7.0)
    )
    return motion, speed


def _lights(rng: Rng) -> Lights:
    """A sun at any height, or the even light of clouds."""
    clear = rng.uniform(0.0, 1.0)
    side, rise = rng.uniform(0, 2 * np.pi), rng.uniform(0.3, 1.2)
    towards = np.array([np.sin(side) * np.cos(rise), np.sin(rise), np.cos(side) * np.cos(rise)])
    low = np.array([1.0, 0.86, 0.68]) if rise < 0.6 else np.array([1.0, 0.96, 0.9])
    return Lights(
        ambient=(0.72 - 0.27 * clear) * np.array([0.93, 0.97, 1.03]),
        sun_direction=towards,
        sun_colour=(0.05 + 0.5 * clear) * low,
        lamp_positions=np.zeros((0, 3)),
        lamp_colours=np.zeros((0, 3)),
    )
