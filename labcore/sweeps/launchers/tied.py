"""``python -m labcore.sweeps.launchers.tied WORDS...``: a trial tied to its supervisor.

It is ``lab WORDS...``, except that it ends, after a checkpoint, when the process that started it is
gone: a worker of Ray that was killed, a job that was cut off. Otherwise it would go on where nobody
knows of it, with the memory and the GPU that the scheduler believes to be free. The tie is a pipe
in place of its standard input, whose other end the supervisor holds and never writes to.
"""

import os
import runpy
import signal
import sys
import threading

__all__ = ["end_with", "main"]


def end_with(tie: int) -> None:
    """Asks this process to end as soon as the other end of a pipe is closed; returns then."""
    os.read(tie, 1)
    os.kill(os.getpid(), signal.SIGTERM)


def main() -> None:
    """Becomes the trial."""
    # Slurm sends its warning to every process of a job; only the supervisor is to act on it.
    for number in (signal.SIGUSR1, signal.SIGUSR2):
        signal.signal(number, signal.SIG_IGN)
    tie, null = os.dup(0), os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    threading.Thread(target=end_with, args=(tie,), name="lab-tie", daemon=True).start()
    sys.argv[0] = "lab"
    runpy.run_module("labcore", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
