"""The overrides of one plugin: read, tried, and diagnosed when they do not work."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labcore.config.hydra.groups import PRESET, find_groups
from labcore.config.hydra.session import Session
from labcore.config.options import CORE_SECTION, Option, list_options, shorten
from labcore.config.overrides import Given, peek, read_overrides
from labcore.config.problems import Checker
from labcore.config.schema import build_schema, to_typed
from labcore.config.variants import chosen_variants, specialized, variant_options
from labcore.discovery import FoundPlugin
from labcore.errors import LabError, UsageError
from labcore.plugin import Plugin

if TYPE_CHECKING:
    from omegaconf import DictConfig

__all__ = [
    "container",
    "detach_hydra",
    "diagnose",
    "read_overrides_of",
    "try_to_compose",
    "with_variants",
    "wrong_config",
]


def read_overrides_of(
    found: FoundPlugin, overrides: Sequence[str], search_dirs: Sequence[Path], preset: str = ""
) -> tuple[Checker, list[Given], list[str]]:
    """Reads overrides and finds out what the plugin accepts.

    Returns:
        What checks the overrides, those that can be read, and what is wrong with the others.

    Raises:
        LabError: The plugin cannot be imported, or its config has the names of core options.
    """
    if found.plugin is None:
        raise LabError(f"plugin {found.name} is broken: {found.error}", fix=found.fix)
    plugin = with_variants(found, overrides, search_dirs, preset)
    build_schema(plugin.config)
    options = list_options(plugin, docs=False)
    given, problems = read_overrides(overrides, [*options, *_hooks_of(found, plugin)])
    extra = [*search_dirs, *_typed_search_path(given)]
    groups = find_groups(found.config_dir, extra, plugin.hooks)
    return Checker(plugin=plugin, groups=groups, options=options), given, problems


def with_variants(
    found: FoundPlugin, overrides: Sequence[str], search_dirs: Sequence[Path] = (), preset: str = ""
) -> Plugin:
    """Gives a plugin the options of the variants that overrides or the preset choose."""
    assert found.plugin is not None
    if not found.plugin.variants:
        return found.plugin
    typed = {name: peek(overrides, name) for name in variant_options(found.plugin)}
    groups = find_groups(found.config_dir, search_dirs)
    file = groups.file(f"{PRESET}/{preset}") if preset else None
    return specialized(found.plugin, chosen_variants(found.plugin, typed, _read_yaml(file)))


def _read_yaml(file: Path | None) -> Mapping[str, Any]:
    import yaml

    content = yaml.safe_load(file.read_text(encoding="utf-8")) if file is not None else None
    return content if isinstance(content, Mapping) else {}


def _hooks_of(found: FoundPlugin, plugin: Plugin) -> Iterator[Option]:
    """Yields the plugin's hooks of whose options no file tells; their constructor does, later."""
    for name in plugin.hooks:
        if found.config_dir is None or not (found.config_dir / "hooks" / f"{name}.yaml").is_file():
            path, section = f"hooks.{name}", CORE_SECTION
            yield Option(
                path=path, type="mapping", default={}, doc="", section=section, keys="flat"
            )


def _typed_search_path(given: Iterable[Given]) -> list[Path]:
    folders = [o.values()[0] for o in given if o.key == "hydra.searchpath" and o.values()]
    return [
        Path(str(each).rpartition("://")[2])
        for folder in folders
        if isinstance(folder, list)
        for each in folder
    ]


def try_to_compose(
    session: Session, given: Sequence[Given]
) -> "tuple[DictConfig | None, Exception | None]":
    """Composes a config; returns it or the error, which at odd values may be any of Python's."""
    try:
        return session.compose(given), None
    except Exception as error:
        return None, error


def diagnose(
    session: Session,
    checker: Checker,
    given: Sequence[Given],
    failure: Exception | None,
    *,
    sweeping: bool = False,
) -> list[str]:
    """Finds all that is wrong with single options, now that something is known to be wrong.

    Args:
        session: Composes.
        checker: Knows what the plugin accepts.
        given: The overrides.
        failure: What Hydra said; told when nothing better is found.
        sweeping: Whether to look at every value of a sweep.

    Raises:
        LabError: The plugin's own files are wrong.
    """
    bad = checker.bad_choices(given)
    choices = [o for o in given if checker.is_choice(o) and o not in bad]
    base, error = try_to_compose(session, choices)
    if base is None:
        assert error is not None
        name = checker.plugin.name
        raise LabError(
            f"the config files of plugin {name} cannot be composed: {_first_words(error)}",
            fix=f"look at {', '.join(str(folder) for folder in checker.groups.folders[1:])}",
        ) from error
    detach_hydra(base)
    hooks = container(base.hooks)
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
    return shorten(" ".join(lines[:2]), 200) or type(error).__name__


def wrong_config(plugin: Plugin, problems: Sequence[str]) -> UsageError:
    """Returns the error that tells all problems, each once."""
    return UsageError(
        f"the config of this run of {plugin.name} is wrong",
        problems=list(dict.fromkeys(problems)),
        fix=f"every option, with its default: lab run plugin={plugin.name} --help",
    )


def detach_hydra(cfg: "DictConfig") -> "DictConfig":
    """Takes Hydra's own node out of a composed config."""
    from omegaconf import open_dict

    with open_dict(cfg):
        node: DictConfig = cfg.pop("hydra")
    return node


def container(cfg: "DictConfig", *, resolve: bool = False) -> dict[str, Any]:
    """Returns a config as plain mappings and lists, enum members by name."""
    from omegaconf import OmegaConf

    tree = OmegaConf.to_container(cfg, resolve=resolve, enum_to_str=True)
    assert isinstance(tree, dict)
    return {str(key): value for key, value in tree.items()}
