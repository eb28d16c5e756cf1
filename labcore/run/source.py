"""An earlier run as the source of a model: its config, its best checkpoint."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from labcore.errors import RunFailed
from labcore.plugin import Plugin
from labcore.record.files import write_atomically
from labcore.record.records import read_json, write_json
from labcore.record.store import StoredRun, find_run

__all__ = ["SourceRun", "read_source", "record_source"]

_RECORD = "source.json"
_CONFIG = "source.yaml"


@dataclass(frozen=True, kw_only=True, slots=True)
class SourceRun:
    """A run that trained a model."""

    stored: StoredRun
    plugin: Plugin
    reference: str
    """What ``run=`` finds it by, also when it is no more the latest."""
    read_weights: Callable[[Path], Any] | None = None
    """Reads the weights in a folder of checkpoints."""

    @classmethod
    def find(
        cls,
        plugin: Plugin,
        reference: str,
        runs_dir: Path,
        *,
        read_weights: Callable[[Path], Any] | None = None,
    ) -> "SourceRun":
        """Finds a run of ``plugin`` that trained and left a checkpoint.

        Args:
            plugin: The plugin.
            reference: ``latest``, an id, a part of one, or a run folder.
            runs_dir: Folder that holds all runs.
            read_weights: Reads the weights in a folder of checkpoints.

        Raises:
            UsageError: There is none.
        """
        training = {task.name for task in plugin.tasks if task.trains}
        stored = find_run(
            runs_dir,
            reference,
            plugin=plugin.name,
            accept=lambda run: run.status.task in training and run.has_checkpoint,
            wanted="run that trained a model",
        )
        is_in_place = stored.folder.resolve().parent == (runs_dir / plugin.name).resolve()
        named = stored.id if is_in_place else str(stored.folder.resolve())
        return cls(stored=stored, plugin=plugin, reference=named, read_weights=read_weights)

    @property
    def folder(self) -> Path:
        """The run folder."""
        return self.stored.folder

    def config(self) -> Any:
        """Returns the run's composed config as the same typed object that its task saw."""
        from labcore.config import load_config

        return load_config(self.plugin, self.folder / "config.yaml")

    def weights(self) -> Any:
        """Returns the model's weights (a ``state_dict``) from the best checkpoint that can be read.

        Raises:
            RunFailed: No checkpoint can be read.
        """
        read = self.read_weights
        weights = read(self.folder / "checkpoints") if read is not None else None
        if weights is None:
            raise RunFailed(
                f"no checkpoint of {self.stored.id} can be read",
                fix="choose another run with run=ID (lab runs lists them)",
            )
        return weights


def record_source(folder: Path, source: SourceRun) -> None:
    """Puts down in a run folder which run its model is from: id, command and config."""
    environment = read_json(source.folder / "environment.json")
    row = {
        "id": source.stored.id,
        "folder": str(source.folder.resolve()),
        "task": source.stored.status.task,
        "preset": source.stored.status.preset,
        "command": environment.get("command", "") if isinstance(environment, dict) else "",
    }
    write_json(folder / _RECORD, row)
    from labcore.config.saved import copied_yaml

    write_atomically(folder / _CONFIG, copied_yaml(source.folder / "config.yaml"))


def read_source(folder: Path) -> dict[str, str]:
    """Returns what :func:`record_source` wrote; nothing for a run that works on no other."""
    row = read_json(folder / _RECORD)
    items = row.items() if isinstance(row, dict) else ()
    return {name: value for name, value in items if isinstance(value, str) and value}
