"""What nothing has read: errors that no entry covers, and lines that may speak of one.

While there is one, nobody is well. The second kind is generous on purpose: a line too many makes
the doctor say "not known" where all is well; a line too few would make it say "no problem found"
to somebody whose training hangs.
"""

import re
from collections.abc import Iterator, Sequence

from labcore.doctor.pasted.known import Match
from labcore.doctor.pasted.text import Pasted

__all__ = ["unknown_errors", "unread_lines"]

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
_STEMS = (
    "error", "exception", "fatal", "fail", "fault", "undefined", "unsatisf", "cannot", "can not",
    "can't", "could not", "couldn't", "unable", "unavailable", "not found", "not be ",
    "not use", "not support", "not avail", "not detect", "not recogni", "not work", "not compil",
    "not install", "not see", "not run", "not load", "not match", "not enough", "not allow",
    "not permit", "n't ", "no such", "no module", "unsupported", "incompatib", "mismatch",
    "invalid", "illegal", "killed", "abort", "core dumped", "crash", "segv", "hang", "hung",
    "stuck", "freeze", "freezing", "froze", "deadlock",
    "time out", "timeout", "timed out", "denied",
    "refused", "forbidden", "corrupt", "broken", "wrong", "missing", "conflict", "oom",
    "out of memory", "traceback", "panic", "too old", "too new", "too many", "too large",
    "too slow", "too small", "unknown", "bug", "problem", "help", "why", "slow", "nan", "assert",
    "skipping", "ignored", "warning", "_status_", "false", "[]", "no gpu", "0 gpu", "gpus: 0",
    "available: 0", "404", "403", "500", "instead of", "only the cpu", "only cpu", "on cpu",
    "gibberish", "garbage", "nothing",
)  # fmt: skip
"""Looked for as they are, in small letters: a search of a long log costs nothing."""
_HARMLESS_LINE = re.compile(
    r"could not collect|^vulnerability|^is (?:debug build|cuda available|xnnpack available)|"
    r"^\[?(?:pip\d?|conda)\]|^[\w.-]+==\S+$",
    re.IGNORECASE,
)
_HARMLESS_WORDS = re.compile(
    r"\b(?:0|no|zero|without|any) (?:errors?|warnings?|failures?|problems?|failed)\b|"
    r"\berrors?[ :=]+\d+\.\d|error[_ -]rate|not affected",
    re.IGNORECASE,
)
_MOST = 20


def unknown_errors(pasted: Pasted, known: list[Match]) -> list[tuple[int, str]]:
    """Returns the errors of a text that no known one accounts for: where each is, and its line.

    A traceback with a known error in it, or in one that it was raised from, is accounted for; so
    is a compiler's error after a known one of the same build, which it follows from.
    """
    text = pasted.text
    accounted: list[tuple[int, int]] = []
    found: list[tuple[int, str]] = []
    told = [match for match in known if match.error.state != "ok"]
    for start, end, last, last_start in _tracebacks(text):
        accounted.append((start, end))
        spanned = any(match.start <= last_start < match.end for match in told)
        if spanned or _is_told(told, text[start:end]) or _NO_ERRORS.match(last):
            continue
        found.append((last_start, last))
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
            found.append((hit.start(), last))
            break  # those after the first follow from it
    return sorted(found)


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


def unread_lines(pasted: Pasted, harmless: Sequence[Match]) -> tuple[str, ...]:
    """Returns lines that look like an error or a complaint, at most twenty.

    Args:
        pasted: A text in which no failure was recognised.
        harmless: The entries of state ``ok`` in it: what they match has been read.
    """
    text, lowered = pasted.text, pasted.text.lower()
    if len(lowered) != len(text):  # some letters of other alphabets grow
        lowered = text
    spans: set[tuple[int, int]] = set()
    for stem in _STEMS:
        at = -1
        while (at := lowered.find(stem, at + 1)) >= 0 and len(spans) < _MOST:
            start, end = text.rfind("\n", 0, at) + 1, text.find("\n", at)
            end = len(text) if end < 0 else end
            if not _is_read(text, start, end, harmless):
                spans.add((start, end))
            at = end
    return tuple(text[start:end].strip() for start, end in sorted(spans))


def _is_read(text: str, start: int, end: int, harmless: Sequence[Match]) -> bool:
    line = text[start : min(end, start + 1000)].strip()
    rest = _HARMLESS_WORDS.sub("", line).lower()
    if _HARMLESS_LINE.search(line) or not any(stem in rest for stem in _STEMS):
        return True
    return any(
        (match.start < end and start < match.end)
        or any(pattern.search(line) for pattern in match.error.patterns)
        for match in harmless
    )
