"""Facts about what builds CUDA extensions: toolkits, compilers, CUB."""

import os
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from labcore.doctor.gather.files import first_match, output_of, read
from labcore.doctor.machine import Toolkit

__all__ = ["find_compilers", "find_toolkits", "read_cub_home"]

_CUB = ("cub/version.cuh", "CUB_VERSION")


def find_toolkits(
    root: Path = Path("/"), environ: Mapping[str, str] = os.environ
) -> dict[str, Any]:
    """Returns the toolkits, and which one torch's extension builder takes."""
    found: dict[Path, Toolkit] = {}
    for folder in _toolkit_folders(root, environ):
        version = _toolkit_version(folder)
        if version is not None:
            found.setdefault(folder.resolve(), _toolkit(folder, version))
    return {"toolkits": tuple(found.values()), "cuda_home": _cuda_home(root, environ)}


def find_compilers(environ: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """Returns the host compilers and ninja."""
    command = environ.get("CXX") or environ.get("CC") or "gcc"
    gcc = output_of([command.split()[0], "-dumpfullversion", "-dumpversion"]).strip()
    return {
        "gcc": gcc if sys.platform != "win32" else "",
        "msvc": environ.get("VCToolsVersion", "") or shutil.which("cl") or "",
        "has_ninja": shutil.which("ninja") is not None,
    }


def read_cub_home(environ: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """Returns the version of the CUB that CUB_HOME points at; empty when it holds none."""
    folder = environ.get("CUB_HOME")
    return {"cub_home_version": (_release([Path(folder)], _CUB) or "") if folder else None}


def _toolkit_folders(root: Path, environ: Mapping[str, str]) -> Iterator[Path]:
    nvcc = shutil.which("nvcc", path=environ.get("PATH"))
    if nvcc is not None:
        yield _root_of(Path(nvcc))
    for name in ("CUDA_HOME", "CUDA_PATH"):
        if environ.get(name):
            yield Path(environ[name])
    yield from sorted((root / "usr/local").glob("cuda*"))
    yield from sorted((root / "opt").glob("cuda*"))
    if program_files := environ.get("ProgramFiles"):
        yield from sorted(Path(program_files).glob("NVIDIA GPU Computing Toolkit/CUDA/v*"))


def _root_of(nvcc: Path) -> Path:
    """Finds the toolkit behind an nvcc, which may be a link or a script that calls the real one."""
    real = nvcc.resolve()
    called = first_match(r"(\S+)/bin/nvcc", read(real)) if _is_script(real) else None
    return Path(called) if called else real.parent.parent


def _is_script(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(2) == b"#!"
    except OSError:
        return False


def _toolkit_version(folder: Path) -> str | None:
    number = first_match(r"^#define CUDA_VERSION (\d+)", read(folder / "include/cuda.h"))
    if number is not None:
        return f"{int(number) // 1000}.{int(number) % 1000 // 10}"
    text = read(folder / "version.json") + read(folder / "version.txt")
    version = first_match(r'"cuda"[^}]*"version"\s*:\s*"(\d+\.\d+)', text.replace("\n", " "))
    version = version or first_match(r"CUDA Version (\d+\.\d+)", text)
    nvcc = folder / "bin" / "nvcc"
    if version is None and nvcc.exists():
        version = first_match(r"release (\d+\.\d+)", output_of([str(nvcc), "--version"]))
    return version


def _toolkit(folder: Path, version: str) -> Toolkit:
    # CUDA 13 moved CUB and Thrust one folder down.
    includes = (folder / "include", folder / "include" / "cccl")
    return Toolkit(
        version=version,
        root=str(folder),
        cub=_release(includes, _CUB),
        thrust=_release(includes, ("thrust/version.h", "THRUST_VERSION")),
        has_nvcc=any((folder / "bin" / name).exists() for name in ("nvcc", "nvcc.exe")),
    )


def _release(includes: Sequence[Path], where: tuple[str, str]) -> str | None:
    """Reads a release from the first header that defines it: 1.15.0 is written as 101500."""
    header, name = where
    found = (first_match(rf"^#define {name} (\d+)", read(each / header)) for each in includes)
    value = int(next(filter(None, found), 0))
    return f"{value // 100_000}.{value // 100 % 1000}.{value % 100}" if value else None


def _cuda_home(root: Path, environ: Mapping[str, str]) -> str:
    """Chooses as torch.utils.cpp_extension does."""
    given = environ.get("CUDA_HOME") or environ.get("CUDA_PATH")
    if given:
        return given
    nvcc = shutil.which("nvcc", path=environ.get("PATH"))
    if nvcc is not None:
        return str(Path(nvcc).parent.parent)
    usual = root / "usr/local/cuda"
    return str(usual) if usual.exists() else ""
