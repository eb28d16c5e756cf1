"""Whether every plugin really computes on the GPU of this machine. Imports no framework."""

import os
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from labcore.config.root import training_options
from labcore.devices import Gpu
from labcore.discovery import FoundPlugin
from labcore.doctor.probes import PROBES, run_child, run_probes
from labcore.hooks.profile import FILE_NAME as PROFILE
from labcore.hooks.timing import FILE_NAME as TIMING
from labcore.record.records import read_json
from labcore.report.sources import tail

__all__ = ["PROBED", "Case", "Outcome", "command", "execute", "plan_cases", "try_probe"]

PROBED: Mapping[str, str] = {
    "cuda-kernel": "torch: kernels",
    "pytorch3d": "pytorch3d: CUDA operators",
    "nccl": "nccl: two GPUs",
}
"""The doctor's probes that need a GPU and belong to no plugin, to the names in the report."""

_BFLOAT16_SINCE = 8.0
"""Compute capability of the first GPUs with bfloat16 arithmetic (Ampere)."""
_LOG_LINES = 30


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """One run to start, or the reason why it makes no sense here."""

    plugin: str
    kind: Literal["smoke", "mixed precision", "two processes"] = "smoke"
    overrides: tuple[str, ...] = ()
    """Options of the run, beside those that every case has."""
    skipped: str = ""
    """Why it is not started; empty when it is."""

    @property
    def name(self) -> str:
        """Plugin and kind, as a report shows them."""
        return f"{self.plugin}: {self.kind}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What came of one case."""

    name: str
    state: Literal["passed", "failed", "skipped"]
    reason: str = ""
    """Why it failed or was skipped."""
    seconds: float = 0.0
    device: str = ""
    kernel_ms: float = 0.0
    """Time that kernels ran on the GPU, by the profiler."""
    num_kernels: int = 0
    peak_memory_mib: float = 0.0
    """Most GPU memory that tensors held."""
    step_ms: float | None = None
    """Median time of a training step."""
    log: str = ""
    """The last lines that a failed run printed."""

    @property
    def used_gpu(self) -> bool:
        """Whether the GPU was seen to compute."""
        return self.state == "passed" and self.num_kernels > 0 and self.kernel_ms > 0


def plan_cases(found: Iterable[FoundPlugin], gpus: Sequence[Gpu]) -> list[Case]:
    """Decides what to try with each plugin: its smoke preset, mixed precision, two processes.

    Args:
        found: The plugins.
        gpus: The GPUs of this machine that a run may take; at least one.
    """
    able = min(gpu.compute_capability for gpu in gpus) >= _BFLOAT16_SINCE
    mixed = (f"train.precision={'bf16' if able else '16'}-mixed",)
    two = ("train.devices=2",)
    few = "" if len(gpus) > 1 else "needs two GPUs, and there is one"
    cases = []
    for name, plugin, reason in ((each.name, each.plugin, _why_not(each, gpus)) for each in found):
        cases.append(Case(plugin=name, skipped=reason))
        trains = plugin and plugin.tasks[0].trains and training_options(plugin.config())
        if trains and not reason:
            cases.append(Case(plugin=name, kind="mixed precision", overrides=mixed))
            cases.append(Case(plugin=name, kind="two processes", overrides=two, skipped=few))
    return cases


def _why_not(found: FoundPlugin, gpus: Sequence[Gpu]) -> str:
    if found.plugin is None or found.missing:
        return f"cannot run here: {found.reason}"
    requires = found.plugin.requires
    if requires.framework == "tensorflow":
        return "TensorFlow computes on the CPU in this environment, beside torch's CUDA 13"
    if requires.framework == "none":
        return "uses no framework, so there is nothing to compute on a GPU"
    if "smoke" not in found.plugin.presets:
        return "has no preset called smoke"
    least = requires.min_compute_capability
    if max(gpu.compute_capability for gpu in gpus) < least:
        return f"needs a GPU of compute capability {least}"
    return ""


