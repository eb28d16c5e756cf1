"""How far training is, how fast it goes and when it will end, by steps or by time."""

import time
from collections import deque
from collections.abc import Callable

__all__ = ["TrainingProgress"]

_WINDOW_S = 20.0
_SAMPLE_S = 0.25


class TrainingProgress:
    """Follows a training loop that ends after a number of steps or an amount of time.

    Args:
        first_step: Steps taken before this process began (a resumed run).
        max_steps: Step at which training ends; None when only time ends it.
        max_time_s: Seconds after which training ends, whichever comes first; None for no limit.
        spent_s: Seconds of that time used before this process began.
        clock: Monotonic seconds; tests bring their own.

    Attributes:
        step: Steps taken so far.
    """

    def __init__(
        self,
        *,
        first_step: int = 0,
        max_steps: int | None = None,
        max_time_s: float | None = None,
        spent_s: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.step = first_step
        self.max_steps = max_steps
        self.max_time_s = max_time_s
        self._spent_s = spent_s
        self._clock = clock
        self._start = clock()
        self._paused_at: float | None = None
        self._paused_s = 0.0
        self._first: tuple[float, int] | None = None
        self._recent: deque[tuple[float, int]] = deque()

    def advance(self, step: int) -> None:
        """Notes that ``step`` steps have been taken; called after every step."""
        self.step = step
        now = self._training_time_s()
        if self._first is None:
            # The first step also pays for warming up, so the measurement starts after it.
            self._first = (self._clock(), step)
            self._recent.append((now, step))
        elif now - self._recent[-1][0] >= _SAMPLE_S:
            self._recent.append((now, step))
            while now - self._recent[0][0] > _WINDOW_S and len(self._recent) > 2:
                self._recent.popleft()

    def pause(self) -> None:
        """Training stands still (a validation), which must not count against the rate."""
        if self._paused_at is None:
            self._paused_at = self._clock()

    def go_on(self) -> None:
        """Training goes on after :meth:`pause`."""
        if self._paused_at is not None:
            self._paused_s += self._clock() - self._paused_at
            self._paused_at = None

    @property
    def elapsed_s(self) -> float:
        """Seconds since this process began to train."""
        return self._clock() - self._start

    @property
    def spent_s(self) -> float:
        """Seconds of training, earlier processes of the run included."""
        return self._spent_s + self.elapsed_s

    @property
    def rate(self) -> float | None:
        """Steps a second over the last moments, validations left out; None until known."""
        if not self._recent:
            return None
        since, step = self._recent[0]
        elapsed = self._training_time_s() - since
        if self.step == step or elapsed <= 0:
            return None
        return (self.step - step) / elapsed

    @property
    def fraction(self) -> float:
        """Part of the training that is done, 0 to 1, by whichever limit is nearer."""
        by_steps = self.step / self.max_steps if self.max_steps else 0.0
        by_time = self.spent_s / self.max_time_s if self.max_time_s else 0.0
        return min(1.0, max(by_steps, by_time))

    @property
    def is_bound_by_time(self) -> bool:
        """Whether the time limit will come before the last step."""
        if self.max_time_s is None:
            return False
        steps_left_s = self._steps_left_s()
        return steps_left_s is None or self.max_time_s - self.spent_s < steps_left_s

    @property
    def eta_s(self) -> float | None:
        """Seconds until training ends, validations included; None until known."""
        steps_left_s = self._steps_left_s()
        if self.max_time_s is None:
            return steps_left_s
        time_left_s = max(0.0, self.max_time_s - self.spent_s)
        return time_left_s if steps_left_s is None else min(time_left_s, steps_left_s)

    def _steps_left_s(self) -> float | None:
        if self.max_steps is None or self._first is None:
            return None
        since, step = self._first
        if self.step == step:
            return None
        per_step = (self._clock() - since) / (self.step - step)
        return max(0, self.max_steps - self.step) * per_step

    def _training_time_s(self) -> float:
        now = self._clock() if self._paused_at is None else self._paused_at
        return now - self._start - self._paused_s
