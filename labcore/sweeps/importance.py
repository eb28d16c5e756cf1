"""Which parameters decided how good a trial was, and in which direction.

The share of each parameter is that of PED-ANOVA (Watanabe, Bansal and Hutter, IJCAI 2023): how much
the distribution of the parameter among the best quarter of the trials differs from its distribution
among all of them. It needs no model of the metric, which a handful of trials cannot give, and a few
trials that went badly wrong do not count for more than other bad ones. Optuna computes it.

The direction is Spearman's rank correlation between the parameter and the metric.
"""

import importlib.util
import json
import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

__all__ = ["LEAST_TRIALS", "Importance", "Observation", "measure_importance", "rank_correlation"]

LEAST_TRIALS = 20
"""Fewer trials than this have too few among their best to tell anything."""

_BEST_SHARE = 0.25
"""A tenth is the method's default; but of two choices, one of which all the best have, it then says
less than of a number of little effect. Of the fewest trials, a quarter is the five best."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Observation:
    """What a trial had, and how good it was."""

    values: Mapping[str, Any]
    score: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Importance:
    """How much the parameters mattered.

    Attributes:
        shares: By parameter, the largest first; they sum to 1. Empty when it cannot be told.
        correlations: Spearman's rank correlation with the metric, by parameter that is a number.
        reason: Why there are no shares, for the user; empty when there are.
    """

    shares: Mapping[str, float]
    correlations: Mapping[str, float]
    reason: str = ""


def measure_importance(
    observations: Sequence[Observation],
    parameters: Mapping[str, bool],
    goal: Literal["minimize", "maximize"],
) -> Importance:
    """Measures how much each parameter mattered.

    Args:
        observations: The trials that can be compared, those that were stopped early with the best
            that they had reached.
        parameters: Names of the parameters that vary, and whether each is drawn by its logarithm.
        goal: Whether a good score is small or large.
    """
    complete = [o for o in observations if all(name in o.values for name in parameters)]
    correlations = {
        name: rank_correlation([o.values[name] for o in complete], [o.score for o in complete])
        for name in parameters
        if _are_numbers([o.values[name] for o in complete])
    }
    known = {name: rho for name, rho in correlations.items() if rho is not None}
    if not parameters:
        return Importance(shares={}, correlations={}, reason="No parameter varies.")
    if len(complete) < LEAST_TRIALS:
        reason = (
            f"It takes {LEAST_TRIALS} trials with a value of the metric to tell; "
            f"there {'is' if len(complete) == 1 else 'are'} {len(complete)}."
        )
        return Importance(shares={}, correlations=known, reason=reason)
    if min(o.score for o in complete) == max(o.score for o in complete):
        reason = "All trials are equally good."
        return Importance(shares={}, correlations=known, reason=reason)
    if importlib.util.find_spec("optuna") is None:
        reason = "It is computed by Optuna, which is not installed: pip install optuna"
        return Importance(shares={}, correlations=known, reason=reason)
    return Importance(shares=_shares(complete, parameters, goal), correlations=known)


def rank_correlation(values: Sequence[float], scores: Sequence[float]) -> float | None:
    """Returns Spearman's rank correlation; None when either does not vary.

    Args:
        values: One of the two, without NaN.
        scores: The other, in the same order.
    """
    if len(set(values)) < 2 or len(set(scores)) < 2:
        return None
    return statistics.correlation(_ranks(values), _ranks(scores))


def _ranks(values: Sequence[float]) -> list[float]:
    """Ranks from 1; equal values share the mean of their ranks."""
    ordered = sorted(values)
    first: dict[float, int] = {}
    count: dict[float, int] = {}
    for index, value in enumerate(ordered, start=1):
        first.setdefault(value, index)
        count[value] = count.get(value, 0) + 1
    return [first[value] + (count[value] - 1) / 2 for value in values]


def _shares(
    observations: Sequence[Observation],
    parameters: Mapping[str, bool],
    goal: Literal["minimize", "maximize"],
) -> dict[str, float]:
    # Here: importing Optuna takes a third of a second.
    import optuna

    columns = {name: [o.values[name] for o in observations] for name in parameters}
    plain = {
        name: column if _are_numbers(column) else [_label(value) for value in column]
        for name, column in columns.items()
    }
    distributions = {name: _distribution(plain[name], log) for name, log in parameters.items()}
    trials = [
        optuna.trial.create_trial(
            params={name: plain[name][index] for name in parameters},
            distributions=distributions,
            value=observation.score,
        )
        for index, observation in enumerate(observations)
    ]
    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)  # it tells of every study it makes
    try:
        study = optuna.create_study(direction=goal)
        study.add_trials(trials)
        evaluator = optuna.importance.PedAnovaImportanceEvaluator(target_quantile=_BEST_SHARE)
        found = optuna.importance.get_param_importances(study, evaluator=evaluator)
    finally:
        optuna.logging.set_verbosity(verbosity)
    return dict(sorted(found.items(), key=lambda item: -item[1]))


def _distribution(column: Sequence[Any], log: bool) -> "BaseDistribution":
    """What Optuna may take the values to be drawn from: as wide as they are."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution

    if not _are_numbers(column):
        return CategoricalDistribution(sorted(set(column)))
    low, high = min(column), max(column)
    return FloatDistribution(low, high, log=log and low > 0)


def _are_numbers(column: Sequence[Any]) -> bool:
    return bool(column) and all(
        isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        for value in column
    )


def _label(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=str)