def command(case: Case, runs_dir: Path) -> list[str]:
    """Returns the command line of a case: the one that a user would type."""
    return [
        *(sys.executable, "-m", "labcore", "run"),
        *(f"plugin={case.plugin}", "preset=smoke", "device=cuda"),
        "hooks=[console,timing,profile]",
        # A smoke preset takes seconds, and a task without steps can only be profiled whole.
        "hooks.profile.whole=true",
        "hooks.console.mode=plain",
        f"runs_dir={runs_dir}",
        *case.overrides,
    ]


def execute(case: Case, folder: Path, *, timeout_s: float) -> Outcome:
    """Runs a case in a process of its own and judges it. Never raises for what the run does.

    A run that finished without one kernel on the GPU has failed: it computed on the CPU.

    Args:
        case: What to run.
        folder: Where its run folder and log go.
        timeout_s: Seconds after which it is killed, with its children.
    """
    if case.skipped:
        return Outcome(name=case.name, state="skipped", reason=case.skipped)
    place = folder / f"{case.plugin}-{case.kind.replace(' ', '-')}"
    place.mkdir(parents=True, exist_ok=True)
    result, log = place / "result.json", place / "log.txt"
    result.unlink(missing_ok=True)
    began = time.monotonic()
    code = run_child(
        command(case, place / "runs"),
        log,
        limit_s=timeout_s,
        # Unbuffered: the last lines are those that it said last.
        env={**os.environ, "LAB_RESULT_FILE": str(result), "PYTHONUNBUFFERED": "1"},
    )
    seconds = round(time.monotonic() - began, 3)
    figures = _figures(result)
    reason = ""
    if code is None:
        reason = f"took longer than {timeout_s:g} s and was killed"
    elif code:
        reason = f"ended with exit code {code}" if code > 0 else f"was killed by signal {-code}"
    elif not figures.get("num_kernels") or not figures.get("kernel_ms"):
        reason = "finished, but no kernel was seen on the GPU: it computed on the CPU"
    return Outcome(
        name=case.name,
        state="failed" if reason else "passed",
        reason=reason,
        seconds=seconds,
        log=(reason and tail(log, num_lines=_LOG_LINES)) or "",
        **figures,
    )


def _figures(result: Path) -> dict[str, Any]:
    """Reads what the run folder says about the GPU; nothing when the run left none."""
    folder = (read_json(result) or {}).get("run")
    if not folder:
        return {}
    profile, timing = (read_json(Path(folder, name)) or {} for name in (PROFILE, TIMING))
    names = ("device", "kernel_ms", "num_kernels", "peak_memory_mib")
    figures = {name: profile[name] for name in names if name in profile}
    return {**figures, "step_ms": timing.get("step_ms", {}).get("median")}


def try_probe(name: str, *, num_gpus: int, timeout_s: float) -> Outcome:
    """Runs a probe of the doctor and judges it as a case: it has to have used the GPU.

    Args:
        name: A key of :data:`PROBED`.
        num_gpus: GPUs of this machine.
        timeout_s: Seconds after which it is killed.
    """
    title = PROBED[name]
    if name == "nccl" and num_gpus < 2:
        return Outcome(name=title, state="skipped", reason="needs two GPUs, and there is one")
    told = run_probes([name], limit_s=timeout_s)[name]
    result = told.get("result", {})
    if told["outcome"] == "missing":
        reason = f"not installed: {', '.join(told['packages'])}"
        return Outcome(name=title, state="skipped", reason=reason, seconds=told["seconds"])
    reason = ""
    if told["outcome"] != "ok":
        reason = told.get("reason") or told.get("error") or told.get("signal") or told["outcome"]
    elif name != "nccl" and not result.get("kernels"):
        reason = f"{PROBES[name].title}: no kernel was seen on the GPU"
    return Outcome(
        name=title,
        state="failed" if reason else "passed",
        reason=reason,
        seconds=float(told["seconds"]),
        num_kernels=int(result.get("kernels", 0)),
        kernel_ms=float(result.get("microseconds", 0)) / 1000,
        log=str(told.get("output", "")) if reason else "",
    )
