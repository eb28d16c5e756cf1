"""Whether two things go together, with the reason: an answer that can be no only with proof."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, ParamSpec, TypeVar

OsName = Literal["linux", "windows", "macos"]
State = Literal["yes", "limited", "doubtful", "no", "unknown"]
"""``limited``: it goes, with a condition that ``why`` and ``fix`` name. ``doubtful``: it may not
go, by a row that nobody has checked against its source."""

_P = ParamSpec("_P")
_V = TypeVar("_V")


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """What a verdict rests on: a row of a table; or a rule, which holds for every version."""

    sources: tuple[str, ...]
    """Ids of env/compat/sources.json."""
    verified: bool
    """Whether it was checked against them."""
    note: str = ""


PYPI = Row(sources=("pypi-wheels",), verified=True)
"""The wheels on PyPI, to which ``env/compat/check_wheels.py`` holds the tables."""


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
    verified: bool = False
    """Whether every row behind it was checked; there is no ``no`` without that."""

    def __post_init__(self) -> None:
        if self.state == "no" and not (self.verified and self.sources):
            raise TypeError(f"a no rests on verified rows with sources; this does not: {self.why}")


def judged(state: State, why: str, fix: str, *rows: Row) -> Verdict:
    """Returns a verdict; where a row is not sure, ``doubtful`` instead of no.

    Args:
        state: What the rows say.
        why: The reason.
        fix: What would make it go, or has to be minded.
        rows: Everything that the answer rests on.
    """
    sources = tuple(dict.fromkeys(source for row in rows for source in row.sources))
    if state != "no":
        return Verdict(state=state, why=why, fix=fix, sources=sources)
    if sources and all(row.verified for row in rows):
        return Verdict(state="no", why=why, fix=fix, sources=sources, verified=True)
    why = f"{why.rstrip('.')}. The row that says so was not checked against its source: try it"
    return Verdict(state="doubtful", why=why, fix=fix, sources=sources)


def no(why: str, fix: str, *rows: Row) -> Verdict:
    """Returns the verdict that two things do not go together, as far as the rows are sure."""
    return judged("no", why, fix, *rows)


def unknown(why: str, *rows: Row, fix: str = "") -> Verdict:
    """Returns the verdict that the tables do not say."""
    return judged("unknown", why, fix, *rows)


def or_unknown(question: Callable[_P, _V]) -> Callable[_P, _V | Verdict]:
    """Turns text that is no version into the verdict ``unknown``: a guess would be worse."""

    @functools.wraps(question)
    def ask(*args: _P.args, **kwargs: _P.kwargs) -> _V | Verdict:
        try:
            return question(*args, **kwargs)
        except ValueError as error:
            return unknown(str(error))

    return ask
