"""From what was typed to the settings of a sweep: which engine leads it, where its trials run."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from labcore.config import peek
from labcore.errors import UsageError
from labcore.hooks.wandb.account import is_logged_in
from labcore.record.redaction import redact_text
from labcore.sweeps.folder import Settings
from labcore.sweeps.launchers import agents_of
from labcore.sweeps.prepare import Prepared

__all__ = ["check_engine", "decide", "doubt_of_preset"]


def decide(file: Path, prepared: Prepared, options: Mapping[str, Any]) -> Settings:
    """Returns what holds for the sweep as long as it lives.

    Args:
        file: The sweep file.
        prepared: The sweep, checked.
        options: What was typed, by name; ``overrides`` among it.

    Raises:
        UsageError: An option is for sweeps of another engine.
    """
    sweep = prepared.sweep
    fields = {each.name for each in dataclasses.fields(Settings)}
    typed = {name: value for name, value in options.items() if name in fields}
    names_project = bool(sweep.project or sweep.entity)
    settings = Settings(
        **{
            "wandb": "offline" if names_project else "off",
            "agents": 0,
            **typed,
            "runs_dir": typed.get("runs_dir")
            or peek(options.get("overrides", ()), "runs_dir")
            or "runs",
            "file": file.name,
            "source": str(file),
            "plugin": prepared.plugin.name,
            "overrides": sweep.overrides,
            "engine": _engine(typed.get("engine", "auto"), typed.get("launcher", "local")),
            "storage": redact_text(typed.get("storage", "")),
        }
    )
    check_engine(settings, options)
    return dataclasses.replace(settings, agents=settings.agents or agents_of(prepared, settings))


def doubt_of_preset(settings: Settings, given: Sequence[str]) -> str:
    """Says what is doubtful about a preset that was chosen here for trials that run elsewhere.

    Args:
        settings: Of the sweep.
        given: The overrides of the file and the user.
    """
    is_elsewhere = settings.launcher == "slurm" or bool(settings.ray_address)
    chosen = peek(settings.overrides, "preset")
    if not is_elsewhere or chosen in (None, "none") or peek(given, "preset") not in (None, "auto"):
        return ""
    return (
        f"preset={chosen} was chosen by what this machine has; say which one the trials are to "
        "have: preset=NAME"
    )


def _engine(wanted: str, launcher: str) -> str:
    if wanted != "auto":
        return wanted
    if launcher != "local":
        return "local"
    return "wandb" if is_logged_in() else "local"


def check_engine(settings: Settings, options: Mapping[str, Any]) -> None:
    """Refuses options that the sweep's engine has no use for."""
    if settings.engine != "wandb":
        return
    local_only = [
        f"--{key}" for key in ("storage", "sampler", "seed", "retries", "wandb") if key in options
    ]
    if local_only:
        raise UsageError(
            f"{', '.join(local_only)} is for sweeps that W&B's server does not lead",
            fix="add --engine local, or leave it out",
        )
