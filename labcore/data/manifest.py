"""What marks a dataset folder as complete, and the list of its files for checking it later."""

import contextlib
import dataclasses
import hashlib
import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from labcore.plugin import Dataset
from labcore.record.files import sha256_of, write_atomically

__all__ = [
    "Stamp",
    "check_files",
    "count_files",
    "fingerprint",
    "measure",
    "read_stamp",
    "write_manifest",
]

_STAMP = ".complete.json"
_FILES = ".files.json"


@dataclass(frozen=True, kw_only=True, slots=True)
class Stamp:
    """Says that a folder is whole and what it was made from. Written last."""

    source: str
    sha256: str
    members: list[str]
    prepare: str
    version: str = ""
    """Of the installed package, or state of the folder, that the files were made from."""
    time: float = 0.0
    """When it was made, in seconds since the epoch."""
    files: int = 0
    bytes: int = 0

    def fits(self, dataset: Dataset, version: str = "") -> bool:
        """Whether the folder was made from what ``dataset`` now declares."""
        return (self.source, self.sha256, tuple(self.members), self.prepare, self.version) == (
            dataset.source,
            dataset.sha256,
            dataset.members,
            dataset.prepare,
            version,
        )


def read_stamp(folder: Path) -> Stamp | None:
    """Returns the stamp of a dataset folder, or None when it has none that can be read."""
    try:
        return Stamp(**json.loads((folder / _STAMP).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def write_manifest(folder: Path, dataset: Dataset, version: str = "") -> Stamp:
    """Records every file of ``folder`` with its size and SHA-256, and stamps it as complete."""
    rows = {
        path.relative_to(folder).as_posix(): (path.stat().st_size, sha256_of(path))
        for path in sorted(_files(folder))
    }
    write_atomically(folder / _FILES, json.dumps(rows, ensure_ascii=False))
    stamp = Stamp(
        source=dataset.source,
        sha256=dataset.sha256,
        members=list(dataset.members),
        prepare=dataset.prepare,
        version=version,
        time=time.time(),
        files=len(rows),
        bytes=sum(size for size, _ in rows.values()),
    )
    text = json.dumps(dataclasses.asdict(stamp), indent=1)
    write_atomically(folder / _STAMP, text + "\n", durable=True)
    return stamp


def count_files(folder: Path) -> int:
    """Returns the number of files of a dataset folder, the lab's own two left out."""
    return sum(1 for _ in _files(folder))


def fingerprint(folder: Path) -> str:
    """Returns what changes when a file below a folder is added, removed or written to.

    A folder that the lab made says itself when that was: caches beside its data do not count.
    """
    stamp = read_stamp(folder)
    if stamp is not None:
        return f"{stamp.time}"
    digest = hashlib.blake2b(digest_size=16)
    for path in sorted(_files(folder)):
        with contextlib.suppress(OSError):  # a link to nothing
            status = path.stat()
            row = (os.fspath(path.relative_to(folder)), status.st_size, status.st_mtime_ns)
            digest.update(repr(row).encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def measure(folder: Path) -> tuple[int, int]:
    """Returns number and bytes of the files below a folder, which may be coming and going."""
    sizes = []
    for path in _files(folder):
        with contextlib.suppress(OSError):
            sizes.append(path.stat().st_size)
    return len(sizes), sum(sizes)


def check_files(folder: Path) -> list[str]:
    """Compares a dataset folder with its manifest.

    Files that are not in the manifest are no fault: a cache may live beside the data.

    Returns:
        One line per missing or changed file; empty when all is well.
    """
    try:
        rows = json.loads((folder / _FILES).read_text(encoding="utf-8"))
        expected = {str(name): (int(size), str(digest)) for name, (size, digest) in rows.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return ["the list of its files is missing or damaged"]
    found = (_fault(folder / name, size, digest) for name, (size, digest) in expected.items())
    return [f"{name}: {fault}" for name, fault in zip(expected, found, strict=True) if fault]


def _fault(path: Path, size: int, digest: str) -> str:
    """Returns what is wrong with a file, or '' when nothing is."""
    try:
        actual = path.stat().st_size
        if actual != size:
            return f"{actual} bytes, expected {size}"
        return "" if sha256_of(path) == digest else "content changed"
    except FileNotFoundError:
        return "missing"
    except OSError as error:
        return f"cannot be read ({error.strerror})"


def _files(folder: Path) -> Iterator[Path]:
    """Yields every file below ``folder`` (os.walk: many times as fast as ``rglob``)."""
    own = {folder / _STAMP, folder / _FILES}
    for parent, _, names in os.walk(folder):
        inside = Path(parent)
        yield from (path for path in (inside / name for name in names) if path not in own)
