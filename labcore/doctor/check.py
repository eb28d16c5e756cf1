"""What a check is: a question about a machine, asked of facts that were gathered before."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from labcore.doctor.finding import Finding
from labcore.doctor.machine import Machine

__all__ = ["AREAS", "Area", "Check", "check"]

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


@dataclass(frozen=True, kw_only=True, slots=True)
class Check:
    """A question with a stable id.

    The question is a pure function of the facts: the same one is put to this machine, to a report
    pasted from another and to a machine that somebody only plans. It yields nothing when it does
    not apply, and says ``unknown`` when a fact that it needs was not to be had.
    """

    id: str
    """Stable, lower-case words with hyphens; typed as ``--only ID``."""
    area: Area
    title: str
    """What is looked at, in a few words, for ``--list``."""
    ask: Callable[[Machine], Iterable[Finding]]
    needs: tuple[str, ...] = ()
    """Facts without which the question is not asked: names of fields of the machine. The answer is
    ``unknown`` when one is None."""
    deep: bool = False
    """Whether it needs ``--deep``: it reads what child processes found that import frameworks."""
    probes: tuple[str, ...] = ()
    """The probes whose results a deep check reads."""


def check(
    name: str, area: Area, title: str, *, needs: tuple[str, ...] = ()
) -> Callable[[Callable[[Machine], Iterable[Finding]]], Check]:
    """Makes a check of the function below it, which is its question."""
    return lambda ask: Check(id=name, area=area, title=title, ask=ask, needs=needs)
