"""Lamps, plants, pictures, rugs and small things."""

import numpy as np

from plugins.render.rooms.scenes.materials import Materials
from plugins.render.rooms.scenes.rotation import about, yaw_matrix
from plugins.render.rooms.scenes.solids import box, frustum, prism, sphere
from plugins.render.rooms.scenes.stage import Surface, Thing

__all__ = [
    "ball",
    "bin_",
    "carton",
    "clock",
    "floor_lamp",
    "monitor",
    "mug",
    "pendant",
    "picture",
    "plant",
    "rug",
    "table_lamp",
    "television",
    "vase",
]

Rng = np.random.Generator


def floor_lamp(rng: Rng, materials: Materials) -> Thing:
    """A foot, a pole and a shade; the light is in the middle of its one surface."""
    high, radius = rng.uniform(1.35, 1.7), rng.uniform(0.16, 0.22)
    metal = materials("metal")
    thing = Thing("floor lamp", "lamp", surfaces=[Surface(0, high + 0.13, 0, 0, 0)])
    thing.add(metal, prism(0.15, 0.03, 8), prism(0.018, high - 0.03, 6, at=(0, 0.03, 0)))
    return thing.add(
        materials("shade"), prism(radius, 0.26, 8, top_radius=radius * 0.65, at=(0, high, 0))
    )


def table_lamp(rng: Rng, materials: Materials) -> Thing:
    """A small lamp with a body of clay."""
    high, radius = rng.uniform(0.18, 0.3), rng.uniform(0.09, 0.14)
    thing = Thing("table lamp", "lamp", surfaces=[Surface(0, high + 0.1, 0, 0, 0)])
    thing.add(materials("ceramic"), prism(0.07, high, 6, top_radius=0.03))
    return thing.add(
        materials("shade"), prism(radius, 0.18, 8, top_radius=radius * 0.7, at=(0, high, 0))
    )


def pendant(rng: Rng, materials: Materials, ceiling: float) -> Thing:
    """A lamp that hangs from the ceiling, its origin on the floor below."""
    low, radius = ceiling - rng.uniform(0.35, 0.75), rng.uniform(0.16, 0.28)
    thing = Thing("pendant", "lamp", surfaces=[Surface(0, low - 0.05, 0, 0, 0)])
    high = 0.2
    thing.add(materials("shade"), prism(radius, high, 10, top_radius=radius * 0.45, at=(0, low, 0)))
    return thing.add(
        materials("metal"), prism(0.012, ceiling - low - high, 4, at=(0, low + high, 0))
    )


def plant(rng: Rng, materials: Materials, height: float) -> Thing:
    """A pot with leaves that lean outwards, or with a round bush."""
    pot = height * rng.uniform(0.24, 0.34)
    radius = pot * rng.uniform(0.42, 0.6)
    thing = Thing("plant", "plant")
    thing.add(materials("ceramic", 1), prism(radius * 0.72, pot, 8, top_radius=radius))
    leaves = materials("leaves")
    if rng.random() < 0.4:
        trunk = prism(radius * 0.16, height * 0.35, 5, at=(0, pot, 0))
        thing.add(materials("wood", 0), trunk)
        size = (height - pot - height * 0.2) / 2
        return thing.add(leaves, sphere(size, at=(0, height - size, 0)))
    long = height - pot
    blades = []
    count = int(rng.integers(9, 16))
    for index in range(count):
        # A flat cone of three sides: a leaf that has a back as well.
        blade = prism(0.09 * long + 0.02, long * rng.uniform(0.7, 1.0), 3, top_radius=0)
        blade = blade.turned(np.diag([1.0, 1.0, 0.25]))
        tilt = about((1, 0, 0), rng.uniform(0.1, 0.75))
        turn = yaw_matrix(2 * np.pi * (index + rng.uniform(-0.3, 0.3)) / count)
        blades.append(blade.turned(turn @ tilt).moved((0, pot - 0.015, 0)))
    return thing.add(leaves, *blades)


