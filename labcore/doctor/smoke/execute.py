"""Running a case in a process of its own, and judging what it left."""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from labcore.doctor.smoke.cases import Case
from labcore.doctor.smoke.outcome import Outcome
from labcore.hooks.profile import FILE_NAME as PROFILE
from labcore.hooks.timing import FILE_NAME as TIMING
from labcore.record.process import kill_tree
from labcore.record.records import read_json

__all__ = ["command", "execute"]

_LOG_LINES = 30


def command(case: Case, runs_dir: Path) -> list[str]:
    """Returns the command line of a case: the one that a user would type."""
    return [
        sys.executable,
        "-m",
        "labcore",
        "run",
        f"plugin={case.plugin}",
        "preset=smoke",
        "device=cuda",
        "hooks=[console,timing,profile]",
        # A smoke preset takes seconds, and a task without steps can only be profiled whole.
        "hooks.profile.whole=true",
        "hooks.console.mode=plain",
        f"runs_dir={runs_dir}",
        *case.overrides,
    ]


def execute(
    case: Case, folder: Path, *, timeout_s: float, argv: Sequence[str] | None = None
) -> Outcome:
    """Runs a case and judges it. Never raises for what the run does.

    A run that finished without one kernel on the GPU has failed: it computed on the CPU.

    Args:
        case: What to run.
        folder: Where its run folder and log go.
        timeout_s: Seconds after which it is killed, with its children.
        argv: Another command line than :func:`command` gives.
    """
    if case.skipped:
        return Outcome(name=case.name, state="skipped", reason=case.skipped)
    place = folder / f"{case.plugin}-{case.kind.replace(' ', '-')}"
    place.mkdir(parents=True, exist_ok=True)
    result, log = place / "result.json", place / "log.txt"
    result.unlink(missing_ok=True)
    began = time.monotonic()
    with log.open("w", encoding="utf-8") as output:
        child = subprocess.Popen(
            list(argv or command(case, place / "runs")),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, "LAB_RESULT_FILE": str(result)},
        )
        try:
            code = child.wait(timeout_s)
        except subprocess.TimeoutExpired:
            kill_tree(child.pid)
            child.wait()
            code = None
    seconds = round(time.monotonic() - began, 3)
    figures = _figures(result)
    reason = _why_failed(case, code, figures, timeout_s)
    return Outcome(
        name=case.name,
        state="failed" if reason else "passed",
        reason=reason,
        seconds=seconds,
        log=_tail(log) if reason else "",
        **figures,
    )


def _why_failed(case: Case, code: int | None, figures: dict[str, Any], timeout_s: float) -> str:
    if code is None:
        return f"took longer than {timeout_s:g} s and was killed"
    if code < 0:
        return f"was killed by signal {-code}"
    if code:
        return f"ended with exit code {code}"
    if not figures.get("num_kernels") or not figures.get("kernel_ms"):
        return "finished, but no kernel was seen on the GPU: it computed on the CPU"
    return ""


def _figures(result: Path) -> dict[str, Any]:
    """Reads what the run folder says about the GPU; nothing when the run left none."""
    folder = _read(result).get("run")
    if not folder:
        return {}
    profile, timing = _read(Path(folder) / PROFILE), _read(Path(folder) / TIMING)
    names = ("device", "kernel_ms", "num_kernels", "peak_memory_mib")
    figures = {name: profile[name] for name in names if name in profile}
    step = timing.get("step_ms", {}).get("median")
    return figures if step is None else {**figures, "step_ms": step}


def _read(path: Path) -> dict[str, Any]:
    values = read_json(path)
    return values if isinstance(values, dict) else {}


def _tail(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    return "\n".join(lines[-_LOG_LINES:])
