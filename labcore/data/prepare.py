"""Making a declared dataset ready: fetch, check, unpack, prepare; once, whole, or not at all."""

import contextlib
import inspect
import logging
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from labcore.data.archive import Progress
from labcore.data.fetch import fetch, forget
from labcore.data.folder import (
    dataset_folder,
    other,
    owner,
    package_version,
    prepared_folder,
    require_package,
)
from labcore.data.manifest import count_files, fingerprint, read_stamp, write_manifest
from labcore.discovery import find_plugins
from labcore.errors import RequirementError
from labcore.plugin import Dataset, Plugin, load_object

__all__ = ["ensure", "option_hint"]

log = logging.getLogger(__name__)


def ensure(
    plugin: Plugin,
    dataset: Dataset,
    data_dir: Path,
    *,
    folder: Path | None = None,
    progress: Progress | None = None,
    force: bool = False,
) -> Path:
    """Returns the folder of a dataset, fetching and preparing it when it is not there.

    Of several processes that ask at once one does the work and the others wait for it. The folder
    appears in one step, so a process that is killed leaves nothing that could be taken for data.
    A folder with missing files, or made from an older declaration or from data that have changed
    since, is made anew.

    Args:
        plugin: The plugin that declares it.
        dataset: The declaration.
        data_dir: Folder of all datasets (:func:`labcore.data.data_folder`).
        folder: The user's own, for ``folder:OPTION`` (:func:`labcore.data.chosen_folder`); by
            default the dataset's place in ``data_dir``.
        progress: Called with bytes done and bytes in all (None when unknown), first for the
            download, then for the unpacking; with other things than bytes for data made here.
        force: Make it anew even when it looks whole (:func:`labcore.data.verify` found damage).

    Raises:
        RequirementError: The data cannot be fetched, made or written, or is not what was declared.
    """
    plugin, dataset = owner(plugin, dataset)
    target = dataset_folder(plugin, dataset, data_dir)
    raw, version = None, ""
    if dataset.kind == "folder":
        raw = _own_folder(dataset, folder, target)
        target = prepared_folder(plugin, dataset, data_dir, raw)
    elif dataset.kind == "package":
        raw = require_package(dataset)
        version = package_version(dataset.origin)
    elif dataset.kind == "plugin":
        raw = ensure(*other(plugin, dataset), data_dir, progress=progress)
    if raw is not None:
        if not dataset.prepare:
            return raw
        version = version or fingerprint(raw)
    if not force and is_complete(target, dataset, version):
        return target
    making = _Making(plugin, dataset, data_dir, target, raw, version, progress)
    try:
        making.make(force=force)
    except OSError as error:
        raise RequirementError(
            f"the dataset {dataset.name} cannot be written to {target}: {error.strerror or error}",
            fix="free some space or choose another folder: data_dir=/path/to/data, or LAB_DATA_DIR",
        ) from error
    return target


def is_complete(target: Path, dataset: Dataset, version: str) -> bool:
    """Whether ``target`` holds all files of what ``dataset`` declares; contents are not read."""
    stamp = read_stamp(target)
    return (
        stamp is not None
        and stamp.fits(dataset, version)
        # Caches beside the data may add files; fewer than recorded means that some are gone.
        and count_files(target) >= stamp.files
    )


def option_hint(dataset: Dataset) -> str:
    """Returns how the user names an own folder, such as `` or give data.folder=/path``."""
    option = dataset.origin
    return f", or give {option}=/path/to/{dataset.name}" if option else ""


def _own_folder(dataset: Dataset, chosen: Path | None, default: Path) -> Path:
    folder = chosen or default
    if folder.is_dir() and any(folder.iterdir()):
        return folder
    where = f" See {dataset.homepage}." if dataset.homepage else ""
    if chosen is not None:
        what = "nothing in" if folder.is_dir() else "no folder"
        raise RequirementError(
            f"{dataset.origin}={folder} is to hold the dataset {dataset.name}, and there is "
            f"{what} {folder}.{where}",
            fix=f"check the path: {dataset.origin}=/path/to/{dataset.name}",
        )
    raise RequirementError(
        f"the dataset {dataset.name} is yours to provide and there is nothing in {folder}.{where}",
        fix=f"put the files there (or a link to them){option_hint(dataset)}",
    )


@dataclass(frozen=True, slots=True)
class _Making:
    """A dataset that is to be made."""

    plugin: Plugin
    dataset: Dataset
    data_dir: Path
    target: Path
    raw: Path | None
    """What is prepared, where that is on this machine already."""
    version: str
    progress: Progress | None

    def make(self, *, force: bool) -> None:
        """Makes it, unless another process did while this one waited."""
        target, name = self.target, self.target.name
        lock = self.data_dir / ".locks" / f"{self.plugin.name}-{name}.lock"
        lock.parent.mkdir(parents=True, exist_ok=True)
        target.parent.mkdir(parents=True, exist_ok=True)
        with _held(lock, self.dataset):
            if not force and is_complete(target, self.dataset, self.version):
                return
            prefix = f".{name}.tmp-"
            # Whoever holds the lock owns every such folder: these are left from killed processes.
            for left in target.parent.glob(f"{prefix}*"):
                shutil.rmtree(left, ignore_errors=True)
            if target.exists() and read_stamp(target) is None and any(target.iterdir()):
                raise RequirementError(
                    f"{target} holds files that are not from here, so the dataset "
                    f"{self.dataset.name} cannot go there",
                    fix="move that folder away, or choose another: data_dir=/path/to/data",
                )
            workspace = Path(tempfile.mkdtemp(dir=target.parent, prefix=prefix))
            try:
                made = self._build(workspace)
                write_manifest(made, self.dataset, self.version)
                if target.exists():
                    log.warning("%s is damaged or outdated and was made anew", target)
                    target.replace(workspace / "replaced")
                made.replace(target)
            finally:
                shutil.rmtree(workspace, ignore_errors=True)
            forget(self.dataset, self._downloads)

    @property
    def _downloads(self) -> Path:
        """Where a user without network puts what was fetched by other means."""
        return self.data_dir / "downloads"

    def _build(self, workspace: Path) -> Path:
        """Makes the finished folder inside ``workspace`` and returns it."""
        dataset, raw = self.dataset, self.raw
        prepare = _preparer(self.plugin, dataset) if dataset.prepare else None
        if raw is None:
            raw = workspace / "raw"
            raw.mkdir()
            if dataset.fetched:
                scratch = workspace / "download"
                scratch.mkdir()
                fetch(dataset, raw, scratch, self._downloads, self.progress)
        if prepare is None:
            return raw
        out = workspace / "out"
        out.mkdir()
        takes = inspect.signature(prepare).parameters
        prepare(dataset, raw, out, **({"progress": self.progress} if "progress" in takes else {}))
        return out


@contextlib.contextmanager
def _held(path: Path, dataset: Dataset) -> Iterator[None]:
    """Holds the lock of a dataset, and says so when it has to wait for it."""
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        log.info("another process is making the dataset %s: waiting for it", dataset.name)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _preparer(plugin: Plugin, dataset: Dataset) -> Callable[..., None]:
    """Imports the function that makes the dataset; before a download that would be for nothing.

    Raises:
        RequirementError: It needs packages that are not here.
    """
    found = find_plugins().get(plugin.name)
    if found is not None and found.missing:
        raise RequirementError(
            f"the dataset {plugin.name}/{dataset.name} cannot be made here: "
            + ", ".join(found.missing),
            fix=found.fix,
        )
    preparer: Callable[..., None] = load_object(dataset.prepare)
    return preparer
