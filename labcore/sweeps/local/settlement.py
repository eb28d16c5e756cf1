"""What becomes of a trial whose process has ended: an outcome, or another try."""

from labcore.sweeps.local.live import LiveTrial
from labcore.sweeps.local.metric_log import split_name
from labcore.sweeps.local.record import Outcome
from labcore.sweeps.local.verdict import Verdict, has_diverged
from labcore.sweeps.sweep import Metric
from labcore.sweeps.trial import TrialResult, status_of

__all__ = ["settle"]

_HOPELESS = (2, 3)
"""Exit codes that a second try cannot change: the config is wrong, something is not installed."""


def settle(live: LiveTrial, result: TrialResult, *, metric: Metric | None, retries: int) -> Verdict:
    """Decides, and counts failures in the trial's record.

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
        return Verdict(outcome="diverged", reason=result.error)
    if result.exit_code in _HOPELESS:
        reason = result.error or f"exit code {result.exit_code}"
        return Verdict(outcome="failed", reason=reason)
    if result.state == "failed":
        return _count_failure(live, result.error, retries)
    return _cut_short(live, result, retries)


def _completed(live: LiveTrial, result: TrialResult, metric: Metric | None) -> Verdict:
    record = live.record
    if metric is not None and not record.history:
        value = _final_value(metric, result)
        if value is None:
            logged = ", ".join(result.metrics) or "nothing"
            reason = f"it never logged {metric.name}; it logged {logged}"
            return Verdict(outcome="failed", reason=reason)
        record.history = [value]
        record.value = value
    if metric is not None:
        # It may have ended before the verdict reached it.
        reason = has_diverged(record.history, minimize=metric.goal == "minimize")
        if reason:
            return Verdict(outcome="diverged", reason=reason)
    return Verdict(outcome="completed")


def _cut_short(live: LiveTrial, result: TrialResult, retries: int) -> Verdict:
    """Somebody else ended it: a signal, the machine, the out-of-memory killer.

    It costs nothing as long as the trial gets further each time; one that does not has failed.
    """
    record = live.record
    status = status_of(record.folder)
    logged = live.log.steps if live.log is not None else []
    # The status is written every few seconds only; the logs are there at once.
    step = max([0 if status is None else status.step or 0, *logged[-1:]])
    is_excused = live.adopted or step > record.reached
    record.reached = max(record.reached, step)
    if is_excused:
        return Verdict(reason=result.state)
    code = result.exit_code or 0
    how = f"killed by signal {code - 128}" if code > 128 else "its process was killed"
    return _count_failure(live, result.error or how, retries)


def _count_failure(live: LiveTrial, reason: str, retries: int) -> Verdict:
    live.record.failures += 1
    outcome: Outcome = "failed" if live.record.failures > retries else ""
    return Verdict(outcome=outcome, reason=reason)


def _final_value(metric: Metric, result: TrialResult) -> float | None:
    """Returns the metric of a run that never logged it on its way, from its last figures."""
    phase, name = split_name(metric.name)
    for key in (f"{phase}/{name}", f"result/{name}", f"test/{name}", metric.name):
        if key in result.metrics:
            return float(result.metrics[key])
    return None
