"""What a plan is: steps in their order, each with its reason."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from labcore.doctor.tables import Alternative, OsName, Pair

__all__ = ["HERE", "Plan", "Step"]

HERE = "./"
"""Start of a value that is a path in the folder where the commands run."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """Something to do: settings, then commands."""

    title: str
    why: str = ""
    env: Mapping[str, str] = field(default_factory=dict)
    """Variables to set for this step and those after it."""
    unset: tuple[str, ...] = ()
    """Variables to remove."""
    download: str | None = None
    """Archive to fetch and unpack before the settings."""
    commands: tuple[str, ...] = ()
    """Lines that bash and PowerShell both take."""
    script: str | None = None
    """Python text to run from a folder of its own."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """How to get a package."""

    title: str
    os: OsName
    method: str
    """wheel, source, or none when the versions do not go together."""
    facts: Mapping[str, str]
    """What it rests on: thing to version."""
    problems: tuple[Pair, ...] = ()
    """Pairs of versions that do not go together."""
    cares: tuple[Pair, ...] = ()
    """Pairs that go together with a condition."""
    alternatives: tuple[Alternative, ...] = ()
    steps: tuple[Step, ...] = ()
    notes: tuple[str, ...] = ()
