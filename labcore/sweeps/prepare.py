"""From what the user typed to a sweep that can start: read, checked, plugin and scale settled."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from labcore.config import Composed, choose_preset, compose, find_groups, peek
from labcore.config.root import peek_request
from labcore.config.variants import applicable
from labcore.devices import available_cores, fits_paper, visible_gpus
from labcore.discovery import FoundPlugin, find_plugins, pick_plugin
from labcore.errors import LabError, RequirementError, UsageError
from labcore.plugin import Plugin
from labcore.sweeps.file.check import examine
from labcore.sweeps.file.document import wrong_file
from labcore.sweeps.file.read import read_in_part
from labcore.sweeps.folder import Settings, SweepFolder
from labcore.sweeps.overrides import as_overrides, as_value
from labcore.sweeps.sweep import Sweep

__all__ = ["Prepared", "agents_here", "prepare", "reopen", "threads_of_each"]

_WAIT = "device.wait=24h"
"""Trials wait for a GPU; one that another program holds is not for the sweep to fail over."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Prepared:
    """A sweep with nothing left to find wrong before its first trial."""

    sweep: Sweep
    found: FoundPlugin
    plugin: Plugin
    base: Composed
    """The config of a trial, but for the parameters."""
    warnings: tuple[str, ...]

    @property
    def num_gpus(self) -> int:
        """GPUs of each trial."""
        asked: int = self.base.config.device.count
        return asked or self.plugin.requires.num_gpus

    @property
    def overrides(self) -> tuple[str, ...]:
        """What every trial sets, ``plugin=`` and the preset among it."""
        return (f"plugin={self.plugin.name}", *self.sweep.overrides)

    def values_of(self, suggested: Mapping[str, Any]) -> dict[str, Any]:
        """Returns what a trial sets of the values suggested for it: no other variant's options."""
        return applicable(self.plugin, suggested, self.overrides)

    def overrides_in(self, folder: SweepFolder, settings: Settings) -> tuple[str, ...]:
        """Returns the same for trials that this machine leads: where they go, and log to W&B."""
        runs_dir = f"runs_dir={as_value(settings.runs_dir)}"
        if settings.wandb == "off":
            return (*self.overrides, runs_dir)
        sweep = self.sweep
        chosen = [text for text in sweep.overrides if text.startswith("hooks=")]
        options = {"mode": settings.wandb, "group": folder.name, "project": sweep.project}
        options["entity"] = sweep.entity
        return (
            *self.overrides,
            runs_dir,
            *([] if chosen else ["hooks=[default,wandb]"]),
            *(f"hooks.wandb.{key}={as_value(value)}" for key, value in options.items() if value),
        )


def prepare(file: Path, overrides: Sequence[str]) -> Prepared:
    """Reads a sweep file and checks it against its plugin.

    Args:
        file: The sweep file.
        overrides: As typed; ``plugin=`` may be among them.

    Raises:
        UsageError: The file, an override or the choice of plugin is wrong; has every problem.
        RequirementError: The plugin cannot run here.
        LabError: The plugin is broken.
    """
    reading = read_in_part(file, overrides=overrides)
    sweep = reading.sweep
    plugins = find_plugins()
    name = sweep.plugin or (file.stem if file.stem in plugins else "")
    if reading.problems:
        if name in plugins and plugins[name].plugin is not None:
            examine(reading, plugins[name])
        raise wrong_file(file, reading.problems)
    if not name:
        raise UsageError(
            f"which plugin is {file} to run? Neither the file nor the command says",
            fix=f"lab sweep {file} plugin=NAME; choose one of: {', '.join(plugins)}",
        )
    found = pick_plugin(plugins, name)
    plugin = found.plugin
    assert plugin is not None
    sweep = _settle_preset(replace(sweep, plugin=name), found, plugin)
    examine(replace(reading, sweep=sweep), found)
    if reading.problems:
        raise wrong_file(file, reading.problems)
    if found.missing:
        raise RequirementError(f"plugin {name} cannot run here: {found.reason}", fix=found.fix)
    return Prepared(
        sweep=sweep,
        found=found,
        plugin=plugin,
        base=compose(
            found,
            (
                *sweep.overrides,
                *as_overrides(applicable(plugin, _first_values(sweep), sweep.overrides)),
            ),
        ),
        warnings=tuple(reading.warnings),
    )


def reopen(folder: SweepFolder) -> tuple[Prepared, Settings]:
    """Reads a sweep again from its folder.

    Raises:
        LabError: Its plugin is gone or broken, or does not fit any more.
    """
    settings = folder.settings()
    overrides = (f"plugin={settings.plugin}", *settings.overrides)
    try:
        return prepare(folder.path / settings.file, overrides), settings
    except OSError as error:
        raise LabError(f"the folder {folder.path} is damaged: {error}") from error


def agents_here(prepared: Prepared) -> int:
    """Returns how many trials this machine can run at once: one for each GPU, or one on a CPU."""
    request = peek_request(prepared.sweep.overrides)
    if request.kind == "cpu":
        return 1
    return max(1, len(visible_gpus()) // max(1, prepared.num_gpus))


def threads_of_each(prepared: Prepared, agents: int) -> int:
    """Returns the CPU threads of a trial: its share of the cores, unless ``threads=`` says more."""
    share = max(1, available_cores() // agents)
    wanted: int = prepared.base.config.threads
    return wanted or share


def _settle_preset(sweep: Sweep, found: FoundPlugin, plugin: Plugin) -> Sweep:
    """Fixes what a run would choose for itself: all trials must be of one scale."""
    overrides = list(sweep.overrides)
    typed = peek(overrides, "preset")
    presets = find_groups(found.config_dir).presets
    if typed in (None, "auto") and "preset" not in sweep.parameters:
        overrides = [text for text in overrides if not text.startswith("preset=")]
        fits = fits_paper(peek_request(overrides), plugin.requires)
        overrides.append(f"preset={choose_preset(presets, paper_fits=fits)}")
    names = {text.partition("=")[0] for text in overrides} | set(sweep.parameters)
    if not names & {"device", "device.name", "device.wait"} and visible_gpus():
        overrides.append(_WAIT)
    return replace(sweep, overrides=tuple(overrides))


def _first_values(sweep: Sweep) -> dict[str, object]:
    """Values in the middle of every parameter, for a config that stands for all."""
    return {name: each.quantile(0.5) for name, each in sweep.parameters.items()}
