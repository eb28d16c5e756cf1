"""Checkpoint files: written whole or not at all, checked when read, the last few and the best kept.

``step-00000500.pt`` (torch) or ``.npz`` (arrays and plain values) holds no code: reading one runs
none. ``step-00000500.pt.sha256`` beside it tells a damaged file from a good one, and ``best.json``
names the checkpoint with the best validation.
"""

import json
import logging
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from labcore.errors import RunFailed
from labcore.record.files import replacing, sha256_of, write_atomically

__all__ = [
    "FORMAT",
    "CheckpointFormat",
    "CheckpointStore",
    "DamagedCheckpoint",
    "best_of",
    "first_readable",
    "stored_in",
]

FORMAT = 1
"""Version of the content; a higher one comes from a newer lab."""

log = logging.getLogger(__name__)

_BEST = "best.json"
_TEMPORARY = ".step-"
_SUFFIXES = (".pt", ".npz")
_MIB = 2**20


class DamagedCheckpoint(RunFailed):
    """A checkpoint file that cannot be read, or that is not what was written."""


@dataclass(frozen=True, slots=True)
class CheckpointFormat:
    """How a checkpoint becomes a file, and a file a checkpoint."""

    suffix: str
    """``.pt`` or ``.npz``."""
    write: Callable[[Mapping[str, Any], Path], None]
    load: Callable[[Path], Mapping[str, Any]]
    """May raise anything at a file that is not what it expects; must not run code from it."""

    def read(self, path: Path) -> dict[str, Any]:
        """Reads a checkpoint into memory and checks it.

        Raises:
            DamagedCheckpoint: It is not whole, or not a checkpoint.
            RunFailed: A newer version of lab has written it.
        """
        checksum = _checksum_path(path)
        if checksum.exists() and sha256_of(path) != checksum.read_text(encoding="utf-8").strip():
            raise DamagedCheckpoint(f"checkpoint {path.name} is damaged (its checksum is wrong)")
        return self._read_unchecked(path)

    def _read_unchecked(self, path: Path) -> dict[str, Any]:
        try:
            state = dict(self.load(path))
            version = int(state["format"])
        except Exception as error:  # libraries raise many kinds for a file that is no checkpoint
            reason = str(error).partition("\n")[0]
            raise DamagedCheckpoint(f"checkpoint {path.name} cannot be read: {reason}") from error
        if version > FORMAT:
            raise RunFailed(
                f"checkpoint {path.name} has format {version}, and this lab knows {FORMAT}",
                fix="use the version of lab that wrote it, or a newer one",
            )
        return state


