"""The nearest right name to a wrong one."""

import difflib
from collections.abc import Iterable

__all__ = ["nearest", "nearest_option", "suggestion"]

_LEAST = 0.6
"""Share of common letters below which two names are not alike."""
_SPREAD = 0.1
"""A name this much less alike than the best one is no longer worth mentioning."""


def nearest(name: str, known: Iterable[str], count: int = 2) -> list[str]:
    """Returns the known names most like ``name``, the best first; none when nothing is close."""
    matcher = difflib.SequenceMatcher(b=name.lower())
    scores: dict[str, float] = {}
    for each in known:
        matcher.set_seq1(each.lower())
        scores[each] = matcher.ratio()
    best = max(scores.values(), default=0.0)
    close = [each for each in scores if scores[each] >= max(_LEAST, best - _SPREAD)]
    return sorted(close, key=lambda each: -scores[each])[:count]


def nearest_option(path: str, known: Iterable[str], count: int = 3) -> list[str]:
    """Returns the options most like a dotted path.

    An option whose last parts are exactly what was typed comes first: ``lr`` finds
    ``optimizer.lr``; then ones that look alike as a whole, or in their last part.
    """
    known = list(known)
    ends = [each for each in known if each.endswith(f".{path}")]
    alike = nearest(path, known, count)
    last = path.rpartition(".")[2]
    by_last: dict[str, list[str]] = {}
    for each in known:
        by_last.setdefault(each.rpartition(".")[2], []).append(each)
    similar_last = [each for name in nearest(last, by_last) for each in by_last[name]]
    return list(dict.fromkeys([*ends, *alike, *similar_last]))[:count]


def suggestion(found: Iterable[str]) -> str:
    """Returns ``did you mean a or b?``, or nothing."""
    names = list(found)
    return f"did you mean {' or '.join(names)}?" if names else ""
