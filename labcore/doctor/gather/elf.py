"""Whether a compiled extension fits the torch beside it, told from the two files without loading.

An extension names the C++ functions of torch that it calls; torch's libraries list those that they
define. One that is named and not defined is the ``undefined symbol`` that an import would end in.
Libraries of hundreds of megabytes are asked through their own hash tables, a few pages each.
"""

import os
import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from elftools.common.exceptions import ELFError
from elftools.construct import ConstructError
from elftools.elf.elffile import ELFFile

from labcore.doctor.gather.files import find_library
from labcore.doctor.machine import CompiledExtension
from labcore.doctor.mangled import is_torch_symbol, qualified_name

__all__ = ["defined_by", "inspect_extension", "wanted_by"]

_TORCH_LIBRARIES = ("libc10*.so", "libtorch*.so")
_CUDA_LIBRARIES = ("libcudart.so", "libc10_cuda.so", "libtorch_cuda")
# What the interpreter itself has loaded, or the loader supplies wherever it lies.
_ALWAYS_THERE = (
    "ld-linux", "libc.so", "libdl.so", "libgcc_s.so", "libm.so", "libpthread.so", "libpython",
    "librt.so", "libstdc++.so", "linux-vdso",
)  # fmt: skip


def inspect_extension(
    path: Path, torch_lib: Path, library_dirs: Sequence[Path]
) -> CompiledExtension:
    """Compares an extension with the torch that it would be loaded with.

    Args:
        path: The extension, ``pytorch3d/_C.cpython-311-x86_64-linux-gnu.so``.
        torch_lib: Folder of torch's libraries, ``site-packages/torch/lib``.
        library_dirs: Further folders where the libraries may be: the CUDA wheels'.

    Returns:
        What does not fit. A file that is no ELF file (Windows, macOS, a broken download) gives
        only its name: nothing is known of it.
    """
    unknown = CompiledExtension(package=path.parent.name, path=str(path))
    try:
        with path.open("rb") as file:
            extension = ELFFile(file)
            tags = list(_section(extension, "SHT_DYNAMIC").iter_tags())
            wanted = [name for name in wanted_by(extension) if is_torch_symbol(name)]
        missing = _undefined(wanted, torch_lib)
    except (ELFError, ConstructError, OSError, ValueError):
        return unknown
    needed = [tag.needed for tag in tags if tag.entry.d_tag == "DT_NEEDED"]
    paths = [tag.runpath for tag in tags if tag.entry.d_tag == "DT_RUNPATH"]
    paths += [tag.rpath for tag in tags if tag.entry.d_tag == "DT_RPATH"]
    here = str(path.parent)
    entries = [each.replace("${ORIGIN}", "$ORIGIN").replace("$ORIGIN", here) for each in paths]
    parts = ":".join(entries).split(":")
    origin = [Path(os.path.normpath(part)) for part in parts if part]
    folders = [*origin, torch_lib, *library_dirs]
    return replace(
        unknown,
        missing_symbols=tuple(dict.fromkeys(qualified_name(name) for name in missing)),
        missing_libraries=tuple(name for name in needed if not _is_there(name, folders)),
        has_cuda=any(name.startswith(_CUDA_LIBRARIES) for name in needed),
        needs_cuda_runtime=next((n for n in needed if n.startswith("libcudart.so")), None),
        has_runpath=any((folder / "libc10.so").exists() for folder in origin)
        if torch_lib.is_dir()
        else bool(origin),
    )


def wanted_by(elf: ELFFile) -> Iterator[str]:
    """Yields the symbols that another library must define.

    Raises:
        ValueError: The file is not of 64 bits, little end first, or lists no symbols.
    """
    symbols = _section(elf, "SHT_DYNSYM")
    if elf.elfclass != 64 or not elf.little_endian:
        raise ValueError("a file for a machine that no torch is made for")
    # Read by hand: pyelftools takes a third of a millisecond for each of thousands of symbols.
    for name, info, defined_in in struct.iter_unpack("<IBxH16x", symbols.data()):
        if defined_in == 0 and info >> 4 == 1:  # not in this file, and not weak: it must be found
            yield symbols.stringtable.get_string(name)


def defined_by(elf: ELFFile, names: Iterable[str]) -> set[str]:
    """Returns those of some symbols that a library exports, looked up in its hash table."""
    table = _section(elf, "SHT_GNU_HASH", "SHT_HASH")
    found = {name: table.get_symbol(name) for name in names}
    return {name for name, each in found.items() if each and each["st_shndx"] != "SHN_UNDEF"}


def _section(elf: ELFFile, *kinds: str) -> Any:
    """Returns the first section of some kinds; ValueError where there is none."""
    found = next((each for kind in kinds for each in elf.iter_sections(kind)), None)
    if found is None:
        raise ValueError(f"the file has no {kinds[0]}")
    return found


def _undefined(wanted: Sequence[str], torch_lib: Path) -> Sequence[str]:
    """Returns the symbols that no library of torch defines; none where there is no torch."""
    libraries = sorted(
        {found for pattern in _TORCH_LIBRARIES for found in torch_lib.glob(pattern)},
        key=lambda library: library.stat().st_size,
    )
    if not libraries:
        return []
    for library in libraries:
        with library.open("rb") as file:
            defined = defined_by(ELFFile(file), wanted) if wanted else set()
        wanted = [name for name in wanted if name not in defined]
    return wanted


def _is_there(name: str, folders: Iterable[Path]) -> bool:
    known = name.startswith(_ALWAYS_THERE) or any((folder / name).exists() for folder in folders)
    return known or bool(find_library(name))
