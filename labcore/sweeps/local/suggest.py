"""Which values the next trial gets.

A suggestion depends on nothing but the sweep's seed, the trial's number and the trials before it:
the sampler is made anew for each, from the records. A sweep that was stopped and resumed therefore
suggests what it would have suggested.
"""

import hashlib
import importlib.util
import math
import warnings
from collections.abc import Callable, Sequence
from functools import partial
from random import Random
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from labcore.errors import RequirementError
from labcore.sweeps.distributions import (
    Categorical,
    Constant,
    Distribution,
    IntUniform,
    Rounded,
    Uniform,
)
from labcore.sweeps.local.record import Record
from labcore.sweeps.overrides import as_value
from labcore.sweeps.sweep import Sweep

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.samplers import BaseSampler
    from optuna.trial import FrozenTrial

__all__ = ["Sampler", "Suggester"]

Sampler = Literal["tpe", "gp"]
_RANDOM_FIRST = 10
"""Trials with a result before the model of ``bayes`` says anything."""


class _Suggestion(NamedTuple):
    values: dict[str, Any]
    """Dotted option to value, constants among them."""
    params: dict[str, Any]
    """The same as the sampler searches it."""


class _Axis(NamedTuple):
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


class Suggester:
    """Suggests values by the sweep's method.

    Args:
        sweep: What to search.
        seed: Of the sweep.
        sampler: What ``bayes`` means: the tree-structured Parzen estimator, or a Gaussian process.

    Raises:
        RequirementError: The Gaussian process needs packages that are not here.
    """

    def __init__(self, sweep: Sweep, *, seed: int = 0, sampler: Sampler = "tpe") -> None:
        self._sweep = sweep
        self._seed = seed
        self._sampler = sampler
        if sampler == "gp" and sweep.method == "bayes":
            _check_packages()
        self._goal = sweep.metric.goal if sweep.metric is not None else "minimize"
        self._parameters = sweep.parameters
        self._axes = {
            name: _axis(each)
            for name, each in sweep.parameters.items()
            if not isinstance(each, Constant)
        }
        self.distributions = {name: axis.distribution for name, axis in self._axes.items()}
        """What Optuna searches, by name."""

    def suggest(self, number: int, before: Sequence[Record]) -> _Suggestion:
        """Returns the values of a trial; a grid has so many as it has points.

        Args:
            number: Of the trial, from 0.
            before: The trials before it, those under way included.
        """
        if self._sweep.method == "grid":
            return self._at_grid_point(number)
        rng = Random(self._mixed(number))
        numbers = {name: rng.random() for name in self._parameters}  # one each, for constants too
        params = {name: axis.draw(numbers[name]) for name, axis in self._axes.items()}
        seen = [each for each in before if each.outcome and each.outcome != "failed"]
        if self._sweep.method == "bayes" and self._axes and len(seen) >= _RANDOM_FIRST:
            params = self._search(number, [each for each in before if each.outcome != "failed"])
        values = {
            name: self._axes[name].to_value(params[name])
            if name in self._axes
            else each.quantile(0)
            for name, each in self._parameters.items()
        }
        return _Suggestion(values, params)

    def _at_grid_point(self, number: int) -> _Suggestion:
        point = self._sweep.grid_point(number)
        params = {
            name: as_value(point[name])
            if isinstance(self._parameters[name], Categorical)
            else point[name]
            for name in self._axes
        }
        return _Suggestion(point, params)

    def _mixed(self, number: int) -> int:
        text = f"{self._seed} {number}"
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")

    def _search(self, number: int, before: Sequence[Record]) -> dict[str, Any]:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        study = optuna.create_study(direction=self._goal, sampler=self._make_sampler(number))
        study.add_trials([self._as_trial(each, before) for each in before])
        trial = study.ask(self.distributions)
        return {name: trial.params[name] for name in self.distributions}

    def _make_sampler(self, number: int) -> "BaseSampler":
        from optuna.samplers import GPSampler, TPESampler

        seed = self._mixed(number)
        if self._sampler == "tpe":
            return TPESampler(seed=seed, n_startup_trials=0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that it is experimental
            return GPSampler(seed=seed, n_startup_trials=0)

    def _as_trial(self, record: Record, all_of_them: Sequence[Record]) -> "FrozenTrial":
        """Returns a record as the sampler should see it.

        TPE ranks a trial that was stopped early behind all that completed, by how far it came. A
        Gaussian process knows only values: there it counts with the best that it had, and one that
        diverged with the worst that any trial had.
        """
        from optuna.trial import TrialState, create_trial

        make = partial(create_trial, params=dict(record.params), distributions=self.distributions)
        if record.is_open:
            return make(state=TrialState.RUNNING)
        if record.outcome == "completed" and record.value is not None:
            return make(state=TrialState.COMPLETE, value=record.value)
        if self._sampler == "tpe":
            logs = {at: value for at, value in enumerate(record.history) if math.isfinite(value)}
            if record.outcome == "diverged":
                logs = {}  # worse than all the others
            return make(state=TrialState.PRUNED, intermediate_values=logs)
        value = record.value
        if value is None or record.outcome == "diverged":
            value = self._worst(all_of_them)
        return make(state=TrialState.COMPLETE, value=value)

    def _worst(self, records: Sequence[Record]) -> float:
        values = [each.value for each in records if each.value is not None]
        return (max if self._goal == "minimize" else min)(values, default=0.0)


def _check_packages() -> None:
    missing = [name for name in ("torch", "scipy") if importlib.util.find_spec(name) is None]
    if missing:
        names = " and ".join(missing)
        raise RequirementError(
            f"the Gaussian process (--sampler gp) needs {names}, which is not installed",
            fix=f"pip install {' '.join(missing)}, or use --sampler tpe",
        )


def _axis(each: Distribution) -> _Axis:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    same: BaseDistribution
    if isinstance(each, Categorical) and each.probabilities is None:
        # Named by their text: to Optuna, True is 1, and a list is no choice at all.
        by_text = {as_value(value): value for value in each.values}
        return _Axis(
            CategoricalDistribution(tuple(by_text)),
            by_text.__getitem__,
            lambda u: as_value(each.quantile(u)),
        )
    if isinstance(each, IntUniform):
        same = IntDistribution(each.min, each.max)
    elif isinstance(each, Uniform):
        same = FloatDistribution(each.min, each.max, log=each.log)
    elif isinstance(each, Rounded) and each.is_even and each.q == int(each.q):
        assert each.bounds is not None
        low, high = map(int, each.bounds)
        same = IntDistribution(low, high, step=int(each.q))
    else:
        return _Axis(FloatDistribution(0, 1), each.quantile, lambda u: u)
    return _Axis(same, lambda value: value, each.quantile)
