"""From a plugin and overrides to the composed config of a run."""

import copy
import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labcore.config.diagnosis import (
    container,
    detach_hydra,
    diagnose,
    read_overrides_of,
    try_to_compose,
    wrong_config,
)
from labcore.config.hydra.groups import PRESET, Groups, choose_preset
from labcore.config.hydra.provenance import COMMAND_LINE, DEFAULT, trace
from labcore.config.hydra.session import open_session
from labcore.config.options import flatten
from labcore.config.overrides import Given, peek, read_overrides
from labcore.config.problems import Checker
from labcore.config.root import expand_tree
from labcore.config.saved import saved_yaml
from labcore.config.schema import build_schema, to_typed
from labcore.config.variants import variant_words
from labcore.discovery import FoundPlugin
from labcore.plugin import Plugin, Task
from labcore.record.redaction import redact_text

if TYPE_CHECKING:
    from omegaconf import DictConfig

__all__ = ["Composed", "compose", "preset_values"]

_AUTO = "(auto)"
"""Text of the override that stands for the preset chosen by the machine."""

_SETTLED = ("plugin", "task", PRESET, "device")


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Composed:
    """A config that a run can start with."""

    cfg: "DictConfig"
    """As Hydra composed it, references to other options unresolved."""
    config: Any
    """The same as a typed object: an instance of the plugin's config with the core's options."""
    task: Task
    preset: str
    """The preset taken, never ``auto``; ``none`` leaves the plugin's defaults as they are."""
    choices: Mapping[str, str]
    """Group to the option taken, such as ``model`` to ``flat``."""
    origins: Mapping[str, str]
    """Dotted path of every option to where its value came from."""
    changed: tuple[str, ...]
    """Dotted paths whose values differ from the defaults in the plugin's dataclass."""
    hydra: "DictConfig"
    """Hydra's own node."""

    @property
    def run_name(self) -> str:
        """Words for the run folder: ``name=``, or task and preset."""
        parts = [self.task.name, *([self.preset] if self.preset != "none" else [])]
        return redact_text(str(self.config.name)) or "-".join(parts)

    def to_yaml(self) -> str:
        """Returns the config as YAML that :func:`labcore.config.load_config` reads."""
        return saved_yaml(container(self.cfg, resolve=True), container(self.cfg))

    def with_hydra(self) -> "DictConfig":
        """Returns the config with Hydra's own node in it, as ``--cfg all`` shows it."""
        from hydra.core.hydra_config import HydraConfig
        from omegaconf import OmegaConf, open_dict

        whole = copy.deepcopy(self.cfg)
        with open_dict(whole):
            whole.hydra = self.hydra
        HydraConfig.instance().set_config(whole)  # what ${hydra:...} refers to
        OmegaConf.set_readonly(whole.hydra, False)
        return whole

    def values(self) -> dict[str, Any]:
        """Returns dotted path to value, references resolved and enum members by name."""
        return flatten(container(self.cfg, resolve=True))


