"""An earlier run as the source of a model, and what a task that works on it takes from it.

Such a task works with the model of the other run, so the options that the model brought with it
(:attr:`labcore.Plugin.model_options`) are that run's, whatever the presets and defaults of now say.
"""

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from labcore.config import Composed
from labcore.config.diagnosis import container
from labcore.config.options import flatten
from labcore.config.schema import to_typed
from labcore.errors import RunFailed, UsageError
from labcore.plugin import Plugin
from labcore.record.files import write_atomically
from labcore.record.records import read_json, write_json
from labcore.record.store import StoredRun, find_run

__all__ = ["SourceRun", "follow", "read_source", "record_source"]

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
        """Returns the model's weights from the best checkpoint that can be read.

        A ``state_dict`` of torch, or the arrays that ``model.set_weights`` of Keras takes.

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


def follow(
    composed: Composed,
    source: SourceRun,
    overrides: Sequence[str],
    compose_again: Callable[[Sequence[str]], Composed],
) -> Composed:
    """Makes the config of a task tell the truth about the model that the task works with.

    The run is named by its id, ``preset`` is the one that the model was trained with unless
    another was asked for, and the options of the model are those of its training.

    Args:
        composed: The config of the task, composed by itself.
        source: The run that the task works on.
        overrides: The overrides of the command line.
        compose_again: Composes with other overrides.

    Raises:
        UsageError: An option was given that contradicts the model.
    """
    from omegaconf import OmegaConf

    origin, preset = f"run {source.stored.id}", source.stored.status.preset
    takes_preset = composed.origins["preset"] == "auto" and preset != ""
    if takes_preset and preset != composed.preset:
        rest = [text for text in overrides if text.partition("=")[0] != "preset"]
        try:
            composed = compose_again([*rest, f"preset={preset}"])
        except UsageError:  # the plugin has no such preset any more
            takes_preset = False
    typed, before = source.config(), composed.values()
    given = {text.partition("=")[0].lstrip("+~") for text in overrides}
    variants = {
        option: getattr(typed, option).name.value
        for option in source.plugin.variants
        if option in source.plugin.model_options and option not in given
    }
    if any(before[f"{option}.name"] != name for option, name in variants.items()):
        words = [f"{option}={name}" for option, name in variants.items()]
        composed = compose_again([*overrides, *words])
    cfg = composed.cfg.copy()
    OmegaConf.update(cfg, "run", source.reference)
    inherited = [name for name in source.plugin.model_options if hasattr(typed, name)]
    for name in inherited:
        OmegaConf.update(cfg, name, getattr(typed, name), merge=False)
    after = flatten(container(cfg, resolve=True))
    of_model = [path for path in after if path.partition(".")[0] in inherited]
    problems = [
        f"{path}={before.get(path)}: the model of {source.stored.id} has {after[path]}"
        for path in of_model
        if before.get(path) != after[path] and _is_given(path, composed.origins, given)
    ]
    if problems:
        raise UsageError(
            f"task={composed.task.name} works with a model that is trained already",
            problems=problems,
            fix="leave these options out, or choose another run=ID (lab runs lists them)",
        )
    origins = {**composed.origins, **dict.fromkeys(of_model, origin)}
    origins |= {"run": origin} if source.reference != before.get("run") else {}
    origins |= {"preset": origin} if takes_preset else {}
    changed = [path for path in composed.changed if path not in of_model]
    standard = flatten(container(OmegaConf.structured(type(typed))))
    changed += [path for path in of_model if after[path] != standard.get(path)]
    config, _ = to_typed(cfg)
    return dataclasses.replace(
        composed, cfg=cfg, config=config, origins=origins, changed=tuple(changed)
    )


def _is_given(path: str, origins: Any, given: set[str]) -> bool:
    """Whether the user typed an option, or chose the group that it comes from."""
    origin = str(origins.get(path, ""))
    return origin == "command line" or origin.partition("=")[0] in given
