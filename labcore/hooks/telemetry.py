"""What a run does to its machine: processor, memory, GPUs; sampled in a thread of its own."""

import contextlib
import json
import statistics
import threading
from collections import defaultdict
from typing import Any

import psutil

from labcore.devices.inventory.nvml import NvmlFailure, opened
from labcore.devices.inventory.survey import visible_gpus
from labcore.hooks.specs import hookimpl
from labcore.record.files import write_atomically

__all__ = ["FILE_NAME", "Telemetry"]

FILE_NAME = "telemetry.json"
_MIB = 2**20


class Telemetry:
    """Logs the load as phase ``perf`` and leaves peaks and means in ``telemetry.json``.

    The thread only reads counters. What it has read since the last step is averaged and logged from
    the training loop, so that records stay in order. A machine without an NVIDIA driver has no GPU
    figures, and that is normal.

    Args:
        every_s: Seconds between two samples.
    """

    def __init__(self, *, every_s: float = 5.0) -> None:
        if every_s <= 0:
            raise ValueError(f"every_s is {every_s}; it must be above zero")
        self._every_s = every_s
        self._process = psutil.Process()
        self._open = contextlib.ExitStack()
        self._has_driver = False
        self._lock = threading.Lock()
        self._fresh: list[dict[str, float]] = []
        self._peak: dict[str, float] = {}
        self._sum: defaultdict[str, float] = defaultdict(float)
        self._num: defaultdict[str, int] = defaultdict(int)
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    @hookimpl
    def run_started(self) -> None:
        """Starts sampling."""
        with contextlib.suppress(NvmlFailure):
            self._open.enter_context(opened())  # or every sample would open it anew
            self._has_driver = True
        self._process.cpu_percent()  # the first call only sets the mark that the next one reads
        psutil.cpu_percent()
        self._thread = threading.Thread(target=self._watch, name="lab-telemetry", daemon=True)
        self._thread.start()

    @hookimpl
    def step_ended(self, run: Any, loop: Any) -> None:
        """Logs the mean of the samples that have come since the last log."""
        if not self._fresh:
            return
        with self._lock:
            samples, self._fresh = self._fresh, []
        run.log_metrics(_means(samples), step=loop.step, phase="perf")

    @hookimpl
    def run_ended(self, run: Any) -> None:
        """Stops sampling and writes ``telemetry.json``."""
        self._sample()  # a run shorter than a period has a sample too
        self.close()
        result = {
            "num_samples": max(self._num.values(), default=0),
            "peak": {name: round(value, 2) for name, value in self._peak.items()},
            "mean": {name: round(total / self._num[name], 2) for name, total in self._sum.items()},
        }
        write_atomically(run.folder / FILE_NAME, json.dumps(result, indent=1) + "\n")

    def close(self) -> None:
        """Stops the thread."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        self._open.close()

    def _watch(self) -> None:
        while not self._stop.wait(self._every_s):
            self._sample()

    def _sample(self) -> None:
        sample: dict[str, float] = {}
        with contextlib.suppress(psutil.Error, OSError):
            # 100 is one core; with data workers the machine's figure says more.
            sample["cpu_percent"] = self._process.cpu_percent()
            sample["machine_cpu_percent"] = psutil.cpu_percent()
            sample["memory_mib"] = self._process.memory_info().rss / _MIB
            sample["machine_memory_percent"] = psutil.virtual_memory().percent
        for place, gpu in enumerate(visible_gpus() if self._has_driver else ()):
            load = {
                "percent": gpu.utilisation_percent,
                "memory_mib": gpu.memory_used_mib,
                "celsius": gpu.temperature_c,
                "watts": gpu.power_w,
            }
            told = {name: float(value) for name, value in load.items() if value is not None}
            sample.update({f"gpu{place}_{name}": value for name, value in told.items()})
        with self._lock:
            self._fresh.append(sample)
            del self._fresh[:-1000]  # a run with no steps takes nothing away
            for name, value in sample.items():
                self._peak[name] = max(value, self._peak.get(name, value))
                self._sum[name] += value
                self._num[name] += 1


def _means(samples: list[dict[str, float]]) -> dict[str, float]:
    names = dict.fromkeys(name for sample in samples for name in sample)
    return {name: statistics.fmean(s[name] for s in samples if name in s) for name in names}
