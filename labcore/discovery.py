"""Finding plugins: folders of ``plugins/``, installed entry points, and ``LAB_PLUGINS``.

The package ``plugins`` has two homes: ``plugins/`` of the current folder, which is the user's, and
the lab's own, which lies in the checkout or inside the wheel.

A plugin that cannot be imported, or whose packages are missing, is found all the same, with the
reason and the command that fixes it; it never takes the others down.
"""

import importlib
import importlib.metadata
import importlib.util
import os
import pkgutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from labcore.errors import LabError, UsageError, nearest, suggestion
from labcore.plugin import Plugin, load_object

__all__ = [
    "DISTRIBUTION",
    "FoundPlugin",
    "configs_dir",
    "env_dir",
    "find_plugins",
    "install_command",
    "pick_plugin",
    "plugins_dir",
    "sweep_file",
]

_PACKAGE = Path(__file__).parent

DISTRIBUTION = "unified-ml-lab"
ENTRY_POINTS = "lab.plugins"
_FOLDER_PACKAGE = "plugins"
_VARIABLE = "LAB_PLUGINS"
_ABSENT = " is not installed"


@dataclass(frozen=True, kw_only=True, slots=True)
class FoundPlugin:
    """A plugin as found, usable or not."""

    name: str
    origin: str
    """Where it was found: ``plugins/NAME`` of the current folder, ``unified-ml-lab`` (the lab's
    own, elsewhere), ``entry point of DIST``, or ``LAB_PLUGINS``."""
    plugin: Plugin | None = None
    config_dir: Path | None = None
    """Folder with its Hydra groups, when it has one."""
    error: str | None = None
    """Why the declaration could not be imported."""
    missing: tuple[str, ...] = ()
    """Required packages that are absent or of the wrong version, one phrase each."""
    fix: str | None = None
    """The command that makes it usable."""
    hides: tuple[str, ...] = ()
    """Origins of other plugins of the name, which are not to be had while this one is here."""

    @property
    def reason(self) -> str | None:
        """Why it cannot run, or None when it can."""
        return self.error or (", ".join(self.missing) or None)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Place:
    """Where a plugin is said to be."""

    name: str
    path: str
    """``package.module:object`` of the declaration."""
    origin: str
    is_ours: bool = False
    """Whether it comes with the lab, whose extras install its packages."""


def install_command(extra: str) -> str:
    """Returns the command that installs an extra of the lab, as this lab is installed."""
    is_checkout = (Path(__file__).parent.parent / "pyproject.toml").exists()
    return (
        f'pip install -e ".[{extra}]"' if is_checkout else f'pip install "{DISTRIBUTION}[{extra}]"'
    )


def find_plugins() -> dict[str, FoundPlugin]:
    """Returns every plugin by name, in alphabetical order.

    ``LAB_PLUGINS`` wins over folders, and a folder over entry points, so that a plugin under work
    hides its installed version.
    """
    places: dict[str, list[_Place]] = {}
    for source in (_from_variable, _from_folders, _from_entry_points):
        for place in source():
            places.setdefault(place.name, []).append(place)
    return {name: _load(*places[name]) for name in sorted(places)}


def pick_plugin(found: Mapping[str, FoundPlugin], name: str) -> FoundPlugin:
    """Returns the plugin called ``name``, whether its packages are here or not.

    Raises:
        UsageError: There is none; names the nearest.
        LabError: Its declaration cannot be imported.
    """
    if name not in found:
        near = suggestion(nearest(name, found))
        raise UsageError(
            f"there is no plugin {name!r}",
            problems=[near] if near else [],
            fix=f"choose one of: {', '.join(found) or 'none is installed'}",
        )
    picked = found[name]
    if picked.plugin is None:
        raise LabError(f"plugin {name} is broken: {picked.error}", fix=picked.fix)
    return picked


def _from_variable() -> Iterator[_Place]:
    for item in filter(None, os.environ.get(_VARIABLE, "").split(",")):
        name, _, path = item.strip().partition("=")
        yield _Place(name=name, path=path, origin=_VARIABLE)


def _from_folders() -> Iterator[_Place]:
    ours = plugins_dir().resolve()
    users = Path.cwd().resolve() / _FOLDER_PACKAGE
    folders = [users, ours] if users.is_dir() and users != ours else [ours]
    _join(folders)
    for folder in folders:
        for module in pkgutil.iter_modules([str(folder)]):
            if module.ispkg:
                yield _Place(
                    name=module.name,
                    path=f"{_FOLDER_PACKAGE}.{module.name}:plugin",
                    origin=f"{_FOLDER_PACKAGE}/{module.name}" if folder == users else DISTRIBUTION,
                    is_ours=folder == ours,
                )


