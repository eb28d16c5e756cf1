"""The composed config with where each value came from, and the record of the environment."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from labcore.errors import clean
from labcore.report.wording import write_value

__all__ = ["Branch", "ConfigRow", "config_rows", "grow"]

_DEFAULT = "default"
_LONGEST = 1_000_000
"""Characters of a value in the record of the environment; a diff has many."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ConfigRow:
    """One option, or the heading of a group of options.

    Attributes:
        key: Last part of the dotted key.
        path: The whole dotted key.
        depth: 0 for the root's own options.
        value: As YAML writes it; empty for a heading.
        origin: Where the value came from; empty for a default.
        is_group: Whether it is a heading.
        has_changes: Whether it, or an option below it, is changed.
    """

    key: str
    path: str
    depth: int
    value: str = ""
    origin: str = ""
    is_group: bool = False
    has_changes: bool = False


def config_rows(config: Any, origins: Any, changed: Any = None) -> list[ConfigRow]:
    """Flattens a composed config into rows, groups after the plain options beside them.

    Args:
        config: The content of ``config.yaml``.
        origins: The content of ``origins.json``: dotted key to where the value came from. A key
            also speaks for the options below it that have no entry of their own.
        changed: The content of ``changed.json``: dotted keys of the values that differ from the
            defaults. Runs of older versions have none; all that was set counts then.
    """
    if not isinstance(config, Mapping):
        return []
    known = origins if isinstance(origins, Mapping) else {}
    paths = {str(path) for path in changed} if isinstance(changed, list) else None
    return list(_rows(config, known, paths, (), ""))


def _rows(
    group: Mapping[Any, Any],
    origins: Mapping[str, Any],
    changed: set[str] | None,
    parents: tuple[str, ...],
    inherited: str,
) -> Iterator[ConfigRow]:
    for key, value in sorted(group.items(), key=lambda item: _is_group(item[1])):
        parts = (*parents, str(key))
        path, is_group = ".".join(parts), _is_group(value)
        origin = _origin(origins, path, inherited)
        below = list(_rows(value, origins, changed, parts, origin)) if is_group else []
        is_changed = bool(origin) and not is_group if changed is None else path in changed
        yield ConfigRow(
            key=str(key),
            path=path,
            depth=len(parents),
            value="" if is_group else _as_yaml(value),
            origin="" if is_group else origin,
            is_group=is_group,
            has_changes=is_changed or any(row.has_changes for row in below),
        )
        yield from below


def _is_group(value: Any) -> bool:
    return isinstance(value, Mapping) and bool(value)


def _origin(origins: Mapping[str, Any], path: str, inherited: str) -> str:
    origin = origins.get(path)
    if origin is None:
        return inherited
    return "" if str(origin) == _DEFAULT else str(origin)


def _as_yaml(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, str):
        return clean(value) if value and value == value.strip() else json.dumps(value)
    if isinstance(value, list) and not any(isinstance(item, list | dict) for item in value):
        return "[" + ", ".join(_as_yaml(item) for item in value) + "]"
    if isinstance(value, bool | list | dict):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)


@dataclass(frozen=True, kw_only=True, slots=True)
class Branch:
    """A record of any shape, ready to be shown.

    Attributes:
        label: Its key in words.
        text: Its value, of one line or of several.
        children: What is inside.
    """

    label: str
    text: str = ""
    children: Sequence["Branch"] = field(default_factory=tuple)

    @property
    def num_leaves(self) -> int:
        """How many values are inside."""
        return sum(child.num_leaves for child in self.children) if self.children else 1


def grow(record: Any, label: str = "", *, depth: int = 6) -> Branch:
    """Turns JSON of any shape into branches; below ``depth`` it stays JSON."""
    if isinstance(record, Mapping) and record and depth:
        children = [grow(value, str(key), depth=depth - 1) for key, value in record.items()]
        return Branch(label=label, children=children)
    if isinstance(record, list) and any(isinstance(item, list | dict) for item in record) and depth:
        children = [
            grow(item, _name_of(item) or str(index), depth=depth - 1)
            for index, item in enumerate(record, start=1)
        ]
        return Branch(label=label, children=children)
    return Branch(label=label, text=_as_text(record))


def _name_of(item: Any) -> str:
    """What tells a device or a git checkout from the others in its list."""
    if not isinstance(item, Mapping):
        return ""
    name = item.get("name") or item.get("root")
    return name if isinstance(name, str) else ""


def _as_text(value: Any) -> str:
    if value is None or value in ("", [], {}):
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list) and not any(isinstance(item, list | dict) for item in value):
        return ", ".join(str(item) for item in value)
    return clean(write_value(value, _LONGEST)).strip()
