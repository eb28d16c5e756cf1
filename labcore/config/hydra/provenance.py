"""Where each value of a composed config came from."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from labcore.config.hydra.groups import PRESET, Groups
from labcore.config.options import flatten
from labcore.config.overrides import Given
from labcore.config.root import WORDS, expand_tree

if TYPE_CHECKING:
    from hydra.core.default_element import ResultDefault

__all__ = ["COMMAND_LINE", "DEFAULT", "trace"]

DEFAULT = "default"
COMMAND_LINE = "command line"
_ROOTS = ("lab", "plugin_groups", "<root>")


def trace(
    leaves: Iterable[str],
    defaults: "Sequence[ResultDefault]",
    groups: Groups,
    given: Sequence[Given],
    words: Collection[str] = WORDS,
) -> dict[str, str]:
    """Finds the last source that set each option.

    Args:
        leaves: Dotted paths of all options.
        defaults: What Hydra merged, in its order.
        groups: Knows the files.
        given: The overrides, applied last.
        words: Sections for which a lone word may stand in a file.

    Returns:
        Dotted path to ``default`` (the dataclass), ``preset NAME``, ``GROUP=OPTION``,
        ``lab.yaml`` or ``command line``.
    """
    origins = dict.fromkeys(leaves, DEFAULT)
    parents = {item.config_path: item.parent for item in defaults}
    for item in defaults:
        path = item.config_path
        if path is None or path.startswith("hydra/"):
            continue
        file = groups.file(path)
        if file is not None:
            _mark(
                origins,
                _keys_of(file.read_text(encoding="utf-8"), item, words),
                _label(path, parents),
            )
    for override in given:
        value = override.parsed.value()
        is_choice = override.key in groups.options and not isinstance(value, Mapping)
        if not is_choice and not override.key.startswith("hydra"):
            below = flatten(value, override.key) if isinstance(value, Mapping) and value else None
            _mark(origins, below or [override.key], COMMAND_LINE)
    return origins


def _keys_of(text: str, item: "ResultDefault", words: Collection[str]) -> dict[str, Any]:
    import yaml

    content = yaml.safe_load(text) or {}
    own = {key: value for key, value in content.items() if key not in {"defaults", "hydra"}}
    return flatten(own if item.package else expand_tree(own, words), item.package or "")


def _mark(origins: dict[str, str], keys: Iterable[str], label: str) -> None:
    for key in keys:
        for leaf in origins:
            if leaf == key or leaf.startswith(f"{key}."):
                origins[leaf] = label


def _label(path: str, parents: Mapping[str | None, str | None]) -> str:
    """Names what the user knows: the group that brought a file in, not the file below it."""
    top = path
    while (parent := parents.get(top)) is not None and parent not in _ROOTS:
        top = parent
    if top in _ROOTS:
        return f"{top}.yaml"
    group, _, option = top.rpartition("/")
    return f"preset {option}" if group == PRESET else f"{group}={option}" if group else option
