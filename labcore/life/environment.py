"""``environment.json`` and ``git.diff``: what a run was made with, so that it can be made again."""

import dataclasses
import importlib.metadata
import os
import platform
import re
import shlex
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from labcore.devices import DevicePlan, available_cores, survey
from labcore.record.files import write_atomically
from labcore.record.records import read_json, write_json
from labcore.record.redaction import recordable_variables, redact_arguments, redact_text

__all__ = ["Checkout", "capture", "read_checkout"]

_TIMEOUT_S = 5.0
_MAX_UNTRACKED = 200
_MAX_DIFF = 5_000_000
_SECRET_FILES = (".env*", "*.pem", "*.key", "id_rsa*", "id_ed25519*", "*secret*", "*credential*")
"""Files whose changes are named and never copied into a run folder."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Checkout:
    """A git work tree at one moment."""

    root: str
    commit: str | None
    """None before the first commit."""
    branch: str | None
    """None when no branch is checked out."""
    changed: tuple[str, ...] = ()
    """Tracked files that differ from the commit."""
    untracked: tuple[str, ...] = ()
    """The first few hundred files that git does not know and does not ignore."""
    diff: str = ""
    """Changes of the tracked files against the commit; cut when longer than 5 MB."""

    @property
    def dirty(self) -> bool:
        """Whether the commit alone does not say what ran."""
        return bool(self.changed or self.untracked)


def read_checkout(folder: Path) -> Checkout | None:
    """Returns the state of the work tree that ``folder`` is in, without changing anything.

    Returns:
        None when there is no git, no work tree, or git takes longer than a few seconds.
    """
    # One call says it all; the others are needed only for a tree with changes.
    root = _git(folder, "rev-parse", "--show-toplevel")
    if not root:
        return None
    top = Path(root.rstrip("\n"))
    answer = _git(top, "status", "--porcelain=v2", "--branch", "-z", "--untracked-files=normal")
    if answer is None:
        return None
    commit: str | None = None
    branch: str | None = None
    changed: list[str] = []
    untracked: list[str] = []
    entries = iter(answer.split("\0"))
    for entry in entries:
        kind, _, rest = entry.partition(" ")
        if entry.startswith("# branch.oid "):
            commit = None if entry.endswith("(initial)") else entry.rsplit(" ", 1)[1]
        elif entry.startswith("# branch.head "):
            branch = None if entry.endswith("(detached)") else entry.split(" ", 2)[2]
        elif kind == "?":
            untracked.append(rest)
        elif kind == "1":
            changed.append(entry.split(" ", 8)[8])
        elif kind == "2":
            changed.append(entry.split(" ", 9)[9])
            next(entries, None)  # the name before the renaming
        elif kind == "u":
            changed.append(entry.split(" ", 10)[10])
    return Checkout(
        root=str(top),
        commit=commit,
        branch=branch,
        changed=tuple(changed),
        untracked=tuple(untracked[:_MAX_UNTRACKED]),
        diff=_diff(top, commit) if changed else "",
    )


def _diff(root: Path, commit: str | None) -> str:
    # With no commit yet the comparison is with git's name for an empty tree.
    base = commit or (_git(root, "hash-object", "-t", "tree", os.devnull) or "").strip()
    hidden = [f":(exclude,icase,glob)**/{pattern}" for pattern in _SECRET_FILES]
    text = _git(
        root, "diff", "--no-ext-diff", "--no-textconv", "--no-color", base, "--", ".", *hidden
    )
    if text is None:
        return "# git took too long to compare\n"
    if len(text) > _MAX_DIFF:
        return f"{text[:_MAX_DIFF]}\n# cut here: the whole difference has {len(text)} characters\n"
    return text


def _git(folder: Path, *arguments: str) -> str | None:
    """Runs a git command that only reads; None when it fails, is missing or takes too long."""
    # A work tree's own settings may name programs to run (fsmonitor); reading must start none.
    command = ["git", "-c", "core.fsmonitor=false", "-C", str(folder), *arguments]
    environment = os.environ | {"GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}
    try:
        done = subprocess.run(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.decode(errors="replace") if done.returncode == 0 else None


_RECORD = "environment.json"
_DIFF = "git.diff"


def capture(
    folder: Path, argv: Sequence[str], device: DevicePlan, *, code: Sequence[Path] = ()
) -> None:
    """Writes what the run is made with into its folder. Imports no framework.

    Secrets are left out: only the variables on a list are written, and options named like a secret
    are masked. A resumed run keeps the records of its earlier processes as
    ``environment.1.json`` and so on; ``command`` stays the one that started it, and ``commands``
    are all of them.

    Args:
        folder: The run folder.
        argv: The command line.
        device: Where the run computes.
        code: Folders with code of the run, beside the lab's own and the working directory; the
            git state of each is written.

    Raises:
        OSError: The folder cannot be written.
    """
    checkouts = _checkouts([Path(__file__).parent, *code, Path.cwd()])
    found = survey()
    memory = psutil.virtual_memory()
    record: dict[str, Any] = {
        "time": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "command": shlex.join(redact_arguments(argv)),
        "folder": str(Path.cwd()),
        "host": socket.gethostname(),
        "platform": platform.platform(),
        "python": platform.python_version(),
        "executable": sys.executable,
        "cpu": _cpu_model(),
        "cores": os.cpu_count(),
        "usable_cores": available_cores(),
        "memory_gb": round(memory.total / 1e9, 1),
        "device": {
            "kind": device.kind,
            "name": device.name,
            "uuids": list(device.uuids),
            "threads": device.threads,
            "reason": device.reason,
            "env": recordable_variables(device.env),
            "leased": list(device.lease.uuids) if device.lease is not None else [],
        },
        "driver": found.driver,
        "cuda_driver": found.cuda_driver,
        "gpus": [dataclasses.asdict(gpu) for gpu in found.gpus],
        "git": [_git_row(checkout) for checkout in checkouts],
        "variables": recordable_variables(os.environ),
        "packages": _packages(),
    }
    _keep_earlier(folder, record)
    write_json(folder / _RECORD, record)
    diff = "".join(
        f"# {checkout.root} at {checkout.commit}\n{checkout.diff}"
        for checkout in checkouts
        if checkout.diff
    )
    if diff:
        write_atomically(folder / _DIFF, redact_text(diff, is_code=True))


def _keep_earlier(folder: Path, record: dict[str, Any]) -> None:
    record["commands"] = [record["command"]]
    if not (folder / _RECORD).exists():
        return
    earlier = read_json(folder / _RECORD)
    if isinstance(earlier, dict) and isinstance(began := earlier.get("command"), str):
        record["commands"] = [*earlier.get("commands", [began]), record["command"]]
        record["command"] = began
    number = 1
    while (folder / f"environment.{number}.json").exists():
        number += 1
    (folder / _RECORD).rename(folder / f"environment.{number}.json")
    if (folder / _DIFF).exists():
        (folder / _DIFF).rename(folder / f"git.{number}.diff")


def _checkouts(folders: Sequence[Path]) -> list[Checkout]:
    """Returns the work trees that the folders are in, each once."""
    found: dict[str, Checkout] = {}
    for folder in dict.fromkeys(path.resolve() for path in folders):
        # An installed package may lie inside a work tree (a .venv) that has nothing to do with it.
        if {"site-packages", "dist-packages"} & set(folder.parts):
            continue
        if any(folder == Path(root) or Path(root) in folder.parents for root in found):
            continue
        checkout = read_checkout(folder)
        if checkout is not None:
            found.setdefault(checkout.root, checkout)
    return list(found.values())


def _git_row(checkout: Checkout) -> dict[str, Any]:
    row = dataclasses.asdict(checkout)
    del row["diff"]
    return {**row, "dirty": checkout.dirty}


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _packages() -> dict[str, str]:
    """Returns name and version of every installed distribution.

    Read from the names of the metadata folders, which takes milliseconds; opening each metadata
    file would take most of a second on a slow disk.
    """
    versions: dict[str, str] = {}
    for distribution in importlib.metadata.distributions():
        match = re.match(
            r"(.+?)-([^-]+)\.dist-info\Z", Path(str(getattr(distribution, "_path", ""))).name
        )
        if match is not None:
            name, version = match[1], match[2]
        else:
            name, version = distribution.metadata["Name"] or "", distribution.version
        if name:
            # The first on the path is the one that an import gets.
            versions.setdefault(re.sub(r"[-_.]+", "-", name).lower(), version)
    return dict(sorted(versions.items()))
