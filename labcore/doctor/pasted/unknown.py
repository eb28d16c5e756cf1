"""Errors that no entry covers: where a text reports one, and in which words."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from labcore.doctor.pasted.known import Match
from labcore.doctor.pasted.text import Pasted

__all__ = ["UnknownError", "unknown_errors"]

_TRACEBACK = re.compile(
    r"^(?P<indent>[ |+│╰─>]*)(?:Original )?Traceback \(most recent call last\):?[ ]*\n"
    r"(?:(?P=indent)[ ]+[^\n]*\n|[ |]*\n)*"
    r"(?P=indent)(?P<last>(?:[A-Za-z_]\w*\.)*[A-Z]\w*(?:Error|Exception|Interrupt|Exit|Warning|Iteration"
    r"|NotInstalled|NotFound|Timeout|Failure|Failed|[A-Z]\w+)?(?::[^\n]*)?)$",
    re.MULTILINE,
)
_CHAIN = re.compile(
    r"\s*(?:During handling of the above exception, another exception occurred:"
    r"|The above exception was the direct cause of the following exception:)\s*$"
)
_LONE = re.compile(
    r"^[ ]*(?P<last>(?:E\s{2,})?(?:[A-Za-z_]\w*\.)*[A-Z]\w*(?:Error|Exception)\b: ?[^\n]+)$",
    re.MULTILINE,
)
_COMPILER = re.compile(
    r"^[ ]*(?P<last>[^\s:(][^\n:(]{0,300}?(?::\d+:\d+:|:\d+:|\(\d+(?:,\d+)?\)\s*:)\s*"
    r"(?:fatal error|error|catastrophic error)\b[^\n]*)$"
    r"|^[ ]*(?P<tool>(?:nvcc fatal|ptxas (?:error|fatal)|ld|collect2|LINK|cl|CMake Error"
    r"|fatal error|/usr/bin/ld|error)\s*: [^\n]+)$",
    re.MULTILINE,
)
_CRASH = re.compile(
    r"^[ ]*(?P<last>(?:Fatal Python error: [^\n]+|Segmentation fault(?: \(core dumped\))?"
    r"|Aborted(?: \(core dumped\))?|Illegal instruction(?: \(core dumped\))?"
    r"|terminate called after throwing an instance of [^\n]+))$",
    re.MULTILINE,
)
_NO_ERRORS = re.compile(
    r"(?:KeyboardInterrupt|SystemExit(?:: 0)?|StopIteration|[\w.]*Warning\b.*)$"
)


@dataclass(frozen=True, slots=True)
class UnknownError:
    """An error line that is not understood."""

    start: int
    text: str


def unknown_errors(pasted: Pasted, known: list[Match]) -> list[UnknownError]:
    """Returns the errors of a text that no known one accounts for, the first one first.

    A traceback with a known error in it, or in one that it was raised from, is accounted for; so
    is a compiler's error after a known one of the same build, which it follows from.
    """
    text = pasted.text
    accounted: list[tuple[int, int]] = []
    found: list[UnknownError] = []
    told = [match for match in known if match.error.state != "ok"]
    for start, end, last, last_start in _tracebacks(text):
        accounted.append((start, end))
        spanned = any(match.start <= last_start < match.end for match in told)
        if spanned or _is_told(told, text[start:end]) or _NO_ERRORS.match(last):
            continue
        found.append(UnknownError(last_start, last))
    root = min((match.start for match in told if not match.error.wrapper), default=len(text) + 1)
    for pattern in (_LONE, _COMPILER, _CRASH):
        for hit in pattern.finditer(text):
            last = next(each for each in hit.groups() if each is not None).strip()
            inside = any(start <= hit.start() < end for start, end in accounted)
            spanned = any(match.start <= hit.start() < match.end for match in told)
            if inside or spanned or hit.start() > root or _NO_ERRORS.match(last):
                continue
            # A message may go on in the next lines: "because of the following error:".
            rest = 200 if last.endswith((":", " of")) else 0
            if _is_told(told, text[hit.start() : hit.end() + rest]):
                continue
            found.append(UnknownError(hit.start(), last))
            break  # those after the first follow from it
    return sorted(found, key=lambda error: error.start)


def _is_told(told: list[Match], text: str) -> bool:
    """Whether a piece of the text holds one of the errors that were found in the whole."""
    return any(pattern.search(text) for match in told for pattern in match.error.patterns)


def _tracebacks(text: str) -> Iterator[tuple[int, int, str, int]]:
    """Yields each chain of tracebacks: its start and end, its last line and where that is."""
    chain_start: int | None = None
    hits = list(_TRACEBACK.finditer(text))
    for number, hit in enumerate(hits):
        if chain_start is None:
            chain_start = hit.start()
        follows = hits[number + 1] if number + 1 < len(hits) else None
        if follows is not None and _CHAIN.match(text[hit.end() : follows.start()]):
            continue
        # A message may go on over several lines, up to an empty one.
        end = text.find("\n\n", hit.end())
        end = min(end if end >= 0 else len(text), hit.end() + 2000)
        if follows is not None:
            end = min(end, follows.start())
        yield chain_start, max(end, hit.end()), hit["last"].strip(), hit.start("last")
        chain_start = None
