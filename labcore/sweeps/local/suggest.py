"""Which values the next trial gets.

A suggestion depends on nothing but the sweep's seed, the trial's number and the trials before it:
the sampler is made anew for each, from the records. A sweep that was stopped and resumed therefore
suggests what it would have suggested.
"""

import hashlib
import importlib.util
import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import TYPE_CHECKING, Any, Literal

from labcore.errors import RequirementError
from labcore.sweeps.local.record import Record
from labcore.sweeps.local.space import Space
from labcore.sweeps.sweep import Sweep

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.samplers import BaseSampler
    from optuna.trial import FrozenTrial

__all__ = ["SAMPLERS", "Sampler", "Suggester", "Suggestion"]

Sampler = Literal["tpe", "gp"]
SAMPLERS: tuple[Sampler, ...] = ("tpe", "gp")
_RANDOM_FIRST = 10
"""Trials with a result before the model of ``bayes`` says anything."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Suggestion:
    """Values for a trial."""

    values: dict[str, Any]
    """Dotted option to value, constants among them."""
    params: dict[str, Any]
    """The same as the sampler searches it."""


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
        self.space = Space(sweep.parameters)

    @property
    def distributions(self) -> "dict[str, BaseDistribution]":
        """What Optuna searches, by name."""
        return self.space.distributions

    def suggest(self, number: int, before: Sequence[Record]) -> Suggestion | None:
        """Returns the values of a trial; None when the grid has no more.

        Args:
            number: Of the trial, from 0.
            before: The trials before it, those under way included.
        """
        size = self._sweep.grid_size
        if size is not None:
            if number >= size:
                return None
            point = self._sweep.grid_point(number)
            return Suggestion(values=point, params=self.space.params_at(point))
        params = self.space.draw(Random(self._mixed(number)))
        seen = [each for each in before if each.outcome and each.outcome != "failed"]
        if self._sweep.method == "bayes" and self.space.axes and len(seen) >= _RANDOM_FIRST:
            params = self._search(number, [each for each in before if each.outcome != "failed"])
        return Suggestion(values=self.space.values(params), params=params)

    def _mixed(self, number: int) -> int:
        text = f"{self._seed} {number}"
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")

    def _search(self, number: int, before: Sequence[Record]) -> dict[str, Any]:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        goal = self._sweep.metric.goal if self._sweep.metric is not None else "minimize"
        study = optuna.create_study(direction=goal, sampler=self._make_sampler(number))
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
        if not values:
            return 0.0
        goal = self._sweep.metric.goal if self._sweep.metric is not None else "minimize"
        return max(values) if goal == "minimize" else min(values)


def _check_packages() -> None:
    missing = [name for name in ("torch", "scipy") if importlib.util.find_spec(name) is None]
    if missing:
        names = " and ".join(missing)
        raise RequirementError(
            f"the Gaussian process (--sampler gp) needs {names}, which is not installed",
            fix=f"pip install {' '.join(missing)}, or use --sampler tpe",
        )
