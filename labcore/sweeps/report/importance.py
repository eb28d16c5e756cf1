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
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from labcore.sweeps.report.model import Goal, Parameter, TrialRow

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

__all__ = ["LEAST_TRIALS", "Importance", "measure_importance", "rank_correlation"]

LEAST_TRIALS = 20
"""Fewer trials than this have too few among their best to tell anything."""

_BEST_SHARE = 0.25
"""A tenth is the method's default; but of two choices, one of which all the best have, it then says
less than of a number of little effect. Of the fewest trials, a quarter is the five best."""


@dataclass(kw_only=True, slots=True)
class Importance:
    """How much the parameters mattered.

    Attributes:
        shares: By parameter, the largest first; they sum to 1. Empty when it cannot be told.
        correlations: Spearman's rank correlation with the metric, by parameter that is a number.
        reason: Why there are no shares, for the user; empty when there are.
    """

    shares: Mapping[str, float] = field(default_factory=dict)
    correlations: Mapping[str, float]
    reason: str = ""


def measure_importance(
    trials: Sequence[TrialRow], parameters: Sequence[Parameter], goal: Goal
) -> Importance:
    """Measures how much each parameter mattered.

    Args:
        trials: Those that can be compared, the ones that were stopped early with the best that
            they had reached.
        parameters: Those that vary.
        goal: Whether a good score is small or large.
    """
    complete = [t for t in trials if all(each.name in t.values for each in parameters)]
    scores = [trial.score or 0.0 for trial in complete]
    columns = {each.name: [t.values[each.name] for t in complete] for each in parameters}
    correlations = {
        name: rank_correlation(column, scores)
        for name, column in columns.items()
        if _are_numbers(column)
    }
    found = Importance(correlations={n: rho for n, rho in correlations.items() if rho is not None})
    if not parameters:
        found.reason = "No parameter varies."
    elif len(complete) < LEAST_TRIALS:
        found.reason = (
            f"It takes {LEAST_TRIALS} trials with a value of the metric to tell; "
            f"there {'is' if len(complete) == 1 else 'are'} {len(complete)}."
        )
    elif min(scores) == max(scores):
        found.reason = "All trials are equally good."
    elif importlib.util.find_spec("optuna") is None:
        found.reason = "It is computed by Optuna, which is not installed: pip install optuna"
    else:
        found.shares = _shares(columns, {each.name: each.log for each in parameters}, scores, goal)
    return found


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
    """Twice the ranks; equal values share the mean of theirs."""
    ordered = sorted(values)
    return [float(bisect_left(ordered, each) + bisect_right(ordered, each)) for each in values]


def _shares(
    columns: Mapping[str, Sequence[Any]],
    is_log: Mapping[str, bool],
    scores: Sequence[float],
    goal: Goal,
) -> dict[str, float]:
    # Here: importing Optuna takes a third of a second.
    import optuna

    plain = {
        name: column
        if _are_numbers(column)
        else [json.dumps(value, sort_keys=True, default=str) for value in column]
        for name, column in columns.items()
    }
    distributions = {name: _distribution(column, is_log[name]) for name, column in plain.items()}
    trials = [
        optuna.trial.create_trial(
            params={name: column[index] for name, column in plain.items()},
            distributions=distributions,
            value=score,
        )
        for index, score in enumerate(scores)
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
