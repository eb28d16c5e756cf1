"""Whether two things go together, with the reason."""

import functools
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal, ParamSpec

__all__ = ["OsName", "State", "Verdict", "because", "no", "or_unknown"]

OsName = Literal["linux", "windows", "macos"]
State = Literal["yes", "limited", "no", "unknown"]
"""``limited``: it goes, with a condition that ``why`` and ``fix`` name."""

_P = ParamSpec("_P")


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """An answer of the tables."""

    state: State
    why: str
    """The reason, for people: which versions, and which rule."""
    fix: str = ""
    """What would make it go, or what has to be minded when it is ``limited``."""
    sources: tuple[str, ...] = ()
    """Ids of env/compat/sources.json."""


def no(why: str, fix: str = "", sources: tuple[str, ...] = ()) -> Verdict:
    """Returns a verdict that two things do not go together."""
    return Verdict(state="no", why=why, fix=fix, sources=sources)


def or_unknown(question: Callable[_P, Verdict]) -> Callable[_P, Verdict]:
    """Turns text that is no version into the verdict ``unknown``: a guess would be worse."""

    @functools.wraps(question)
    def ask(*args: _P.args, **kwargs: _P.kwargs) -> Verdict:
        try:
            return question(*args, **kwargs)
        except ValueError as error:
            return Verdict(state="unknown", why=str(error))

    return ask


def because(verdict: Verdict, extra: str) -> Verdict:
    """Returns the verdict with one more sentence of reason."""
    return replace(verdict, why=f"{verdict.why.rstrip('.')}. {extra}") if extra else verdict
