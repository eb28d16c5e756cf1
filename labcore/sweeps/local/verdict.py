"""Whether a trial under way is to be stopped: by W&B's hyperband rule, or because it diverged."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from labcore.sweeps.local.record import Outcome
from labcore.sweeps.sweep import Sweep

__all__ = ["DIVERGED_BEYOND", "Verdict", "has_diverged", "judge"]

DIVERGED_BEYOND = 1000.0
"""A trial has diverged when its metric is this many times its first value on the bad side."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """What becomes of a trial that is stopped, or whose process has ended."""

    outcome: Outcome = ""
    """Empty when it is to be run again."""
    reason: str = ""


def has_diverged(history: Sequence[float], *, minimize: bool) -> str:
    """Says why a trial has no hope any more; empty when it has.

    One of its logs is not finite, or is worse than the first by 1000 times the first value (times
    1000, when that is within 1 of zero). Every log counts, so that the answer does not hang on when
    somebody looks; only the trial itself does, since a weight of the loss that the sweep varies may
    change the size of the metric by much.

    Args:
        history: Every log of the metric.
        minimize: Which way it gets better.
    """
    for number, value in enumerate(history, 1):
        if not math.isfinite(value):
            return f"the metric is not finite at log {number}"
        worse_by = value - history[0] if minimize else history[0] - value
        if worse_by > DIVERGED_BEYOND * max(1.0, abs(history[0])):
            return f"the metric went from {history[0]:.4g} to {value:.4g}"
    return ""


def judge(
    sweep: Sweep, history: Sequence[float], others: Iterable[Sequence[float]]
) -> Verdict | None:
    """Decides about a trial that has logged its metric; None lets it go on.

    Args:
        sweep: Has the metric and the rule.
        history: The trial's logs.
        others: The logs of all other trials, finished ones too.
    """
    if sweep.metric is None:
        return None
    goal = sweep.metric.goal
    reason = has_diverged(history, minimize=goal == "minimize")
    if reason:
        return Verdict(outcome="diverged", reason=reason)
    if sweep.early_terminate is None:
        return None
    judgement = sweep.early_terminate.judge(history, others, goal)
    if judgement is None or not judgement.stop:
        return None
    return Verdict(outcome="stopped early", reason=f"hyperband at {judgement}")
