"""Whether the process that owned a run is still there."""

import contextlib
import os
import socket
from dataclasses import dataclass

import psutil

__all__ = ["Owner", "current_owner", "kill_tree"]

_STALE_AFTER_S = 120.0
"""A run on another host counts as gone when its heartbeat is older than this."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Owner:
    """Names a process so that a recycled process id is not taken for it."""

    host: str
    pid: int
    started: float
    """Start time of the process in seconds since the epoch."""

    def is_alive(self, heartbeat_age_s: float) -> bool:
        """Whether the process still runs.

        Args:
            heartbeat_age_s: Seconds since the run last wrote its status; decides for other hosts,
                whose processes cannot be seen from here.
        """
        if self.host != socket.gethostname():
            return heartbeat_age_s < _STALE_AFTER_S
        try:
            process = psutil.Process(self.pid)
            return (
                abs(process.create_time() - self.started) < 1.0
                and process.status() != psutil.STATUS_ZOMBIE
            )
        except psutil.NoSuchProcess:
            return False


def current_owner() -> Owner:
    """Describes this process."""
    return Owner(host=socket.gethostname(), pid=os.getpid(), started=psutil.Process().create_time())


def kill_tree(pid: int) -> None:
    """Kills a process and everything that it has started; what is gone already is no error."""
    try:
        root = psutil.Process(pid)
        # Children first would let the parent start new ones.
        family = [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return
    for process in family:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
