"""Training time, over all the processes that took part in a run."""

import time

__all__ = ["Stopwatch"]


def now() -> float:
    """Returns monotonic seconds."""
    return time.monotonic()


class Stopwatch:
    """Counts seconds from a start that a checkpoint may have given."""

    def __init__(self) -> None:
        self._before_s = 0.0
        self._start = now()

    @property
    def elapsed_s(self) -> float:
        """Seconds of training so far."""
        return self._before_s + now() - self._start

    def start(self, before_s: float = 0.0) -> None:
        """Begins to count, ``before_s`` having been counted already."""
        self._before_s = before_s
        self._start = now()
