"""Reading what may not be there: files, commands, packages, and the loader's libraries."""

import ctypes.util
import functools
import importlib.util
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

__all__ = [
    "find_library", "first_match", "library_path", "nearest", "output_of", "package_folder",
    "read", "system_libraries",
]  # fmt: skip

_PATIENCE_S = 2.0
_CACHE_LINE = re.compile(r"^\s+(\S+) \(libc6[^)]*\) => (\S+)$", re.MULTILINE)


def read(path: Path) -> str:
    """Returns the text of a file; empty when it cannot be read."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def nearest(folder: Path) -> Path:
    """Returns a folder, or of its parents the first that is there."""
    folder = folder.absolute()
    return next(each for each in (folder, *folder.parents) if each.exists())


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


@functools.cache
def system_libraries() -> dict[str, str]:
    """Returns the loader's cache: file name (libcudnn.so.9) to path; the first of each wins."""
    if sys.platform != "linux":
        return {}
    listing = output_of(["ldconfig", "-p"]) or output_of(["/sbin/ldconfig", "-p"])
    found: dict[str, str] = {}
    for name, path in _CACHE_LINE.findall(listing):
        found.setdefault(name, path)
    return found


def library_path(environ: Mapping[str, str] = os.environ) -> list[Path]:
    """Returns the folders of LD_LIBRARY_PATH, which the loader asks before its cache."""
    return [Path(part) for part in environ.get("LD_LIBRARY_PATH", "").split(":") if part]


def find_library(soname: str, environ: Mapping[str, str] = os.environ) -> str:
    """Returns the path of a library that a program would load; empty when there is none.

    Args:
        soname: Its file name: libcuda.so.1.
        environ: Environment to read.
    """
    for folder in library_path(environ):
        if (folder / soname).exists():
            return str(folder / soname)
    known = system_libraries()
    if known:  # a loader with a cache looks nowhere else
        return known.get(soname, "")
    bare = soname.removeprefix("lib").partition(".")[0]
    return ctypes.util.find_library(bare) or ""
