"""Fetching a file of a published package through the user's own pip, as data.

It is told the SHA-256, so that it
picks the right file among a release's many and refuses any other; only wheels are taken, since a
source distribution would run its ``setup.py`` just to be downloaded.
"""

import importlib.util
import re
import shutil
import sys
import sysconfig
from pathlib import Path

from labcore.data.archive import Progress
from labcore.data.client import by_hand, differs, put_by_hand, run_client
from labcore.errors import RequirementError

__all__ = ["download", "find_pip"]

_REQUIREMENT = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)==([A-Za-z0-9][A-Za-z0-9.!+_-]*)\Z")


def find_pip() -> list[str] | None:
    """Returns a command that runs pip, or None when this machine has none.

    An environment made by uv has no pip of its own. Python carries one as a wheel that runs
    without being installed; after that come a pip on PATH, and uv's way to run tools.
    """
    if importlib.util.find_spec("pip") is not None:
        return [sys.executable, "-m", "pip"]
    for folder in _wheel_folders():
        for wheel in sorted(folder.glob("pip-*.whl"), reverse=True):
            return [sys.executable, str(wheel / "pip")]
    for name in ("pip3", "pip"):
        found = shutil.which(name)
        if found is not None:
            return [found]
    uv = shutil.which("uv")
    return [uv, "tool", "run", "pip"] if uv is not None else None


def _wheel_folders() -> list[Path]:
    """Folders where Python, or the distribution that packages it, keeps pip's wheel."""
    folders: list[Path] = []
    spec = importlib.util.find_spec("ensurepip")
    if spec is not None and spec.submodule_search_locations:
        folders += [Path(place) / "_bundled" for place in spec.submodule_search_locations]
    packaged = sysconfig.get_config_var("WHEEL_PKG_DIR")
    if packaged:
        folders.append(Path(packaged))
    return folders


def download(
    requirement: str,
    sha256: str,
    folder: Path,
    *,
    downloads: Path,
    size_bytes: int | None = None,
    progress: Progress | None = None,
) -> Path:
    """Fetches one file of a published package.

    Args:
        requirement: ``NAME==VERSION``.
        sha256: The file's SHA-256, or those of a package's wheels with blanks between them.
        folder: Empty folder that gets the file; pip's own temporary files go there too.
        downloads: Folder where the user may already have put the file.
        size_bytes: The file's size when known, for the progress.
        progress: Told the bytes fetched.

    Returns:
        The file, checked: inside ``folder``, or the user's own in ``downloads``.

    Raises:
        RequirementError: There is no such version, no network, no pip, or the file differs.
    """
    if not _REQUIREMENT.match(requirement):
        raise RequirementError(
            f"the source pypi:{requirement} is not NAME==VERSION",
            fix="the declaration of the dataset is wrong: tell the plugin's author",
        )
    there = put_by_hand(requirement.partition("==")[0], sha256, downloads)
    if there is not None:
        return there
    manual = by_hand(requirement, sha256, downloads)
    pip = find_pip()
    if pip is None:
        raise RequirementError(
            f"{requirement} cannot be fetched: this machine has no pip",
            fix=f"install pip (python -m ensurepip), or {manual}",
        )
    target = folder / "file"
    scratch = folder / "pip"
    scratch.mkdir()
    wanted = folder / "requirement.txt"
    hashes = " ".join(f"--hash=sha256:{digest}" for digest in sha256.split())
    wanted.write_text(f"{requirement} {hashes}\n", encoding="utf-8")
    command = [*pip, "download", "--no-deps", "--only-binary=:all:", "--ignore-requires-python"]
    command += ["--require-hashes", "--no-input", "--progress-bar=off", "--dest", str(target)]
    code, output = run_client(
        [*command, "-r", str(wanted)],
        # An empty folder: no file there can stand in for a module of pip.
        scratch,
        variables={
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            # Nothing is installed: the user's guard against that outside a venv does not apply.
            "PIP_REQUIRE_VIRTUALENV": "0",
            "PYTHONIOENCODING": "utf-8",
        },
        size_bytes=size_bytes,
        progress=progress,
    )
    files = sorted(target.glob("*")) if target.is_dir() else []
    if code != 0 or len(files) != 1:
        raise _failure(requirement, sha256, code, output, manual)
    return files[0]


def _failure(
    requirement: str, sha256: str, code: int, output: str, manual: str
) -> RequirementError:
    got = re.search(r"Got\s+([0-9a-f]{64})", output)
    if got is not None:
        return differs(
            requirement,
            got[1],
            sha256,
            fix="check which mirror pip uses (pip config list); pip cache purge drops a bad copy",
        )
    name, _, version = requirement.partition("==")
    versions = re.search(r"\(from versions: ([^)]*)\)", output)
    network = re.search(
        r"NewConnectionError|NameResolutionError|ConnectTimeout|Read timed out|"
        r"Max retries exceeded|SSLError|ProxyError|connection broken",
        output,
    )
    if network is not None:
        cause, remedy = "the package index cannot be reached", "check the network and proxy"
    elif versions is not None and versions[1] not in {"", "none"}:
        known = versions[1].split(", ")
        cause = (
            f"the package index has no {version} wheel of {name} (it has {', '.join(known[-5:])})"
        )
        remedy = "check pip's index settings (pip config list)"
    elif versions is not None:
        cause = f"the package index has no wheel of {name}"
        remedy = "check pip's index settings (pip config list)"
    else:
        lines = [line for line in output.splitlines() if line.strip()]
        errors = [line for line in lines if line.startswith("ERROR")] or lines[-1:]
        cause = errors[-1].removeprefix("ERROR: ") if errors else f"pip ended with code {code}"
        remedy = f"see what this says: pip download --no-deps {requirement}"
    return RequirementError(
        f"{requirement} cannot be fetched: {cause}", fix=f"{remedy}, or {manual}"
    )
