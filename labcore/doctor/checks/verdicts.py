"""Turning what the compatibility tables say into findings."""

from collections.abc import Callable
from typing import Any, Literal

from labcore.doctor.finding import Finding, failure, ok, unknown, warning
from labcore.doctor.tables import Row, Verdict

__all__ = ["failure_by", "from_verdict"]


def failure_by(*rows: Row) -> Callable[..., Finding]:
    """Returns ``failure`` where every row that says so was checked, else ``warning``."""
    return failure if all(row.verified for row in rows) else warning


def from_verdict(
    verdict: Verdict,
    *,
    good: str,
    bad: str,
    fix: str = "",
    worst: Literal["warning", "failure"] = "failure",
    limited: Literal["ok", "warning"] = "ok",
    **evidence: Any,
) -> Finding:
    """Returns the finding for a verdict.

    Args:
        verdict: What the tables say.
        good: Summary when it is yes, or limited and that is fine; a clause of its own.
        bad: Summary when it is not.
        fix: What mends it; what the tables advise when empty.
        worst: State of a no; what is doubtful is never more than a warning.
        limited: State of something that works with a restriction.
        evidence: What the question was about.
    """
    sources = verdict.sources
    if verdict.state == "unknown":
        return unknown(f"not known whether {good}", cause=verdict.why, **evidence)
    if verdict.state == "yes":
        return ok(good, sources=sources, why=verdict.why, **evidence)
    if verdict.state == "limited" and limited == "ok":
        return ok(f"{good}, with limits", sources=sources, why=verdict.why, **evidence)
    if verdict.state == "doubtful":
        bad = f"perhaps {bad}"
    say = failure if verdict.state == "no" and worst == "failure" else warning
    return say(bad, cause=verdict.why, fix=fix or verdict.fix, sources=sources, **evidence)
