"""Whether a compiled extension fits the torch beside it, told from the two files without loading.

An extension names the C++ functions of torch that it calls; torch's libraries list those that they
define. One that is named and not defined is the ``undefined symbol`` that an import would end in.
Libraries of hundreds of megabytes are asked through their own hash tables, a few pages each.
"""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from elftools.common.exceptions import ELFError
from elftools.construct import ConstructError

from labcore.doctor.elf_file import ElfFile
from labcore.doctor.machine import CompiledExtension
from labcore.doctor.mangled import is_torch_symbol, qualified_name

__all__ = ["inspect_extension"]

_TORCH_LIBRARIES = ("libc10*.so", "libtorch*.so")
_CUDA_LIBRARIES = ("libcudart.so", "libc10_cuda.so", "libtorch_cuda")
# What the interpreter itself has loaded, or the loader supplies wherever it lies.
_ALWAYS_THERE = ("ld-linux", "libc.so", "libm.so", "libpthread.so", "libdl.so", "librt.so")
_ALSO_THERE = ("libgcc_s.so", "libstdc++.so", "linux-vdso", "libpython")
_SYSTEM = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib")


def inspect_extension(
    path: Path, torch_lib: Path, library_dirs: Sequence[Path]
) -> CompiledExtension:
    """Compares an extension with the torch that it would be loaded with.

    Args:
        path: The extension, ``pytorch3d/_C.cpython-311-x86_64-linux-gnu.so``.
        torch_lib: Folder of torch's libraries, ``site-packages/torch/lib``.
        library_dirs: Further folders where the loader would look: the CUDA wheels' and
            LD_LIBRARY_PATH's. The system's own are always looked at.

    Returns:
        What does not fit. A file that is no ELF file (Windows, macOS, a broken download) gives
        only its name: nothing is known of it.
    """
    package = path.parent.name
    try:
        with ElfFile(path) as extension:
            needed = extension.needed
            origin = _runpath(extension.runpath, path.parent)
            wanted = [name for name in extension.wanted() if is_torch_symbol(name)]
        missing = _undefined(wanted, torch_lib)
    except (ELFError, ConstructError, OSError, ValueError, IndexError):
        return CompiledExtension(package=package, path=str(path))
    folders = [*origin, torch_lib, *library_dirs, *_system_folders()]
    return CompiledExtension(
        package=package,
        path=str(path),
        missing_symbols=tuple(dict.fromkeys(qualified_name(name) for name in missing)),
        missing_libraries=tuple(name for name in needed if not _is_there(name, folders)),
        has_cuda=any(name.startswith(_CUDA_LIBRARIES) for name in needed),
        needs_cuda_runtime=next((n for n in needed if n.startswith("libcudart.so")), None),
        has_runpath=any((folder / "libc10.so").exists() for folder in origin)
        if torch_lib.is_dir()
        else bool(origin),
    )


def _undefined(wanted: Iterable[str], torch_lib: Path) -> list[str]:
    """Returns the symbols that no library of torch defines; none where there is no torch."""
    libraries = sorted(
        {found for pattern in _TORCH_LIBRARIES for found in torch_lib.glob(pattern)},
        key=lambda library: library.stat().st_size,
    )
    left = list(wanted)
    if not libraries:
        return []
    for library in libraries:
        if not left:
            break
        with ElfFile(library) as opened:
            left = [name for name in left if not opened.defines(name)]
    return left


def _runpath(entries: Sequence[str], folder: Path) -> list[Path]:
    """Resolves the folders that an extension asks the loader to look in."""
    expanded = (
        entry.replace("${ORIGIN}", "$ORIGIN").replace("$ORIGIN", str(folder)) for entry in entries
    )
    return [Path(os.path.normpath(entry)) for entry in expanded if entry]


def _is_there(name: str, folders: Iterable[Path]) -> bool:
    if name.startswith((*_ALWAYS_THERE, *_ALSO_THERE)):
        return True
    return any((folder / name).exists() for folder in folders)


def _system_folders() -> list[Path]:
    """Returns the folders that the loader looks in by itself on Linux."""
    folders = [Path(folder) for folder in _SYSTEM]
    for root in ("/lib", "/usr/lib"):
        folders += Path(root).glob("*-linux-gnu")
    for listing in sorted(Path("/etc/ld.so.conf.d").glob("*.conf")):
        try:
            lines = listing.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            continue
        folders += [Path(line.strip()) for line in lines if line.strip().startswith("/")]
    return folders
