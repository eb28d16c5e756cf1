"""Whether the GPU computed, by the word of the profiler."""

from collections.abc import Callable
from typing import Any

from labcore.doctor.probes.outcome import WrongResult

__all__ = ["seen_kernels"]


def seen_kernels(torch: Any, work: Callable[[], Any], what: str) -> dict[str, float]:
    """Runs work under the profiler and counts its kernels.

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
