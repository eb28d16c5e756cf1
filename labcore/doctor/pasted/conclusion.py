"""The one sentence on a pasted text: what is broken, that it is not known, or an all-clear."""

from collections.abc import Sequence
from dataclasses import dataclass

from labcore.doctor.finding import Finding, counted
from labcore.doctor.pasted.report import FarReport
from labcore.doctor.pasted.text import shortened
from labcore.errors import RequirementError

__all__ = ["NOT_KNOWN", "AllClear", "Conclusion", "conclude"]

NOT_KNOWN = 1
"""Exit code when the text does not say what is wrong, if anything is."""
_KINDS = {
    "collect_env": "An environment block of PyTorch",
    "lab report": "A report of lab doctor",
    "log": "A log or error text",
}
_COMPARING = frozenset({
    "driver-vs-cuda", "driver-minor", "arch-unsupported", "torch-companions", "nvcc-mismatch",
    "host-compiler", "tf-tested", "tf-arch", "p3d-torch", "py-range", "numpy-abi", "cub-check",
})  # fmt: skip
"""Checks whose ``ok`` means that two versions were held against each other."""


@dataclass(frozen=True, slots=True)
class AllClear:
    """That nothing is wrong: cannot be said without a comparison, nor over an unread line."""

    compared: tuple[Finding, ...]
    """Pairs of versions that were found to go together."""
    unread: tuple[str, ...]
    """Lines that look like errors and that no entry has read."""

    def __post_init__(self) -> None:
        if not self.compared or self.unread:
            raise ValueError("nothing was compared, or a line that looks like an error is unread")

    def __str__(self) -> str:
        count = len(self.compared)
        return f"no problem found in {count} pair{'s' * (count > 1)} of versions"


@dataclass(frozen=True, slots=True)
class Conclusion:
    """What is said in one line, and to scripts."""

    headline: str
    exit_code: int
    all_clear: AllClear | None = None


def conclude(report: FarReport, findings: Sequence[Finding]) -> Conclusion:
    """Sums up what :func:`~labcore.doctor.pasted.report.diagnose_report` found."""
    kind = _KINDS[report.kind]
    problems = counted(findings, "failure", "warning")
    if problems:
        is_broken = any(each.state == "failure" for each in findings)
        return Conclusion(f"{kind}: {problems}", RequirementError.exit_code if is_broken else 0)
    mysteries = [each.summary for each in report.errors if each.state == "unknown"]
    unread = (*report.unread, *mysteries)
    compared = tuple(each for each in findings if each.state == "ok" and each.check in _COMPARING)
    if compared and not unread:
        clear = AllClear(compared, unread)
        return Conclusion(f"{kind}: {clear}", 0, clear)
    if mysteries:
        why = "it holds an error that the doctor does not know"
    elif unread:
        why = f"this line, and perhaps others, tell of a problem: {shortened(unread[0], 100)}"
    elif any(each.state == "ok" for each in report.errors):
        why = "only lines that are harmless by themselves, and no two versions to compare"
    else:
        why = "no error, and no two versions to compare"
    return Conclusion(f"{kind}: not known whether something is wrong; {why}", NOT_KNOWN)
