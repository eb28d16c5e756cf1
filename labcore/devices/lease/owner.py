"""Who holds or waits for a GPU: a note beside the lock, for people. It is never the lock."""

import contextlib
import dataclasses
import getpass
import json
import os
import shlex
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from labcore.devices.wording import in_words

__all__ = ["Owner", "read_note", "this_process", "write_note"]

_LONGEST_COMMAND = 300


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

    def describe(self) -> str:
        """Returns one line for people."""
        if not self.pid:
            return "a process that left no note"
        who = f"process {self.pid}" + (f", user {self.user}" if self.user else "")
        host = f" on {self.host}" if self.host not in {"", socket.gethostname()} else ""
        took = f" for {in_words(time.time() - self.since)}" if self.since else ""
        return f"{self.run or 'an unnamed run'} ({who}{host}){took}"


def this_process(
    *, run: str = "", command: Sequence[str] = (), job: str | None = None, token: str = ""
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
        host=socket.gethostname(),
        user=_user(),
        run=run,
        command=shlex.join(command)[:_LONGEST_COMMAND],
        job=job or "",
        since=time.time(),
        token=token,
    )


def write_note(path: Path, owner: Owner) -> None:
    """Writes a note in place, so that it can be another user's file, for all to read and write."""
    text = json.dumps(dataclasses.asdict(owner), ensure_ascii=False).encode()
    flags = os.O_WRONLY | getattr(os, "O_NOFOLLOW", 0)
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


def read_note(path: Path) -> Owner | None:
    """Reads a note; None when there is none that makes sense."""
    try:
        values: Any = json.loads(path.read_text(encoding="utf-8"))
        known = {each.name for each in dataclasses.fields(Owner)}
        owner = Owner(**{name: value for name, value in values.items() if name in known})
        return dataclasses.replace(owner, uuids=tuple(owner.uuids))
    except (OSError, ValueError, TypeError, AttributeError):
        return None


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # a container's user without a name
        return ""
