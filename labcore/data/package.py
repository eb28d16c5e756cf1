"""Datasets that are files of an installed package, found without importing it."""

import importlib.metadata
import importlib.util
from pathlib import Path

from labcore.errors import RequirementError
from labcore.plugin import Dataset

__all__ = ["find_package", "package_version", "require_package"]


def find_package(name: str) -> Path | None:
    """Returns the folder of an installed package, or None; nothing is imported.

    Args:
        name: Import name; a dotted one names a folder inside the package.
    """
    top, *below = name.split(".")
    try:
        spec = importlib.util.find_spec(top)
    except (ImportError, ValueError):
        return None
    if spec is None or not spec.submodule_search_locations:
        return None
    for place in spec.submodule_search_locations:
        folder = Path(place, *below)
        if folder.is_dir():
            return folder
    return None


def package_version(name: str) -> str:
    """Returns the version of the distribution called like the package, or '' when unknown."""
    try:
        return importlib.metadata.version(name.partition(".")[0])
    except importlib.metadata.PackageNotFoundError:
        return ""


def require_package(dataset: Dataset) -> Path:
    """Returns the folder of the package that holds ``dataset``.

    Raises:
        RequirementError: The package is not installed.
    """
    name = dataset.origin
    folder = find_package(name)
    if folder is None:
        top = name.partition(".")[0]
        raise RequirementError(
            f"the dataset {dataset.name} is part of the package {top}, which is not installed",
            fix=f"pip install {top}",
        )
    return folder
