"""Whether a set of versions goes together, and if not, what does."""

from dataclasses import dataclass

from labcore.doctor.tables.alternatives import Alternative, alternatives
from labcore.doctor.tables.install import commands
from labcore.doctor.tables.pairs import Pair, pairs
from labcore.doctor.tables.setup import Setup
from labcore.doctor.tables.verdict import OsName

__all__ = ["Explanation", "explain", "goes"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Explanation:
    """The answer for one operating system."""

    setup: Setup
    os: OsName
    lines: tuple[Pair, ...]
    works: bool | None
    """None when something decisive is not known."""
    commands: tuple[str, ...]
    """How to install the set; empty when it does not go together."""
    alternatives: tuple[Alternative, ...]
    """What goes instead; empty when the set does."""


def explain(setup: Setup) -> Explanation:
    """Judges a set pair by pair, for its operating system or else for Linux."""
    os = setup.os or "linux"
    lines = tuple(pairs(setup, os))
    works = goes(lines)
    return Explanation(
        setup=setup,
        os=os,
        lines=lines,
        works=works,
        commands=commands(setup, os) if works else (),
        alternatives=alternatives(setup, os) if _is_refused(lines) else (),
    )


def _is_refused(lines: tuple[Pair, ...]) -> bool:
    return any(line.verdict.state in ("no", "doubtful") for line in lines)


def goes(lines: tuple[Pair, ...]) -> bool | None:
    """Whether a set works by the verdicts on its pairs; None when that is not known."""
    states = {line.verdict.state for line in lines}
    if "no" in states:
        return False
    return None if states & {"unknown", "doubtful"} or not states else True
