"""Running probes in children that may crash, hang, flood their output or be killed."""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from labcore.doctor.probes.catalogue import PROBES, Probe
from labcore.record.process import kill_tree
from labcore.record.records import read_json

__all__ = ["run_child", "run_probes"]

_TAIL_LINES = 40
_CRASHES = {
    **{-number: number.name for number in signal.Signals},
    0xC0000005: "access violation",
    0xC0000135: "DLL not found",
    0xC0000139: "DLL entry point not found",
    0xC000001D: "illegal instruction",
    0xC00000FD: "stack overflow",
    0xC0000409: "stack buffer overrun",
}


def run_probes(
    names: Iterable[str],
    *,
    limit_s: float = 120.0,
    on_start: Callable[[Probe], None] | None = None,
) -> dict[str, dict[str, Any]]:
    """Runs probes one after another, each in a fresh process.

    Args:
        names: Which ones.
        limit_s: Seconds that each may take.
        on_start: Called before each, to show progress.

    Returns:
        By name: ``outcome`` (ok, wrong, failed, crashed, timeout, missing, skipped), ``seconds``,
        and what goes with the outcome: ``result``, ``error``, ``packages``, ``reason``, ``signal``
        or ``exit_code``, ``finished`` when a crash or hang came after the work was done, and
        ``output``, the last lines that the child printed.
    """
    results: dict[str, dict[str, Any]] = {}
    for name in names:
        if on_start is not None:
            on_start(PROBES[name])
        started = time.perf_counter()
        result = _run(PROBES[name], limit_s)
        results[name] = {**result, "seconds": round(time.perf_counter() - started, 2)}
    return results


def run_child(
    command: Sequence[str],
    log: Path,
    *,
    limit_s: float,
    env: Mapping[str, str],
    cwd: Path | None = None,
) -> int | None:
    """Runs a command that nobody can answer; ends it, and what it has started, at its limit.

    Args:
        command: Program and arguments.
        log: Where all goes that it prints.
        limit_s: Seconds that it may take.
        env: Its variables.
        cwd: Its working folder; ours when None.

    Returns:
        Its exit code; None when it was ended.
    """
    with log.open("wb") as output:
        child = subprocess.Popen(
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=cwd,
            env=env,
            start_new_session=True,  # so that what it leaves behind can be ended too
        )
        try:
            return child.wait(limit_s)
        except subprocess.TimeoutExpired:
            return None
        finally:
            if child.poll() is None:
                kill_tree(child.pid)
                child.wait()
            if hasattr(os, "killpg"):
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(child.pid, signal.SIGKILL)


def _run(probe: Probe, limit_s: float) -> dict[str, Any]:
    from labcore.report.sources import tail

    with tempfile.TemporaryDirectory(prefix="lab-probe-", ignore_cleanup_errors=True) as name:
        folder = Path(name)  # away from source folders that would shadow installed packages
        file, log = folder / "result.json", folder / "log.txt"
        command = [sys.executable, "-m", "labcore.doctor.probes.child", probe.run]
        command += [str(file), str(limit_s)]
        code = run_child(command, log, limit_s=limit_s, env=_environment(name), cwd=folder)
        return _judge(read_json(file), code, tail(log, num_lines=_TAIL_LINES) or "")


def _environment(folder: str) -> dict[str, str]:
    """Returns the child's variables: ours, with this package on its path and tame libraries."""
    source = str(Path(__file__).resolve().parents[3])
    path = os.pathsep.join(entry for entry in (os.environ.get("PYTHONPATH"), source) if entry)
    return {
        **os.environ,
        "PYTHONPATH": path,
        "PYTHONUNBUFFERED": "1",
        "OMP_NUM_THREADS": "1",
        "TMPDIR": folder,
        "TF_FORCE_GPU_ALLOW_GROWTH": "true",
        "WANDB_DIR": folder,
        "WANDB_MODE": "offline",
        "WANDB_SILENT": "true",
        "WANDB_CONSOLE": "off",
    }


def _judge(written: dict[str, Any] | None, code: int | None, output: str) -> dict[str, Any]:
    how: dict[str, Any] = {"output": output}
    if written is not None and code == 0:
        return written if written["outcome"] in {"ok", "missing", "skipped"} else written | how
    if written is not None:
        how["finished"] = written["outcome"]
    if code is None:
        return {"outcome": "timeout", **how}
    if name := _CRASHES.get(code):
        return {"outcome": "crashed", "signal": name, **how}
    return {"outcome": "crashed", "exit_code": code, **how}
