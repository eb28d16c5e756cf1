"""The values that a preset leads to, for help: read without Hydra where that gives the same."""

from collections.abc import Sequence
from typing import Any

from labcore.config.flat import flatten
from labcore.config.groups import PRESET, Groups
from labcore.config.overrides import peek
from labcore.config.shorthand import expand_tree
from labcore.discovery import FoundPlugin

__all__ = ["preset_values"]

_SETTLED = ("plugin", "task", PRESET, "device")


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
    from labcore.config.compose import compose  # Hydra: half a second

    rest = [text for text in overrides if text.partition("=")[0] != PRESET]
    chosen = peek(overrides, PRESET)
    asked = preset if chosen in (None, "auto") else chosen
    composed = compose(found, [*rest, f"{PRESET}={asked}"])
    return {path: value for path, value in composed.values().items() if path in composed.changed}
