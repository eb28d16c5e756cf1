"""What fetching through a program of the user's has in common: run it, check what it brought.

Such a program (pip, apt-get, npm) brings the user's mirrors, proxies, certificates and cache. It
works in a temporary folder and installs nothing.
"""

import contextlib
import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

from labcore.data.archive import Progress
from labcore.data.manifest import measure
from labcore.errors import RequirementError
from labcore.record.files import sha256_of

__all__ = ["by_hand", "checked", "differs", "put_by_hand", "run_client"]

_POLL_S = 0.2


def by_hand(what: str, sha256: str, downloads: Path) -> str:
    """Returns what a user without a network can do: the end of a fix."""
    return f"download {what} (sha256 {sha256[:12]}...) elsewhere and put it in {downloads}"


def put_by_hand(prefix: str, sha256: str, downloads: Path) -> Path | None:
    """Returns a file that the user has put into ``downloads``, or None.

    Args:
        prefix: What its name begins with; case, and which of ``-_.`` it has, do not count.
        sha256: Its SHA-256, or several with blanks between them.
        downloads: The folder.
    """
    start = _plain(prefix)
    for path in sorted(downloads.glob("*")) if downloads.is_dir() else []:
        fits = _plain(path.name).startswith(start) and path.is_file()
        if fits and sha256_of(path) in sha256.split():
            return path
    return None


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def checked(path: Path, sha256: str, what: str, *, fix: str) -> Path:
    """Returns ``path`` when its SHA-256 is one of those declared; removes it otherwise.

    Raises:
        RequirementError: It is another file.
    """
    digest = sha256_of(path)
    if digest not in sha256.split():
        path.unlink()
        raise differs(what, digest, sha256, fix=fix)
    return path


def differs(what: str, digest: str, sha256: str, *, fix: str) -> RequirementError:
    """Returns the error for a file that is not the one that was declared."""
    return RequirementError(
        f"{what} is not the file that was declared: its SHA-256 is {digest}, expected {sha256}; "
        "it was removed",
        fix=fix,
    )


def run_client(
    command: list[str],
    folder: Path,
    *,
    variables: Mapping[str, str],
    size_bytes: int | None,
    progress: Progress | None,
) -> tuple[int, str]:
    """Runs a program out of sight; its growing files are the progress.

    Args:
        command: The words.
        folder: Where it works; its temporary files go there too.
        variables: Environment variables to set.
        size_bytes: What it will fetch, when known.
        progress: Told the bytes in ``folder``.

    Returns:
        Its exit code and all it said.
    """
    log = folder.with_name(f"{folder.name}.log")
    environment = os.environ | {"TMPDIR": str(folder), "LC_ALL": "C.UTF-8", **variables}
    with log.open("wb") as sink:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
        )
        try:
            while (code := process.poll()) is None:
                if progress is not None:
                    progress(measure(folder)[1], size_bytes)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(_POLL_S)
        except BaseException:
            process.kill()
            process.wait()
            raise
    return code, log.read_text(encoding="utf-8", errors="replace")
