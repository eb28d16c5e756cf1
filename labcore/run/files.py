"""Writing files so that a killed process or a full disk never leaves half of one."""

import os
import re
import tempfile
from pathlib import Path

__all__ = ["drop_torn_line", "remove_unfinished", "write_atomically"]

_TEMPORARY = re.compile(r"\..+\.[a-z0-9_]{8}")


def write_atomically(path: Path, content: str | bytes, *, durable: bool = False) -> None:
    """Replaces ``path`` by ``content`` in one step.

    Args:
        path: File to write; its folder must exist.
        content: Text is written as UTF-8.
        durable: Also flush to the disk, so that the file survives a power cut.

    Raises:
        OSError: The file could not be written; the old one, if any, is untouched.
    """
    data = content.encode() if isinstance(content, str) else content
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            if durable:
                stream.flush()
                os.fsync(stream.fileno())
        temporary.chmod(0o644)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


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
