"""The parameters of a sweep as axes that Optuna's samplers can search."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any

from labcore.sweeps.distributions import (
    Categorical,
    Constant,
    Distribution,
    IntUniform,
    InvLogUniform,
    InvLogUniformValues,
    LogUniform,
    LogUniformValues,
    Rounded,
    Uniform,
)
from labcore.sweeps.overrides import as_value

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

__all__ = ["Axis", "Space"]

_LOG = (LogUniform, LogUniformValues, InvLogUniform, InvLogUniformValues)


@dataclass(frozen=True, kw_only=True, slots=True)
class Axis:
    """One parameter as Optuna searches it.

    Where Optuna has the very distribution, it searches the value itself. The others (normal, beta,
    rounded ones, weighted choices) are searched by their quantile, a number from 0 to 1, of which
    the distribution makes the value.
    """

    distribution: "BaseDistribution"
    to_value: Callable[[Any], Any]
    """From what Optuna suggests to the value that the run gets."""
    draw: Callable[[float], Any]
    """From a uniform number to what Optuna would have suggested."""


class Space:
    """All parameters of a sweep.

    Args:
        parameters: Dotted name to where the values come from.
    """

    def __init__(self, parameters: Mapping[str, Distribution]) -> None:
        self._parameters = parameters
        self.axes: dict[str, Axis] = {
            name: _axis(each) for name, each in parameters.items() if not isinstance(each, Constant)
        }

    @property
    def distributions(self) -> "dict[str, BaseDistribution]":
        """What Optuna searches, by name."""
        return {name: axis.distribution for name, axis in self.axes.items()}

    def draw(self, rng: Random) -> dict[str, Any]:
        """Draws at random; takes one number of ``rng`` for each parameter, constants too."""
        numbers = {name: rng.random() for name in self._parameters}
        return {name: axis.draw(numbers[name]) for name, axis in self.axes.items()}

    def values(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Returns what the run's options are set to, constants among them."""
        return {
            name: self.axes[name].to_value(params[name]) if name in self.axes else each.quantile(0)
            for name, each in self._parameters.items()
        }

    def params_at(self, point: Mapping[str, Any]) -> dict[str, Any]:
        """Returns what Optuna would have suggested for a point of a grid."""
        params: dict[str, Any] = {}
        for name in self.axes:
            each = self._parameters[name]
            is_choice = isinstance(each, Categorical)
            params[name] = as_value(point[name]) if is_choice else point[name]
        return params


def _axis(each: Distribution) -> Axis:
    from optuna.distributions import (
        CategoricalDistribution,
        FloatDistribution,
        IntDistribution,
    )

    if isinstance(each, Categorical) and each.probabilities is None:
        # Named by their text: to Optuna, True is 1, and a list is no choice at all.
        by_text = {as_value(value): value for value in each.values}
        return Axis(
            distribution=CategoricalDistribution(tuple(by_text)),
            to_value=by_text.__getitem__,
            draw=lambda u: as_value(each.quantile(u)),
        )
    if isinstance(each, IntUniform):
        return _same(each, IntDistribution(each.min, each.max))
    if isinstance(each, Uniform):
        return _same(each, FloatDistribution(each.min, each.max))
    if isinstance(each, _LOG):
        return _same(each, FloatDistribution(*each.bounds, log=True))
    if (
        isinstance(each, Rounded)
        and isinstance(each.base, Uniform)
        and each.q == int(each.q)
        and each.bounds is not None
    ):
        low, high = map(int, each.bounds)
        return _same(each, IntDistribution(low, high, step=int(each.q)))
    return Axis(distribution=FloatDistribution(0, 1), to_value=each.quantile, draw=lambda u: u)


def _same(each: Distribution, distribution: "BaseDistribution") -> Axis:
    return Axis(distribution=distribution, to_value=lambda value: value, draw=each.quantile)
