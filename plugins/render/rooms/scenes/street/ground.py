"""Road, markings, kerbs, pavements, and the land behind them."""

import numpy as np

from plugins.render.rooms.scenes.panels import ground
from plugins.render.rooms.scenes.solids import box, prism
from plugins.render.rooms.scenes.space import Place
from plugins.render.rooms.scenes.stage import Stage, Thing
from plugins.render.rooms.scenes.street.plan import Plan

__all__ = ["CROSS_ROAD_M", "LAND_M", "add_ground"]

CROSS_ROAD_M = 7.0
"""Width of the road across the far end."""
LAND_M = 42.0
"""From the middle to the end of the land on either side."""

_KERB_M = 0.15
_PAINT_M = 0.006
"""Markings are this thick, so that they never share a plane with the road."""


def add_ground(stage: Stage, plan: Plan, rng: np.random.Generator) -> None:
    """Adds all that one walks and drives on; only the raised pavements take space."""
    materials, origin = stage.materials, Place(0, 0, 0)
    near, end, far = plan.start, plan.length, plan.length + CROSS_ROAD_M
    kerbs, slabs, lands = [], [], []
    for side in (-1, 1):
        long = end - near
        kerb_x = side * (plan.half_road + _KERB_M / 2)
        slab = plan.pavement - _KERB_M
        slab_x = side * (plan.half_road + _KERB_M + slab / 2)
        kerbs.append(box((_KERB_M, plan.kerb, long), at=(kerb_x, 0, near + long / 2)))
        slabs.append(box((slab, plan.kerb, long), at=(slab_x, 0, near + long / 2)))
        edges = sorted((side * plan.frontage, side * LAND_M))
        land = ground((edges[0], edges[1]), (near, end)).moved((0, plan.kerb - 0.02, 0))
        lands.append(land)
    across = 2 * LAND_M
    kerbs.append(box((across, plan.kerb, _KERB_M), at=(0, 0, far + _KERB_M / 2)))
    slab = plan.pavement - _KERB_M
    slabs.append(box((across, plan.kerb, slab), at=(0, 0, far + _KERB_M + slab / 2)))
    lands.append(
        ground((-LAND_M, LAND_M), (far + plan.pavement, far + plan.pavement + 30)).moved(
            (0, plan.kerb - 0.02, 0)
        )
    )
    # The roads reach a little under the kerbs, so that no ray slips between.
    road = ground((-plan.half_road - 0.1, plan.half_road + 0.1), (near, end))
    crossing = ground((-LAND_M, LAND_M), (end, far + 0.1))
    stage.put(Thing("road", "road").add(materials("asphalt"), road, crossing), origin, solid=False)
    stage.put(Thing("kerb", "pavement").add(materials("kerb"), *kerbs), origin)
    stage.put(Thing("pavement", "pavement").add(materials("paving"), *slabs), origin)
    stage.put(Thing("land", "grass").add(materials("turf"), *lands), origin, solid=False)
    _add_markings(stage, plan, rng)


def _add_markings(stage: Stage, plan: Plan, rng: np.random.Generator) -> None:
    """Dashes along the middle, sometimes a zebra crossing, and covers of drains."""
    stop = ("-y",)
    crossing = float(rng.uniform(9, plan.length - 12)) if rng.random() < 0.5 else None
    step, long = rng.uniform(5, 7), rng.uniform(1.6, 2.6)
    dashes = [
        box((0.13, _PAINT_M, long), at=(0, 0, float(z)), open_sides=stop)
        for z in np.arange(plan.start + 3, plan.length - 2, step)
        if crossing is None or abs(z - crossing) > 1.8 + long / 2
    ]
    if crossing is not None:
        count = int(plan.half_road * 2 / 1.0)
        for index in range(count):
            x = (index + 0.5) * 2 * plan.half_road / count - plan.half_road
            dashes.append(box((0.5, _PAINT_M, 3.0), at=(x, 0, crossing), open_sides=stop))
    marking = Thing("marking", "road").add(stage.materials("marking"), *dashes)
    stage.put(marking, Place(0, 0, 0), solid=False)
    covers = []
    for side in (-1, 1):
        z = float(rng.uniform(4, plan.length - 10))
        if crossing is not None and abs(z - crossing) < 2.5:
            z = crossing + 2.5
        if rng.random() < 0.5:
            covers.append(prism(0.32, _PAINT_M, 8, at=(side * plan.lane, 0.001, z)))
    if covers:
        thing = Thing("cover", "road").add(stage.materials("metal"), *covers)
        stage.put(thing, Place(0, 0, 0), solid=False)
