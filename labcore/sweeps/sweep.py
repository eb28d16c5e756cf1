"""A sweep as read from its file: what to search, how, and when to stop."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from labcore.sweeps.distributions import Distribution
from labcore.sweeps.hyperband import Goal, Hyperband

__all__ = ["Method", "Metric", "Sweep"]

Method = Literal["grid", "random", "bayes"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Metric:
    """The number that the sweep makes small or large."""

    name: str
    """As logged: ``val/loss`` is ``loss`` of the validation."""
    goal: Goal = "minimize"
    target: float | None = None
    """No trial is started once a trial has reached this."""

    def is_better(self, value: float, than: float) -> bool:
        """Whether ``value`` is better."""
        return value < than if self.goal == "minimize" else value > than

    def best(self, history: Sequence[float]) -> float | None:
        """Returns the best finite value; None when there is none."""
        values = [value for value in history if math.isfinite(value)]
        return (min if self.goal == "minimize" else max)(values, default=None)

    def is_reached(self, value: float) -> bool:
        """Whether ``value`` is at the target or past it."""
        if self.target is None:
            return False
        return value == self.target or self.is_better(value, self.target)


@dataclass(frozen=True, kw_only=True, slots=True)
class Sweep:
    """A sweep file, checked."""

    name: str
    """For people; the file's name when it gives none."""
    method: Method
    metric: Metric | None = None
    parameters: Mapping[str, Distribution]
    """Dotted option, or config group, to where its values come from; nested ones are flat here."""
    early_terminate: Hyperband | None = None
    run_cap: int | None = None
    """Most trials to start."""
    project: str = ""
    entity: str = ""
    plugin: str = ""
    """Which plugin to run; empty when neither the file nor the caller says."""
    overrides: tuple[str, ...] = ()
    """What every trial sets: the file's, then the caller's."""
    raw: Mapping[str, Any] = field(repr=False)
    """The file's content as it is, for W&B's server."""

    @property
    def grid_size(self) -> int | None:
        """Points of the grid; None when the method is another."""
        if self.method != "grid":
            return None
        return math.prod(len(values) for values in self._grid_values().values())

    def grid_point(self, index: int) -> dict[str, Any]:
        """Returns a point of the grid; the last parameter changes fastest, as on W&B's server.

        Args:
            index: 0 to ``grid_size - 1``.
        """
        point: dict[str, Any] = {}
        for name, values in reversed(list(self._grid_values().items())):
            index, at = divmod(index, len(values))
            point[name] = values[at]
        return {name: point[name] for name in self.parameters}

    def _grid_values(self) -> Mapping[str, Any]:
        values = {name: each.grid() for name, each in self.parameters.items()}
        assert None not in values.values(), "a grid is checked when it is read"
        return values
