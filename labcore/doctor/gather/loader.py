"""Where the dynamic loader finds a shared library. Loads none."""

import ctypes.util
import functools
import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path

from labcore.doctor.gather.files import output_of

__all__ = ["find_library", "library_path", "system_libraries"]

_CACHE_LINE = re.compile(r"^\s+(\S+) \(libc6[^)]*\) => (\S+)$", re.MULTILINE)


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
