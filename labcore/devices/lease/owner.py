"""Who holds or waits for a GPU: a note beside the lock, for people. It is never the lock."""

import contextlib
import dataclasses
import getpass
import json
import logging
import os
import shlex
import socket
import stat
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from labcore.record.durations import format_duration
from labcore.record.process import ProcessId
from labcore.record.records import make_record

__all__ = ["Owner", "read_note", "this_process", "write_note"]

_LONGEST_COMMAND = 300
_MOST_BYTES = 16_384
_MOST_DEVICES = 1024
_NO_TRAP = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
"""Any user may put a link or a pipe in the place of a note; neither is followed or waited for."""
log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Owner:
    """A process that holds or waits for GPUs."""

    pid: int
    host: str = ""
    user: str = ""
    run: str = ""
    """Run id, or plugin and task before the run has a folder."""
    command: str = ""
    job: str = ""
    """Job of a scheduler, such as ``Slurm 4711``."""
    since: float = 0.0
    """When it took or began to wait, in seconds since the epoch."""
    token: str = ""
    """Names the lease to the process's children."""
    uuids: tuple[str, ...] = ()
    """Devices held, or those that would do."""
    count: int = 0
    """Devices waited for."""
    process: "ProcessId | None" = None
    """The process, so that its number is not taken for another's."""
    released: bool = False
    """Whether it has given its devices back; its forked children may still hold them."""

    def holds(self) -> bool:
        """Whether the note by itself proves that its devices are held."""
        return not self.released and self.process is not None and self.process.is_certain()

    def describe(self) -> str:
        """Returns one line for people."""
        if not self.pid:
            return "a process that left no note"
        who = f"process {self.pid}" + (f", user {self.user}" if self.user else "")
        host = f" on {self.host}" if self.host not in {"", socket.gethostname()} else ""
        took = f" for {format_duration(time.time() - self.since)}" if self.since else ""
        return f"{self.run or 'an unnamed run'} ({who}{host}){took}"


def this_process(
    *, run: str = "", command: Sequence[str] = (), job: str = "", token: str = ""
) -> Owner:
    """Describes this process.

    Args:
        run: Name of its run.
        command: Its command line, with no secrets.
        job: The scheduler's job that it belongs to.
        token: What names its lease.
    """
    return Owner(
        pid=os.getpid(),
        process=ProcessId.current(),
        host=socket.gethostname(),
        user=_user(),
        run=run,
        command=shlex.join(command)[:_LONGEST_COMMAND],
        job=job,
        since=time.time(),
        token=token,
    )


def write_note(path: Path, owner: Owner) -> None:
    """Writes a note in place, so that it can be another user's file, for all to read and write."""
    text = json.dumps(owner, ensure_ascii=False, default=_fields).encode()
    flags = os.O_WRONLY | _NO_TRAP
    try:
        descriptor = os.open(path, flags)
    except FileNotFoundError:
        descriptor = os.open(path, flags | os.O_CREAT | os.O_EXCL, 0o666)
        with contextlib.suppress(AttributeError):  # Windows before Python 3.13
            os.fchmod(descriptor, 0o666)
    try:
        # One write, and only then the cut: a reader in between meets no empty file.
        os.write(descriptor, text)
        os.ftruncate(descriptor, len(text))
    finally:
        os.close(descriptor)


def read_note(path: Path, *, released: bool = True) -> Owner | None:
    """Reads a note, which any user of the machine may have written.

    Args:
        path: The note.
        released: Whether one of devices that were given back matters; most are, in every look.

    Returns:
        Who wrote it; None when there is none, or, with a warning, when it makes no sense.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | _NO_TRAP)
    except OSError:
        return None
    with os.fdopen(descriptor, "rb") as stream:
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise ValueError("it is no file")
            data = stream.read(_MOST_BYTES + 1)
            if not data or (not released and b'"released": true' in data):
                return None  # without data it is being made
            if len(data) > _MOST_BYTES:
                raise ValueError(f"it has more than {_MOST_BYTES} bytes")
            return _parse(data, path)
        except (OSError, ValueError, RecursionError) as error:
            _warn(path, str(error))
            return None


@cache
def _warn(path: Path, reason: str) -> None:
    """Warns once: who waits for a GPU looks at the notes several times a second."""
    log.warning("the note %s cannot be read (%s) and is passed over", path, reason)


@lru_cache(maxsize=256)
def _parse(data: bytes, path: Path) -> Owner:
    """Makes an owner of what may be anything; of the same bytes once, for those who look often.

    Raises:
        ValueError: A value has the wrong type, or is out of bounds.
    """
    row = json.loads(data)
    if isinstance(row, dict):
        row["process"] = ProcessId.from_row(row.get("process"))
        for name in ("host", "user", "run", "command", "job"):
            if isinstance(row.get(name), str):
                row[name] = _shown(row[name])
    owner = make_record(Owner, row, path)
    if not (0 <= owner.pid < 1 << 31 and 0 <= owner.count <= _MOST_DEVICES):
        raise ValueError(f"{path} is damaged: a number is out of bounds")
    if len(owner.uuids) > _MOST_DEVICES or not 0 <= owner.since < 1 << 40:
        raise ValueError(f"{path} is damaged: since is no time, or there are too many devices")
    return dataclasses.replace(owner, uuids=tuple(owner.uuids))


def _fields(record: Any) -> dict[str, Any]:
    return {name: getattr(record, name) for name in record.__slots__}


def _shown(text: str) -> str:
    """Leaves out what would steer the terminal."""
    short = text[:_LONGEST_COMMAND]
    return short if short.isprintable() else "".join(filter(str.isprintable, short))


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # a container's user without a name
        return ""
