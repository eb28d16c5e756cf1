"""The cross-section of a street. It runs along +z; traffic keeps to the right, which is -x."""

from dataclasses import dataclass

import numpy as np

__all__ = ["Plan", "make_plan"]


@dataclass(frozen=True, slots=True)
class Plan:
    """Measures in metres."""

    half_road: float
    """From the middle to the kerb."""
    pavement: float
    """Width of each pavement, kerb included."""
    length: float
    """Where the street ends; houses stand across beyond."""
    lane: float
    """From the middle of the road to the middle of a lane."""
    start: float = -10.0
    """Where it begins, behind the camera."""
    kerb: float = 0.12
    """Height of the pavements."""

    @property
    def frontage(self) -> float:
        """From the middle to the fronts of the houses."""
        return self.half_road + self.pavement


def make_plan(rng: np.random.Generator) -> Plan:
    """Returns a street of 42 to 75 m with room for a row of parked cars on each side."""
    half_road = rng.uniform(4.3, 5.2)
    return Plan(
        half_road=half_road,
        pavement=rng.uniform(2.0, 3.4),
        length=rng.uniform(42, 75),
        lane=(half_road - 2.0) / 2,
    )
