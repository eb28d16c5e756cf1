"""Overrides as typed, and the plugin that they name."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from labcore.config.options import Option, shorten
from labcore.config.root import WORDS, expand_override
from labcore.discovery import FoundPlugin, pick_plugin
from labcore.errors import UsageError

if TYPE_CHECKING:
    from hydra.core.override_parser.types import Override

__all__ = ["Given", "peek", "read_overrides", "select_plugin"]

_SPECIAL = re.compile(r"([\\()\[\]{}:=, \t])")
_QUOTED = re.compile(
    r"""([{,]\s*)(["'])((?:\\.|(?!\2)[^\\])*)\2(?=\s*:)|(["'])(?:\\.|(?!\4)[^\\])*\4""", re.DOTALL
)
"""A key of a mapping in quotes, or another string in quotes, which is passed over."""
_PREFIX = re.compile(r"\+{0,2}")
_NAME = re.compile(r"[A-Za-z_]\w*\Z")
_MOST_VALUES = 1000
"""Values of one sweep that are checked before it starts."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Given:
    """One override of the command line."""

    text: str
    """As typed."""
    line: str
    """As given to Hydra."""
    parsed: "Override"

    @property
    def key(self) -> str:
        """Option or group, without ``+`` and package."""
        return str(self.parsed.key_or_group)

    @property
    def is_sweep(self) -> bool:
        """Whether it stands for several values."""
        return bool(self.parsed.is_sweep_override())

    def values(self) -> list[Any]:
        """Returns the value, or each value of a choice or range; none for a search interval."""
        from hydra.core.override_parser.types import Glob, Transformer

        if not self.is_sweep:
            return [self.parsed.value()]
        if not self.parsed.is_discrete_sweep() or isinstance(self.parsed.value(), Glob):
            return []
        swept = islice(self.parsed.sweep_iterator(Transformer.identity), _MOST_VALUES)
        return [_plain(value) for value in swept]


def peek(overrides: Iterable[str], key: str) -> str | None:
    """Returns the value given for ``key`` (the last one), reading no grammar; None without one."""
    value = None
    for text in overrides:
        name, separator, rest = text.partition("=")
        if separator and name.lstrip("+") == key:
            value = rest.strip("'\"")
    return value


def read_overrides(
    texts: Sequence[str], options: Sequence[Option]
) -> tuple[list[Given], list[str]]:
    """Parses overrides by Hydra's grammar.

    Three things are made easier than in Hydra: mapping keys may be quoted, an option that is a
    mapping takes new keys without ``++``, dotted ones too (``taps={"encoder.*":[stats]}``,
    ``taps.encoder.lstm=[stats]``), and a word can stand for a section (``device=cuda``).

    Args:
        texts: As typed.
        options: All options, to know the mappings.

    Returns:
        The overrides that could be read, and a problem for each that could not.
    """
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import HydraException

    parser = OverridesParser.create()
    words = WORDS | {o.path.removesuffix(".name") for o in options if o.is_variant}
    mappings = {option.path: option for option in options if option.keys and option.path != "hooks"}
    given: list[Given] = []
    problems: list[str] = []
    for text in texts:
        line = _open_mapping(_unquote_keys(expand_override(text, words)), mappings)
        try:
            given.append(Given(text=text, line=line, parsed=parser.parse_override(line)))
        except (HydraException, ValueError, RecursionError):
            problems.append(_syntax_problem(text, mappings))
    return given, problems


def _plain(value: Any) -> Any:
    """Takes a quoted string of Hydra's grammar out of its quotes."""
    from hydra.core.override_parser.types import QuotedString

    return value.text if isinstance(value, QuotedString) else value


def _syntax_problem(text: str, mappings: Iterable[str]) -> str:
    text = shorten(text)
    if "=" not in text and not text.startswith("~"):
        return f"{text!r} is not of the form NAME=VALUE"
    key = _PREFIX.sub("", text.partition("=")[0], count=1)
    if key in mappings and "{" not in text:
        return (
            f"{text!r} lost its braces to the shell; quote it: '{key}={{NAME:VALUE,OTHER:VALUE}}'"
        )
    if text[len(key) :].lstrip().startswith("=="):
        return f"{text!r} cannot be read: write one =, as in {key}={text.partition('==')[2]}"
    if text.endswith("..."):
        return f"{text!r} cannot be read: it is too long, or a bracket or quote is left open"
    return (
        f"{text!r} cannot be read: close every bracket and quote, and quote a value with other "
        "signs, as in 'NAME=\"a value\"'"
    )


def _open_mapping(text: str, mappings: dict[str, Option]) -> str:
    """Adds ``++``, without which Hydra refuses new keys, to overrides of mapping options."""
    key, separator, value = text.partition("=")
    name = _PREFIX.sub("", key, count=1)
    if not separator or key.startswith("~"):
        return text
    if name in mappings:
        return f"++{name}={value}" if value.lstrip().startswith("{") or "," in value else text
    for path, option in mappings.items():
        if name.startswith(f"{path}."):
            rest = name[len(path) + 1 :]
            if option.keys == "nested" or _NAME.match(rest):
                return f"++{name}={value}"
            return f"++{path}={{{_SPECIAL.sub(_escape, rest)}:{value}}}"
    return text


def _unquote_keys(text: str) -> str:
    """Writes ``{"a.*": 1}`` as ``{a.*: 1}``: Hydra's grammar has no quoted keys."""
    key, separator, value = text.partition("=")
    return key + separator + _QUOTED.sub(_unquote, value) if "{" in value else text


def _unquote(match: "re.Match[str]") -> str:
    return match[0] if match[1] is None else match[1] + _SPECIAL.sub(_escape, match[3])


def _escape(match: "re.Match[str]") -> str:
    return "\\" + match.group(1)


def select_plugin(found: Mapping[str, FoundPlugin], overrides: Sequence[str]) -> FoundPlugin:
    """Returns the plugin that ``plugin=`` names.

    Args:
        found: All plugins by name.
        overrides: The overrides of the command line.

    Raises:
        UsageError: It is missing, given as several, or names no plugin.
        LabError: The plugin's declaration cannot be imported.
    """
    name = peek(overrides, "plugin")
    names = ", ".join(found) or "none is installed"
    if not name:
        stray = [text for text in overrides if text in found]
        raise UsageError(
            "which plugin? plugin=NAME is the one choice that must be made",
            problems=[f"write plugin={stray[0]}, or put it first"] if stray else [],
            fix=f"choose one of: {names}",
        )
    if "," in name:
        raise UsageError(
            f"plugin={name}: a command runs one plugin",
            fix="start one command for each: plugins need not share options or a framework",
        )
    return pick_plugin(found, name)
