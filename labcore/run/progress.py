"""Progress of long work that is no training loop: preparing data, rendering, converting."""

from collections.abc import Callable
from typing import Self

__all__ = ["Progress"]


class Progress:
    """Counts work done and tells whoever watches.

    Args:
        description: What is being done, in a few words.
        total: Pieces of work, or None when unknown.
        notify: Called with ``started``, ``advanced`` or ``ended``.

    Attributes:
        done: Pieces done so far.
    """

    def __init__(
        self, description: str, total: int | None, notify: "Callable[[str, Progress], None]"
    ) -> None:
        self.description = description
        self.total = total
        self.done = 0
        self._notify = notify

    def advance(self, count: int = 1) -> None:
        """Adds ``count`` to the work done."""
        self.done += count
        self._notify("advanced", self)

    def update(self, done: int, total: int | None = None) -> None:
        """Sets the work done, and the total once it is known."""
        self.done = done
        if total is not None:
            self.total = total
        self._notify("advanced", self)

    def __enter__(self) -> Self:
        self._notify("started", self)
        return self

    def __exit__(self, *raised: object) -> None:
        self._notify("ended", self)
