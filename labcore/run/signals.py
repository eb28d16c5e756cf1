"""SIGINT and SIGTERM: asked once, a run stops at the next safe point; asked twice, at once."""

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Any

from labcore.errors import Interrupted

__all__ = ["StopSignal"]


class StopSignal:
    """Remembers that a signal asked the run to stop.

    Outside :meth:`deferred` the signal raises :class:`Interrupted` where the code stands. Inside,
    the first one only sets :attr:`number`, so that a training step is never cut in half; a second
    one raises.
    """

    def __init__(self) -> None:
        self.number: int | None = None
        self._deferring = False

    @contextlib.contextmanager
    def installed(self) -> Iterator[None]:
        """Handles SIGINT and SIGTERM for the time of the block (main thread only)."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        previous: dict[int, Any] = {
            number: signal.signal(number, self._handle)
            for number in (signal.SIGINT, signal.SIGTERM)
        }
        try:
            yield
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)

    @contextlib.contextmanager
    def deferred(self) -> Iterator[None]:
        """Lets the code inside stop by itself when :attr:`number` is set."""
        self._deferring = True
        try:
            yield
        finally:
            self._deferring = False

    def raise_if_set(self) -> None:
        """Raises :class:`Interrupted` when a signal has come."""
        if self.number is not None:
            raise Interrupted(self.number)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        again = self.number is not None
        self.number = number
        if again or not self._deferring:
            raise Interrupted(number)
