"""Telling what a pasted text is, what it tells of its machine and which errors it holds."""

import re
import traceback
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from labcore.doctor.check import Check, diagnose
from labcore.doctor.finding import Finding
from labcore.doctor.machine import Card, Machine, TorchBuild
from labcore.doctor.pasted.collect_env import is_collect_env, read_collect_env
from labcore.doctor.pasted.errors import find_errors
from labcore.doctor.pasted.facts import Facts
from labcore.doctor.pasted.fragments import read_fragments, read_hints
from labcore.doctor.pasted.known import known_errors
from labcore.doctor.pasted.text import clean, ends_of
from labcore.doctor.share import from_report
from labcore.doctor.tables import find_card
from labcore.errors import LabError, RequirementError, RunFailed

__all__ = ["FarReport", "describe", "diagnose_report", "explain_raised", "read"]

_NOTHING = Finding(
    check="nothing-found",
    state="unknown",
    summary="this text holds no error that the doctor can see, and no versions",
    cause="It reads the output of python -m torch.utils.collect_env, lab doctor --report, "
    "tracebacks, and logs of pip, gcc, nvcc, MSVC and ninja.",
)
_FROM_PROSE = frozenset({
    "tf-windows", "tf-tested", "tf-arch", "arch-unsupported", "driver-vs-cuda", "py-range",
    "torch-companions", "p3d-torch",
})  # fmt: skip
"""Checks that may judge versions which somebody only writes of."""
_OWN = re.compile(r"### lab doctor\b.*?\"schema\": \"lab-doctor-report[^\n]*", re.DOTALL)

Kind = Literal["collect_env", "lab report", "log"]


@dataclass(frozen=True, kw_only=True, slots=True)
class FarReport:
    """What a text from another machine tells."""

    kind: Kind
    """What it is mainly; an issue with an environment block and a traceback is ``collect_env``."""
    machine: Machine
    """What it says for certain of the machine; None is unknown."""
    errors: tuple[Finding, ...]
    """Errors in it, the root cause first, with what mends them."""
    said: Machine
    """The same with what people write in their own words: good for a hint, not for an all-clear."""
    unread: tuple[str, ...] = ()
    """Lines that look like an error and that nothing has read, when no failure was recognised."""
    cuda_available: bool | None = None
    """What torch itself said there."""


def read(text: str) -> FarReport:
    """Reads a pasted text: environment block, error, build log, our own report, or a mix."""
    own = from_report(text)
    pasted = clean(text)
    if own is not None:
        # Our own page goes out: the errors that it speaks of are told already.
        text = _OWN.sub(lambda page: re.sub(r"[^\n]", " ", page[0]), pasted.text)
        pasted = replace(pasted, text=text)
    facts = Facts()
    has_block = is_collect_env(pasted.text)
    if has_block:
        read_collect_env(pasted.text, facts)
    read_fragments(pasted.text, facts)
    available = facts.get("cuda_available")
    certain = _with_capabilities(own or facts.machine())
    read_hints(ends_of(pasted.text), facts)
    said = _with_capabilities(_with_known(certain, facts.machine()))
    cards, with_card = facts["said_cards"], said
    if cards and not said.cards:
        with_card = _with_capabilities(replace(said, cards=(Card(name=cards[0]),)))
    errors, unread = find_errors(pasted, with_card)
    is_bad = any(each.is_problem for each in errors)
    if available is False and not is_bad and (certain.torch is None or certain.torch.cuda):
        unread = ("Is CUDA available: False", *unread)
    return FarReport(
        kind="lab report" if own is not None else "collect_env" if has_block else "log",
        machine=certain,
        errors=tuple(errors),
        said=with_card if len(cards) == 1 else said,
        unread=unread,
        cuda_available=available,
    )


