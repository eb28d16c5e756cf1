"""Which plugin a command line means."""

from collections.abc import Mapping, Sequence

from labcore.config.overrides import peek
from labcore.discovery import FoundPlugin, pick_plugin
from labcore.errors import UsageError

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
        raise UsageError(
            "which plugin? plugin=NAME is the one choice that must be made",
            problems=[f"write plugin={stray[0]}, or put it first"] if stray else [],
            fix=f"choose one of: {names}",
        )
    if "," in name:
        raise UsageError(
            f"plugin={name}: a command runs one plugin",
            fix="start one command for each: plugins need not share options or a framework",
        )
    return pick_plugin(found, name)
