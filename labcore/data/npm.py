"""Fetching a package of the npm registry through the user's own npm, as data: no script is run."""

import re
import shutil
from pathlib import Path

from labcore.data.archive import Progress
from labcore.data.client import by_hand, checked, put_by_hand, run_client
from labcore.errors import RequirementError

__all__ = ["download"]

_ORIGIN = re.compile(r"(@[a-z0-9][a-z0-9._-]*/)?[a-z0-9][a-z0-9._-]*@[0-9][A-Za-z0-9.+-]*\Z")


def download(
    package: str,
    sha256: str,
    folder: Path,
    *,
    downloads: Path,
    size_bytes: int | None = None,
    progress: Progress | None = None,
) -> Path:
    """Fetches a package with ``npm pack``.

    Args:
        package: ``NAME@VERSION`` or ``@SCOPE/NAME@VERSION``.
        sha256: The SHA-256 of the ``.tgz``.
        folder: Empty folder that gets the file.
        downloads: Folder where the user may already have put the file.
        size_bytes: The file's size when known, for the progress.
        progress: Told the bytes fetched.

    Returns:
        The file, checked: inside ``folder``, or the user's own in ``downloads``.

    Raises:
        RequirementError: There is no npm, no such package, no network, or the file differs.
    """
    # Nothing else, such as a folder or a repository, which npm would build by its scripts.
    if not _ORIGIN.match(package):
        raise RequirementError(
            f"the source npm:{package} is not NAME@VERSION",
            fix="the declaration of the dataset is wrong: tell the plugin's author",
        )
    there = put_by_hand(re.sub("[@/]", "-", package.lstrip("@")), sha256, downloads)
    if there is not None:
        return there
    manual = by_hand(f"the npm package {package}", sha256, downloads)
    npm = shutil.which("npm")
    if npm is None:
        raise RequirementError(
            f"the npm package {package} cannot be fetched: this machine has no npm",
            fix=f"install Node.js (nodejs.org), which brings npm, or {manual}",
        )
    target = folder / "file"
    target.mkdir()
    code, output = run_client(
        [npm, "pack", "--ignore-scripts", "--loglevel=error", package],
        target,
        variables={"npm_config_update_notifier": "false"},
        size_bytes=size_bytes,
        progress=progress,
    )
    files = sorted(target.glob("*.tgz"))
    if code != 0 or len(files) != 1:
        raise _failure(package, code, output, manual)
    return checked(
        files[0],
        sha256,
        f"the npm package {package}",
        fix="check which registry npm uses (npm config get registry), or " + manual,
    )


def _failure(package: str, code: int, output: str, manual: str) -> RequirementError:
    kind = re.search(r"code ([A-Z_0-9]+)", output)
    if kind is not None and kind[1] in {"ETARGET", "E404"}:
        cause = f"the registry has no {package}"
        remedy = f"see what it has: npm view {package.rpartition('@')[0]} versions"
    elif kind is not None and kind[1] in _NO_NETWORK:
        cause, remedy = "the registry cannot be reached", "check the network and npm's proxy"
    else:
        lines = [line.removeprefix("npm error ") for line in output.splitlines() if line.strip()]
        cause = lines[0] if lines else f"npm ended with code {code}"
        remedy = f"see what this says: npm pack {package}"
    return RequirementError(
        f"the npm package {package} cannot be fetched: {cause}", fix=f"{remedy}, or {manual}"
    )


_NO_NETWORK = {
    "EAI_AGAIN",
    "ECONNREFUSED",
    "ECONNRESET",
    "EHOSTUNREACH",
    "ENETUNREACH",
    "ENOTFOUND",
    "ETIMEDOUT",
    "FETCH_ERROR",
}
