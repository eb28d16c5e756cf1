"""From a plugin and overrides to the composed config of a run."""

import copy
import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labcore.config.flat import flatten
from labcore.config.groups import PRESET, find_groups
from labcore.config.options import list_options
from labcore.config.overrides import Given, read_overrides
from labcore.config.presets import choose_preset
from labcore.config.problems import Checker
from labcore.config.provenance import COMMAND_LINE, DEFAULT, trace
from labcore.config.schema import build_schema
from labcore.config.session import Session, open_session
from labcore.config.typed import to_typed
from labcore.discovery import FoundPlugin
from labcore.errors import LabError, UsageError
from labcore.plugin import Plugin, Task

if TYPE_CHECKING:
    from omegaconf import DictConfig

__all__ = ["Composed", "check_sweep", "compose"]


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
        return str(self.config.name) or "-".join(parts)

    def to_yaml(self) -> str:
        """Returns the config as YAML that :func:`labcore.config.load_config` reads."""
        from omegaconf import OmegaConf

        return OmegaConf.to_yaml(self.cfg)

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
        return flatten(_container(self.cfg, resolve=True))


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
    plugin, checker, given, problems = _read(found, overrides, search_dirs)
    given, preset = _settle_preset(given, plugin, checker, preset_for_auto)
    problems.extend(checker.check_names(given))
    with open_session(plugin, checker.groups, given) as session:
        cfg, failure = (None, None) if problems else _try(session, given)
        if cfg is None:
            problems.extend(_diagnose(session, checker, given, plugin, failure))
            raise _wrong(plugin, problems)
        hydra_node, defaults = _detach_hydra(cfg), session.defaults(_lines(given))
    task = _settle_names(cfg, plugin, preset)
    config, found_problems = to_typed(cfg)
    problems.extend(found_problems)
    if problems:
        raise _wrong(plugin, problems)
    leaves = flatten(_container(cfg))
    origins = trace(leaves, defaults, checker.groups, given)
    typed = {override.key for override in given if override.text != _AUTO}
    for key in ("plugin", "task", PRESET):
        origins[key] = COMMAND_LINE if key in typed or key == "plugin" else DEFAULT
    if PRESET not in typed:
        origins[PRESET] = "auto"
    choices = {k: str(v) for k, v in hydra_node.runtime.choices.items() if v is not None}
    return Composed(
        cfg=cfg,
        config=config,
        task=task,
        preset=preset,
        choices={k: v for k, v in choices.items() if not k.startswith("hydra/")},
        origins=origins,
        changed=_changed(plugin, leaves, origins),
        hydra=hydra_node,
    )


def check_sweep(
    found: FoundPlugin, overrides: Sequence[str], *, search_dirs: Sequence[Path] = ()
) -> list[Given]:
    """Checks every value of a sweep before its first run starts.

    Each value is composed once, with the first values of the other sweeps: a value that can never
    work is found, without composing every combination.

    Returns:
        The overrides, read.

    Raises:
        UsageError: Something is wrong; has every problem.
    """
    plugin, checker, given, problems = _read(found, overrides, search_dirs)
    problems.extend(checker.check_names(given, sweeping=True))
    if problems:
        with open_session(plugin, checker.groups, []) as session:
            problems.extend(_diagnose(session, checker, given, plugin, None, sweeping=True))
        raise _wrong(plugin, problems)
    swept = [override for override in given if override.is_sweep and override.values()]
    intervals = [override for override in given if override.is_sweep and not override.values()]
    fixed = [o.text for o in given if not o.is_sweep and not o.key.startswith("hydra")]
    firsts = {override.key: _with_value(override, 0) for override in swept}
    combinations = [
        firsts,
        *(
            {**firsts, override.key: _with_value(override, index)}
            for override in swept
            for index in range(1, len(override.values()))
        ),
    ]
    for combination in combinations:
        problems.extend(_problems_of(found, [*fixed, *combination.values()], search_dirs))
    if problems and not intervals:
        raise _wrong(plugin, problems)
    return given


def _problems_of(
    found: FoundPlugin, overrides: Sequence[str], search_dirs: Sequence[Path]
) -> tuple[str, ...]:
    try:
        compose(found, overrides, search_dirs=search_dirs)
    except UsageError as error:
        return error.problems
    return ()


_AUTO = "(auto)"
"""Text of the override that stands for the preset chosen by the machine."""


