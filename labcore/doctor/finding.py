"""What a check has to say."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal

__all__ = ["STATES", "Finding", "State", "counted", "failure", "ok", "say", "unknown", "warning"]

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

    @property
    def is_problem(self) -> bool:
        """Whether it is a failure or a warning."""
        return self.state in ("failure", "warning")


def counted(findings: Iterable[Finding], *states: State) -> str:
    """Returns ``1 failure, 2 warnings``; empty when there is none of these states."""
    counts = Counter(finding.state for finding in findings)
    nouns = {"unknown": "not known", "ok": "fine"}
    return ", ".join(
        f"{counts[state]} {nouns.get(state) or state + 's' * (counts[state] > 1)}"
        for state in states
        if counts[state]
    )


def say(
    state: State,
    summary: str,
    *,
    cause: str = "",
    fix: str = "",
    sources: tuple[str, ...] = (),
    **evidence: Any,
) -> Finding:
    """Returns a finding; evidence that is None is left out."""
    known = {name: value for name, value in evidence.items() if value is not None}
    return Finding(
        state=state, summary=summary, cause=cause, fix=fix, sources=sources, evidence=known
    )


ok = partial(say, "ok")
"""A thing is as it should be."""
warning = partial(say, "warning")
"""A thing works, but not as well as it should, or not for long; with ``cause`` and ``fix``."""
failure = partial(say, "failure")
"""A thing does not work; with ``cause`` and ``fix``."""
unknown = partial(say, "unknown")
"""Nothing can be said; ``cause`` says why."""
