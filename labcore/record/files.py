"""Writing files so that a killed process or a full disk never leaves half of one; their age."""

import contextlib
import hashlib
import os
import re
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

__all__ = [
    "disk_time",
    "drop_torn_line",
    "remove_unfinished",
    "replacing",
    "seconds_since_written",
    "sha256_of",
    "write_atomically",
]

_TEMPORARY = re.compile(r"\..+\.[a-z0-9_]{8}")


@contextlib.contextmanager
def replacing(path: Path, *, durable: bool = False) -> Iterator[Path]:
    """Gives an empty file that takes the place of ``path`` when the block ends without an error.

    Args:
        path: File to replace; its folder must exist.
        durable: Also flush to the disk, so that the file survives a power cut.
    """
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o644)
        if durable:
            _flush(temporary)
        temporary.replace(path)
        if durable:
            _flush(path.parent)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_atomically(path: Path, content: str | bytes, *, durable: bool = False) -> None:
    """Replaces ``path`` by ``content`` in one step.

    Args:
        path: File to write; its folder must exist.
        content: Text is written as UTF-8.
        durable: Also flush to the disk, so that the file survives a power cut.

    Raises:
        OSError: The file could not be written; the old one, if any, is untouched.
    """
    data = content.encode(errors="replace") if isinstance(content, str) else content
    with replacing(path, durable=durable) as temporary:
        temporary.write_bytes(data)


def _flush(path: Path) -> None:
    """Makes a file's content, or the names in a folder, survive a power cut."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def remove_unfinished(folder: Path) -> None:
    """Removes what writers that were killed have left in a folder and below it.

    Call it only where nobody writes at the same time.
    """
    for path in folder.rglob(".*"):
        if _TEMPORARY.fullmatch(path.name) and path.is_file():
            path.unlink(missing_ok=True)


def drop_torn_line(path: Path) -> None:
    """Cuts off what follows the last line end: half of what a killed process was writing."""
    if not path.exists():
        return
    with path.open("rb+") as stream:
        data = stream.read()
        whole = data.rfind(b"\n") + 1
        if whole < len(data):
            stream.truncate(whole)


def disk_time(folder: Path) -> float:
    """Returns the time now, in seconds since the epoch, by the clock that stamps a folder's files.

    On a shared disk that is the server's clock, the same one for hosts whose own clocks differ. It
    is read off a nameless file. Making that also lets a client of NFS look again for names that it
    remembers as missing, for up to a minute otherwise.

    Raises:
        OSError: The folder cannot be written to.
    """
    with tempfile.TemporaryFile(dir=folder, buffering=0) as stream:
        stream.write(b"0")  # the server stamps what is written
        return os.fstat(stream.fileno()).st_mtime


def seconds_since_written(path: Path) -> float:
    """Returns the age of a file's content by the clock of its disk, wherever it was written.

    Raises:
        OSError: There is no such file.
    """
    written = path.stat().st_mtime
    try:
        now = disk_time(path.parent)
    except OSError:  # a disk that may only be read: this host's clock has to do
        now = time.time()
    return max(0.0, now - written)


def sha256_of(path: Path) -> str:
    """Returns the SHA-256 of a file in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
