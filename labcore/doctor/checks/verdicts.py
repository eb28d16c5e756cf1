"""Findings that several checks word alike: what the tables say, and what was built for what."""

from typing import Any, Literal

from labcore.doctor.finding import Finding, ok, say, unknown
from labcore.doctor.machine import TensorFlowBuild, TorchBuild
from labcore.doctor.tables import Verdict

__all__ = ["built", "from_verdict"]


def built(name: str, build: TorchBuild | TensorFlowBuild, hip: str = "") -> Finding:
    """Returns the finding that names a framework and what it was built for."""
    text = {None: "", "": ", built for the CPU"}.get(build.cuda, f", built for CUDA {build.cuda}")
    if hip:
        text = f", built for AMD (ROCm {hip})"
    archs = list(build.archs or ())
    return ok(f"{name} {build.version}{text}", cuda=build.cuda, cudnn=build.cudnn, archs=archs)


def from_verdict(
    verdict: Verdict,
    *,
    good: str,
    bad: str,
    fix: str = "",
    worst: Literal["warning", "failure"] = "failure",
    limited: Literal["ok", "warning"] = "ok",
    **evidence: Any,
) -> Finding:
    """Returns the finding for a verdict.

    Args:
        verdict: What the tables say.
        good: Summary when it is yes, or limited and that is fine; a clause of its own.
        bad: Summary when it is not.
        fix: What mends it; what the tables advise when empty.
        worst: State of a no; what is doubtful is never more than a warning.
        limited: State of something that works with a restriction.
        evidence: What the question was about.
    """
    sources = verdict.sources
    if verdict.state == "unknown":
        return unknown(f"not known whether {good}", cause=verdict.why, **evidence)
    if verdict.state == "yes":
        return ok(good, sources=sources, why=verdict.why, **evidence)
    if verdict.state == "limited" and limited == "ok":
        return ok(f"{good}, with limits", sources=sources, why=verdict.why, **evidence)
    if verdict.state == "doubtful":
        bad = f"perhaps {bad}"
    state = worst if verdict.state == "no" else "warning"
    return say(state, bad, cause=verdict.why, fix=fix or verdict.fix, sources=sources, **evidence)
