"""Finding plugins: the checkout's ``plugins`` package, installed entry points, and ``LAB_PLUGINS``.

A plugin that cannot be imported, or whose packages are missing, is found all the same, with the
reason and the command that fixes it; it never takes the others down.
"""

import importlib
import importlib.metadata
import importlib.util
import os
import pkgutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from labcore.errors import LabError, UsageError
from labcore.plugin import Plugin, load_object
from labcore.suggest import nearest, suggestion

__all__ = ["DISTRIBUTION", "FoundPlugin", "find_plugins", "is_checkout", "pick_plugin"]

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
    """Where it was found: ``plugins/NAME``, ``entry point of DIST``, or ``LAB_PLUGINS``."""
    plugin: Plugin | None = None
    config_dir: Path | None = None
    """Folder with its Hydra groups, when it has one."""
    error: str | None = None
    """Why the declaration could not be imported."""
    missing: tuple[str, ...] = ()
    """Required packages that are absent or of the wrong version, one phrase each."""
    fix: str | None = None
    """The command that makes it usable."""

    @property
    def reason(self) -> str | None:
        """Why it cannot run, or None when it can."""
        return self.error or (", ".join(self.missing) or None)


def is_checkout() -> bool:
    """Whether labcore runs from a source tree and not from an installed wheel."""
    return (Path(__file__).parent.parent / "pyproject.toml").exists()


def find_plugins() -> dict[str, FoundPlugin]:
    """Returns every plugin by name, in alphabetical order.

    ``LAB_PLUGINS`` wins over the checkout, and the checkout over entry points, so that a plugin
    under work hides its installed version.
    """
    found: dict[str, FoundPlugin] = {}
    for source in (_from_variable, _from_folder, _from_entry_points):
        for plugin in source():
            found.setdefault(plugin.name, plugin)
    return dict(sorted(found.items()))


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


def _from_variable() -> Iterator[FoundPlugin]:
    for item in filter(None, os.environ.get(_VARIABLE, "").split(",")):
        name, separator, path = item.strip().partition("=")
        if not separator or ":" not in path:
            yield FoundPlugin(
                name=name,
                origin=_VARIABLE,
                error=f"{item!r} is not of the form name=module:object",
                fix=f"{_VARIABLE}=name=package.module:plugin",
            )
            continue
        yield _load(name, path, origin=_VARIABLE)


def _from_folder() -> Iterator[FoundPlugin]:
    spec = importlib.util.find_spec(_FOLDER_PACKAGE)
    if spec is None or spec.submodule_search_locations is None:
        return
    for module in pkgutil.iter_modules(list(spec.submodule_search_locations)):
        if module.ispkg:
            path = f"{_FOLDER_PACKAGE}.{module.name}:plugin"
            yield _load(module.name, path, origin=f"{_FOLDER_PACKAGE}/{module.name}")


def _from_entry_points() -> Iterator[FoundPlugin]:
    for entry in importlib.metadata.entry_points(group=ENTRY_POINTS):
        owner = entry.dist.name if entry.dist else "an unknown package"
        yield _load(entry.name, entry.value, origin=f"entry point of {owner}")


def _load(name: str, path: str, *, origin: str) -> FoundPlugin:
    try:
        plugin = load_object(path)
    except Exception as error:  # whatever a plugin's module raises must stay its own affair
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        return FoundPlugin(
            name=name, origin=origin, error=reason, fix=f"python -c 'import {path.split(':')[0]}'"
        )
    if not isinstance(plugin, Plugin):
        return FoundPlugin(
            name=name,
            origin=origin,
            error=f"{path} is a {type(plugin).__name__}, not a labcore.Plugin",
            fix="export the declaration: plugin = Plugin(...)",
        )
    if plugin.name != name:
        return FoundPlugin(
            name=name,
            origin=origin,
            error=f"the declaration at {path} calls itself {plugin.name!r}",
            fix=f"make the name in the declaration and {name!r} the same",
        )
    missing = tuple(_missing(plugin.requires.packages))
    return FoundPlugin(
        name=name,
        origin=origin,
        plugin=plugin,
        config_dir=_config_dir(plugin, path),
        missing=missing,
        fix=_install_command(plugin, origin) if missing else None,
    )


def _config_dir(plugin: Plugin, path: str) -> Path | None:
    module = sys.modules[path.partition(":")[0]]
    if module.__file__ is None:
        return None
    folder = Path(module.__file__).parent / (plugin.configs or "configs")
    return folder if folder.is_dir() else None


def _missing(requirements: tuple[str, ...]) -> Iterator[str]:
    if not requirements:
        return
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


def _install_command(plugin: Plugin, origin: str) -> str:
    extra = plugin.extra or plugin.name
    if origin.startswith(_FOLDER_PACKAGE):
        return (
            f'pip install -e ".[{extra}]"'
            if is_checkout()
            else f'pip install "{DISTRIBUTION}[{extra}]"'
        )
    first = (text.split("|")[0].strip() for text in plugin.requires.packages)
    packages = " ".join(f'"{package}"' for package in first)
    return f"pip install {packages}"
