"""CUDA's shared libraries: those in wheels, and those that the loader meets elsewhere."""

import os
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from labcore.doctor.gather.files import library_path, package_folder, system_libraries
from labcore.doctor.gather.packages import nvidia_files
from labcore.doctor.machine import Library

__all__ = ["find_libdevice", "find_libraries"]

_CUDA_LIBRARY = re.compile(
    r"lib(?:cudart|cublas|cublasLt|cudnn|cufft|curand|cusolver|cusparse|nccl|nvJitLink|nvrtc|cupti)"
    r"\.so(?:\.[\d.]+)?\Z"
)
_LIBDEVICE = "nvvm/libdevice/libdevice.10.bc"


def find_libraries(environ: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """Returns the libraries of CUDA; Linux only, since only its loader mixes them so freely."""
    if sys.platform != "linux":
        return {}
    folders = [(folder, "ld_library_path") for folder in library_path(environ)]
    if (Path(sys.prefix) / "conda-meta").is_dir():
        folders.append((Path(sys.prefix) / "lib", "conda"))
    wheels = (
        Library(name=path.name, path=str(path), where="wheel", version=version)
        for path, _, version, _ in nvidia_files()
        if _CUDA_LIBRARY.match(path.name) and path.exists()
    )
    others = [(path, where) for folder, where in folders for path in sorted(folder.glob("lib*"))]
    others += [(Path(path), "system") for path in system_libraries().values()]
    found = (_library(path, where) for path, where in others if _CUDA_LIBRARY.match(path.name))
    return {"libraries": (*wheels, *found)}


def find_libdevice(environ: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """Returns the file that XLA needs to compile for a GPU, looked for where XLA looks."""
    return {"libdevice": next((str(p) for p in _libdevices(environ) if p.exists()), "")}


def _library(path: Path, where: Any) -> Library:
    """The version is in the name of the file that the link leads to."""
    version = path.resolve().name.partition(".so.")[2]
    return Library(name=path.name, path=str(path), where=where, version=version or None)


def _libdevices(environ: Mapping[str, str]) -> Iterator[Path]:
    flag = re.search(r"--xla_gpu_cuda_data_dir=(\S+)", environ.get("XLA_FLAGS", ""))
    if flag is not None:
        yield Path(flag[1]) / _LIBDEVICE
    for name in ("CUDA_DIR", "CUDA_HOME", "CUDA_PATH"):
        if environ.get(name):
            yield Path(environ[name]) / _LIBDEVICE
    tensorflow = package_folder("tensorflow")
    if tensorflow is not None:
        yield tensorflow.parent / "nvidia/cuda_nvcc" / _LIBDEVICE
    yield Path("/usr/local/cuda") / _LIBDEVICE
    yield Path(_LIBDEVICE.rpartition("/")[2])
