"""Checkpoint files: written whole or not at all, checked when read, the last few and the best kept.

``step-00000500.pt`` holds tensors and plain values only and loads with ``weights_only=True``.
``step-00000500.pt.sha256`` beside it tells a damaged file from a good one, and ``best.json`` names
the checkpoint with the best validation.
"""

import errno
import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any

import torch
from torch import Tensor

from labcore.errors import RunFailed
from labcore.record.files import sha256_of, write_atomically

__all__ = ["FORMAT", "CheckpointStore", "DamagedCheckpoint", "best_of", "read", "stored_in"]

FORMAT = 1
"""Version of the content; a higher one comes from a newer lab."""

_BEST = "best.json"
_TEMPORARY = ".step-"
_MIB = 2**20


class DamagedCheckpoint(RunFailed):
    """A checkpoint file that cannot be read, or that is not what was written."""


class CheckpointStore:
    """The checkpoints of one training.

    Args:
        folder: Where they are; made when the first is written.
        keep_last: How many of the newest to keep, beside the best.
    """

    def __init__(self, folder: Path, *, keep_last: int) -> None:
        self.folder = folder
        self._keep_last = keep_last
        self._has_read_back = False

    def path(self, step: int) -> Path:
        """Returns where the checkpoint of a step is, if it has one."""
        return self.folder / f"step-{step:08d}.pt"

    def save(self, state: Mapping[str, Any], step: int) -> Path:
        """Writes a checkpoint: to a temporary file, flushed to the disk, then renamed.

        Raises:
            RunFailed: The disk is full; the temporary file is gone, the older checkpoints are
                untouched.
        """
        path = self.path(step)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._write({**state, "format": FORMAT}, path)
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            raise _no_space(state, self.folder, step) from error
        if not self._has_read_back:
            # A hook or a scheduler with a state that cannot be loaded must fail now, not at resume.
            _load(path)
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
                _remove(path)

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
        paths = stored_in(self.folder)
        for path in paths:
            state = _read_or_put_aside(path, warn)
            if state is not None:
                return path, state
        if paths:
            raise RunFailed(
                f"none of the {len(paths)} checkpoints in {self.folder} can be read",
                fix="start the run again; the damaged files are kept as *.damaged",
            )
        return None

    def clean(self) -> None:
        """Removes what a process that was killed while writing has left."""
        for path in self.folder.glob(f"{_TEMPORARY}*"):
            path.unlink(missing_ok=True)

    def _write(self, state: dict[str, Any], path: Path) -> None:
        handle, name = tempfile.mkstemp(dir=self.folder, prefix=f"{_TEMPORARY}{os.getpid()}-")
        temporary = Path(name)
        try:
            with os.fdopen(handle, "wb") as stream:
                hashing = _HashingFile(stream)
                hashing.save(state)
                stream.flush()
                os.fsync(stream.fileno())
            temporary.chmod(0o644)
            # The checksum goes first: a checkpoint that is there always has its own.
            write_atomically(_checksum_path(path), hashing.hexdigest() + "\n", durable=True)
            temporary.replace(path)
            _flush_folder(self.folder)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise


def stored_in(folder: Path) -> list[Path]:
    """Returns the checkpoints in a folder, newest first."""
    return sorted(folder.glob("step-*.pt"), reverse=True)


def best_of(folder: Path) -> Path | None:
    """Returns the checkpoint with the best validation, if it is known and there."""
    try:
        path = folder / str(json.loads((folder / _BEST).read_text(encoding="utf-8"))["checkpoint"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return path if path.parent == folder and path.exists() else None


def read(path: Path) -> dict[str, Any]:
    """Reads a checkpoint into CPU memory and checks it.

    Raises:
        DamagedCheckpoint: It is not whole, or not a checkpoint.
        RunFailed: A newer version of lab has written it.
    """
    checksum = _checksum_path(path)
    if checksum.exists() and sha256_of(path) != checksum.read_text(encoding="utf-8").strip():
        raise DamagedCheckpoint(f"checkpoint {path.name} is damaged (its checksum is wrong)")
    return _load(path)


def _read_or_put_aside(path: Path, warn: Callable[[str], None]) -> dict[str, Any] | None:
    try:
        return read(path)
    except DamagedCheckpoint as error:
        warn(f"{error.message}; going back to the checkpoint before it")
        path.rename(path.with_name(f"{path.name}.damaged"))
        return None


def _load(path: Path) -> dict[str, Any]:
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        version = int(state["format"])
    except Exception as error:  # torch raises many kinds for a file that is not what it expects
        reason = str(error).partition("\n")[0]
        raise DamagedCheckpoint(f"checkpoint {path.name} cannot be read: {reason}") from error
    if version > FORMAT:
        raise RunFailed(
            f"checkpoint {path.name} has format {version}, and this lab knows {FORMAT}",
            fix="use the version of lab that wrote it, or a newer one",
        )
    return dict(state)


class _HashingFile:
    """A file that torch writes to, front to back, and that hashes what goes by."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._hash = hashlib.sha256()
        self._error: OSError | None = None

    def save(self, state: object) -> None:
        """Serialises ``state``.

        Raises:
            OSError: Writing failed. torch reports that as a RuntimeError of its own.
        """
        try:
            torch.save(state, self)  # type: ignore[arg-type]  # torch needs only write and flush
        except RuntimeError:
            if self._error is not None:
                raise self._error from None
            raise

    def write(self, data: bytes) -> int:
        """Writes and hashes."""
        try:
            self._stream.write(data)
        except OSError as error:
            self._error = error
            raise
        self._hash.update(data)
        return len(data)

    def flush(self) -> None:
        """Flushes the file."""
        self._stream.flush()

    def hexdigest(self) -> str:
        """Returns the hash of all that was written."""
        return self._hash.hexdigest()


def _checksum_path(path: Path) -> Path:
    return path.with_name(f"{path.name}.sha256")


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)
    _checksum_path(path).unlink(missing_ok=True)


def _flush_folder(folder: Path) -> None:
    """Makes a rename survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _no_space(state: Mapping[str, Any], folder: Path, step: int) -> RunFailed:
    needed = _tensor_bytes(state) / _MIB
    stats = os.statvfs(folder if folder.exists() else folder.parent)
    free = stats.f_bavail * stats.f_frsize / _MIB
    return RunFailed(
        f"the disk is full: the checkpoint of step {step} needs {needed:,.1f} MiB and "
        f"{folder} has {free:,.1f} MiB free; older checkpoints are untouched",
        fix="free some space, then go on with lab resume; train.keep_last=1 needs less",
    )


def _tensor_bytes(value: Any) -> int:
    if isinstance(value, Tensor):
        return value.nbytes
    if isinstance(value, Mapping):
        return sum(_tensor_bytes(part) for part in value.values())
    if isinstance(value, (list, tuple)):
        return sum(_tensor_bytes(part) for part in value)
    return 0
