"""What the installed frameworks and their compiled extensions were built with, by their files."""

import ast
import importlib.metadata
import mmap
import re
import sys
from pathlib import Path
from typing import Any

from labcore.doctor.gather.files import first_match, package_folder, read
from labcore.doctor.machine import TensorFlowBuild, TorchBuild

__all__ = ["read_extensions", "read_tensorflow", "read_torch"]

_ARCH_LIST = re.compile(rb"\0((?:(?:sm|compute)_\d+[a-z]?(?: |\0))+)")
_TORCH_LIBRARIES = ("libtorch_python.so", "torch_python.dll", "libtorch_python.dylib")
_TENSORFLOWS = (
    "tensorflow", "tensorflow-cpu", "tensorflow-gpu", "tensorflow-intel", "tensorflow-macos",
    "tf-nightly",
)  # fmt: skip
_EXTENSIONS = {"pytorch3d": "_C*.so", "torchvision": "_C*.so"}
"""Package to the glob of its compiled part."""


def read_torch(folder: Path | None = None) -> dict[str, Any]:
    """Returns the build of the torch that an import would take.

    Args:
        folder: The package's folder; found when None.
    """
    folder = folder or package_folder("torch")
    text = read(folder / "version.py") if folder else ""
    version = first_match(r"^__version__\s*=\s*['\"]([^'\"]+)", text)
    if folder is None or version is None:
        return {"torch": None}
    cuda = first_match(r"^cuda\b[^=\n]*=\s*['\"]([\d.]+)", text) or ""
    hip = first_match(r"^hip\b[^=\n]*=\s*['\"]([\w.-]+)", text) or ""
    return {
        "torch": TorchBuild(
            version=version,
            cuda=cuda,
            hip=hip,
            cudnn=_torch_cudnn(folder) if cuda else None,
            archs=_torch_archs(folder) if cuda else (),
        )
    }


def read_tensorflow(folder: Path | None = None) -> dict[str, Any]:
    """Returns the build of the TensorFlow that an import would take.

    Args:
        folder: The package's folder; found when None.
    """
    folder = folder or package_folder("tensorflow")
    version = next(filter(None, map(_version, _TENSORFLOWS)), None)
    if folder is None or version is None:
        return {"tensorflow": None}
    info = _build_info(read(folder / "python/platform/build_info.py"))
    if not info:
        return {"tensorflow": TensorFlowBuild(version=version)}
    archs = info.get("cuda_compute_capabilities") or ()
    return {
        "tensorflow": TensorFlowBuild(
            version=version,
            cuda=str(info.get("cuda_version") or ""),
            cudnn=str(info.get("cudnn_version") or ""),
            archs=tuple(map(str, archs)),
        )
    }


def read_extensions() -> dict[str, Any]:
    """Returns the compiled extensions that are installed; reads ELF, so on Linux only."""
    torch = package_folder("torch")
    if sys.platform != "linux" or torch is None:
        return {}
    folders = {name: folder for name in _EXTENSIONS if (folder := package_folder(name)) is not None}
    paths = [path for name, folder in folders.items() for path in folder.glob(_EXTENSIONS[name])]
    if not paths:
        return {"extensions": ()}
    from labcore.doctor.gather.elf import inspect_extension  # its parser takes a tenth of a second

    libraries = sorted(path for path in (torch.parent / "nvidia").glob("*/lib") if path.is_dir())
    found = [inspect_extension(path, torch / "lib", libraries) for path in sorted(paths)]
    return {"extensions": tuple(found)}


def _torch_archs(folder: Path) -> tuple[str, ...] | None:
    """Finds the list that ``torch.cuda.get_arch_list`` returns: a string in torch's library."""
    for name in _TORCH_LIBRARIES:
        path = folder / "lib" / name
        if path.is_file():
            with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as m:
                return _arch_list(m)
    return None


def _arch_list(data: mmap.mmap) -> tuple[str, ...] | None:
    position = data.find(b"\0sm_")
    while position >= 0:
        match = _ARCH_LIST.match(data, position)
        if match is not None:
            return tuple(match[1].rstrip(b"\0").decode().split())
        position = data.find(b"\0sm_", position + 1)
    return None


def _torch_cudnn(folder: Path) -> str | None:
    """Wheels from 2.0 on take cuDNN from another package; older ones carry it."""
    for major in (13, 12, 11):
        version = _version(f"nvidia-cudnn-cu{major}")
        if version is not None:
            return version
    carried = sorted((folder / "lib").glob("libcudnn.so.*"))
    return carried[0].name.removeprefix("libcudnn.so.") if carried else None


def _build_info(text: str) -> dict[str, Any]:
    """Reads the literal that TensorFlow's build writes; older releases write a plain dict."""
    literal = first_match(r"^build_info = (?:collections\.OrderedDict\()?([\[{].+[\]}])\)?$", text)
    try:
        return dict(ast.literal_eval(literal or "{}"))
    except (ValueError, SyntaxError, TypeError):
        return {}


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None
