"""How a probe says what came of it: a returned mapping is success, these exceptions the rest."""

import importlib
import importlib.util
from collections.abc import Callable
from typing import Any

__all__ = ["NotInstalled", "Skipped", "WrongResult", "need", "seen_kernels"]


class NotInstalled(Exception):
    """Packages that the probe is about are not there, which is no fault; their import names."""


class Skipped(Exception):
    """The probe does not apply to this machine; the message says why."""


class WrongResult(Exception):
    """The work was done and its result is wrong."""


def need(*packages: str) -> list[Any]:
    """Imports packages, in order.

    Raises:
        NotInstalled: Some are not there. One that is there and breaks raises its own error.
    """
    missing = [name for name in packages if importlib.util.find_spec(name) is None]
    if missing:
        raise NotInstalled(*missing)
    return [importlib.import_module(name) for name in packages]


def seen_kernels(torch: Any, work: Callable[[], Any], what: str) -> dict[str, float]:
    """Runs work under the profiler, which tells whether the GPU computed, and counts its kernels.

    Args:
        torch: The module.
        work: Uses the GPU.
        what: Names the work in the complaint.

    Returns:
        ``kernels`` launched, and the ``microseconds`` that they ran.

    Raises:
        WrongResult: No kernel ran.
    """
    torch.cuda.synchronize()
    activities = [torch.profiler.ProfilerActivity.CPU, torch.profiler.ProfilerActivity.CUDA]
    with torch.profiler.profile(activities=activities) as profile:
        work()
        torch.cuda.synchronize()
    events = [e for e in profile.key_averages() if str(e.device_type).endswith("CUDA")]
    microseconds = sum(getattr(event, "self_device_time_total", 0) for event in events)
    if not microseconds > 0:
        raise WrongResult(f"the profiler saw no kernel run on the GPU for {what}")
    return {"kernels": sum(event.count for event in events), "microseconds": microseconds}
