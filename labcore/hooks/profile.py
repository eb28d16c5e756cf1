"""What the processor and the GPU do in a step: torch's profiler, as a table and a trace."""

import csv
import json
from collections.abc import Iterable
from operator import itemgetter
from typing import Any

from labcore.hooks.specs import hookimpl
from labcore.record.files import write_atomically

__all__ = ["FILE_NAME", "Profile"]

FILE_NAME = "profile.json"
_SECTION = "profile"
_SHOWN_ROWS = 25
_MIB = 2**20


class Profile:
    """Profiles some steps and leaves ``profile.json``, a table of what took longest, and a trace.

    The trace opens in https://ui.perfetto.dev. Kernel times are the GPU's own, so that they also
    tell whether the GPU was used at all. A profiled step is slower than the others.

    Args:
        first: Steps to let pass before the profile begins: the first ones compile and allocate.
        steps: Steps to profile.
        whole: Profile the whole run instead, for tasks that have no steps. Short ones: a profile
            grows with every operator called.
        trace: Whether to leave the trace.
    """

    def __init__(
        self, *, first: int = 5, steps: int = 5, whole: bool = False, trace: bool = True
    ) -> None:
        if first < 0 or steps < 1:
            raise ValueError(
                f"first is {first} and steps is {steps}; first must be 0 or more, steps 1 or more"
            )
        self._first = first
        self._steps = steps
        self._whole = whole
        self._trace = trace
        self._profiler: Any = None
        self._num_seen = 0
        self._num_profiled = 0
        self._is_done = False

    @hookimpl
    def run_started(self, run: Any) -> None:
        """Begins here when the whole run is wanted."""
        if self._whole:
            self._begin()

    @hookimpl
    def step_started(self) -> None:
        """Begins at the first step that is wanted."""
        if self._num_seen >= self._first and self._profiler is None and not self._is_done:
            self._begin()

    @hookimpl
    def step_ended(self, run: Any) -> None:
        """Counts, and ends after the last step that is wanted."""
        self._num_seen += 1
        if self._profiler is not None:
            self._num_profiled += 1
            if not self._whole and self._num_profiled >= self._steps:
                self._end(run)

    @hookimpl
    def fit_ended(self, run: Any) -> None:
        """Ends early when training does."""
        if not self._whole:
            self._end(run)

    @hookimpl(tryfirst=True)
    def run_ended(self, run: Any) -> None:
        """Ends; called first, so that the hooks which record artifacts still see the trace."""
        if self._profiler is None and not self._is_done:
            run.say(
                f"nothing was profiled: the run took {self._num_seen} steps, and the profile "
                f"begins after {self._first} (hooks.profile.first, or hooks.profile.whole=true)",
                level="warning",
            )
        self._end(run)

    def _begin(self) -> None:
        import torch
        from torch.profiler import ProfilerActivity, profile

        activities = [ProfilerActivity.CPU]
        if torch.cuda.is_available():
            activities.append(ProfilerActivity.CUDA)
            torch.cuda.reset_peak_memory_stats()
        self._profiler = profile(activities=activities, acc_events=True)
        self._profiler.start()

    def _end(self, run: Any) -> None:
        if self._profiler is None:
            return
        import torch

        profiler, self._profiler, self._is_done = self._profiler, None, True
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        profiler.stop()
        rows = _rows(profiler.key_averages())
        summary: dict[str, Any] = {
            "steps": self._num_profiled,
            "device": run.device.name,
            "cpu_ms": round(sum(ms for _, _, ms in rows["CPU"]), 3),
            "kernel_ms": round(sum(ms for _, _, ms in rows["GPU"]), 3),
            "num_kernels": sum(calls for _, calls, _ in rows["GPU"]),
        }
        if torch.cuda.is_available():
            summary["peak_memory_mib"] = round(torch.cuda.max_memory_allocated() / _MIB, 1)
        write_atomically(run.folder / FILE_NAME, json.dumps(summary, indent=1) + "\n")
        self._leave_table(run, rows)
        if self._trace:
            path = run.artifact_path("profile/trace.json.gz")  # plain text would be gigabytes
            profiler.export_chrome_trace(str(path))
            run.add_artifact(
                path, kind="file", title="trace of the profiled steps", section=_SECTION,
                caption="Open it in ui.perfetto.dev.",
            )  # fmt: skip

    def _leave_table(self, run: Any, rows: dict[str, list[tuple[str, int, float]]]) -> None:
        path = run.artifact_path("profile/operators.csv")
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["where", "operator", "calls", "ms", "share"])
            for where, own in rows.items():
                total = sum(ms for _, _, ms in own) or 1.0
                for name, calls, ms in sorted(own, key=itemgetter(2), reverse=True)[:_SHOWN_ROWS]:
                    writer.writerow([where, name, calls, f"{ms:.3f}", f"{ms / total:.1%}"])
        steps = f"{self._num_profiled} steps" if self._num_profiled else "the run"
        run.add_artifact(
            path, kind="table", title=f"what took longest in {steps}", section=_SECTION,
            caption="Own time of each operator, without what it calls; kernels by the GPU's clock.",
        )  # fmt: skip


def _rows(averages: Iterable[Any]) -> dict[str, list[tuple[str, int, float]]]:
    """Returns the kernels of the GPU and torch's operators: name, calls, own milliseconds."""
    rows: dict[str, list[tuple[str, int, float]]] = {"GPU": [], "CPU": []}
    for event in averages:
        on_gpu = event.device_type.name == "CUDA"
        # Ranges that a program names are no kernels: their time is that of the kernels within.
        if not (on_gpu and getattr(event, "is_user_annotation", False)):
            own_us = event.self_device_time_total if on_gpu else event.self_cpu_time_total
            rows["GPU" if on_gpu else "CPU"].append((event.key, event.count, own_us / 1000))
    return rows
