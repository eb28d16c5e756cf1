"""A sweep file as data, with the line of every part of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from labcore.errors import UsageError
from labcore.suggest import nearest, suggestion

__all__ = ["Document", "Place", "Trap", "load_document", "wrong_file"]

Place = tuple[str | int, ...]
"""Keys and list positions that lead to a part of a file."""

_SUFFIXES = (".json", ".yaml", ".yml")


@dataclass(frozen=True, kw_only=True, slots=True)
class Trap:
    """Something that YAML reads as another type than it looks like."""

    kind: Literal["number read as text", "word read as truth value", "number read otherwise"]
    text: str
    """As written."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Document:
    """What a file holds."""

    content: Any
    lines: Mapping[Place, int]
    """Line of each part, where it is known; counted from 1."""
    traps: Mapping[Place, Trap] = field(default_factory=dict)
    problems: tuple[tuple[Place, str], ...] = ()
    """What is wrong with the file as JSON or YAML, though it can be read."""


def load_document(path: Path) -> Document:
    """Reads a file.

    Raises:
        UsageError: It is not there, or is no JSON or YAML.
    """
    if path.suffix.lower() not in _SUFFIXES:
        raise UsageError(
            f"{path}: a sweep is a .json or .yaml file", fix="see configs/sweeps for examples"
        )
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise _missing(path) from None
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not text in UTF-8: {error.reason}") from None
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from None
    if path.suffix.lower() == ".json":
        from labcore.sweeps.file.json_document import read_json

        return read_json(path, text)
    from labcore.sweeps.file.yaml_document import read_yaml

    return read_yaml(path, text)


def wrong_file(path: Path, problems: list[str]) -> UsageError:
    """Returns the error that tells all problems of a file."""
    return UsageError(f"the sweep file {path} is wrong; nothing was started", problems=problems)


def _missing(path: Path) -> UsageError:
    beside = [p.name for p in sorted(path.parent.glob("*")) if p.suffix.lower() in _SUFFIXES]
    near = suggestion(str(path.parent / name) for name in nearest(path.name, beside))
    problems = [near] if near else []
    if not near and beside:
        problems = [f"in {path.parent} there are {', '.join(beside)}"]
    return UsageError(f"there is no sweep file {path}", problems=problems)
