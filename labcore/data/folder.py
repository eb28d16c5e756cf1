"""Where datasets live on this machine."""

import os
from pathlib import Path

from labcore.errors import RequirementError
from labcore.plugin import Dataset, Plugin

__all__ = ["data_folder", "dataset_folder", "downloads_folder", "lock_file"]


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


def downloads_folder(data_dir: Path) -> Path:
    """Returns where a user without network puts archives fetched by other means."""
    return data_dir / "downloads"


def lock_file(plugin: Plugin, dataset: Dataset, data_dir: Path) -> Path:
    """Returns the file that a process locks while it fetches or prepares the dataset."""
    return data_dir / ".locks" / f"{plugin.name}-{dataset.name}.lock"