def diagnose_report(report: FarReport, checks: Iterable[Check]) -> list[Finding]:
    """Returns what is to be said of a report: its errors, then what checks make of its machine.

    A check that finds what an error already told is left out; so is one that could not be made
    for want of facts, unless nothing else is to be said.
    """
    told = {finding.check for finding in report.errors}
    explained = told.union(*(error.explains for error in known_errors() if error.id in told))
    if report.machine.torch is None:  # what pip would bring is no matter of this text
        explained.add("arch-dropped-pip-default")
    checks = tuple(checks)
    findings = [each for each in diagnose(report.machine, checks) if each.check not in explained]
    bad = any(each.is_problem for each in (*report.errors, *findings))
    if report.unread and not bad:
        # Somebody complains and the certain facts are no reason: the versions in prose may be.
        hints = diagnose(report.said, (each for each in checks if each.id in _FROM_PROSE))
        hints = [each for each in hints if each.is_problem]
        findings, bad = findings + hints, bool(hints)
    there = report.machine
    unavailable = report.cuda_available is False and not bad
    if unavailable and there.torch and there.torch.cuda and there.driver and there.cards:
        findings.append(_unavailable(there.torch, there.driver, there.cards[0]))
    if not (report.errors or bad) and there == Machine(origin="report"):
        findings = [_NOTHING]
    return [*report.errors, *findings]


def describe(machine: Machine) -> str:
    """Returns what is known of a machine in a line; empty when nothing is."""
    torch, tensorflow = machine.torch, machine.tensorflow
    packages = machine.packages or {}
    cards = Counter(card.name for card in machine.cards or ())
    parts = [
        machine.os_name
        or {"linux": "Linux", "windows": "Windows", "macos": "macOS"}.get(machine.os or ""),
        f"Python {machine.python}" if machine.python else None,
        f"torch {torch.version}" if torch else None,
        f"CUDA {torch.cuda} in it" if torch and torch.cuda else None,
        f"TensorFlow {tensorflow.version}" if tensorflow else None,
        f"PyTorch3D {packages['pytorch3d']}" if "pytorch3d" in packages else None,
        f"toolkit {machine.toolkit.version}" if machine.toolkit else None,
        f"driver {machine.driver}" if machine.driver else None,
        *(f"{count} x {name}" if count > 1 else name for name, count in cards.items()),
    ]
    return ", ".join(part for part in parts if part)


def _unavailable(torch: TorchBuild, driver: str, card: Card) -> Finding:
    """Torch says that CUDA is not available, and nothing that is known explains it."""
    return Finding(
        check="cuda-unavailable",
        state="failure",
        summary="torch says that CUDA is not available, though card, driver and build agree",
        cause=f"torch {torch.version} for CUDA {torch.cuda} goes with driver {driver} and "
        f"{card.name}. What such a block does not show: CUDA_VISIBLE_DEVICES, a container without "
        "its GPUs, a driver whose libraries and kernel module differ since an update, or a MIG "
        "setting",
        fix='python -c "import torch; torch.cuda.init()" there prints the real error; then '
        "lab doctor --deep on that machine",
        evidence={"driver": driver, "torch": torch.version},
    )


def _with_known(first: Machine, second: Machine) -> Machine:
    """Returns the first machine with its unknown facts filled in from the second."""
    gaps = {
        name: getattr(second, name)
        for name in Machine.__dataclass_fields__
        if getattr(first, name) is None and getattr(second, name) is not None
    }
    packages = {**(second.packages or {}), **(first.packages or {})}
    return replace(first, **{**gaps, "packages": packages or None})


def _with_capabilities(machine: Machine) -> Machine:
    """Looks up what a card can do from its name, where that is all that is known."""

    def capable(card: Card) -> Card:
        found = card.compute_capability is None and find_card(" ".join(card.name.split()))
        return replace(card, compute_capability=found[1].compute_capability) if found else card

    return replace(machine, cards=machine.cards and tuple(map(capable, machine.cards)))


def explain_raised(error: BaseException) -> LabError | None:
    """Returns what is known of an error that a run has raised and that comes from a library.

    A library that cannot be loaded is a requirement that is not met, whatever it raised.
    """
    if not isinstance(error, ImportError | OSError | RuntimeError):
        return None
    # Not the lines of code between: they may speak of errors that did not happen.
    told = "".join(line for each in _chain(error) for line in traceback.format_exception_only(each))
    found = next((each for each in read(told).errors if each.state == "failure"), None)
    if found is None:
        return None
    kind = RequirementError if isinstance(error, ImportError) else RunFailed
    text = f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0]}"
    return kind(f"{found.summary}\n  {text}\n  {found.cause}", fix=found.fix)


def _chain(error: BaseException) -> list[BaseException]:
    """Returns an error with those that led to it, the first one first."""
    chain: list[BaseException] = []
    each: BaseException | None = error
    while each is not None and each not in chain:
        chain.insert(0, each)
        each = each.__cause__ or (None if each.__suppress_context__ else each.__context__)
    return chain
