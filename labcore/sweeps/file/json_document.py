"""Sweep files in JSON."""

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

from labcore.errors import UsageError
from labcore.sweeps.file.document import (
    MOST_DIGITS,
    MOST_LEVELS,
    Document,
    Place,
    unfit,
    wrong_file,
)
from labcore.sweeps.file.yaml_document import read_yaml

__all__ = ["read_json"]


class _Object(dict[str, Any]):
    """A JSON object that remembers the keys it had twice."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        counts = Counter(name for name, _ in pairs)
        self.repeated = sorted(name for name, count in counts.items() if count > 1)


def read_json(path: Path, text: str) -> Document:
    """Reads JSON.

    Raises:
        UsageError: It is no JSON.
    """
    try:
        content = json.loads(text, object_pairs_hook=_Object, parse_int=_whole)
    except json.JSONDecodeError as error:
        position, reason = _explain(text, error)
        line = text.count("\n", 0, position) + 1
        column = position - text.rfind("\n", 0, position)
        raise wrong_file(path, [f"line {line}, column {column}: {reason}"]) from None
    problems: list[tuple[Place, str]] = []
    return Document(
        content=_plain(content, (), problems), lines=_lines(path, text), problems=tuple(problems)
    )


def _whole(text: str) -> int:
    return int(text[: MOST_DIGITS + 1])  # Python refuses thousands of digits; 80 are too many too


def _plain(value: Any, place: Place, problems: list[tuple[Place, str]]) -> Any:
    if len(place) > MOST_LEVELS:
        raise RecursionError
    if reason := unfit(value):
        problems.append((place, reason))
        return None
    if isinstance(value, _Object):
        problems.extend(((*place, name), "the key is there twice") for name in value.repeated)
        problems.extend((place, reason) for name in value if (reason := unfit(name)))
        return {name: _plain(inner, (*place, name), problems) for name, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner, (*place, index), problems) for index, inner in enumerate(value)]
    return value


def _lines(path: Path, text: str) -> dict[Place, int]:
    """Finds the lines by reading the text as YAML, which nearly all JSON is too."""
    try:
        # A tab between tokens is nothing to JSON and an error to YAML; text holds no tab in JSON.
        return dict(read_yaml(path, text.replace("\t", " ")).lines)
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