def _join(folders: Sequence[Path]) -> None:
    """Makes one package ``plugins`` of several folders, the first winning.

    Their parents are on ``sys.path`` too, which is what processes of a pool are told.
    """
    parents = [str(folder.parent) for folder in folders]
    sys.path.extend(parent for parent in parents if parent not in sys.path)
    importlib.invalidate_caches()
    package = importlib.import_module(_FOLDER_PACKAGE)
    package.__path__ = [str(folder) for folder in folders]


def _from_entry_points() -> Iterator[_Place]:
    for entry in importlib.metadata.entry_points(group=ENTRY_POINTS):
        owner = entry.dist.name if entry.dist else "an unknown package"
        yield _Place(name=entry.name, path=entry.value, origin=f"entry point of {owner}")


def _load(place: _Place, *hidden: _Place) -> FoundPlugin:
    name, path = place.name, place.path
    found = FoundPlugin(
        name=name, origin=place.origin, hides=tuple(other.origin for other in hidden)
    )
    if ":" not in path:
        return replace(
            found,
            error=f"{path or name!r} is not of the form name=module:object",
            fix=f"{_VARIABLE}=name=package.module:plugin",
        )
    try:
        plugin = load_object(path)
    except Exception as error:  # whatever a plugin's module raises must stay its own affair
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        return replace(found, error=reason, fix=f"python -c 'import {path.split(':')[0]}'")
    if not isinstance(plugin, Plugin):
        return replace(
            found,
            error=f"{path} is a {type(plugin).__name__}, not a labcore.Plugin",
            fix="export the declaration: plugin = Plugin(...)",
        )
    if plugin.name != name:
        return replace(
            found,
            error=f"the declaration at {path} calls itself {plugin.name!r}",
            fix=f"make the name in the declaration and {name!r} the same",
        )
    missing = tuple(_missing(plugin.requires.packages))
    return replace(
        found,
        plugin=plugin,
        config_dir=_config_dir(plugin, path),
        missing=missing,
        fix=_fix(plugin, place) if missing else None,
    )


def _config_dir(plugin: Plugin, path: str) -> Path | None:
    module = sys.modules[path.partition(":")[0]]
    if module.__file__ is None:
        return None
    folder = Path(module.__file__).parent / (plugin.configs or "configs")
    return folder if folder.is_dir() else None


def _missing(requirements: tuple[str, ...]) -> Iterator[str]:
    for text in requirements:
        faults = [_fault(each) for each in text.split("|")]
        if all(faults):
            wrong = [fault for fault in faults if not fault.endswith(_ABSENT)]
            yield wrong[0] if wrong else faults[0]


def _fault(text: str) -> str:
    """Returns what is wrong with one requirement, or '' when it is met."""
    from packaging.requirements import Requirement  # 20 ms that `lab --help` need not pay

    requirement = Requirement(text)
    if requirement.marker is not None and not requirement.marker.evaluate():
        return ""
    try:
        version = importlib.metadata.version(requirement.name)
    except importlib.metadata.PackageNotFoundError:
        return f"{requirement.name}{_ABSENT}"
    if not requirement.specifier.contains(version, prereleases=True):
        return f"{requirement.name} is {version}, not {requirement.specifier}"
    return ""


def _fix(plugin: Plugin, place: _Place) -> str:
    if place.is_ours:
        return install_command(plugin.extra or plugin.name)
    first = (text.split("|")[0].strip() for text in plugin.requires.packages)
    packages = " ".join(f'"{package}"' for package in first)
    return f"pip install {packages}"


def configs_dir() -> Path:
    """Returns the folder of the root config and the hook sets."""
    return _find("configs")


def env_dir() -> Path:
    """Returns the folder of the environment definitions."""
    return _find("env")


def plugins_dir() -> Path:
    """Returns the folder of the lab's own plugins."""
    return _find("plugins")


def sweep_file(given: Path) -> Path:
    """Returns the sweep file that is meant: a path, or the name of one that comes with the lab.

    ``musicvae`` and ``configs/sweeps/musicvae.json`` name the same one, in a checkout or not.
    """
    bundled = configs_dir() / "sweeps"
    if not given.is_file() and given.parent in (Path(), Path("configs/sweeps")):
        for suffix in ("", ".json", ".yaml"):
            candidate = bundled / f"{given.name}{suffix}"
            if candidate.is_file():
                return candidate
    return given


def _find(name: str) -> Path:
    """Finds a folder that the wheel carries inside the package and the checkout has beside it."""
    for candidate in (_PACKAGE / "_share" / name, _PACKAGE.parent / name):
        if candidate.is_dir():
            return candidate
    raise LabError(
        f"the folder {name}/ is missing from this installation of lab",
        fix="install again: pip install --force-reinstall unified-ml-lab, or -e . in a checkout",
    )