def _read(
    found: FoundPlugin, overrides: Sequence[str], search_dirs: Sequence[Path]
) -> tuple[Plugin, Checker, list[Given], list[str]]:
    if found.plugin is None:
        raise LabError(f"plugin {found.name} is broken: {found.error}", fix=found.fix)
    plugin = found.plugin
    build_schema(plugin.config)
    options = list_options(plugin, docs=False)
    given, problems = read_overrides(overrides, options)
    extra = [*search_dirs, *_typed_search_path(given)]
    groups = find_groups(found.config_dir, extra)
    return plugin, Checker(plugin=plugin, groups=groups, options=options), given, problems


def _typed_search_path(given: Iterable[Given]) -> list[Path]:
    folders = [o.values()[0] for o in given if o.key == "hydra.searchpath" and o.values()]
    return [Path(str(each).removeprefix("file://")) for folder in folders for each in folder]


def _lines(given: Iterable[Given]) -> list[str]:
    return [override.line for override in given]


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


def _try(session: Session, given: Sequence[Given]) -> "tuple[DictConfig | None, Exception | None]":
    from hydra.errors import HydraException
    from omegaconf.errors import OmegaConfBaseException

    try:
        return session.compose(_lines(given)), None
    except (HydraException, OmegaConfBaseException) as error:
        return None, error


def _diagnose(
    session: Session,
    checker: Checker,
    given: Sequence[Given],
    plugin: Plugin,
    failure: Exception | None,
    *,
    sweeping: bool = False,
) -> list[str]:
    """Finds all that is wrong with single options, now that something is known to be wrong."""
    from omegaconf import OmegaConf

    bad = checker.bad_choices(given)
    choices = [o for o in given if checker.is_choice(o) and o not in bad]
    base, error = _try(session, choices)
    if base is None:
        assert error is not None
        raise LabError(
            f"the config files of plugin {plugin.name} cannot be composed: {_first_words(error)}",
            fix=f"look at {', '.join(str(folder) for folder in checker.groups.folders[1:])}",
        ) from error
    _detach_hydra(base)
    hooks = OmegaConf.to_container(base.hooks)
    assert isinstance(hooks, dict)
    single = [o for o in given if not checker.is_choice(o) and (sweeping or not o.is_sweep)]
    problems = [*checker.check_hooks(given, hooks), *checker.apply(base, single)]
    # A value refused above keeps its default, so the checks below can only find other problems.
    problems.extend(to_typed(base)[1])
    if not problems and failure is not None:
        problems.append(_first_words(failure))
    return problems


def _first_words(error: BaseException) -> str:
    """Returns the innermost reason, which is what names the key."""
    while error.__cause__ is not None:
        error = error.__cause__
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return " ".join(lines[:2]) or type(error).__name__


def _wrong(plugin: Plugin, problems: Sequence[str]) -> UsageError:
    return UsageError(
        f"the config of this run of {plugin.name} is wrong",
        problems=list(dict.fromkeys(problems)),
        fix=f"every option, with its default: lab run plugin={plugin.name} --help",
    )


def _detach_hydra(cfg: "DictConfig") -> "DictConfig":
    from omegaconf import open_dict

    with open_dict(cfg):
        node: DictConfig = cfg.pop("hydra")
    return node


def _settle_names(cfg: "DictConfig", plugin: Plugin, preset: str) -> Task:
    """Writes down what was left open: plugin, task and preset."""
    cfg.plugin = plugin.name
    cfg.task = cfg.task or plugin.tasks[0].name
    cfg.preset = preset
    return plugin.task(cfg.task)


def _container(cfg: "DictConfig", *, resolve: bool = False) -> dict[str, Any]:
    from omegaconf import OmegaConf

    tree = OmegaConf.to_container(cfg, resolve=resolve, enum_to_str=True)
    assert isinstance(tree, dict)
    return {str(key): value for key, value in tree.items()}


def _changed(
    plugin: Plugin, leaves: Mapping[str, Any], origins: Mapping[str, str]
) -> tuple[str, ...]:
    from omegaconf import OmegaConf

    standard = flatten(_container(OmegaConf.structured(build_schema(plugin.config))))
    names = {"plugin", "task", PRESET}
    return tuple(
        path
        for path, value in leaves.items()
        if path not in names
        and not (path.startswith("hooks") and origins[path] in {DEFAULT, "hooks=default"})
        and (path not in standard or standard[path] != value)
    )


def _with_value(override: Given, index: int) -> str:
    from hydra.core.override_parser.types import Transformer

    encoded = list(override.parsed.sweep_iterator(Transformer.encode))
    return f"{override.parsed.get_key_element()}={encoded[index]}"
