"""Sweep files in YAML, read as W&B reads them: version 1.1 with its traps, which are remembered."""

import datetime
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from labcore.sweeps.file.document import (
    MOST_DIGITS,
    MOST_LEVELS,
    MOST_PARTS,
    Document,
    Place,
    looks_like_a_number,
    unfit,
    wrong_file,
)

__all__ = ["read_yaml"]

_WORDS = frozenset({"on", "off", "yes", "no"})


def read_yaml(path: Path, text: str) -> Document:
    """Reads YAML.

    Raises:
        UsageError: It is no YAML.
    """
    try:
        builder = _Builder(yaml.SafeLoader(text))
        builder.build_root()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise wrong_file(path, [where + _reason(error)]) from None
    except yaml.YAMLError as error:
        raise wrong_file(path, [str(error).splitlines()[0]]) from None
    except _TooMuchError:
        reason = f"it stands for more than {MOST_PARTS:,} values, what aliases repeat included"
        raise wrong_file(path, [reason]) from None
    return builder.document


class _TooMuchError(Exception):
    """The file stands for more than is read."""


class _Builder:
    """Makes plain data of YAML's nodes and notes where they were."""

    def __init__(self, loader: yaml.SafeLoader) -> None:
        self._loader = loader
        self._open: list[yaml.Node] = []
        self._parts = 0
        self.document = Document()

    def build_root(self) -> None:
        node = self._loader.get_single_node()
        if node is not None:
            self.document.content = self._build(node, ())

    def _build(self, node: yaml.Node, place: Place) -> Any:
        self.document.lines.setdefault(place, node.start_mark.line + 1)
        self._count(place)
        if node in self._open:
            self.document.problem(place, "the alias stands for something that it is a part of")
            return None
        if node.tag.removeprefix(_CORE) not in _PLAIN_TAGS:
            tag = node.tag.replace(_CORE, "!!")
            whose = "a tag of Python's" if tag.startswith("!!python/") else "a tag"
            self.document.problem(place, f"{tag} is {whose}; a sweep holds plain values only")
            return None
        self._open.append(node)
        try:
            if isinstance(node, yaml.MappingNode):
                return self._mapping(node, place)
            if isinstance(node, yaml.SequenceNode):
                return [self._build(item, (*place, n)) for n, item in enumerate(node.value)]
            assert isinstance(node, yaml.ScalarNode)
            return self._scalar(node, place)
        finally:
            self._open.pop()

    def _count(self, place: Place) -> None:
        self._parts += 1
        if self._parts > MOST_PARTS:
            raise _TooMuchError
        if len(place) > MOST_LEVELS:
            raise RecursionError

    def _mapping(self, node: yaml.MappingNode, place: Place) -> dict[str, Any]:
        written = Counter(key.value for key, _ in node.value if _is_text(key))
        for name in sorted(name for name, count in written.items() if count > 1):
            self.document.problem((*place, name), "the key is there twice")
        built: dict[str, Any] = {}
        for key, value in self._pairs(node, place):
            if not _is_text(key):
                self._wrong_key(key, place)
                continue
            if reason := unfit(key.value):
                self.document.problem(place, reason)
                continue
            here = (*place, key.value)
            self.document.lines[here] = key.start_mark.line + 1
            built[key.value] = self._build(value, here)
        return built

    def _pairs(self, node: yaml.MappingNode, place: Place) -> Iterator[tuple[yaml.Node, yaml.Node]]:
        """Yields keys and values, before them what ``<<`` refers to; each is counted."""
        own = []
        for key, value in node.value:
            self._count(place)
            if key.tag != f"{_CORE}merge":
                own.append((key, value))
                continue
            # Of several mappings the first wins, and whoever comes last here does.
            several = isinstance(value, yaml.SequenceNode)
            for merged in reversed(value.value) if several else [value]:
                if not isinstance(merged, yaml.MappingNode) or merged in self._open:
                    self.document.problem((*place, "<<"), "<< takes in another mapping: <<: *NAME")
                    continue
                self._open.append(merged)
                yield from self._pairs(merged, (*place, "<<"))
                self._open.pop()
        yield from own

    def _wrong_key(self, key: yaml.Node, place: Place) -> None:
        name = key.value if isinstance(key, yaml.ScalarNode) else "?"
        self.document.lines.setdefault((*place, name), key.start_mark.line + 1)
        read_as = key.tag.removeprefix(_CORE)
        self.document.problem(
            (*place, name),
            f"YAML reads this key as {_TAGS.get(read_as, read_as)}; put it in quotes",
        )

    def _scalar(self, node: yaml.ScalarNode, place: Place) -> Any:
        kind = node.tag.removeprefix(_CORE)
        try:
            is_long = kind == "int" and len(node.value) > MOST_DIGITS
            value = 2**64 if is_long else self._loader.construct_object(node)
        except Exception:  # PyYAML's own, and whatever else a value gives its constructors
            self.document.problem(
                place, f"{node.value[:40]!r} cannot be read as {_TAGS.get(kind, kind)}"
            )
            return None
        if reason := unfit(value):
            self.document.problem(place, reason)
            return None
        if isinstance(value, datetime.date):
            self.document.problem(place, f"YAML reads {node.value} as a date; put it in quotes")
            return node.value
        self._note_trap(node, value, place)
        return value

    def _note_trap(self, node: yaml.ScalarNode, value: Any, place: Place) -> None:
        text = node.value
        if node.style is not None:  # in quotes, it is meant
            return
        if isinstance(value, str) and looks_like_a_number(text):
            write = _with_point(text)
            said = f"YAML reads {text} as text, not as a number; write {write}"
            self.document.numbers_as_text[place] = said
        elif isinstance(value, bool) and text.lower() in _WORDS:
            truth = str(value).lower()
            said = f"YAML reads {text} as {truth}; put it in quotes if the word is meant"
            self.document.traps[place] = said
        elif isinstance(value, int | float) and (":" in text or _is_octal(text)):
            self.document.traps[place] = f"YAML reads {text} as the number {value}"


_CORE = "tag:yaml.org,2002:"
_PLAIN_TAGS = {"null", "bool", "int", "float", "str", "timestamp", "seq", "map"}
_TAGS = {
    "bool": "true or false",
    "int": "a number",
    "float": "a number",
    "null": "nothing",
    "seq": "a list",
    "map": "a mapping",
    "timestamp": "a date",
    "merge": "an order to merge",
}


def _is_text(key: yaml.Node) -> bool:
    return key.tag == "tag:yaml.org,2002:str"


def _is_octal(text: str) -> bool:
    digits = text.lstrip("+-")
    return len(digits) > 1 and digits.startswith("0") and digits.isdigit()


def _with_point(text: str) -> str:
    """Writes a number so that YAML 1.1 reads it as one: ``1e5`` as ``1.0e+5``."""
    if text.lstrip("+-").isdigit():
        return str(int(text))  # 08, which is no octal number
    mantissa, letter, exponent = text.lower().partition("e")
    mantissa = re.sub(r"^([+-]?)\.", r"\g<1>0.", mantissa)
    if not letter:
        return mantissa
    if "." not in mantissa:
        mantissa += ".0"
    sign = "" if exponent.startswith(("+", "-")) else "+"
    return f"{mantissa}e{sign}{exponent}"


def _reason(error: yaml.MarkedYAMLError) -> str:
    reason = error.problem or error.context or "it is no YAML"
    if r"'\t'" in reason:
        return "there is a tab; YAML is indented by spaces"
    if "expected a single document" in (error.context or ""):
        return "there is a second document; a file holds one sweep"
    return reason
