"""Which plugin a command line means."""

from collections.abc import Mapping, Sequence

from labcore.config.overrides import peek
from labcore.config.suggest import nearest, suggestion
from labcore.discovery import FoundPlugin
from labcore.errors import LabError, UsageError

__all__ = ["select_plugin"]


def select_plugin(found: Mapping[str, FoundPlugin], overrides: Sequence[str]) -> FoundPlugin:
    """Returns the plugin that ``plugin=`` names.

    Args:
        found: All plugins by name.
        overrides: The overrides of the command line.

    Raises:
        UsageError: It is missing, given as several, or names no plugin.
        LabError: The plugin's declaration cannot be imported.
    """
    name = peek(overrides, "plugin")
    names = ", ".join(found) or "none is installed"
    if not name:
        stray = [text for text in overrides if text in found]
        hint = f"write plugin={stray[0]}" if stray else None
        raise UsageError(
            "which plugin? plugin=NAME is the one choice that must be made",
            problems=[hint] if hint else [],
            fix=f"choose one of: {names}",
        )
    if "," in name:
        raise UsageError(
            f"plugin={name}: a command runs one plugin",
            fix="start one command for each: plugins need not share options or a framework",
        )
    if name not in found:
        near = suggestion(nearest(name, found))
        raise UsageError(
            f"plugin={name}: there is no such plugin",
            problems=[near] if near else [],
            fix=f"choose one of: {names}",
        )
    plugin = found[name]
    if plugin.plugin is None:
        raise LabError(f"plugin {name} is broken: {plugin.error}", fix=plugin.fix)
    return plugin
