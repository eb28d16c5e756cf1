"""The config groups that a plugin and the core offer, read from their folders without Hydra."""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from labcore.discovery import configs_dir

__all__ = ["PRESET", "SCHEME", "Groups", "choose_preset", "find_groups"]

PRESET = "preset"
SCHEME = "lab"
"""What an entry of Hydra's search path starts with to be read by ``sources.py`` beside this."""
_NO_GROUPS = ("hydra", "sweeps")
"""Folders of Hydra's own settings, and of sweep files, which may be YAML too."""
_BUILT_IN_PRESETS = ("auto", "none")


@dataclass(frozen=True, kw_only=True, slots=True)
class Groups:
    """Folders whose YAML files are alternatives: ``model=flat`` takes ``model/flat.yaml``."""

    options: Mapping[str, tuple[str, ...]]
    """Group to the names of its options, in alphabetical order; a nested group is ``a/b``."""
    own: tuple[str, ...]
    """The plugin's groups at the top level, presets left out."""
    folders: tuple[Path, ...]
    """Where the files are: the core's, the plugin's, then any that the user adds."""

    @property
    def presets(self) -> tuple[str, ...]:
        """The presets that are files."""
        return tuple(p for p in self.options[PRESET] if p not in _BUILT_IN_PRESETS)

    def file(self, config_path: str) -> Path | None:
        """Returns the file that Hydra takes for ``group/option``; the first folder wins."""
        for folder in self.folders:
            candidate = folder / f"{config_path}.yaml"
            if os.path.isfile(candidate):  # noqa: PTH113  # a Path raises when the name is too long
                return candidate
        return None

    def default_of(self, group: str) -> str | None:
        """Returns the option that a plugin's group takes by itself: ``default`` or nothing."""
        return "default" if "default" in self.options.get(group, ()) else None


def find_groups(
    plugin_dir: Path | None, extra: Sequence[Path] = (), hooks: Iterable[str] = ()
) -> Groups:
    """Lists the groups.

    Args:
        plugin_dir: The plugin's ``configs`` folder, when it has one.
        extra: Folders that the user added to Hydra's search path.
        hooks: Hooks that the plugin declares, which need no file to be chosen.
    """
    own_folder = () if plugin_dir is None else (plugin_dir,)
    folders = tuple(dict.fromkeys(each.resolve() for each in (configs_dir(), *own_folder, *extra)))
    options: dict[str, set[str]] = {PRESET: set(_BUILT_IN_PRESETS), "hooks": set(hooks)}
    own: list[str] = []
    for folder in folders:
        for file in sorted(folder.glob("*/**/*.yaml")):
            group = file.parent.relative_to(folder).as_posix()
            top = group.partition("/")[0]
            if top in _NO_GROUPS:
                continue
            options.setdefault(group, set()).add(file.stem)
            if folder != folders[0] and top not in own and top not in {PRESET, "hooks"}:
                own.append(top)
    return Groups(
        options={group: tuple(sorted(names)) for group, names in sorted(options.items())},
        own=tuple(group for group in own if group in options),
        folders=folders,
    )


def choose_preset(available: Sequence[str], *, paper_fits: bool) -> str:
    """Chooses the scale of an experiment for a machine.

    Args:
        available: Names of the presets there are.
        paper_fits: Whether the run would use a GPU with the memory that the plugin declares.

    Returns:
        ``paper`` where it fits, else ``laptop``; the next smaller one when the plugin lacks it;
        ``none`` when it has no presets.
    """
    wanted = ("paper", "laptop", "smoke") if paper_fits else ("laptop", "smoke", "paper")
    return next((name for name in (*wanted, *available) if name in available), "none")
