"""Child processes that take leases, for tests of what others see and what a death leaves."""

import contextlib
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

__all__ = ["child", "stopped"]

ROOT = Path(__file__).parents[3]


@contextlib.contextmanager
def child(code: str, environment: dict[str, str]) -> Iterator["subprocess.Popen[str]"]:
    """Runs Python in a process of its own; its first line of output says that it is ready."""
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)],
        stdout=subprocess.PIPE,
        stdin=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONUNBUFFERED": "1", **environment},
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def stopped(process: "subprocess.Popen[str]", number: int = signal.SIGKILL) -> int:
    """Sends a signal, waits for the end, and returns the exit code."""
    process.send_signal(number)
    return process.wait(timeout=30)
