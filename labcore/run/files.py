"""Writing files so that a killed process or a full disk never leaves half of one."""

import os
import tempfile
from pathlib import Path

__all__ = ["write_atomically"]


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
