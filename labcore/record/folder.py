"""Run folders: ``runs/<plugin>/<time>-<name>``, one per run, never shared."""

import os
import re
import shlex
import time
from pathlib import Path

from labcore.errors import RequirementError

__all__ = ["RUNS_DIR", "create_run_folder", "plan_run_folder", "typed_name"]

RUNS_DIR = "runs"
"""Where commands look for runs by themselves."""

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


def plan_run_folder(runs_dir: Path, plugin: str, name: str) -> Path:
    """Returns the folder that a run started now would get (it may get a suffix if taken)."""
    stamp = time.strftime("%Y%m%d-%H%M%S")
    slug = _UNSAFE.sub("-", name).strip("-.")[:60] or "run"
    return runs_dir / plugin / f"{stamp}-{slug}"


def create_run_folder(runs_dir: Path, plugin: str, name: str) -> Path:
    """Creates a new run folder.

    ``mkdir`` either creates a folder or fails, so of two runs that start in the same second one
    takes the next free suffix.

    Raises:
        RequirementError: The folder cannot be created or written.
    """
    first = plan_run_folder(runs_dir, plugin, name)
    candidate = first
    try:
        first.parent.mkdir(parents=True, exist_ok=True)
        for suffix in range(2, 10_000):
            try:
                candidate.mkdir()
                break
            except FileExistsError:
                candidate = first.with_name(f"{first.name}-{suffix}")
        if not os.access(candidate, os.W_OK):
            raise PermissionError(13, "Permission denied", str(candidate))
    except OSError as error:
        raise RequirementError(
            f"the run folder {candidate} cannot be created: {error.strerror}",
            fix="choose a writable folder: runs_dir=/path/to/runs",
        ) from error
    return candidate


def typed_name(folder: Path) -> str:
    """Returns what a user types for a run: its id where commands look for it, else its path."""
    is_found = folder.parent.parent == Path(RUNS_DIR)
    return shlex.quote("/".join(folder.parts[-2:]) if is_found else str(folder))
