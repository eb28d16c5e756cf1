"""A process of this package that works for another one, and speaks with it through a pipe."""

import multiprocessing
import os
import subprocess
import sys
from collections.abc import Mapping
from multiprocessing.connection import Connection
from pathlib import Path

__all__ = ["Companion", "pipe_to_starter"]


class Companion:
    """Starts the ``main`` of a module as a process in a session of its own.

    Its end of the pipe breaks when this process is gone, however it went.

    Args:
        module: Its ``main`` calls :func:`pipe_to_starter`.
        log: Takes what it prints.
        env: Variables beside this process's own.

    Attributes:
        pipe: This process's end. It breaks when the other is gone: ``EOFError`` or ``OSError``.
    """

    def __init__(self, module: str, *, log: Path | None, env: Mapping[str, str]) -> None:
        self.pipe, end = multiprocessing.Pipe()
        with end, (log or Path(os.devnull)).open("ab") as stream:
            self._process = subprocess.Popen(
                [sys.executable, "-c", f"from {module} import main; main()", str(end.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
                env={**os.environ, **env},
                start_new_session=True,
                pass_fds=(end.fileno(),),
            )

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def close(self, patience_s: float | None = None) -> None:
        """Lets it end by itself, which it does when the pipe is closed.

        Args:
            patience_s: Seconds after which it is killed; None waits.
        """
        self.pipe.close()
        try:
            self._process.wait(patience_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def pipe_to_starter() -> Connection:
    """Returns the companion's end of the pipe, which processes that it starts do not inherit."""
    descriptor = int(sys.argv[1])
    os.set_inheritable(descriptor, False)
    return Connection(descriptor)