class CheckpointStore:
    """The checkpoints of one training.

    Args:
        folder: Where they are; made when the first is written.
        form: How they are written.
        keep_last: How many of the newest to keep, beside the best.
    """

    def __init__(self, folder: Path, form: CheckpointFormat, *, keep_last: int) -> None:
        self.folder = folder
        self._form = form
        self._keep_last = keep_last
        self._has_read_back = False

    def path(self, step: int) -> Path:
        """Returns where the checkpoint of a step is, if it has one."""
        return self.folder / f"step-{step:08d}{self._form.suffix}"

    def save(self, state: Mapping[str, Any], step: int) -> Path:
        """Writes a checkpoint: to a temporary file, flushed to the disk, then renamed.

        Raises:
            RunFailed: The disk is full; the temporary file is gone, the older checkpoints are
                untouched.
        """
        path = self.path(step)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with replacing(path, durable=True) as temporary:
                self._form.write({**state, "format": FORMAT}, temporary)
                # The checksum goes first: a checkpoint that is there always has its own.
                write_atomically(_checksum_path(path), sha256_of(temporary) + "\n", durable=True)
        except (OSError, RuntimeError) as error:  # torch's is a RuntimeError that has no errno
            explained = _no_space(state, self.folder, step)
            if explained is None:
                raise
            raise explained from error
        if not self._has_read_back:
            # A hook or a scheduler with a state that cannot be loaded must fail now, not at resume.
            self._form._read_unchecked(path)
            self._has_read_back = True
        return path

    def mark_best(self, path: Path, *, metric: str, value: float, step: int) -> None:
        """Names the checkpoint with the best validation."""
        record = {"checkpoint": path.name, "step": step, "metric": metric, "value": value}
        write_atomically(self.folder / _BEST, json.dumps(record) + "\n", durable=True)

    def prune(self) -> None:
        """Removes all but the newest checkpoints and the best."""
        best = best_of(self.folder)
        for path in stored_in(self.folder)[self._keep_last :]:
            if path != best:
                path.unlink(missing_ok=True)
                _checksum_path(path).unlink(missing_ok=True)

    def newest(self) -> Path | None:
        """Returns the newest checkpoint; it is not read."""
        return next(iter(stored_in(self.folder)), None)

    def newest_good(self, warn: Callable[[str], None]) -> tuple[Path, dict[str, Any]] | None:
        """Reads the newest checkpoint that is whole.

        Damaged ones are renamed to ``*.damaged``, out of the way of those that will be written.

        Args:
            warn: Told about each damaged checkpoint.

        Returns:
            The checkpoint and its content; None when training has not written any.

        Raises:
            RunFailed: There are checkpoints and all are damaged.
        """
        for path in self.folder.glob(f"{_TEMPORARY}*"):
            path.unlink(missing_ok=True)  # a process that was killed while writing has left it
        paths = stored_in(self.folder)
        for path in paths:
            try:
                return path, self._form.read(path)
            except DamagedCheckpoint as error:
                warn(f"{error.message}; going back to the checkpoint before it")
                path.rename(path.with_name(f"{path.name}.damaged"))
        if paths:
            raise RunFailed(
                f"none of the {len(paths)} checkpoints in {self.folder} can be read",
                fix="start the run again; the damaged files are kept as *.damaged",
            )
        return None


def first_readable(
    folder: Path, form: CheckpointFormat, *, prefer_best: bool = True
) -> dict[str, Any] | None:
    """Returns the best checkpoint of a training, or the newest that can be read; None without."""
    best = best_of(folder) if prefer_best else None
    for path in [best, *stored_in(folder)] if best else stored_in(folder):
        try:
            return form.read(path)
        except (RunFailed, OSError) as error:
            log.warning("%s; trying another", error)
    return None


def stored_in(folder: Path) -> list[Path]:
    """Returns the checkpoints in a folder, newest first."""
    found = (path for path in folder.glob("step-*") if path.suffix in _SUFFIXES)
    return sorted(found, reverse=True)


def best_of(folder: Path) -> Path | None:
    """Returns the checkpoint with the best validation, if it is known and there."""
    try:
        path = folder / str(json.loads((folder / _BEST).read_text(encoding="utf-8"))["checkpoint"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return path if path.parent == folder and path.exists() else None


def _checksum_path(path: Path) -> Path:
    return path.with_name(f"{path.name}.sha256")


def _no_space(state: Mapping[str, Any], folder: Path, step: int) -> RunFailed | None:
    """Says that the disk is full, if it has no room for ``state``."""
    needed = _tensor_bytes(state) / _MIB
    free = shutil.disk_usage(folder if folder.exists() else folder.parent).free / _MIB
    if free > needed:
        return None
    return RunFailed(
        f"the disk is full: the checkpoint of step {step} needs {needed:,.1f} MiB and "
        f"{folder} has {free:,.1f} MiB free; older checkpoints are untouched",
        fix="free some space, then go on with lab resume; train.keep_last=1 needs less",
    )


def _tensor_bytes(value: Any) -> int:
    parts = value.values() if isinstance(value, Mapping) else value
    if isinstance(value, Mapping | list | tuple):
        return sum(map(_tensor_bytes, parts))
    return int(getattr(value, "nbytes", 0))
