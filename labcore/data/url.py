"""Fetching a file from a web server into a partial file, which a kill leaves to go on with.

Proxies are those of the environment. What a server sends is trusted for its SHA-256 alone.
"""

import http.client
import re
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

from filelock import FileLock

from labcore.data.archive import Progress
from labcore.data.client import by_hand, checked, put_by_hand
from labcore.errors import RequirementError

__all__ = ["download", "file_name", "partial_file"]

_CHUNK = 1 << 18
_TIMEOUT_S = 30.0
_BROKEN = (OSError, http.client.HTTPException)
"""What reading from a server raises when the connection breaks."""


def file_name(url: str) -> str:
    """Returns what a file is called by its address."""
    path = urllib.parse.unquote(urllib.parse.urlsplit(url).path)
    return re.sub(r"[^\w.+@=-]", "_", path.rstrip("/").rpartition("/")[2]).lstrip(".") or "file"


def partial_file(url: str, sha256: str, downloads: Path) -> Path:
    """Returns where the beginning of a file is kept until its dataset is made."""
    return downloads / f".{sha256.split()[0][:16]}-{file_name(url)}.part"


def download(
    url: str,
    sha256: str,
    folder: Path,
    *,
    downloads: Path,
    size_bytes: int | None = None,
    progress: Progress | None = None,
) -> Path:
    """Fetches one file, or what an earlier process has left of it to fetch.

    Args:
        url: Its address.
        sha256: Its SHA-256.
        folder: Not used: the file has to outlive this process.
        downloads: Folder of the partial file, where the user may also have put the whole one.
        size_bytes: The file's size when known, for the progress of a server that tells none.
        progress: Told the bytes fetched.

    Returns:
        The file, checked: the partial one, whole now, or the user's own.

    Raises:
        RequirementError: The server cannot be reached or has no such file, or the file differs.
    """
    there = put_by_hand(file_name(url), sha256, downloads)
    if there is not None:
        return there
    downloads.mkdir(parents=True, exist_ok=True)
    partial = partial_file(url, sha256, downloads)
    manual = by_hand(url, sha256, downloads)
    with FileLock(f"{partial}.lock"):
        begun = partial.exists()
        _fetch(url, partial, manual, size_bytes, progress)
        try:
            return checked(partial, sha256, url, fix=f"try again, or {manual}")
        except RequirementError:
            if not begun:
                raise
        # The beginning was of another file, or a power cut took some of it.
        _fetch(url, partial, manual, size_bytes, progress)
        return checked(partial, sha256, url, fix=f"try again, or {manual}")


def _fetch(
    url: str, partial: Path, manual: str, size_bytes: int | None, progress: Progress | None
) -> None:
    """Goes on with a partial file to its end; after a break too, as long as that gets further."""
    while True:
        before = partial.stat().st_size if partial.exists() else 0
        try:
            cause = _transfer(url, partial, size_bytes, progress)
        except urllib.error.HTTPError as error:
            error.close()
            raise RequirementError(
                f"{url} cannot be fetched: the server answers {error.code} {error.reason}",
                fix=f"check the address in a browser, or {manual}",
            ) from None
        if cause is None:
            return
        if partial.exists() and partial.stat().st_size > before:
            continue
        raise RequirementError(
            f"{url} cannot be fetched: {cause}",
            fix=f"check the network and proxy and try again (what is here is kept), or {manual}",
        )


def _transfer(
    url: str, partial: Path, size_bytes: int | None, progress: Progress | None
) -> str | None:
    """Appends what a server sends; returns why that ended early, or None.

    Raises:
        OSError: The disk is full.
        urllib.error.HTTPError: The server has no such file.
    """
    start = partial.stat().st_size if partial.exists() else 0
    wanted = {"Range": f"bytes={start}-"} if start else {}
    try:
        request = urllib.request.Request(url, headers=wanted)  # noqa: S310  # Dataset takes no file:
        answer = urllib.request.urlopen(request, timeout=_TIMEOUT_S)  # noqa: S310  # the same
    except urllib.error.HTTPError as error:
        if error.code != http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            raise
        error.close()  # there is no more: the checksum tells whether it is the file
        return None
    except _BROKEN as error:
        return f"the server cannot be reached ({_reason(error)})"
    with answer:
        if not _continues(answer, start):
            start = 0
        length = answer.headers.get("Content-Length", "")
        total = start + int(length) if length.isdigit() else None
        done = start
        with partial.open("ab" if start else "wb") as sink:
            while True:
                try:
                    chunk = answer.read1(_CHUNK)
                except _BROKEN as error:
                    return f"the connection broke ({_reason(error)})"
                if not chunk:
                    break
                sink.write(chunk)
                done += len(chunk)
                if progress is not None:
                    progress(done, total or size_bytes)
    if total is not None and done < total:
        return f"the connection broke after {done} of {total} bytes"
    return None


def _continues(answer: Any, start: int) -> bool:
    """Whether a server sends what was asked for and not the whole file once more."""
    if answer.status != http.HTTPStatus.PARTIAL_CONTENT:
        return False
    sent = re.match(r"bytes (\d+)-", answer.headers.get("Content-Range", ""))
    return sent is not None and int(sent[1]) == start


def _reason(error: BaseException) -> object:
    return getattr(error, "reason", None) or error or type(error).__name__
