"""What the console knows of a training: how far it is, how fast, when it will end, what is best."""

import math
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from labcore.hooks.jsonl import fit_name

__all__ = ["Training"]

_SAMPLE_S = 0.25
_NUM_SAMPLES = 40
"""The rate is that of the last 10 s, or of the last 40 steps when they are slow."""


class Training:
    """Follows a loop that ends after a number of steps or an amount of time.

    The loop itself is not held: it would keep the model in memory when training is over.

    Args:
        loop: The training loop.
        preferred: Metrics that come after the monitored one and the loss.
        clock: Monotonic seconds.

    Attributes:
        name: Name of the training, in a run that trains several models.
        step: Steps taken so far.
        epoch: Complete passes over the training data.
        monitor: The loop's: which metric is monitored, its best value, and at which step.
        values: The training metrics last recorded.
        best: All figures of the best validation; of one by an earlier process, the monitored one.
        is_validating: Whether training stands still for a validation.
    """

    def __init__(self, loop: Any, preferred: tuple[str, ...], clock: Callable[[], float]) -> None:
        self.name = fit_name(loop)
        self.step: int = loop.step
        self.max_steps: int = loop.max_steps
        self.max_time_s: float | None = loop.max_time_s
        self.epoch: int = loop.epoch
        self._max_epochs: int = loop.max_epochs
        self.monitor = loop.monitor
        self.values: dict[str, float] = {}
        self.best: Mapping[str, float] = {}
        if self.monitor.value is not None:
            self.best = {self.monitor.metric: self.monitor.value}
        self.is_validating = False
        self._preferred = preferred
        self._clock = clock
        self._start = clock()
        self._spent_before_s: float = loop.elapsed_s
        self._paused_at = 0.0
        self._paused_s = 0.0
        self._first: tuple[float, int] | None = None
        self._recent: deque[tuple[float, int]] = deque(maxlen=_NUM_SAMPLES)

    def advance(self, step: int, epoch: int = 0) -> None:
        """Notes that ``step`` steps have been taken; called after every step."""
        self.step, self.epoch = step, epoch
        now = self._clock()
        if self._first is None:
            # The first step also pays for warming up, so the measurement starts after it.
            self._first = (now, step)
        trained_s = now - self._paused_s
        if not self._recent or trained_s - self._recent[-1][0] >= _SAMPLE_S:
            self._recent.append((trained_s, step))

    def pause(self) -> None:
        """A validation begins, which must not count against the rate."""
        self.is_validating = True
        self._paused_at = self._clock()

    def validated(self, values: Mapping[str, float]) -> bool:
        """Takes in a validation; returns whether it is the best so far."""
        if self.is_validating:
            self._paused_s += self._clock() - self._paused_at
            self.is_validating = False
        is_best: bool = self.monitor.step == self.step
        if is_best:
            self.best = dict(values)
        return is_best

    def choose(self, names: Iterable[str]) -> list[str]:
        """Puts the metrics that matter first: monitored, loss, the asked for, then the others."""
        have = list(names)
        first = [n for n in (self.monitor.metric, "loss", *self._preferred) if n in have]
        return list(dict.fromkeys([*first, *have]))

    @property
    def epochs(self) -> str:
        """Which of how many epochs this is; empty when training does not end by their number."""
        number = min(self.epoch + 1, self._max_epochs)
        return f"epoch {number:,}/{self._max_epochs:,}" if self._max_epochs else ""

    @property
    def elapsed_s(self) -> float:
        """Seconds since this process began to train."""
        return self._clock() - self._start

    @property
    def rate(self) -> float | None:
        """Steps a second over the last moments, validations left out; None until known."""
        if not self._recent:
            return None
        since, step = self._recent[0]
        now = self._paused_at if self.is_validating else self._clock()
        elapsed_s = now - self._paused_s - since
        return (self.step - step) / elapsed_s if self.step > step and elapsed_s > 0 else None

    @property
    def fraction(self) -> float:
        """Part of the training that is done, 0 to 1, by whichever limit is nearer."""
        by_steps = self.step / self.max_steps
        by_time = 1 - self._time_left_s / self.max_time_s if self.max_time_s else 0.0
        return min(1.0, max(by_steps, by_time))

    @property
    def is_bound_by_time(self) -> bool:
        """Whether the time limit will come before the last step."""
        return self._time_left_s < self._steps_left_s

    @property
    def eta_s(self) -> float | None:
        """Seconds until training ends, validations included; None until known."""
        left_s = min(self._time_left_s, self._steps_left_s)
        return left_s if left_s < math.inf else None

    @property
    def _time_left_s(self) -> float:
        spent_s = self._spent_before_s + self.elapsed_s
        return math.inf if self.max_time_s is None else max(0.0, self.max_time_s - spent_s)

    @property
    def _steps_left_s(self) -> float:
        if self._first is None or self.step == self._first[1]:
            return math.inf
        per_step = (self._clock() - self._first[0]) / (self.step - self._first[1])
        return max(0, self.max_steps - self.step) * per_step
