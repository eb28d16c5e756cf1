"""Children of a sweep: their exit codes, and being stopped."""

import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

from labcore.config.multirun import run_child

WAITS = (
    "import signal, sys, time, pathlib\n"
    "signal.signal(signal.SIGINT, lambda *a: sys.exit(130))\n"
    "signal.signal(signal.SIGTERM, lambda *a: sys.exit(143))\n"
    "pathlib.Path(sys.argv[1]).touch()\n"
    "time.sleep(30)\n"
)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("import sys; sys.exit(3)", 3),
        ("pass", 0),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", 137),
    ],
)
def test_the_exit_code_is_the_childs(code: str, expected: int) -> None:
    assert run_child([sys.executable, "-c", code], os.environ) == (expected, None)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_is_passed_on_once_and_the_child_waited_for(
    tmp_path: Path, number: signal.Signals
) -> None:
    ready = tmp_path / "ready"

    def interrupt() -> None:
        while not ready.exists():
            time.sleep(0.02)
        os.kill(os.getpid(), number)

    thread = threading.Thread(target=interrupt)
    thread.start()
    before = signal.getsignal(number)
    assert run_child([sys.executable, "-c", WAITS, str(ready)], os.environ) == (
        128 + number,
        number,
    )
    thread.join()
    assert signal.getsignal(number) is before
