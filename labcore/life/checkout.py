"""What git says of a folder: commit, branch, and everything that is not committed."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Checkout", "read_checkout"]

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