def compose(
    found: FoundPlugin,
    overrides: Sequence[str],
    *,
    preset_for_auto: Callable[[Plugin], str] | None = None,
    search_dirs: Sequence[Path] = (),
) -> Composed:
    """Composes the config of a run.

    Args:
        found: The plugin.
        overrides: Hydra overrides; ``plugin=`` may be among them.
        preset_for_auto: Names the preset that ``preset=auto`` takes here; called only when no
            other is asked for. A preset that the plugin lacks is replaced by the nearest.
        search_dirs: More folders for Hydra's search path.

    Returns:
        The config, checked: the types fit and every ``__post_init__`` is content.

    Raises:
        UsageError: Something is wrong with the overrides; has every problem.
        LabError: The plugin's own config or files are wrong.
    """
    checker, given, problems = read_overrides_of(found, overrides, search_dirs)
    given, preset = _settle_preset(given, checker.plugin, checker, preset_for_auto)
    if checker.plugin.variants:  # which the preset may choose
        checker, given, problems = read_overrides_of(found, overrides, search_dirs, preset)
        given, preset = _settle_preset(given, checker.plugin, checker, lambda _: preset)
    plugin = checker.plugin
    problems.extend(checker.check_names(given))
    with open_session(plugin, checker.groups, given) as session:
        cfg, failure = (None, None) if problems else try_to_compose(session, given)
        if cfg is None:
            problems.extend(diagnose(session, checker, given, failure))
            raise wrong_config(plugin, problems)
        hydra_node, defaults = detach_hydra(cfg), session.defaults(given)
    cfg.plugin, cfg.preset = plugin.name, preset  # what was left open is written down
    cfg.task = cfg.task or plugin.tasks[0].name
    config, found_problems = to_typed(cfg)
    problems.extend(found_problems)
    if problems:
        raise wrong_config(plugin, problems)
    leaves = flatten(container(cfg))
    origins = trace(leaves, defaults, checker.groups, given, variant_words(plugin))
    typed = {override.key for override in given if override.text != _AUTO}
    for key in ("plugin", "task", PRESET):
        origins[key] = COMMAND_LINE if key in typed or key == "plugin" else DEFAULT
    if PRESET not in typed:
        origins[PRESET] = "auto"
    choices = {k: str(v) for k, v in hydra_node.runtime.choices.items() if v is not None}
    return Composed(
        cfg=cfg,
        config=config,
        task=plugin.task(cfg.task),
        preset=preset,
        choices={k: v for k, v in choices.items() if not k.startswith("hydra/")},
        origins=origins,
        changed=_changed(plugin, leaves, origins),
        hydra=hydra_node,
    )


def _settle_preset(
    given: list[Given],
    plugin: Plugin,
    checker: Checker,
    preset_for_auto: Callable[[Plugin], str] | None,
) -> tuple[list[Given], str]:
    """Replaces ``preset=auto``, or no preset, by the one to take."""
    typed = [override for override in given if override.key == PRESET]
    if typed and typed[0].values() != ["auto"]:
        return given, str(next(iter(typed[0].values()), ""))
    available = checker.groups.presets
    wanted = preset_for_auto(plugin) if preset_for_auto is not None else "laptop"
    if wanted not in available:
        wanted = choose_preset(available, paper_fits=False)
    (chosen,), _ = read_overrides([f"{PRESET}={wanted}"], [])
    chosen = dataclasses.replace(chosen, text=_AUTO)
    return [*(override for override in given if override not in typed[:1]), chosen], wanted


def _changed(
    plugin: Plugin, leaves: Mapping[str, Any], origins: Mapping[str, str]
) -> tuple[str, ...]:
    from omegaconf import OmegaConf

    standard = flatten(container(OmegaConf.structured(build_schema(plugin.config))))
    names = {"plugin", "task", PRESET}
    return tuple(
        path
        for path, value in leaves.items()
        if path not in names
        and not (path.startswith("hooks") and origins[path] in {DEFAULT, "hooks=default"})
        and (path not in standard or standard[path] != value)
    )


def preset_values(
    found: FoundPlugin, groups: Groups, overrides: Sequence[str], preset: str
) -> dict[str, Any]:
    """Returns the options that a preset and the overrides set, by dotted path.

    Args:
        found: The plugin.
        groups: What the plugin offers.
        overrides: The overrides of the command line.
        preset: The preset taken.

    Raises:
        UsageError: An override is wrong.
    """
    simple = all(text.partition("=")[0] in _SETTLED for text in overrides)
    file = groups.file(f"{PRESET}/{preset}")
    if simple and not any(groups.default_of(group) for group in groups.own):
        if file is None and preset == "none":
            return {}
        if file is not None:
            import yaml

            content = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
            if "defaults" not in content and "${" not in str(content):
                return flatten(expand_tree(content))
    rest = [text for text in overrides if text.partition("=")[0] != PRESET]
    chosen = peek(overrides, PRESET)
    asked = preset if chosen in (None, "auto") else chosen
    composed = compose(found, [*rest, f"{PRESET}={asked}"])
    return {path: value for path, value in composed.values().items() if path in composed.changed}
