"""Facts about Python and what is installed in it, read from the packages' own records."""

import importlib.metadata
import importlib.util
import platform
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name

from labcore.doctor.gather.files import package_folder

__all__ = ["find_shared_files", "nvidia_files", "read_packages", "read_python"]

_REQUIRES = re.compile(r"^Requires-Dist: (.+?)\s*$", re.MULTILINE)
_NAME_OF_FOLDER = re.compile(r"(.+?)-([^-]+)\.dist-info\Z")
_FRAMEWORKS = ("torch", "tensorflow", "jax")
_BIG_PACKAGES = ("torch", "tensorflow")


def read_python() -> dict[str, Any]:
    """Returns which Python this is."""
    return {
        "python": platform.python_version(),
        "in_venv": sys.prefix != sys.base_prefix,
        "is_conda": (Path(sys.prefix) / "conda-meta").is_dir(),
        "preloaded": tuple(name for name in _FRAMEWORKS if name in sys.modules),
        "has_bytecode": _has_bytecode(),
    }


def read_packages(path: Sequence[str] | None = None) -> dict[str, Any]:
    """Returns the installed distributions, what they ask for, and who provides ``pynvml``.

    Args:
        path: Folders of packages; those of this Python when None.
    """
    versions: dict[str, str] = {}
    requirements: dict[str, tuple[str, ...]] = {}
    for distribution in _distributions(path):
        name, version = _identity(distribution)
        # The first on the path is the one that an import gets.
        if not name or name in versions:
            continue
        versions[name] = version
        head = (distribution.read_text("METADATA") or "").partition("\n\n")[0]
        asked = tuple(text for text in _REQUIRES.findall(head) if "extra ==" not in text)
        if asked:
            requirements[name] = asked
    return {
        "packages": dict(sorted(versions.items())),
        "requirements": requirements,
        "modules": _modules(),
    }


def find_shared_files(path: Sequence[str] | None = None) -> dict[str, Any]:
    """Returns the files of CUDA wheels that two distributions claim.

    The one whose file is on disk comes first, told by its size.

    Args:
        path: Folders of packages; those of this Python when None.
    """
    claims: dict[Path, list[tuple[str, int]]] = {}
    for file, name, _, size in nvidia_files(path):
        claims.setdefault(file, []).append((name, size))
    owners: dict[str, tuple[str, ...]] = {}
    for file, claimed in sorted(claims.items()):
        if len({name for name, _ in claimed}) > 1:
            size = file.stat().st_size if file.exists() else -1
            present_first = sorted((recorded != size, name) for name, recorded in claimed)
            inside = "nvidia/" + file.as_posix().rpartition("/nvidia/")[2]
            owners[inside] = tuple(name for _, name in present_first)
    return {"owners": owners}


def nvidia_files(path: Sequence[str] | None = None) -> Iterator[tuple[Path, str, str, int]]:
    """Yields path, distribution, its version and the recorded size of files of CUDA wheels.

    Args:
        path: Folders of packages; those of this Python when None.
    """
    for distribution in _distributions(path):
        name, version = _identity(distribution)
        if not name.startswith("nvidia-"):
            continue
        for line in (distribution.read_text("RECORD") or "").splitlines():
            inside, _, size = line.rsplit(",", 2) if line.count(",") >= 2 else ("", "", "")
            if inside.startswith("nvidia/") and "/lib/" in inside:
                file = Path(str(distribution.locate_file(inside)))
                yield file, name, version, int(size) if size.isdigit() else 0


def _distributions(path: Sequence[str] | None) -> Iterable[importlib.metadata.Distribution]:
    return importlib.metadata.distributions(path=list(sys.path if path is None else path))


def _identity(distribution: importlib.metadata.Distribution) -> tuple[str, str]:
    """Reads the folder's name, which takes a tenth of the time of its metadata."""
    folder = Path(str(getattr(distribution, "_path", ""))).name
    match = _NAME_OF_FOLDER.match(folder)
    if match is not None:
        return canonicalize_name(match[1]), match[2]
    return canonicalize_name(distribution.metadata["Name"] or ""), distribution.version or ""


def _modules() -> dict[str, str]:
    spec = importlib.util.find_spec("pynvml")
    if spec is None or spec.origin is None:
        return {}
    # NVIDIA's own binding is a single file; the packages that took its name are folders.
    owner = "pynvml" if spec.submodule_search_locations else "nvidia-ml-py"
    return {"pynvml": owner}


def _has_bytecode() -> bool | None:
    folders = [folder for name in _BIG_PACKAGES if (folder := package_folder(name)) is not None]
    if not folders:
        return None
    tag = f"*.{sys.implementation.cache_tag}.pyc"
    return all(any((folder / "__pycache__").glob(tag)) for folder in folders)
