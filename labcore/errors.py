"""Errors meant for people: what is wrong, where, what to do, and the exit code that scripts read.

To a wrong name belongs the nearest right one: :func:`suggestion`.

Exit codes: 0 finished; 1 the run failed; 2 the command or the config is wrong; 3 a requirement is
not met (package, GPU, dataset); 130 and 143 interrupted, after a checkpoint.
"""

import difflib
import re
from collections.abc import Iterable, Sequence

__all__ = [
    "DamagedRun",
    "Diverged",
    "Interrupted",
    "LabError",
    "RequirementError",
    "RunFailed",
    "UsageError",
    "clean",
    "nearest",
    "nearest_option",
    "suggestion",
]

_CONTROL = re.compile(
    r"\x1b\[[0-9;?]*[ -/]*[@-~]|[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]"
)
"""Escape sequences of terminals, other control characters, and those that turn the reading."""


def clean(text: str) -> str:
    """Drops what a stranger's text would do to a terminal or a page rather than say."""
    return _CONTROL.sub("", text)


class LabError(Exception):
    """A failure that the command line prints as one message, with no traceback.

    Args:
        message: What is wrong and where.
        fix: What the user can do about it; printed on its own line.
    """

    exit_code = 1

    def __init__(self, message: str, *, fix: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.fix = fix

    def __str__(self) -> str:
        return self.message if self.fix is None else f"{self.message}\n  fix: {self.fix}"


class RunFailed(LabError):
    """The run started and could not finish: loss is NaN, disk is full, data is corrupt."""

    exit_code = 1


class Diverged(RunFailed):
    """A loss or a weight of the model is not finite any more: a result, to a sweep."""


class UsageError(LabError):
    """The command or the config is wrong. Carries every problem found, not only the first.

    Args:
        message: One line that says which command or file is wrong.
        problems: One line per problem, each with the nearest right name where there is one.
        fix: What the user can do about it.
    """

    exit_code = 2

    def __init__(
        self, message: str, *, problems: Sequence[str] = (), fix: str | None = None
    ) -> None:
        super().__init__(message, fix=fix)
        self.problems = tuple(problems)

    def __str__(self) -> str:
        lines = [self.message, *(f"  - {problem}" for problem in self.problems)]
        if self.fix is not None:
            lines.append(f"  fix: {self.fix}")
        return "\n".join(lines)


class DamagedRun(UsageError):
    """The run that was asked for is there, and cannot be read."""


class RequirementError(LabError):
    """A package, a GPU or a dataset that the run needs is not here; ``fix`` says how to get it."""

    exit_code = 3


class Interrupted(LabError):
    """The user or the scheduler stopped the run; the work so far is in a checkpoint.

    Args:
        signal_number: The signal that asked for the stop (2 for SIGINT, 15 for SIGTERM).
    """

    def __init__(self, signal_number: int, message: str = "interrupted") -> None:
        super().__init__(message)
        self.signal_number = signal_number

    @property
    def exit_code(self) -> int:  # type: ignore[override]  # a property stands in for the constant
        """128 + signal, as shells report it."""
        return 128 + self.signal_number


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
