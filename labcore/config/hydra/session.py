"""Hydra, set up to compose the config of one plugin.

The search path is the core's ``configs``, then the plugin's. ``lab.yaml`` is the root; it includes
``schema`` (the dataclass) and ``plugin_groups``, the list of the plugin's groups built here, whose
order decides who wins:

1. the defaults of the schema, and the ``default.yaml`` of a group that has one;
2. the preset;
3. groups chosen on the command line (``model=hierarchical``);
4. single options on the command line.

A preset may choose an option of a group (``override /model: flat`` in its defaults list); its own
values then win over that option's. Groups that nobody chose stay empty, and come after the preset,
so that a preset can refer to the choice: ``optional /sizes@model: paper_${model}``.
"""

import contextlib
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from labcore.config.hydra.groups import PRESET, SCHEME, Groups
from labcore.config.overrides import Given
from labcore.config.schema import build_schema
from labcore.config.variants import variant_words
from labcore.discovery import configs_dir
from labcore.plugin import Plugin

if TYPE_CHECKING:
    from hydra.core.default_element import ResultDefault
    from omegaconf import DictConfig

__all__ = ["ROOT", "VERSION_BASE", "Session", "hydra_lines", "open_session", "register"]

ROOT = "lab"
"""Name of the root config, ``configs/lab.yaml``."""
VERSION_BASE = "1.3"

_OVERRIDDEN_GROUP = re.compile(r"^\s*-\s*override\s+/?([\w/]+)\s*:", re.MULTILINE)


class Session:
    """Composes configs of one plugin; made by :func:`open_session`."""

    def __init__(self, groups: Groups) -> None:
        self._groups = groups

    def compose(self, given: Sequence[Given]) -> "DictConfig":
        """Composes a config, with its ``hydra`` node.

        Raises:
            HydraException: An override or a file is wrong.
        """
        import hydra

        return hydra.compose(
            ROOT, overrides=hydra_lines(self._groups, given), return_hydra_config=True
        )

    def defaults(self, given: Sequence[Given]) -> "list[ResultDefault]":
        """Returns the files and nodes that make the config, in the order in which they merge."""
        from hydra.core.global_hydra import GlobalHydra
        from hydra.types import RunMode

        loader = GlobalHydra.instance().config_loader()
        return list(
            loader.compute_defaults_list(
                ROOT, hydra_lines(self._groups, given), RunMode.RUN
            ).defaults
        )


@contextlib.contextmanager
def open_session(plugin: Plugin, groups: Groups, given: Sequence[Given]) -> Iterator[Session]:
    """Prepares Hydra for the time of the block and leaves its global state as it was.

    Args:
        plugin: Whose schema to compose.
        groups: What the plugin offers.
        given: The overrides, which decide the order of the groups.
    """
    import hydra

    register(plugin, groups, given)
    with hydra.initialize_config_dir(str(configs_dir()), ROOT, version_base=VERSION_BASE):
        yield Session(groups)


def register(plugin: Plugin, groups: Groups, given: Sequence[Given]) -> None:
    """Puts what is no file into Hydra's store: the schema, the group list, built-in presets."""
    from hydra.core.config_store import ConfigStore

    from labcore.config.hydra.sources import LabFiles  # tells Hydra of the scheme

    LabFiles.words = variant_words(plugin)
    store = ConfigStore.instance()
    store.store("schema", node=build_schema(plugin.config))
    store.store("plugin_groups", node={"defaults": _group_list(groups, given)})
    for name in ("auto", "none"):
        store.store(name, node={}, group=PRESET, package="_global_")
    for name in plugin.hooks:
        # Hydra takes one that a plugin before left here as the schema of a file of that name.
        store.repo.get("hooks", {}).pop(f"{name}.yaml", None)
        if groups.file(f"hooks/{name}") is None:
            store.store(name, node={name: {}}, group="hooks")


def hydra_lines(groups: Groups | None, given: Sequence[Given]) -> list[str]:
    """Returns overrides as Hydra takes them, its search path first: the plugin's folders."""
    folders = groups.folders[1:] if groups is not None else ()
    quoted = [
        "'" + f"{SCHEME}://{folder.resolve()}".replace("'", r"\'") + "'" for folder in folders
    ]
    path = [f"hydra.searchpath=[{','.join(quoted)}]"] if quoted else []
    return path + [o.line for o in given if not o.line.startswith("hydra.searchpath=")]


def _group_list(groups: Groups, given: Sequence[Given]) -> list[dict[str, Any]]:
    typed = {override.key for override in given}
    chosen_by_preset = _chosen_by(groups, given)
    first: list[str] = []
    last: list[str] = []
    for group in groups.own:
        is_set_before = groups.default_of(group) is not None or group in chosen_by_preset
        (first if is_set_before and group not in typed else last).append(group)
    # Within the last ones, a chosen group wins over one that stays empty: order does not matter.
    return [
        *({group: groups.default_of(group)} for group in first),
        {PRESET: "auto"},
        *({group: groups.default_of(group)} for group in last),
    ]


def _chosen_by(groups: Groups, given: Sequence[Given]) -> set[str]:
    """Returns the groups that the chosen presets set in their defaults lists."""
    names = [value for override in given if override.key == PRESET for value in override.values()]
    files = [groups.file(f"{PRESET}/{name}") for name in names]
    return {
        group
        for file in files
        if file is not None
        for group in _OVERRIDDEN_GROUP.findall(file.read_text(encoding="utf-8"))
    }
