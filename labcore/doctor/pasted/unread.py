"""Lines that may speak of an error and that nothing has read: while there is one, nobody is well.

Generous on purpose. A line too many makes the doctor say "not known" where all is well; a line
too few would make it say "no problem found" to somebody whose training hangs.
"""

import re
from collections.abc import Sequence

from labcore.doctor.pasted.known import Match
from labcore.doctor.pasted.text import Pasted

__all__ = ["unread_lines"]

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
