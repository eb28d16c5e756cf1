"""Reading what may not be there."""

import importlib.util
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

__all__ = ["first_match", "output_of", "package_folder", "read"]

_PATIENCE_S = 2.0


def read(path: Path) -> str:
    """Returns the text of a file; empty when it cannot be read."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def first_match(pattern: str, text: str) -> str | None:
    """Returns the first group of the first match of a pattern, line by line."""
    match = re.search(pattern, text, re.MULTILINE)
    return match[1] if match is not None else None


def output_of(command: Sequence[str]) -> str:
    """Returns what a small command prints; empty when it is missing, fails or hangs."""
    try:
        done = subprocess.run(
            list(command), capture_output=True, text=True, timeout=_PATIENCE_S, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout


def package_folder(name: str) -> Path | None:
    """Returns the folder of a top-level package that an import would take; imports nothing."""
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):  # ValueError: a module in sys.modules without a spec
        return None
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(next(iter(spec.submodule_search_locations)))
