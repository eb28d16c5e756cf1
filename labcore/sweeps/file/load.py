"""Reading a sweep file, as JSON here or as YAML."""

import json
import re
import stat
from collections import Counter
from pathlib import Path
from typing import Any

from labcore.errors import UsageError, nearest, suggestion
from labcore.sweeps.file.document import (
    MOST_BYTES,
    MOST_DIGITS,
    MOST_LEVELS,
    Document,
    Place,
    unfit,
    wrong_file,
)
from labcore.sweeps.file.yaml_document import read_yaml

__all__ = ["load_document"]

_ENDINGS = (".json", ".yaml", ".yml")


def load_document(path: Path) -> Document:
    """Reads a file.

    Raises:
        UsageError: It is not there, or is no JSON or YAML, or is larger or deeper than is read.
    """
    ending = path.suffix.lower()
    if ending not in _ENDINGS:
        raise UsageError(
            f"{path}: a sweep is a .json or .yaml file", fix="see configs/sweeps for examples"
        )
    text = _text(path)
    try:
        return _read_json(path, text) if ending == ".json" else read_yaml(path, text)
    except RecursionError:
        reason = f"lists and mappings are inside each other more than {MOST_LEVELS} deep"
        raise wrong_file(path, [reason]) from None


def _text(path: Path) -> str:
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise UsageError(f"{path} cannot be read: it is no file, but a folder or a device")
        with path.open("rb") as stream:
            data = stream.read(MOST_BYTES + 1)
    except FileNotFoundError:
        raise _missing(path) from None
    except (OSError, ValueError) as error:  # a name with a zero byte
        raise UsageError(f"{path} cannot be read: {getattr(error, 'strerror', error)}") from None
    if len(data) > MOST_BYTES:
        raise UsageError(
            f"{path} is larger than the {MOST_BYTES // 1024} KiB that a sweep file may have",
            fix="search ranges (min, max) in place of long lists of values",
        )
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not text in UTF-8: {error.reason}") from None


def _missing(path: Path) -> UsageError:
    beside = [p.name for p in sorted(path.parent.glob("*")) if p.suffix.lower() in _ENDINGS]
    near = suggestion(str(path.parent / name) for name in nearest(path.name, beside))
    problems = [near] if near else []
    if not near and beside:
        problems = [f"in {path.parent} there are {', '.join(beside)}"]
    return UsageError(f"there is no sweep file {path}", problems=problems)


class _Object(dict[str, Any]):
    """A JSON object that remembers the keys it had twice."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        counts = Counter(name for name, _ in pairs)
        self.repeated = sorted(name for name, count in counts.items() if count > 1)


def _read_json(path: Path, text: str) -> Document:
    try:
        content = json.loads(text, object_pairs_hook=_Object, parse_int=_whole)
    except json.JSONDecodeError as error:
        position, reason = _explain(text, error)
        line = text.count("\n", 0, position) + 1
        column = position - text.rfind("\n", 0, position)
        raise wrong_file(path, [f"line {line}, column {column}: {reason}"]) from None
    document = Document(lines=_lines(path, text))
    document.content = _plain(content, (), document)
    return document


def _whole(text: str) -> int:
    return int(text[: MOST_DIGITS + 1])  # Python refuses thousands of digits; 80 are too many too


def _plain(value: Any, place: Place, document: Document) -> Any:
    if len(place) > MOST_LEVELS:
        raise RecursionError
    if reason := unfit(value):
        document.problem(place, reason)
        return None
    if isinstance(value, _Object):
        for name in value.repeated:
            document.problem((*place, name), "the key is there twice")
        for name in value:
            if reason := unfit(name):
                document.problem(place, reason)
        return {name: _plain(inner, (*place, name), document) for name, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner, (*place, index), document) for index, inner in enumerate(value)]
    return value


def _lines(path: Path, text: str) -> dict[Place, int]:
    """Finds the lines by reading the text as YAML, which nearly all JSON is too."""
    try:
        # A tab between tokens is nothing to JSON and an error to YAML; text holds no tab in JSON.
        return read_yaml(path, text.replace("\t", " ")).lines
    except (UsageError, RecursionError):
        return {}


def _explain(text: str, error: json.JSONDecodeError) -> tuple[int, str]:
    """Returns where the mistake is and what it is."""
    # Python before 3.13 stops at the bracket after such a comma, later ones at the comma.
    comma = re.compile(r",\s*[\]}]").search(text, max(text.rfind(",", 0, error.pos + 1), 0))
    if comma and comma.start() <= error.pos < comma.end():
        return comma.start(), "there is a comma after the last item; take it away"
    return error.pos, _reason(text, error)


def _reason(text: str, error: json.JSONDecodeError) -> str:
    if not text.strip():
        return "the file is empty"
    here = text[error.pos :].lstrip()
    if here.startswith(("//", "#", "/*")):
        return "JSON has no comments; take it away, or write the file in YAML"
    if here.startswith("'"):
        return "JSON has text in double quotes only"
    for python, right in (("None", "null"), ("True", "true"), ("False", "false")):
        if here.startswith(python):
            return f"{python} is Python; JSON writes {right}"
    return error.msg[:1].lower() + error.msg[1:]