def picture(rng: Rng, materials: Materials) -> Thing:
    """A framed picture: its back at z = 0, its middle at the origin."""
    wide, high = rng.uniform(0.3, 1.0), rng.uniform(0.3, 0.8)
    role = "landscape" if wide > high else "poster"
    thing = Thing("picture", "picture")
    edge = rng.uniform(0.02, 0.05)
    frame = (wide + 2 * edge, high + 2 * edge, 0.02)
    thing.add(materials("wood", int(rng.integers(3))), box(frame, at=(0, -high / 2 - edge, 0.01)))
    canvas = box((wide, high, 0.008), at=(0, -high / 2, 0.024))
    return thing.add(materials(role, int(rng.integers(2))), canvas)


def clock(rng: Rng, materials: Materials) -> Thing:
    """A wall clock: its back at z = 0."""
    side = rng.uniform(0.25, 0.38)
    return Thing("clock", "object").add(
        materials("clock"), box((side, side, 0.04), at=(0, -side / 2, 0.02))
    )


def rug(rng: Rng, materials: Materials, width: float, depth: float) -> Thing:
    """A rug as thin as one."""
    return Thing("rug", "rug").add(materials("rug"), box((width, 0.008, depth), open_sides=("-y",)))


def television(rng: Rng, materials: Materials) -> Thing:
    """A flat screen on a foot."""
    wide = rng.uniform(0.8, 1.2)
    high = wide * 0.58
    thing = Thing("television", "object")
    thing.add(
        materials("metal"), box((wide * 0.4, 0.02, 0.2)), box((0.08, 0.06, 0.05), at=(0, 0.02, 0))
    )
    thing.add(materials("metal"), box((wide, high, 0.04), at=(0, 0.08, 0)))
    return thing.add(
        materials("screen"), box((wide - 0.02, high - 0.02, 0.006), at=(0, 0.09, 0.023))
    )


def monitor(rng: Rng, materials: Materials) -> Thing:
    """A computer's screen with its keyboard."""
    wide = rng.uniform(0.45, 0.6)
    thing = Thing("monitor", "object")
    thing.add(
        materials("metal"),
        box((0.2, 0.015, 0.16), at=(0, 0, -0.1)),
        box((0.05, 0.12, 0.03), at=(0, 0.015, -0.1)),
        box((0.42, 0.02, 0.14), at=(0, 0, 0.12)),
    )
    return thing.add(materials("screen"), box((wide, wide * 0.6, 0.035), at=(0, 0.1, -0.06)))


def carton(rng: Rng, materials: Materials) -> Thing:
    """A cardboard box."""
    size = tuple(rng.uniform(0.22, 0.5, 3))
    thing = Thing("carton", "object", surfaces=[Surface(0, size[1], 0, size[0], size[2])])
    return thing.add(materials("carton"), box((size[0], size[1], size[2])))


def bin_(rng: Rng, materials: Materials) -> Thing:
    """A waste-paper bin."""
    high = rng.uniform(0.25, 0.4)
    return Thing("bin", "object").add(
        materials("lacquer", int(rng.integers(4))),
        prism(high * 0.32, high, 8, top_radius=high * 0.42),
    )


def vase(rng: Rng, materials: Materials) -> Thing:
    """A belly and a neck."""
    high, wide = rng.uniform(0.1, 0.22), rng.uniform(0.04, 0.09)
    belly = prism(wide * 0.7, high * 0.5, 8, top_radius=wide)
    neck = prism(wide, high * 0.5, 8, top_radius=wide * 0.4, at=(0, high * 0.5, 0))
    return Thing("vase", "object").add(materials("ceramic", int(rng.integers(2))), belly, neck)


def mug(rng: Rng, materials: Materials) -> Thing:
    """A cup with a handle."""
    cup = prism(0.04, 0.095, 8, top_radius=0.043)
    handle = frustum((0.03, 0.012), (0.03, 0.012), 0.05, at=(0.052, 0.02, 0))
    return Thing("mug", "object").add(materials("ceramic", int(rng.integers(2))), cup, handle)


def ball(rng: Rng, materials: Materials, radius: float) -> Thing:
    """A ball that rests on the floor."""
    return Thing("ball", "ball").add(
        materials("ball", int(rng.integers(2))), sphere(radius, at=(0, radius, 0))
    )
