"""SIGINT and SIGTERM: asked once, a run stops at the next safe point; asked again, at once."""

import contextlib
import signal
import threading
import time
from collections.abc import Iterator
from types import FrameType
from typing import Any

from labcore.errors import Interrupted

__all__ = ["StopSignal"]

_ONE_WISH_S = 1.0
"""Signals closer together than this are one wish: a terminal and a wrapper may both pass on the
same Ctrl-C, and the second must not cut short the checkpoint that the first asked for."""


class StopSignal:
    """Remembers that a signal asked the run to stop; true once one has.

    Outside :meth:`deferred` the signal raises :class:`Interrupted` where the code stands. Inside,
    the first one only sets :attr:`number`, so that a training step is never cut in half; a later
    one raises::

        with run.stop.deferred():
            for batch in batches:
                train(batch)
                if run.stop:
                    save()
                    break
        run.stop.raise_if_set()
    """

    def __init__(self) -> None:
        self.number: int | None = None
        self._deferring = False
        self._held = False
        self._since_s = 0.0

    def __bool__(self) -> bool:
        return self.number is not None

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

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Only remembers signals: the code inside puts down how a run stands."""
        self._held = True
        try:
            yield
        finally:
            self._held = False

    @contextlib.contextmanager
    def released(self) -> Iterator[None]:
        """Lets signals through again, inside :meth:`held`."""
        self._held = False
        try:
            yield
        finally:
            self._held = True

    def raise_if_set(self) -> None:
        """Raises :class:`Interrupted` when a signal has come."""
        if self.number is not None:
            raise Interrupted(self.number)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        first = self.number is None
        self.number = number
        if self._held or (not first and time.monotonic() - self._since_s < _ONE_WISH_S):
            return
        self._since_s = time.monotonic()
        if not first or not self._deferring:
            raise Interrupted(number)
