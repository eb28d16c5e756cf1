"""Unpacking zip and tar archives as data: nothing outside the target, no links, no bombs."""

import re
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO

from labcore.errors import RequirementError

__all__ = ["Progress", "unpack"]

Progress = Callable[[int, int | None], None]
"""Called with the bytes done and the bytes in all (None when unknown)."""

_CHUNK = 1 << 20
_MAX_MEMBERS = 5_000_000
_MAX_RATIO = 200
"""Real data rarely shrinks below a hundredth; a bomb reaches a thousandth."""
_ALWAYS_ALLOWED = 64 << 20
"""Bytes that any archive may unpack to, whatever its ratio."""

_Opener = Callable[[], AbstractContextManager[IO[bytes]]]


@dataclass(frozen=True, slots=True)
class _Member:
    """A regular file inside an archive."""

    name: str
    size: int
    open: _Opener


def unpack(
    archive: Path,
    target: Path,
    *,
    members: Sequence[str] = (),
    progress: Progress | None = None,
) -> int:
    """Unpacks the regular files of an archive into an existing folder.

    Args:
        archive: A zip (wheels are zips) or tar file, told apart by content.
        target: Folder that gets the files, under their names in the archive.
        members: Globs of the members to take; ``**`` crosses folders. All of them when empty.
        progress: Told the bytes written and to write.

    Returns:
        Number of files written.

    Raises:
        RequirementError: The archive is damaged, holds a path or link that would leave the
            target, unpacks to far more than its size allows, or has no member that fits.
    """
    try:
        if zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as zipped:
                return _write(archive, _zip_members(archive, zipped), target, members, progress)
        with tarfile.open(archive) as tape:
            return _write(archive, _tar_members(archive, tape), target, members, progress)
    except (
        zipfile.BadZipFile,
        tarfile.TarError,
        zlib.error,
        EOFError,
        NotImplementedError,  # a compression method this Python lacks
        RuntimeError,  # zipfile's way to say that a member is encrypted
    ) as error:
        raise RequirementError(
            f"the archive {archive.name} cannot be unpacked: {error}",
            fix="remove it and fetch it again",
        ) from error


def _zip_members(archive: Path, zipped: zipfile.ZipFile) -> Iterator[_Member]:
    for info in zipped.infolist():
        if stat.S_ISLNK(info.external_attr >> 16):
            raise _refused(archive, f"{info.filename!r} is a link")
        if not info.is_dir():
            yield _Member(info.filename, info.file_size, partial(zipped.open, info))


def _tar_members(archive: Path, tape: tarfile.TarFile) -> Iterator[_Member]:
    for info in tape:
        if info.isdir():
            continue
        if not info.isreg():
            raise _refused(archive, f"{info.name!r} is a link or a device")
        yield _Member(info.name, info.size, partial(_tar_stream, tape, info))


def _tar_stream(tape: tarfile.TarFile, info: tarfile.TarInfo) -> IO[bytes]:
    stream = tape.extractfile(info)
    if stream is None:
        raise tarfile.ReadError(f"{info.name} has no content")
    return stream


def _write(
    archive: Path,
    found: Iterator[_Member],
    target: Path,
    globs: Sequence[str],
    progress: Progress | None,
) -> int:
    wanted = [_glob(pattern) for pattern in globs]
    chosen: list[tuple[_Member, Path]] = []
    for count, member in enumerate(found):
        if count >= _MAX_MEMBERS:
            raise _refused(archive, f"it has more than {_MAX_MEMBERS} members")
        path = target / _safe(archive, member.name)
        if not wanted or any(pattern.match(member.name) for pattern in wanted):
            chosen.append((member, path))
    if not chosen:
        raise RequirementError(
            f"the archive {archive.name} has no member that fits {', '.join(globs) or '*'}",
            fix="the declaration of the dataset is wrong: tell the plugin's author",
        )
    total = sum(member.size for member, _ in chosen)
    limit = max(_ALWAYS_ALLOWED, _MAX_RATIO * archive.stat().st_size)
    if total > limit:
        raise _refused(archive, f"it would unpack to {total} bytes, {limit} are allowed")
    done = told = 0
    for member, path in chosen:
        path.parent.mkdir(parents=True, exist_ok=True)
        done += _copy(archive, member, path)
        # A hundred notices are plenty, however many the files.
        if progress is not None and (done - told) * 100 >= total:
            progress(done, total)
            told = done
    if progress is not None and told < done:
        progress(done, total)
    return len(chosen)


def _copy(archive: Path, member: _Member, path: Path) -> int:
    """Writes one member; the size in an archive's index may lie, so the bytes are counted."""
    written = 0
    try:
        with member.open() as source, path.open("xb") as sink:
            while chunk := source.read(_CHUNK):
                written += len(chunk)
                if written > member.size:
                    raise _refused(archive, f"{member.name!r} is larger than it says")
                sink.write(chunk)
    except FileExistsError:
        raise _refused(archive, f"{member.name!r} is in it twice") from None
    return written


def _safe(archive: Path, name: str) -> PurePosixPath:
    path = PurePosixPath(name)
    unsafe = (
        not name
        or path.is_absolute()
        or ".." in path.parts
        or "\\" in name
        or "\0" in name
        or re.match(r"[A-Za-z]:", name) is not None
    )
    if unsafe:
        raise _refused(archive, f"the path {name!r} would leave the folder")
    return path


def _refused(archive: Path, reason: str) -> RequirementError:
    return RequirementError(
        f"the archive {archive.name} is refused: {reason}",
        fix="fetch it from its publisher again; do not unpack this one",
    )


def _glob(pattern: str) -> re.Pattern[str]:
    """Translates a glob over archive paths: ``*`` stays in a folder, ``**`` does not."""
    pieces = re.split(r"(\*\*/|\*\*|\*|\?)", pattern)
    translated = {"**/": r"(?:.*/)?", "**": r".*", "*": r"[^/]*", "?": r"[^/]"}
    return re.compile(
        "".join(translated.get(piece) or re.escape(piece) for piece in pieces) + r"\Z"
    )
