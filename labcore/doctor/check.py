"""What a check is: a question about a machine, asked of facts that were gathered before.

One that breaks is a finding, never the end of the doctor.
"""

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

from labcore.doctor.finding import Finding, unknown
from labcore.doctor.machine import Machine

__all__ = ["AREAS", "Area", "Check", "check", "diagnose"]

log = logging.getLogger(__name__)

Area = Literal[
    "plugin", "system", "gpu", "python", "torch", "tensorflow", "pytorch3d", "build", "tools"
]

AREAS: dict[Area, str] = {
    "plugin": "The plugin",
    "system": "System",
    "gpu": "NVIDIA driver and GPUs",
    "python": "Python and packages",
    "torch": "PyTorch",
    "tensorflow": "TensorFlow",
    "pytorch3d": "PyTorch3D",
    "build": "Building CUDA extensions",
    "tools": "Tools, logging and data",
}
"""The groups of a page, in its order."""


Question = Callable[..., Finding | Iterable[Finding] | None]
"""Takes the machine, and the part of it that the check is about, where it names one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Check:
    """A question with a stable id.

    The question is a pure function of the facts: the same one is put to this machine, to a report
    pasted from another and to a machine that somebody only plans. It says nothing (None) when it
    does not apply, and ``unknown`` when a fact that it needs was not to be had.
    """

    id: str
    """Stable, lower-case words with hyphens; typed as ``--only ID``."""
    area: Area
    title: str
    """What is looked at, in a few words, for ``--list``."""
    ask: Question
    part: str = ""
    """The field or property of the machine that it is about. Where that is None or empty there is
    nothing to ask; the question gets it beside the machine."""
    needs: tuple[str, ...] = ()
    """Facts without which the question is not asked: names of fields of the machine. The answer is
    ``unknown`` when one is None."""
    deep: bool = False
    """Whether it needs ``--deep``: it reads what child processes found that import frameworks."""


def check(
    name: str, area: Area, title: str, part: str = "", *, needs: tuple[str, ...] = ()
) -> Callable[[Question], Check]:
    """Makes a check of the function below it, which is its question."""
    return lambda ask: Check(id=name, area=area, title=title, ask=ask, part=part, needs=needs)


def diagnose(machine: Machine, checks: Iterable[Check]) -> list[Finding]:
    """Returns what the checks have to say about a machine, in their order.

    A check that does not apply says nothing. One that raises gives a finding of state ``unknown``
    with its error.
    """
    return [
        finding if finding.check else replace(finding, check=check.id)
        for check in checks
        for finding in _answers(machine, check)
    ]


def _answers(machine: Machine, check: Check) -> Iterator[Finding]:
    lacking = [name for name in check.needs if getattr(machine, name) is None]
    if lacking:
        facts = " and ".join(name.replace("_", " ") for name in lacking)
        yield unknown(f"{check.title}: {facts} not known", lacking=lacking)
        return
    try:
        part = [getattr(machine, check.part)] if check.part else []
        said = check.ask(machine, *part) if all(part) else None
        yield from (said,) if isinstance(said, Finding) else said or ()
    except Exception as error:  # whatever a check raises, the others still have something to say
        log.debug("check %s failed", check.id, exc_info=True)
        yield unknown(
            f"{check.title}: the check itself failed",
            cause=f"{type(error).__name__}: {error}; this is a fault of the doctor, not of the "
            "machine",
        )
