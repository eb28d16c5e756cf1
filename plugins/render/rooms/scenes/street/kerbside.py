"""What stands on a pavement: trees, lamp posts, signs, benches, bins and more."""

import numpy as np

from plugins.render.rooms.scenes.materials import Materials
from plugins.render.rooms.scenes.solids import Solid, box, prism, sphere
from plugins.render.rooms.scenes.stage import Thing

__all__ = ["bench", "bollard", "lamp_post", "litter_bin", "planter", "shelter", "sign", "tree"]

Rng = np.random.Generator


def tree(rng: Rng, materials: Materials) -> Thing:
    """A broad-leaved tree with a crown of one to three balls, or a conifer."""
    thing = Thing("tree", "tree")
    leaves = materials("leaves", int(rng.integers(2)))
    if rng.random() < 0.3:
        high, wide = rng.uniform(3.5, 6.5), rng.uniform(0.9, 1.4)
        thing.add(materials("wood"), prism(0.14, 0.8, 5))
        tiers = [
            prism(
                wide * (1 - 0.24 * k),
                high * 0.42,
                7,
                top_radius=0,
                at=(0, 0.7 + k * high * 0.21, 0),
                turn=k,
            )
            for k in range(3)
        ]
        return thing.add(leaves, *tiers)
    trunk, size = rng.uniform(1.9, 2.8), rng.uniform(0.8, 1.4)
    thing.add(materials("wood"), prism(0.17, trunk + 0.3, 6, top_radius=0.1).across())
    crown = [_ragged(rng, size, (0, trunk + size * 0.8, 0))]
    for _ in range(int(rng.integers(0, 2))):
        angle = rng.uniform(0, 2 * np.pi)
        at = (0.6 * size * np.sin(angle), trunk + size * 1.3, 0.6 * size * np.cos(angle))
        crown.append(_ragged(rng, size * 0.65, (float(at[0]), float(at[1]), float(at[2]))))
    return thing.add(leaves, *crown)


def _ragged(rng: Rng, radius: float, at: tuple[float, float, float]) -> Solid:
    """A ball whose corners are pushed in and out, a little flattened."""
    ball = sphere(radius)
    factor = rng.uniform(0.82, 1.12, (len(ball.vertices), 1))
    return Solid(ball.vertices * factor * (1, 0.88, 1), ball.faces, ball.uvs).moved(at)


def lamp_post(rng: Rng, materials: Materials) -> Thing:
    """A mast with an arm over the road, which is at +z."""
    high, arm = rng.uniform(4.5, 6.5), rng.uniform(0.8, 1.4)
    metal = materials("metal")
    thing = Thing("lamp post", "pole")
    mast = prism(0.09, high - 0.5, 6, top_radius=0.05, at=(0, 0.5, 0))
    bar = box((0.06, 0.06, arm), at=(0, high, arm / 2 - 0.05))
    foot = prism(0.15, 0.5, 6)
    thing.add(metal, mast, bar, foot)
    return thing.add(materials("lacquer"), box((0.2, 0.1, 0.5), at=(0, high - 0.1, arm + 0.05)))


def sign(rng: Rng, materials: Materials) -> Thing:
    """A plate on a pole; the plate faces +z."""
    high, side = rng.uniform(2.1, 2.6), rng.uniform(0.5, 0.75)
    thing = Thing("sign", "sign")
    thing.add(materials("metal"), prism(0.035, high + side, 5), label="pole")
    plate = box((side, side, 0.03), at=(0, high, 0.06))
    return thing.add(materials("plate", int(rng.integers(3))), plate)


def bench(rng: Rng, materials: Materials) -> Thing:
    """A bench that looks along +z."""
    wide = rng.uniform(1.4, 1.9)
    thing = Thing("bench", "bench")
    feet = [box((0.07, 0.42, 0.42), at=(side * (wide / 2 - 0.2), 0, 0)) for side in (-1, 1)]
    posts = [box((0.06, 0.42, 0.05), at=(side * (wide / 2 - 0.2), 0.46, -0.21)) for side in (-1, 1)]
    seat = [box((wide, 0.04, 0.13), at=(0, 0.42, z)) for z in (-0.15, 0.0, 0.15)]
    back = [box((wide, 0.11, 0.03), at=(0, y, -0.17)) for y in (0.56, 0.74)]
    thing.add(materials("metal"), *feet, *posts)
    return thing.add(materials("wood"), *seat, *back)


def litter_bin(rng: Rng, materials: Materials) -> Thing:
    """A bin with a lid."""
    high = rng.uniform(0.75, 0.95)
    thing = Thing("litter bin", "object")
    thing.add(materials("lacquer", int(rng.integers(3))), prism(0.22, high, 8, top_radius=0.26))
    return thing.add(materials("metal"), prism(0.28, 0.08, 8, at=(0, high, 0)))


def bollard(rng: Rng, materials: Materials) -> Thing:
    """A short post."""
    return Thing("bollard", "pole").add(materials("metal"), prism(0.09, rng.uniform(0.7, 1.0), 6))


def planter(rng: Rng, materials: Materials) -> Thing:
    """A tub with a bush."""
    wide, high = rng.uniform(0.6, 1.2), rng.uniform(0.4, 0.6)
    thing = Thing("planter", "plant").add(materials("trim"), box((wide, high, 0.5)))
    bush = box((wide - 0.1, rng.uniform(0.25, 0.5), 0.4), at=(0, high, 0))
    return thing.add(materials("hedge"), bush)


def shelter(rng: Rng, materials: Materials) -> Thing:
    """A bus shelter, open towards +z, with a poster and a bench."""
    wide, high = rng.uniform(2.4, 3.2), 2.35
    thing = Thing("shelter", "object")
    posts = [
        box((0.07, high, 0.07), at=(x * (wide / 2 - 0.05), 0, z))
        for x in (-1, 1)
        for z in (-0.5, 0.5)
    ]
    thing.add(materials("metal"), *posts, box((wide + 0.2, 0.1, 1.3), at=(0, high, 0)))
    pane = box((wide - 0.2, 1.5, 0.03), at=(0, 0.5, -0.5))
    poster = box((0.03, 1.7, 0.9), at=(-wide / 2 + 0.05, 0.3, 0))
    thing.add(materials("car glass"), pane).add(materials("shop"), poster)
    return thing.add(materials("wood"), box((wide * 0.6, 0.06, 0.3), at=(0.1, 0.45, -0.25)))
