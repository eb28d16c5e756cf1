"""Running probes in children that may crash, hang, flood their output or be killed."""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import IO, Any

from labcore.doctor.probes.catalogue import PROBES, Probe
from labcore.record.records import read_json

__all__ = ["run_probes"]

_TAIL_BYTES = 64 * 1024
_TAIL_LINES = 40
_WINDOWS_CRASHES = {
    0xC0000005: "access violation",
    0xC0000135: "DLL not found",
    0xC0000139: "DLL entry point not found",
    0xC000001D: "illegal instruction",
    0xC00000FD: "stack overflow",
    0xC0000409: "stack buffer overrun",
}


def run_probes(
    names: Iterable[str] | None = None,
    *,
    probes: Mapping[str, Probe] = PROBES,
    limit_s: float = 120.0,
    on_start: Callable[[Probe], None] | None = None,
) -> dict[str, dict[str, Any]]:
    """Runs probes one after another, each in a fresh process.

    Args:
        names: Which ones; all when None.
        probes: The probes that there are, by name.
        limit_s: Seconds that each may take.
        on_start: Called before each, to show progress.

    Returns:
        By name: ``outcome`` (ok, wrong, failed, crashed, timeout, missing, skipped), ``seconds``,
        and what goes with the outcome: ``result``, ``error``, ``packages``, ``reason``, ``signal``
        or ``exit_code``, ``finished`` when a crash or hang came after the work was done, and
        ``output``, the last lines that the child printed.
    """
    results: dict[str, dict[str, Any]] = {}
    for name in probes if names is None else names:
        if on_start is not None:
            on_start(probes[name])
        started = time.perf_counter()
        result = _run(probes[name], limit_s)
        results[name] = {**result, "seconds": round(time.perf_counter() - started, 2)}
    return results


def _run(probe: Probe, limit_s: float) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="lab-probe-", ignore_cleanup_errors=True) as folder:
        file = Path(folder) / "result.json"
        command = [sys.executable, "-m", "labcore.doctor.probes.child", probe.run]
        child = subprocess.Popen(
            [*command, "--out", str(file), "--limit", str(limit_s)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=folder,  # away from source folders that would shadow installed packages
            env=_environment(folder),
            start_new_session=True,  # so that its own children can be ended with it
        )
        assert child.stdout is not None
        tail = _Tail(child.stdout)
        try:
            code = _wait(child, limit_s)
        finally:
            _end(child)
        tail.finish()
        written = read_json(file)
    return _judge(written, code, tail.text())


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


def _wait(child: "subprocess.Popen[bytes]", limit_s: float) -> int | None:
    try:
        return child.wait(timeout=limit_s)
    except subprocess.TimeoutExpired:
        return None


def _end(child: "subprocess.Popen[bytes]") -> None:
    """Ends the child and whatever it started and left behind."""
    if hasattr(os, "killpg"):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)
    else:
        import psutil

        with contextlib.suppress(psutil.Error):
            for process in psutil.Process(child.pid).children(recursive=True):
                process.kill()
        child.kill()
    child.wait()


def _judge(written: dict[str, Any] | None, code: int | None, output: str) -> dict[str, Any]:
    if written is not None and code == 0:
        if written["outcome"] in {"ok", "missing", "skipped"}:
            return written
        return {**written, "output": output}
    how: dict[str, Any] = {"output": output}
    if written is not None:
        how["finished"] = written["outcome"]
    if code is None:
        return {"outcome": "timeout", **how}
    if code < 0:
        return {"outcome": "crashed", "signal": _signal_name(-code), **how}
    if code in _WINDOWS_CRASHES:
        return {"outcome": "crashed", "signal": _WINDOWS_CRASHES[code], **how}
    return {"outcome": "crashed", "exit_code": code, **how}


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


class _Tail:
    """Keeps the end of a stream, however much comes, without holding up the writer.

    Args:
        stream: Read until it ends, in a thread of its own.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._bytes = b""
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            while chunk := os.read(self._stream.fileno(), 65536):
                self._bytes = (self._bytes + chunk)[-_TAIL_BYTES:]

    def finish(self) -> None:
        """Waits for the end of the stream; not for long, should someone still hold it open."""
        self._thread.join(timeout=2)
        if not self._thread.is_alive():
            self._stream.close()

    def text(self) -> str:
        """Returns the last lines."""
        lines = self._bytes.decode("utf-8", "replace").replace("\r", "\n").splitlines()
        return "\n".join(line.rstrip() for line in lines[-_TAIL_LINES:])
