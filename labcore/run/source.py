"""An earlier run as the source of a model: its config, its best checkpoint."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from labcore.errors import RunFailed
from labcore.plugin import Plugin
from labcore.run.store import StoredRun, find_run

__all__ = ["SourceRun"]


@dataclass(frozen=True, kw_only=True, slots=True)
class SourceRun:
    """A run that trained a model."""

    stored: StoredRun
    plugin: Plugin

    @classmethod
    def find(cls, plugin: Plugin, reference: str, runs_dir: Path) -> "SourceRun":
        """Finds a run of ``plugin`` that trained and left a checkpoint.

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
        return cls(stored=stored, plugin=plugin)

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
        from labcore.training import load_weights

        weights = load_weights(self.folder / "checkpoints")
        if weights is None:
            raise RunFailed(
                f"no checkpoint of {self.stored.id} can be read",
                fix="choose another run with run=ID (lab runs lists them)",
            )
        return weights
