"""What a check has to say."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

__all__ = ["STATES", "Finding", "State", "failure", "ok", "unknown", "warning"]

State = Literal["ok", "warning", "failure", "unknown"]
"""``unknown``: the check could not be made, which is neither good nor bad."""

STATES: tuple[State, ...] = ("failure", "warning", "unknown", "ok")
"""Worst first: the order in which people want to read."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """A verdict on one thing, with its cause and what mends it."""

    check: str = ""
    """Id of the check that found it; ``diagnose`` fills it in."""
    state: State
    summary: str
    """One line: what is the case."""
    cause: str = ""
    """Why it is so, or why it matters; for people who have not met it before."""
    fix: str = ""
    """The exact command or edit that mends it; a failure has one."""
    evidence: Mapping[str, Any] = field(default_factory=dict)
    """What the verdict rests on: versions, paths, values read. Plain JSON."""
    sources: tuple[str, ...] = ()
    """Documents behind it: ids of env/compat/sources.json, or upstream issues."""

    def __post_init__(self) -> None:
        if self.state == "failure" and not self.fix:
            raise ValueError(f"{self.check or self.summary}: a failure says what mends it")


def ok(summary: str, *, sources: tuple[str, ...] = (), **evidence: Any) -> Finding:
    """Returns the finding that a thing is as it should be."""
    return Finding(state="ok", summary=summary, sources=sources, evidence=_known(evidence))


def warning(
    summary: str, *, cause: str, fix: str, sources: tuple[str, ...] = (), **evidence: Any
) -> Finding:
    """Returns the finding that a thing works, but not as well as it should, or not for long."""
    return Finding(
        state="warning",
        summary=summary,
        cause=cause,
        fix=fix,
        sources=sources,
        evidence=_known(evidence),
    )


def failure(
    summary: str, *, cause: str, fix: str, sources: tuple[str, ...] = (), **evidence: Any
) -> Finding:
    """Returns the finding that a thing does not work."""
    return Finding(
        state="failure",
        summary=summary,
        cause=cause,
        fix=fix,
        sources=sources,
        evidence=_known(evidence),
    )


def unknown(summary: str, *, cause: str = "", **evidence: Any) -> Finding:
    """Returns the finding that nothing can be said, and why."""
    return Finding(state="unknown", summary=summary, cause=cause, evidence=_known(evidence))


def _known(evidence: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in evidence.items() if value is not None}
