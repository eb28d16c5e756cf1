"""What becomes of a trial: whether it is stopped under way, and what counts when it has ended."""

import math
from collections.abc import Iterable, Sequence

from labcore.sweeps.local.metric_log import split_name
from labcore.sweeps.local.record import Verdict
from labcore.sweeps.local.standing import LiveTrial
from labcore.sweeps.sweep import Metric, Sweep
from labcore.sweeps.trial import TrialResult, status_of

__all__ = ["has_diverged", "judge", "settle"]

_DIVERGED_BEYOND = 1000.0
"""A trial has diverged when its metric is this many times its first value on the bad side."""
_HOPELESS = (2, 3)
"""Exit codes that a second try cannot change: the config is wrong, something is not installed."""


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
        if worse_by > _DIVERGED_BEYOND * max(1.0, abs(history[0])):
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
        return Verdict("diverged", reason)
    if sweep.early_terminate is None:
        return None
    reason = sweep.early_terminate.judge(history, others, goal)
    return Verdict("stopped early", f"hyperband at {reason}") if reason else None


def settle(live: LiveTrial, result: TrialResult, *, metric: Metric | None, retries: int) -> Verdict:
    """Decides about a trial that has ended, and counts failures in its record.

    Args:
        live: The trial; its logs have been read to the end.
        result: How its process ended.
        metric: Of the sweep.
        retries: How often a trial may be tried again.
    """
    if result.state == "finished":
        return _completed(live, result, metric)
    if live.verdict is not None:
        return live.verdict
    if result.diverged:
        return Verdict("diverged", result.error)
    if result.exit_code in _HOPELESS:
        return Verdict("failed", result.error or f"exit code {result.exit_code}")
    reason = result.error
    if result.state != "failed":
        if _gets_further(live):
            return Verdict("", result.state)
        code = result.exit_code or 0
        reason = reason or (
            f"killed by signal {code - 128}" if code > 128 else "its process was killed"
        )
    live.record.failures += 1
    return Verdict("failed" if live.record.failures > retries else "", reason)


def _completed(live: LiveTrial, result: TrialResult, metric: Metric | None) -> Verdict:
    record = live.record
    if metric is None:
        return Verdict("completed")
    if not record.history:  # it may have been logged by the last figures only
        phase, name = split_name(metric.name)
        keys = (f"{phase}/{name}", f"result/{name}", f"test/{name}", metric.name)
        found = [float(result.metrics[key]) for key in keys if key in result.metrics]
        if not found:
            logged = ", ".join(result.metrics) or "nothing"
            return Verdict("failed", f"it never logged {metric.name}; it logged {logged}")
        record.value = found[0]
        record.history = found[:1]
    # It may have ended before the verdict reached it.
    reason = has_diverged(record.history, minimize=metric.goal == "minimize")
    return Verdict("diverged" if reason else "completed", reason)


def _gets_further(live: LiveTrial) -> bool:
    """Whether a trial that somebody else ended has got further than when that last happened.

    A signal, the machine, or the out-of-memory killer costs it nothing as long as it does.
    """
    record = live.record
    status = status_of(record.folder)
    logged = live.log.steps if live.log is not None else []
    # The status is written every few seconds only; the logs are there at once.
    step = max([0 if status is None else status.step or 0, *logged[-1:]])
    before, record.reached = record.reached, max(record.reached, step)
    return live.adopted or step > before
