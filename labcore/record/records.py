"""JSON on the disk: written without secrets, and read whatever has become of it since.

A file may have been damaged, or made by a stranger: readers give None, or say what is wrong.
"""

import dataclasses
import functools
import json
import types
import typing
from pathlib import Path
from typing import Any, TypeVar

from labcore.record.files import write_atomically
from labcore.record.redaction import redact_tree

__all__ = ["make_record", "read_json", "read_record", "write_json"]

RecordT = TypeVar("RecordT")


def write_json(path: Path, content: Any) -> None:
    """Replaces ``path`` by JSON for people and programs, with secrets masked."""
    text = json.dumps(redact_tree(content), indent=1, ensure_ascii=False)
    write_atomically(path, text + "\n")


def read_json(path: Path) -> Any:
    """Returns the content of a JSON file, or None when it is absent or damaged."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None


def read_record(cls: type[RecordT], path: Path) -> RecordT:
    """Reads a dataclass from the JSON object that its fields were written as.

    Fields that this version does not know are left out; those that have a plain default may be
    missing.

    Raises:
        OSError: The file cannot be read.
        ValueError: It is damaged, or something else; says what.
    """
    try:
        row = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} is damaged: {error}") from None
    return make_record(cls, row, path)


def make_record(cls: type[RecordT], row: Any, path: Path) -> RecordT:
    """Makes a dataclass of a JSON object.

    Raises:
        ValueError: It is something else; says what, and that ``path`` is damaged.
    """
    if not isinstance(row, dict):
        raise ValueError(f"{path} is damaged: it holds no JSON object")
    hints = _hints(cls)  # type: ignore[arg-type]  # a class can be hashed
    values: dict[str, Any] = {}
    for field in dataclasses.fields(cls):  # type: ignore[arg-type]  # mypy sees no dataclass here
        if field.name not in row:
            if field.default is dataclasses.MISSING:
                raise ValueError(f"{path} is damaged: {field.name} is missing")
            continue
        values[field.name] = row[field.name]
        if not _fits(row[field.name], hints[field.name]):
            raise ValueError(f"{path} is damaged: {field.name} is {str(row[field.name])[:40]!r}")
        if typing.get_origin(hints[field.name]) is tuple:
            values[field.name] = tuple(row[field.name])
    return cls(**values)


_hints = functools.cache(typing.get_type_hints)


def _fits(value: Any, hint: Any) -> bool:
    """Whether a JSON value has the type of a field; numbers must be ones to count with."""
    origin, parts = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any:
        return True
    if origin in (types.UnionType, typing.Union):
        return any(_fits(value, part) for part in parts)
    if origin is dict:
        return isinstance(value, dict) and all(_fits(each, parts[1]) for each in value.values())
    if origin in (list, tuple):
        return isinstance(value, list) and all(_fits(each, parts[0]) for each in value)
    if origin is typing.Literal:
        return isinstance(value, str)  # a newer version may know more words
    if isinstance(value, bool):
        return bool(hint is bool)
    if hint in (int, float):
        whole_or_real = int if hint is int else (int, float)
        return isinstance(value, whole_or_real) and abs(value) < 2**63
    return isinstance(value, hint)
