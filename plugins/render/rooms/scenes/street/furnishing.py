"""Parks cars, plants trees, sets up posts and benches along a street."""

import numpy as np

from plugins.render.rooms.scenes.people import person
from plugins.render.rooms.scenes.space import Place
from plugins.render.rooms.scenes.stage import Stage, Thing
from plugins.render.rooms.scenes.street import cars, kerbside
from plugins.render.rooms.scenes.street.plan import Plan

__all__ = ["furnish"]

Rng = np.random.Generator


def furnish(stage: Stage, plan: Plan, rng: Rng) -> None:
    """Goes down the street and fills both sides; what is near comes first.

    Args:
        stage: The street with its houses.
        plan: Of the street.
        rng: Chooses all.
    """
    spacing, planted, crowded = rng.uniform(7, 12), rng.random() < 0.75, rng.uniform(0.3, 0.9)
    lit = int(rng.choice((-1, 1)))
    for z in np.arange(3.0, plan.length - 2, spacing):
        for side in (lit, -lit):
            kerb = _Side(stage, plan, rng, side)
            if rng.random() < crowded:
                kerb.park(float(z))
            if side == lit and rng.random() < 0.5:
                kerb.stand(kerbside.lamp_post(rng, stage.materials), kerb.edge, z, kerb.to_road)
            elif planted and rng.random() < 0.75:
                tree = kerbside.tree(rng, stage.materials)
                kerb.stand(tree, kerb.edge + 0.2, z, rng.uniform(0, 6))
            for _ in range(int(rng.integers(1, 3))):
                kerb.add_small(float(z + rng.uniform(1.0, 6.0)))


class _Side:
    """One side of the street; distances across are from the middle of the road."""

    def __init__(self, stage: Stage, plan: Plan, rng: Rng, side: int) -> None:
        self._stage, self._plan, self._rng, self._side = stage, plan, rng, side
        self.edge = plan.half_road + 0.45
        self.wall = plan.frontage - 0.45
        self.to_road = -side * np.pi / 2

    def stand(self, thing: Thing, across: float, z: float, yaw: float) -> None:
        """Sets a thing up on the pavement if it fits there."""
        self._put(thing, Place(self._side * across, self._plan.kerb, float(z), float(yaw)))

    def park(self, z: float) -> None:
        """Parks a car at the kerb, in the direction of its lane."""
        rng = self._rng
        along = z + rng.uniform(-1, 1)
        across = self._plan.half_road - 1.12 + rng.normal(0, 0.05)
        yaw = (0.0 if self._side < 0 else np.pi) + rng.normal(0, 0.03)
        car = cars.car(rng, self._stage.materials)
        self._put(car, Place(float(self._side * across), 0.0, float(along), float(yaw)))

    def add_small(self, z: float) -> None:
        """Adds a bench, a bin, a sign, bollards, or someone who stands there."""
        rng, materials, choice = self._rng, self._stage.materials, self._rng.random()
        if choice < 0.15:
            self.stand(kerbside.bench(rng, materials), self.wall, z, self.to_road)
        elif choice < 0.3:
            self.stand(kerbside.litter_bin(rng, materials), self.edge, z, 0.0)
        elif choice < 0.5:
            self.stand(kerbside.sign(rng, materials), self.edge, z, np.pi)
        elif choice < 0.62:
            self.stand(kerbside.planter(rng, materials), self.wall, z, self.to_road)
        elif choice < 0.7:
            for step in range(3):
                post = kerbside.bollard(rng, materials)
                self.stand(post, self.edge - 0.15, z + 1.5 * step, 0.0)
        elif choice < 0.76:
            self.stand(kerbside.shelter(rng, materials), self.edge + 0.6, z, self.to_road)
        else:
            across = self._plan.half_road + rng.uniform(0.6, self._plan.pavement - 0.5)
            self.stand(person(rng, materials), across, z, rng.uniform(0, 6.3))

    def _put(self, thing: Thing, place: Place) -> None:
        if self._stage.fits(thing, place, margin=0.1):
            self._stage.put(thing, place)
