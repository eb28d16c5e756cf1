"""Fetching a Debian package through the user's own apt, as data: nothing is installed."""

import re
import shutil
import subprocess
from pathlib import Path

from labcore.data.archive import Progress, most_bytes
from labcore.data.client import by_hand, checked, put_by_hand, run_client
from labcore.errors import RequirementError

__all__ = ["download", "files_of"]

_ORIGIN = re.compile(r"[a-z0-9][a-z0-9+.-]+(=[A-Za-z0-9][A-Za-z0-9.+:~-]*)?\Z")
_CHUNK = 1 << 20


def download(
    package: str,
    sha256: str,
    folder: Path,
    *,
    downloads: Path,
    size_bytes: int | None = None,
    progress: Progress | None = None,
) -> Path:
    """Fetches a package with ``apt-get download``, which needs no rights and installs nothing.

    Args:
        package: ``NAME`` or ``NAME=VERSION``.
        sha256: The file's SHA-256, or those for several machines with blanks between them.
        folder: Empty folder that gets the file.
        downloads: Folder where the user may already have put the file.
        size_bytes: The file's size when known, for the progress.
        progress: Told the bytes fetched.

    Returns:
        The file, checked: inside ``folder``, or the user's own in ``downloads``.

    Raises:
        RequirementError: There is no apt, no such package, no network, or the file differs.
    """
    if not _ORIGIN.match(package):
        raise RequirementError(
            f"the source deb:{package} is not NAME or NAME=VERSION",
            fix="the declaration of the dataset is wrong: tell the plugin's author",
        )
    name = package.partition("=")[0]
    there = put_by_hand(f"{name}_", sha256, downloads)
    if there is not None:
        return there
    manual = by_hand(f"the Debian package {package}", sha256, downloads)
    apt = shutil.which("apt-get")
    if apt is None:
        raise RequirementError(
            f"the Debian package {package} cannot be fetched: this machine has no apt-get",
            fix=manual,
        )
    target = folder / "file"
    target.mkdir()
    code, output = run_client(
        [apt, "download", "--quiet", package],
        target,
        variables={},
        size_bytes=size_bytes,
        progress=progress,
    )
    files = sorted(target.glob("*.deb"))
    if code != 0 or len(files) != 1:
        raise _failure(package, code, output, manual)
    return checked(
        files[0],
        sha256,
        f"{files[0].name} of the Debian package {package}",
        fix=f"apt gives the version of this machine's release: {manual}",
    )


def files_of(package: Path, folder: Path) -> Path:
    """Returns the tar file of what a Debian package would install, written into ``folder``.

    Raises:
        RequirementError: There is no dpkg-deb, or the package is damaged or a bomb.
    """
    dpkg = shutil.which("dpkg-deb")
    if dpkg is None:
        raise RequirementError(
            f"{package.name} cannot be unpacked: this machine has no dpkg-deb",
            fix="install dpkg (it is in most distributions and in Homebrew)",
        )
    tape = folder / f"{package.name}.tar"
    command = [dpkg, "--fsys-tarfile", str(package)]
    with (
        (folder / "dpkg-deb.log").open("w+", errors="replace") as said,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=said) as process,
        tape.open("wb") as sink,
    ):
        assert process.stdout is not None
        left = most_bytes(package)
        try:
            while left > 0 and (chunk := process.stdout.read(_CHUNK)):
                sink.write(chunk)
                left -= len(chunk)
        finally:
            if left <= 0:
                process.kill()
            process.stdout.close()
        code = process.wait()
        said.seek(0)
        error = said.read().strip() or f"dpkg-deb ended with code {code}"
    if left <= 0:
        raise RequirementError(
            f"{package.name} is refused: it would unpack to over {most_bytes(package)} bytes",
            fix="fetch it from its publisher again; do not unpack this one",
        )
    if code != 0:
        raise RequirementError(
            f"{package.name} cannot be unpacked: {error}", fix="remove it and fetch it again"
        )
    return tape


def _failure(package: str, code: int, output: str, manual: str) -> RequirementError:
    errors = [line.removeprefix("E: ") for line in output.splitlines() if line.startswith("E: ")]
    cause = errors[0] if errors else f"apt-get ended with code {code}"
    name = package.partition("=")[0]
    if re.search(r"Unable to locate package|was not found|No candidate|no installation", cause):
        remedy = f"see what apt knows: apt-cache policy {name} (apt-get update renews its lists)"
    else:
        remedy = f"check the network and see what this says: apt-get download {package}"
    return RequirementError(
        f"the Debian package {package} cannot be fetched: {cause}", fix=f"{remedy}, or {manual}"
    )
