"""Which process is meant by a note, whatever the clock, the host or a recycled number does.

A process id says little: it is used again, and another host or container has the same one. The time
at which a process began, in seconds since the epoch, says little more: on Linux it moves whenever
the clock is set. So a process is named by its host, the id that the kernel drew when it booted, the
process id, and the ticks from that boot to the process's start, which nothing moves.
"""

import contextlib
import dataclasses
import os
import socket
import sys
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

import psutil

from labcore.record.files import seconds_since_written
from labcore.record.records import make_record

__all__ = ["Presence", "ProcessId", "kill_tree", "last_heard"]

_STALE_AFTER_S = 120.0
"""A process that cannot be seen counts as gone when its heartbeat is older than this: 24 beats, and
twice as long as a client of NFS may go on showing an old file."""
_SAME_START_S = 1.0
_PROC = Path("/proc")

Presence = Literal["alive", "gone", "unseen"]
"""``unseen``: it cannot be told from here, and its heartbeat has to."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ProcessId:
    """Names one process, as notes keep it. Older notes have ``host``, ``pid`` and ``started``."""

    host: str
    pid: int
    started: float = 0.0
    """Start in seconds since the epoch; for people, and where there are no ticks."""
    boot: str = ""
    """The kernel's random id of this boot; empty outside Linux."""
    ticks: int | None = None
    """Start in clock ticks since the boot."""
    space: str = ""
    """The namespace in which the process id counts: containers have their own."""

    @classmethod
    def current(cls) -> "ProcessId":
        """Describes this process."""
        return _current(os.getpid())

    @classmethod
    def of(cls, pid: int) -> "ProcessId | None":
        """Describes a process of this machine; None when there is none with that number."""
        try:
            started = psutil.Process(pid).create_time()
        except psutil.NoSuchProcess:
            return None
        stat = _stat(pid)
        return cls(
            host=socket.gethostname(),
            pid=pid,
            started=started,
            boot=_boot(),
            ticks=None if stat is None else stat.ticks,
            space=_space(),
        )

    @classmethod
    def from_row(cls, row: object) -> "ProcessId | None":
        """Reads what :meth:`to_row` or an earlier version wrote; None when it makes no sense."""
        try:
            named = make_record(cls, row, Path("process"))
        except ValueError:
            return None
        return named if 0 < named.pid < 1 << 31 and abs(named.started) < 1 << 40 else None

    def to_row(self) -> dict[str, Any]:
        """Returns plain values for a note."""
        return dataclasses.asdict(self)

    def presence(self) -> Presence:
        """Says whether the process is there, as far as that can be known on this machine."""
        if self.host != socket.gethostname():
            return "unseen"
        if self.boot and _boot() and self.boot != _boot():
            return "gone"
        if self.space and self.space != _space():
            return "unseen"
        stat = _stat(self.pid)
        if stat is not None and self.ticks is not None:
            return "alive" if stat.ticks == self.ticks and not stat.has_ended else "gone"
        try:
            process = psutil.Process(self.pid)
            if process.status() == psutil.STATUS_ZOMBIE:
                return "gone"
            # A difference may be another process, or a clock that was set.
            near = abs(process.create_time() - self.started) < _SAME_START_S
            return "alive" if near else "unseen"
        except psutil.NoSuchProcess:
            # Another user's process may be hidden from /proc, but not from kill.
            return "unseen" if psutil.pid_exists(self.pid) else "gone"
        except psutil.AccessDenied:
            return "unseen"

    def is_alive(self, heartbeat_age_s: float) -> bool:
        """Whether the process still runs.

        Args:
            heartbeat_age_s: Seconds since its last heartbeat, which decides for a process that
                cannot be seen from here.
        """
        presence = self.presence()
        return heartbeat_age_s < _STALE_AFTER_S if presence == "unseen" else presence == "alive"

    def is_certain(self) -> bool:
        """Whether it runs here and is this very process, so that it may be sent a signal."""
        by_ticks = self.ticks is not None or not sys.platform.startswith("linux")
        return by_ticks and self.presence() == "alive"

    def is_zombie(self) -> bool:
        """Whether it has ended here and was not waited for: its number is not another's yet."""
        stat = _stat(self.pid) if self.space == _space() and self.boot == _boot() else None
        return stat is not None and stat.has_ended and stat.ticks == self.ticks

    def send(self, number: int) -> None:
        """Sends it a signal, if it is certain to be this process."""
        with contextlib.suppress(psutil.NoSuchProcess):
            process = psutil.Process(self.pid)  # refuses to signal a successor of its number
            if self.is_certain():
                process.send_signal(number)

    def kill_tree(self) -> None:
        """Kills it and everything that it has started, if it is certain to be this process."""
        if self.is_certain():
            kill_tree(self.pid)


@cache
def _current(pid: int) -> ProcessId:
    mine = ProcessId.of(pid)
    assert mine is not None
    return mine


def last_heard(process: ProcessId | None, said: float, note: Path) -> float:
    """Returns when a process last gave a sign of life, in seconds since the epoch, by our clock.

    The clock of another host may be off by hours. So its own word counts only for a process that
    can be seen from here; for others the age of the note does, which the disk's clock measures.

    Args:
        process: Wrote the note.
        said: What the note says.
        note: The file.
    """
    if process is None or process.presence() != "unseen":
        return said
    return time.time() - seconds_since_written(note)


def kill_tree(pid: int) -> None:
    """Kills a child of this process and everything that it has started.

    Args:
        pid: Of a child that has not been waited for: its number is then not another's yet. For
            other processes there is :meth:`ProcessId.kill_tree`. One that is gone is no error.
    """
    try:
        root = psutil.Process(pid)
        # Children first would let the parent start new ones.
        family = [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return
    for process in family:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()


class _Stat(NamedTuple):
    has_ended: bool
    ticks: int
    """Start, counted from the boot."""


def _stat(pid: int) -> _Stat | None:
    """Returns what /proc says of a process; None where it does not tell."""
    try:
        # The command's name, in parentheses, may have spaces and parentheses of its own.
        fields = (_PROC / str(pid) / "stat").read_bytes().rpartition(b")")[2].split()
        return _Stat(has_ended=fields[0] in {b"Z", b"X"}, ticks=int(fields[19]))
    except (OSError, IndexError, ValueError):
        return None


@cache
def _boot() -> str:
    try:
        return (_PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""


def _space() -> str:
    try:
        return str((_PROC / "self/ns/pid").readlink())
    except OSError:
        return ""
