"""What a task on an earlier run takes from it.

Such a task works with the model of the other run, so the options that the model brought with it
(:attr:`labcore.Plugin.model_options`) are that run's, whatever the presets and defaults of now say.
"""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

from labcore.config import Composed
from labcore.config.diagnosis import container
from labcore.config.schema import build_schema, to_typed
from labcore.config.values import flatten
from labcore.errors import UsageError
from labcore.run.source import SourceRun

__all__ = ["follow"]


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
    cfg, typed = composed.cfg.copy(), source.config()
    before = composed.values()
    OmegaConf.update(cfg, "run", source.reference)
    inherited = [name for name in source.plugin.model_options if hasattr(typed, name)]
    for name in inherited:
        OmegaConf.update(cfg, name, getattr(typed, name), merge=False)
    after = flatten(container(cfg, resolve=True))
    of_model = [path for path in after if path.partition(".")[0] in inherited]
    given = {text.partition("=")[0].lstrip("+~") for text in overrides}
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
    standard = flatten(container(OmegaConf.structured(build_schema(source.plugin.config))))
    changed += [path for path in of_model if after[path] != standard.get(path)]
    config, _ = to_typed(cfg)
    return dataclasses.replace(
        composed, cfg=cfg, config=config, origins=origins, changed=tuple(changed)
    )


def _is_given(path: str, origins: Any, given: set[str]) -> bool:
    """Whether the user typed an option, or chose the group that it comes from."""
    origin = str(origins.get(path, ""))
    return origin == "command line" or origin.partition("=")[0] in given
