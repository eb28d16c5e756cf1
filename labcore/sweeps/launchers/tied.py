"""``python -m labcore.sweeps.launchers.tied PROCESS WORDS...``: a trial tied to its supervisor.

It is ``lab WORDS...``, except that it ends, after a checkpoint, when the process that started it is
gone: a worker of Ray that was killed, a job that was cut off. Otherwise it would go on where nobody
knows of it, with the memory and the GPU that the scheduler believes to be free.
"""

import json
import os
import runpy
import signal
import sys
import threading
import time
from collections.abc import Sequence

from labcore.record.process import ProcessId

__all__ = ["end_with", "main", "words_of"]

_LOOK_S = 1.0


def words_of(supervisor: ProcessId, words: Sequence[str]) -> list[str]:
    """Returns the command of a trial that is tied to a process.

    Args:
        supervisor: The process, of the same machine.
        words: What follows ``lab``.
    """
    tie = json.dumps(supervisor.to_row())
    return [sys.executable, "-m", "labcore.sweeps.launchers.tied", tie, *words]


def end_with(supervisor: ProcessId, look_s: float = _LOOK_S) -> None:
    """Asks this process to end as soon as another has; returns then.

    Args:
        supervisor: The other, of the same machine.
        look_s: Seconds between two looks.
    """
    while supervisor.is_alive(0.0):
        time.sleep(look_s)
    os.kill(os.getpid(), signal.SIGTERM)


def main() -> None:
    """Becomes the trial."""
    supervisor = ProcessId.from_row(json.loads(sys.argv[1]))
    assert supervisor is not None
    # Slurm sends its warning to every process of a job; only the supervisor is to act on it.
    for name in ("SIGUSR1", "SIGUSR2"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    threading.Thread(target=end_with, args=(supervisor,), name="lab-tie", daemon=True).start()
    sys.argv = ["lab", *sys.argv[2:]]
    runpy.run_module("labcore", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
