"""People."""

import numpy as np

from plugins.render.rooms.scenes.materials import Materials
from plugins.render.rooms.scenes.rotation import about
from plugins.render.rooms.scenes.solids import Solid, box, frustum, prism, sphere
from plugins.render.rooms.scenes.stage import Thing

__all__ = ["person"]


def person(rng: np.random.Generator, materials: Materials) -> Thing:
    """Someone who stands or strides along +z."""
    high = rng.uniform(1.55, 1.85)
    leg, torso = 0.48 * high, 0.34 * high
    stride = rng.uniform(0.0, 0.35)
    trousers, coat = (
        materials("cloth", int(rng.integers(4))),
        materials("cloth", int(rng.integers(4))),
    )
    thing = Thing("person", "person")
    legs, arms = [], []
    for side in (-1, 1):
        limb = frustum((0.11, 0.13), (0.15, 0.17), leg).moved((0, -leg, 0))
        limb = limb.turned(about((1, 0, 0), side * stride))
        legs.append(limb.moved((side * 0.09, leg * np.cos(stride) + 0.03, 0)))
        arm = frustum((0.07, 0.08), (0.1, 0.11), torso * 1.05).moved((0, -torso * 1.05, 0))
        arm = arm.turned(about((0, 0, 1), side * 0.12) @ about((1, 0, 0), -side * stride))
        arms.append(arm.moved((side * 0.25, leg + torso, 0)))
    base = leg * np.cos(stride)
    trunk = frustum((0.32, 0.2), (0.42, 0.23), torso, at=(0, base, 0))
    top = base + torso
    ball = sphere(1.0, subdivisions=0)
    head = _scaled(ball, (0.095, 0.13, 0.11)).moved((0, top + 0.17, 0))
    neck = prism(0.05, 0.08, 5, at=(0, top, 0))
    hair = _scaled(ball, (0.105, 0.09, 0.115)).moved((0, top + 0.235, -0.025))
    shoes = [box((0.1, 0.06, 0.24), at=(solid.bounds.mean(0)[0], 0, _toe(solid))) for solid in legs]
    thing.add(trousers, *legs).add(coat, trunk, *arms)
    return thing.add(materials("skin", int(rng.integers(2))), head, neck).add(
        materials("wood"), hair, *shoes
    )


def _scaled(solid: Solid, factors: tuple[float, float, float]) -> Solid:
    return Solid(solid.vertices * factors, solid.faces, solid.uvs * max(factors))


def _toe(leg: Solid) -> float:
    """Where the foot of a leg stands, along z, a little ahead of the ankle."""
    lowest = leg.vertices[leg.vertices[:, 1] < leg.bounds[0, 1] + 0.08]
    return float(lowest[:, 2].mean()) + 0.05
