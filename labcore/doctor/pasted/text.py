"""A pasted text, freed from what mail, Markdown, terminals and CI systems put around it."""

import itertools
import re
from dataclasses import dataclass, field

__all__ = ["Pasted", "clean", "ends_of", "shortened"]

_ANSI = re.compile(
    r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|[\x00-\x08\x0e-\x1f]"
)
_HTML = re.compile(
    r"</?(?:details|summary|pre|code|div|span|em|strong|blockquote|li|ul|ol|h[1-6])"
    r"(?:\s+[\w:-]+(?:=(?:\"[^\"]*\"|'[^']*'|[^\s<>]+))?)*\s*/?>",
    re.IGNORECASE,
)
_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
_ENTITIES = {"&lt;": "<", "&gt;": ">", "&quot;": '"', "&#39;": "'", "&nbsp;": " ", "&amp;": "&"}
_PREFIXES = tuple(
    re.compile(pattern)
    for pattern in (
        r"(?:>\s?)+(?=[^>]|$)",  # quoted mail or Markdown
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3,}Z ",  # GitHub Actions
        r"#\d+ \d+\.\d+ ",  # docker build
        r"\[(?:rank|default)\d+\]:\s?",  # torchrun
        r"\[\d+,\d+\]<std(?:err|out)>:\s?",  # mpirun
        r"\([\w.:]+ pid=\d+(?:, ip=[\d.]+)?\)\s?",  # Ray
        r"[\w.-]+-\d+\s+\| ",  # docker compose
    )
)
_PROMPT = re.compile(r"(?:>>> |\.\.\. )")
_FENCE = re.compile(r"\s*(?:`{3,}|~{3,})\s*[\w+-]*\s*")
_MONSTER = re.compile(r"(?P<head>\S{400})\S{400,}(?P<tail>\S{400})")
"""A picture in base64, say: no error is that long, and expressions would crawl through it."""
_ENOUGH = 50_000
_CUT = range(60, 201)
"""Widths at which a terminal or mail program may have cut lines hard."""


@dataclass(frozen=True, slots=True)
class Pasted:
    """The text itself, and where each line of it stood."""

    text: str
    _numbers: tuple[int, ...] = field(repr=False)

    def line_number(self, offset: int) -> int:
        """Returns the line of the original text, from 1, that an offset lies in."""
        return self._numbers[self.text.count("\n", 0, offset)]

    def line(self, offset: int) -> str:
        """Returns the whole line around an offset, without surrounding space."""
        start, end = self.text.rfind("\n", 0, offset) + 1, self.text.find("\n", offset)
        return self.text[start : end if end >= 0 else None].strip()


def clean(raw: str) -> Pasted:
    """Takes away quotation marks, fences, tags, colours, time stamps and hard line ends."""
    raw = _MONSTER.sub(r"\g<head>…\g<tail>", raw)
    raw = raw.replace("\r\n", "\n").replace("\ufeff", "").replace("\xa0", " ")
    # A progress bar goes back to the start of its line and writes over it: each is a line.
    lines = _joined([(number, _plain(line)) for number, line in _numbered(raw)])
    return Pasted("\n".join(line for _, line in lines), tuple(number for number, _ in lines))


def ends_of(text: str) -> str:
    """Returns the beginning and the end of a long text, where people write what they have."""
    return text if len(text) <= 2 * _ENOUGH else f"{text[:_ENOUGH]}\n{text[-_ENOUGH:]}"


def shortened(text: str, longest: int = 200) -> str:
    """Returns a text on one line, without its end when it is long."""
    text = " ".join(text.split())
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _numbered(raw: str) -> list[tuple[int, str]]:
    return [
        (number, piece)
        for number, line in enumerate(raw.split("\n"), start=1)
        for piece in _BREAK.sub("\r", line).split("\r")
    ]


def _plain(line: str) -> str:
    line = _ANSI.sub("", line)
    if "<" in line:
        line = _HTML.sub("", line)
    if "&" in line:
        for entity, character in _ENTITIES.items():
            line = line.replace(entity, character)
    if _FENCE.fullmatch(line):
        return ""
    line = line.expandtabs(4)
    bare = line.lstrip()
    indent = len(line) - len(bare)
    if _PROMPT.match(bare):  # Python's prompt looks like three levels of quotation
        return line
    for prefix in _PREFIXES:
        found = prefix.match(bare)
        if found is not None:
            bare, indent = bare[found.end() :], 0
    return " " * indent + bare.rstrip()


def _joined(lines: list[tuple[int, str]]) -> list[tuple[int, str]]:
    """Puts lines together that were cut at a fixed width, when the text looks cut."""
    width = max((len(line) for _, line in lines), default=0)
    if width not in _CUT:
        return lines
    # A cut goes through words or leaves a space behind, as the end of a table's row or of a
    # command does not.
    seams = [
        first[-1].isalnum() and re.match(r" ?\w", second) is not None
        for (_, first), (_, second) in itertools.pairwise(lines)
        if len(first) == width
    ]
    if len(seams) < 2 or sum(seams) * 5 < len(seams) * 3:
        return lines
    joined: list[tuple[int, list[str]]] = []
    glue: str | None = None
    for number, line in lines:
        if glue is not None and line:
            joined[-1][1].extend((glue, line))
        else:
            joined.append((number, [line]))
        # One short of the width: the space at the cut was taken for the end of the line.
        glue = {width: "", width - 1: " "}.get(len(line))
    return [(number, "".join(pieces)) for number, pieces in joined]
