"""Compiling the stub of NVIDIA's management library, and pointing processes at it."""

import ctypes
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Stub", "build", "compiler"]

SOURCE = Path(__file__).with_name("nvml.c")
SCENARIO_VARIABLE = "LAB_STUB_NVML"
SONAME = "libnvidia-ml.so.1"
_FLAGS = ("-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror", "-Wl,-Bsymbolic")
"""Symbolic, since TensorFlow brings a stand-in of this library that would be called instead."""


def compiler() -> str | None:
    """The C compiler, or None where the stub cannot be built."""
    if not sys.platform.startswith("linux"):
        return None
    return shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")


@dataclass(frozen=True, kw_only=True, slots=True)
class Stub:
    """A built library and the file with the machine that it tells about."""

    library: Path
    scenario: Path

    def write(self, text: str) -> None:
        """Changes the machine; readers see the old one or the new one, whole."""
        fresh = self.scenario.with_suffix(f".{os.getpid()}.new")
        fresh.write_text(text, encoding="utf-8")
        fresh.replace(self.scenario)

    def environment(self) -> dict[str, str]:
        """Variables with which a child process gets the stub as its driver."""
        path = os.environ.get("LD_LIBRARY_PATH")
        folders = [str(self.library.parent), *([path] if path else [])]
        return {
            "LD_LIBRARY_PATH": os.pathsep.join(folders),
            SCENARIO_VARIABLE: str(self.scenario),
        }

    def load(self) -> ctypes.CDLL:
        """Loads the stub into this process, where everything finds it by its soname from now on."""
        return ctypes.CDLL(str(self.library))


def build(folder: Path, *, old: bool = False, soname: str = SONAME) -> Path:
    """Compiles the stub into ``folder`` and returns the library.

    Args:
        folder: Made when missing; name one for each kind.
        old: Leaves out the functions that came with the drivers of 2021.
        soname: Name that the loader knows it by; another one keeps it from being taken for the
            driver by everything else in a process that loads it.
    """
    command = compiler()
    assert command is not None, "ask compiler() first"
    folder.mkdir(parents=True, exist_ok=True)
    library = folder / SONAME
    flags = [f"-Wl,-soname,{soname}", *(["-DOLD_DRIVER"] if old else [])]
    subprocess.run(
        [command, *_FLAGS, *flags, "-o", str(library), str(SOURCE)],
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return library
