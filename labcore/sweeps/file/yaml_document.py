"""Sweep files in YAML, read as W&B reads them: version 1.1 with its traps, which are remembered."""

import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labcore.sweeps.file.document import Document, Place, Trap, wrong_file

if TYPE_CHECKING:
    import yaml

__all__ = ["read_yaml"]

_WORDS = frozenset({"on", "off", "yes", "no"})


def read_yaml(path: Path, text: str) -> Document:
    """Reads YAML.

    Raises:
        UsageError: It is no YAML.
    """
    import yaml

    try:
        builder = _Builder(yaml.SafeLoader(text))
        content = builder.build_root()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise wrong_file(path, [where + _reason(error)]) from None
    except yaml.YAMLError as error:
        raise wrong_file(path, [str(error).splitlines()[0]]) from None
    return Document(
        content=content, lines=builder.lines, traps=builder.traps, problems=tuple(builder.problems)
    )


class _Builder:
    """Makes plain data of YAML's nodes and notes where they were."""

    def __init__(self, loader: "yaml.SafeLoader") -> None:
        self._loader = loader
        self._open: list[yaml.Node] = []
        self.lines: dict[Place, int] = {}
        self.traps: dict[Place, Trap] = {}
        self.problems: list[tuple[Place, str]] = []

    def build_root(self) -> Any:
        node = self._loader.get_single_node()
        return None if node is None else self._build(node, ())

    def _build(self, node: "yaml.Node", place: Place) -> Any:
        import yaml

        self.lines.setdefault(place, node.start_mark.line + 1)
        if node in self._open:
            self.problems.append((place, "the alias stands for something that it is a part of"))
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

    def _mapping(self, node: "yaml.MappingNode", place: Place) -> dict[str, Any]:
        written = [key.value for key, _ in node.value if _is_text(key)]
        for name in sorted({name for name in written if written.count(name) > 1}):
            self.problems.append(((*place, name), "the key is there twice"))
        self._loader.flatten_mapping(node)  # puts in what << refers to, before the rest
        built: dict[str, Any] = {}
        for key, value in node.value:
            if not _is_text(key):
                self._wrong_key(key, place)
                continue
            here = (*place, key.value)
            self.lines[here] = key.start_mark.line + 1
            built[key.value] = self._build(value, here)
        return built

    def _wrong_key(self, key: "yaml.Node", place: Place) -> None:
        self.lines.setdefault((*place, str(key.value)), key.start_mark.line + 1)
        read_as = key.tag.rpartition(":")[2]
        self.problems.append(
            (
                (*place, str(key.value)),
                f"YAML reads this key as {_TAGS.get(read_as, read_as)}; put it in quotes",
            )
        )

    def _scalar(self, node: "yaml.ScalarNode", place: Place) -> Any:
        import yaml

        try:
            value = self._loader.construct_object(node)
        except (yaml.constructor.ConstructorError, ValueError) as error:
            reason = getattr(error, "problem", None) or str(error)
            self.problems.append((place, reason))
            return None
        if isinstance(value, datetime.date):
            self.problems.append((place, f"YAML reads {node.value} as a date; put it in quotes"))
            return node.value
        if not (value is None or isinstance(value, bool | int | float | str)):
            self.problems.append((place, f"a {type(value).__name__} has no place in a sweep"))
            return None
        self._note_trap(node, value, place)
        return value

    def _note_trap(self, node: "yaml.ScalarNode", value: Any, place: Place) -> None:
        if node.style is not None:
            return  # in quotes, it is meant
        text = node.value
        if isinstance(value, str) and _looks_like_a_number(text):
            self.traps[place] = Trap(kind="number read as text", text=text)
        elif isinstance(value, bool) and text.lower() in _WORDS:
            self.traps[place] = Trap(kind="word read as truth value", text=text)
        elif isinstance(value, int | float) and (":" in text or _is_octal(text)):
            self.traps[place] = Trap(kind="number read otherwise", text=text)


_TAGS = {"bool": "true or false", "int": "a number", "float": "a number", "null": "nothing"}


def _is_text(key: "yaml.Node") -> bool:
    return key.tag == "tag:yaml.org,2002:str"


def _is_octal(text: str) -> bool:
    digits = text.lstrip("+-")
    return len(digits) > 1 and digits.startswith("0") and digits.isdigit()


def _looks_like_a_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return any(char.isdigit() for char in text)


def _reason(error: "yaml.MarkedYAMLError") -> str:
    reason = error.problem or error.context or "it is no YAML"
    if r"'\t'" in reason:
        return "there is a tab; YAML is indented by spaces"
    if "expected a single document" in (error.context or ""):
        return "there is a second document; a file holds one sweep"
    return reason
