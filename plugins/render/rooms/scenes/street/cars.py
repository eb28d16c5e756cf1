"""Cars."""

import numpy as np

from plugins.render.rooms.scenes.materials import Materials
from plugins.render.rooms.scenes.rotation import about
from plugins.render.rooms.scenes.solids import box, extruded, frustum, prism
from plugins.render.rooms.scenes.stage import Thing

__all__ = ["car"]

Rng = np.random.Generator


def car(rng: Rng, materials: Materials) -> Thing:
    """A saloon, an estate car or a van that drives along +z."""
    paint = materials("car", int(rng.integers(5)))
    form = str(rng.choice(("saloon", "estate", "van")))
    long, wide = rng.uniform(3.9, 4.6), rng.uniform(1.66, 1.82)
    belt, low = rng.uniform(0.82, 0.92), 0.24
    nose, tail = long / 2, -long / 2
    if form == "van":
        long, belt = long + 0.4, belt + 0.15
        nose, tail = long / 2, -long / 2
        top, front, back = belt + rng.uniform(0.8, 1.0), nose - 0.55, tail + 0.05
    elif form == "estate":
        top, front, back = belt + rng.uniform(0.5, 0.6), nose - 1.15, tail + 0.1
    else:
        top, front, back = belt + rng.uniform(0.46, 0.54), nose - 1.2, tail + 0.6
    body = extruded(
        [
            (nose - 0.04, low),
            (nose, 0.55),
            (nose - 0.1, belt - 0.16),
            (front, belt),
            (tail + 0.08, belt),
            (tail, 0.6),
            (tail + 0.06, low),
        ],
        wide,
    )
    slant = 0.28 if form == "van" else 0.55
    rear = {"saloon": 0.4, "estate": 0.22, "van": 0.04}[form]
    middle, length = (front + back) / 2, front - back
    cabin = frustum(
        (wide - 0.1, length),
        (wide - 0.36, length - slant - rear),
        top - belt - 0.05,
        at=(0, belt, middle),
        shift=(0, (rear - slant) / 2),
    )
    roof = box(
        (wide - 0.34, 0.05, length - slant - rear + 0.04),
        at=(0, top - 0.05, middle + (rear - slant) / 2),
    )
    thing = Thing("car" if form != "van" else "van", "car")
    thing.add(paint, body, roof).add(materials("car glass"), cabin)
    # A drum from side to side stands for the two wheels of an axle.
    radius = rng.uniform(0.29, 0.34)
    wheel = prism(radius, wide + 0.05, 8, turn=np.pi / 8).turned(about((0, 0, 1), np.pi / 2))
    axles = [
        wheel.moved(((wide + 0.05) / 2, radius * np.cos(np.pi / 8), z))
        for z in (nose - 0.78, tail + 0.8)
    ]
    thing.add(materials("rubber"), *axles)
    lights = box((wide - 0.2, 0.12, 0.05), at=(0, 0.58, nose - 0.02))
    plates = box((wide - 0.3, 0.14, 0.06), at=(0, 0.58, tail - 0.01))
    return thing.add(materials("marking"), lights).add(materials("awning"), plates)
