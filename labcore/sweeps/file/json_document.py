"""Sweep files in JSON."""

import json
import re
from pathlib import Path
from typing import Any

from labcore.errors import UsageError
from labcore.sweeps.file.document import Document, Place, wrong_file

__all__ = ["read_json"]


class _Object(dict[str, Any]):
    """A JSON object that remembers the keys it had twice."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        names = [name for name, _ in pairs]
        self.repeated = sorted({name for name in names if names.count(name) > 1})


def read_json(path: Path, text: str) -> Document:
    """Reads JSON.

    Raises:
        UsageError: It is no JSON.
    """
    try:
        content = json.loads(text, object_pairs_hook=_Object)
    except json.JSONDecodeError as error:
        position, reason = _explain(text, error)
        line = text.count("\n", 0, position) + 1
        column = position - text.rfind("\n", 0, position)
        raise wrong_file(path, [f"line {line}, column {column}: {reason}"]) from None
    problems: list[tuple[Place, str]] = []
    return Document(
        content=_plain(content, (), problems), lines=_lines(path, text), problems=tuple(problems)
    )


def _plain(value: Any, place: Place, problems: list[tuple[Place, str]]) -> Any:
    if isinstance(value, _Object):
        problems.extend(((*place, name), "the key is there twice") for name in value.repeated)
        return {name: _plain(inner, (*place, name), problems) for name, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner, (*place, index), problems) for index, inner in enumerate(value)]
    return value


def _lines(path: Path, text: str) -> dict[Place, int]:
    """Finds the lines by reading the text as YAML, which nearly all JSON is too."""
    from labcore.sweeps.file.yaml_document import read_yaml

    try:
        # A tab between tokens is nothing to JSON and an error to YAML; text holds no tab in JSON.
        return dict(read_yaml(path, text.replace("\t", " ")).lines)
    except UsageError:
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
