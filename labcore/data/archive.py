"""Unpacking zip and tar archives as data: nothing outside the target, no links, no bombs."""

import contextlib
import errno
import re
import shutil
import stat
import tarfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, NamedTuple

from labcore.errors import LabError, RequirementError

__all__ = ["Progress", "most_bytes", "unpack"]

Progress = Callable[[int, int | None], None]
"""Called with the bytes done and the bytes in all (None when unknown)."""

_CHUNK = 1 << 20
_MAX_MEMBERS = 5_000_000
_MAX_RATIO = 200
"""Real data rarely shrinks below a hundredth; a bomb reaches a thousandth."""
_ALWAYS_ALLOWED = 64 << 20
"""Bytes that any archive may unpack to, whatever its ratio."""
_FOREIGN = r"\\|\0|^[A-Za-z]:"
_OF_A_NAME = {"EEXIST", "ENOTDIR", "EISDIR", "ENAMETOOLONG", "EINVAL", "EILSEQ"}
"""Why a disk refuses a file that has room on it."""


class _Member(NamedTuple):
    """A file inside an archive."""

    name: str
    size: int
    open: Callable[[], IO[bytes]]
    odd: str = ""
    """What it is when it is no regular file: such a member is refused where it is wanted."""


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
        RequirementError: The archive is damaged, holds a path that would leave the target,
            unpacks to far more than its size allows, has a link among the members to take, or no
            member that fits.
        OSError: The disk is full, or the target cannot be written.
    """
    with _reading(archive), contextlib.ExitStack() as stack:
        if zipfile.is_zipfile(archive):
            found = _zip_members(stack.enter_context(zipfile.ZipFile(archive)))
        else:
            found = _tar_members(stack.enter_context(tarfile.open(archive)))
        chosen = list(_choose(archive, found, [_glob(each) for each in members]))
        if not chosen:
            raise RequirementError(
                f"the archive {archive.name} has no member that fits {', '.join(members) or '*'}",
                fix="the declaration of the dataset is wrong: tell the plugin's author",
            )
        total = sum(member.size for member in chosen)
        limit = most_bytes(archive)
        if total > limit:
            raise _refused(archive, f"it would unpack to {total} bytes, {limit} are allowed")
        done = told = 0
        for member in chosen:
            done += _copy(archive, member, target / member.name)
            # A hundred notices are plenty, however many the files.
            if progress is not None and ((done - told) * 100 >= total or member is chosen[-1]):
                progress(done, total)
                told = done
    return len(chosen)


def most_bytes(archive: Path) -> int:
    """Returns to how many bytes an archive may unpack: more is a bomb."""
    return max(_ALWAYS_ALLOWED, _MAX_RATIO * archive.stat().st_size)


@contextlib.contextmanager
def _reading(archive: Path) -> Iterator[None]:
    """Takes what a library raises at a stranger's bytes for damage, and not what a disk says."""
    try:
        yield
    except LabError:
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno not in {None, errno.EINVAL}:
            raise
        raise RequirementError(
            f"the archive {archive.name} cannot be unpacked: {error or type(error).__name__}",
            fix="remove it and fetch it again",
        ) from error


def _zip_members(zipped: zipfile.ZipFile) -> Iterator[_Member]:
    for info in zipped.infolist():
        odd = "a link" if stat.S_ISLNK(info.external_attr >> 16) else ""
        if not info.is_dir():
            # It reads no more than the size that the index tells, and then compares checksums.
            yield _Member(info.filename, info.file_size, partial(zipped.open, info), odd)


def _tar_members(tape: tarfile.TarFile) -> Iterator[_Member]:
    for info in tape:
        if info.isdir():
            continue
        odd = "" if info.isreg() else "a link or a device"
        # Packers that are given a folder write ./ before every name.
        yield _Member(info.name.removeprefix("./"), info.size, partial(_extract, tape, info), odd)


def _extract(tape: tarfile.TarFile, info: tarfile.TarInfo) -> IO[bytes]:
    content = tape.extractfile(info)
    assert content is not None, "it is a regular file"
    return content


def _choose(
    archive: Path, found: Iterator[_Member], wanted: Sequence[re.Pattern[str]]
) -> Iterator[_Member]:
    """Yields the members that are wanted; refuses all when the name of any is unsafe."""
    for count, member in enumerate(found):
        if count >= _MAX_MEMBERS:
            raise _refused(archive, f"it has more than {_MAX_MEMBERS} members")
        parts = PurePosixPath(member.name).parts
        # What is one name on this system may be a path on Windows.
        if not parts or {"/", "//", ".."} & {*parts} or re.search(_FOREIGN, member.name):
            raise _refused(archive, f"the path {member.name!r} would leave the folder")
        if not wanted or any(pattern.match(member.name) for pattern in wanted):
            if member.odd:
                raise _refused(archive, f"{member.name!r} is {member.odd}")
            yield member


def _copy(archive: Path, member: _Member, path: Path) -> int:
    """Writes one member and returns its bytes."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        sink = path.open("xb")
    except OSError as error:
        if errno.errorcode.get(error.errno or 0) not in _OF_A_NAME:
            raise
        twice = isinstance(error, FileExistsError) and path.is_file()
        reason = "is in it twice" if twice else f"cannot be a file here: {error.strerror}"
        raise _refused(archive, f"{member.name[:200]!r} {reason}") from None
    with sink, member.open() as source:
        shutil.copyfileobj(source, sink, _CHUNK)
        return sink.tell()


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
