"""Finding earlier runs by name, by a unique part of it, or as ``latest``."""

import glob
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from labcore.errors import DamagedRun, UsageError
from labcore.record.checkpoints import stored_in
from labcore.record.status import Status, read_status

__all__ = ["StoredRun", "find_run", "list_runs"]


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredRun:
    """A run folder and its status."""

    folder: Path
    status: Status

    @property
    def id(self) -> str:
        """Plugin and folder name, such as ``musicvae/20260102-030405-train``."""
        return f"{self.status.plugin}/{self.folder.name}"

    @property
    def has_checkpoint(self) -> bool:
        """Whether training left something to go on from."""
        return bool(stored_in(self.folder / "checkpoints"))


def list_runs(
    runs_dir: Path, plugin: str | None = None, *, damaged: dict[Path, str] | None = None
) -> list[StoredRun]:
    """Returns the runs below ``runs_dir``, oldest first.

    Args:
        runs_dir: Folder with all runs.
        plugin: Only runs of this plugin.
        damaged: Gets the folders whose status cannot be read, and why.
    """
    found: list[StoredRun] = []
    for path in sorted(runs_dir.glob(f"{glob.escape(plugin) if plugin else '*'}/*/status.json")):
        try:
            found.append(StoredRun(folder=path.parent, status=read_status(path.parent)))
        except (OSError, ValueError) as error:
            if damaged is not None:
                damaged[path.parent] = str(error)
    return sorted(found, key=lambda run: (run.status.created, run.folder.name))


def find_run(
    runs_dir: Path,
    reference: str,
    *,
    plugin: str | None = None,
    accept: Callable[[StoredRun], bool] = lambda run: True,
    wanted: str = "run",
) -> StoredRun:
    """Finds one run.

    Args:
        runs_dir: Folder with all runs.
        reference: ``latest``, a path of a run folder, an id, or a part that only one id has.
        plugin: Only runs of this plugin.
        accept: Which runs will do; ``latest`` takes the newest of those.
        wanted: What is looked for, for the message.

    Raises:
        UsageError: No run fits, or several do.
        DamagedRun: The one that fits cannot be read.
    """
    if reference != "latest" and os.path.exists(os.path.join(reference, "status.json")):  # noqa: PTH110, PTH118  # a Path raises when the name is too long
        folder = Path(reference)
        try:
            return StoredRun(folder=folder, status=read_status(folder))
        except (OSError, ValueError) as error:
            raise DamagedRun(f"{folder} is no run that can be read: {error}") from None
    damaged: dict[Path, str] = {}
    known = list_runs(runs_dir, plugin, damaged=damaged)
    fitting = [run for run in known if accept(run)]
    if reference == "latest":
        if fitting:
            return fitting[-1]
        of = f" of {plugin}" if plugin else ""
        raise UsageError(
            f"there is no {wanted}{of} in {runs_dir}",
            fix=f"train one first: lab run plugin={plugin}" if plugin else "lab run plugin=NAME",
        )
    exact = [run for run in known if reference in (run.id, run.folder.name)]
    matches = exact or [run for run in known if reference in run.id]
    if len(matches) == 1:
        if not accept(matches[0]):
            raise UsageError(
                f"{matches[0].id} is no {wanted}", fix="lab runs lists them; run=latest takes one"
            )
        return matches[0]
    if matches:
        raise UsageError(
            f"{reference!r} is part of {len(matches)} runs",
            problems=[run.id for run in matches[-8:]],
            fix="give more of the name",
        )
    for folder, reason in damaged.items():
        if reference in (folder.name, f"{folder.parent.name}/{folder.name}"):
            raise DamagedRun(f"{reference} cannot be read: {reason}")
    raise UsageError(
        f"no run called {reference!r} in {runs_dir}",
        problems=[f"there is {run.id}" for run in known[-5:]],
        fix="lab runs lists them all",
    )
