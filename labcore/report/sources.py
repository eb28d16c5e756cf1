"""Reading what is in a run folder, whatever is missing or damaged.

A report must come out of a run that failed in any way, so nothing here raises on a bad file: the
reader gets None and the page says that the file is absent or damaged.
"""

from pathlib import Path
from typing import Any

from labcore.config.saved import read_saved
from labcore.errors import UsageError, clean

__all__ = ["inside", "read_config", "tail"]


def inside(folder: Path, relative: str) -> Path | None:
    """Returns the file at ``relative`` when it is there and really below ``folder``.

    A manifest is data that may come from elsewhere with the run folder; a path that climbs out, or
    a link that leads out, must not put a stranger's file into the page.
    """
    try:
        path = (folder / relative).resolve()
        return path if path.is_relative_to(folder.resolve()) and path.is_file() else None
    except (OSError, ValueError, RuntimeError):
        return None


def read_config(path: Path) -> Any:
    """Returns the content of a saved config, or None when it is absent or damaged."""
    try:
        return read_saved(path)
    except UsageError:
        return None


def tail(path: Path, *, num_lines: int = 80, num_bytes: int = 65_536) -> str | None:
    """Returns the last lines of a text file without terminal codes, or None when there is none."""
    try:
        with path.open("rb") as stream:
            size = stream.seek(0, 2)
            stream.seek(max(0, size - num_bytes))
            data = stream.read()
    except OSError:
        return None
    lines = data.decode("utf-8", errors="replace").splitlines()
    return clean("\n".join(lines[-num_lines:]))
