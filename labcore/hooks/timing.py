"""Where the time of a run goes: steps, data, validation, and the wait before the first step."""

import json
import statistics
import time
from collections import deque
from collections.abc import Callable
from typing import Any

import psutil

from labcore.hooks.specs import hookimpl
from labcore.record.files import write_atomically

__all__ = ["FILE_NAME", "Timing"]

FILE_NAME = "timing.json"
_KEPT_STEPS = 20_000
"""Step times kept for the median of the whole run."""


class Timing:
    """Logs speed as phase ``perf`` and leaves ``timing.json`` in the run folder.

    A step lasts from ``step_started`` to ``step_ended``. The time until the next one starts is
    waiting for data (and the loop's logging), unless there was a validation or a checkpoint in it.
    On a GPU a step ends when its work is queued; the means are right all the same, since the queue
    makes the loop wait.

    Args:
        every: Steps between two records.
        clock: Monotonic seconds; tests bring their own.
    """

    def __init__(self, *, every: int = 100, clock: Callable[[], float] = time.perf_counter) -> None:
        if every < 1:
            raise ValueError(f"every is {every}; it must be at least 1")
        self._every = every
        self._clock = clock
        self._began = clock()
        self._fit_began: float | None = None
        self._first_step_s: float | None = None
        self._from_process_start_s: float | None = None
        self._mark: float | None = None
        self._step_began = 0.0
        self._validation_began = 0.0
        self._validated_s = 0.0
        self._saved = False
        self._steps: deque[float] = deque(maxlen=_KEPT_STEPS)
        self._window_steps: list[float] = []
        self._window_data_s = 0.0
        self._num_steps = 0
        self._seconds = {"steps": 0.0, "data": 0.0, "validation": 0.0, "checkpoints": 0.0}

    @hookimpl
    def run_started(self) -> None:
        """Starts the clock of the run."""
        self._began = self._clock()

    @hookimpl
    def fit_started(self) -> None:
        """Starts the clock of the training."""
        now = self._clock()
        if self._fit_began is None:
            self._fit_began = now
        self._mark = now

    @hookimpl(trylast=True)
    def step_started(self) -> None:
        """Counts the time since the last step; called last, so that no hook counts as a step."""
        now = self._clock()
        self._step_began = now
        if self._mark is None:
            return
        gap_s = now - self._mark - self._validated_s
        self._seconds["checkpoints" if self._saved else "data"] += gap_s
        self._window_data_s += 0.0 if self._saved else gap_s
        self._validated_s = 0.0
        self._saved = False

    @hookimpl(tryfirst=True)
    def step_ended(self, run: Any, loop: Any) -> None:
        """Counts the step, and logs the last steps every so often."""
        now = self._clock()
        took_s = now - self._step_began
        self._num_steps += 1
        self._steps.append(took_s)
        self._window_steps.append(took_s)
        self._seconds["steps"] += took_s
        if self._first_step_s is None:
            self._first_step_s = now - self._began
            self._from_process_start_s = time.time() - psutil.Process().create_time()
        self._mark = now
        if loop.step % self._every == 0:
            run.log_metrics(self._window(), step=loop.step, phase="perf")
            self._window_steps = []
            self._window_data_s = 0.0

    @hookimpl(tryfirst=True)
    def validation_started(self) -> None:
        """Starts the clock of a validation."""
        self._validation_began = self._clock()

    @hookimpl(trylast=True)
    def validation_ended(self) -> None:
        """Counts a validation."""
        took_s = self._clock() - self._validation_began
        self._validated_s += took_s
        self._seconds["validation"] += took_s

    @hookimpl
    def checkpoint_saved(self) -> None:
        """The time until the next step is not a wait for data."""
        self._saved = True

    @hookimpl
    def run_ended(self, run: Any) -> None:
        """Writes ``timing.json``."""
        result: dict[str, Any] = {"total_s": round(self._clock() - self._began, 3)}
        if self._num_steps and self._fit_began is not None:
            result |= {
                "to_fit_s": round(self._fit_began - self._began, 3),
                "to_first_step_s": round(self._first_step_s or 0.0, 3),
                "process_start_to_first_step_s": round(self._from_process_start_s or 0.0, 3),
                "num_steps": self._num_steps,
                "seconds": {name: round(value, 3) for name, value in self._seconds.items()},
                "step_ms": {
                    "median": round(1000 * statistics.median(self._steps), 4),
                    "p90": round(1000 * _p90(self._steps), 4),
                },
            }
        write_atomically(run.folder / FILE_NAME, json.dumps(result, indent=1) + "\n")

    def _window(self) -> dict[str, float]:
        steps_s = sum(self._window_steps)
        total_s = steps_s + self._window_data_s
        return {
            "steps_per_s": len(self._window_steps) / total_s if total_s > 0 else 0.0,
            "step_ms_median": 1000 * statistics.median(self._window_steps),
            "step_ms_p90": 1000 * _p90(self._window_steps),
            "data_wait_share": self._window_data_s / total_s if total_s > 0 else 0.0,
        }


def _p90(values: "list[float] | deque[float]") -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(0.9 * len(ordered)))]
