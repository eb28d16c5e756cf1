"""What belongs to no plugin: torch's kernels, PyTorch3D's CUDA operators, two GPUs talking."""

from collections.abc import Callable, Mapping
from typing import Any

from labcore.doctor.probes import PROBES, run_probes
from labcore.doctor.smoke.outcome import Outcome

__all__ = ["PROBED", "try_probe"]

PROBED: Mapping[str, str] = {
    "cuda-kernel": "torch: kernels",
    "pytorch3d": "pytorch3d: CUDA operators",
    "nccl": "nccl: two GPUs",
}
"""The doctor's probes that need a GPU, to the names that the report has for them."""


def try_probe(
    name: str,
    *,
    num_gpus: int,
    timeout_s: float,
    run: Callable[..., Mapping[str, Mapping[str, Any]]] = run_probes,
) -> Outcome:
    """Runs a probe of the doctor and judges it as a case: it has to have used the GPU.

    Args:
        name: A key of :data:`PROBED`.
        num_gpus: GPUs of this machine.
        timeout_s: Seconds after which it is killed.
        run: Runs probes; tests bring their own.
    """
    title = PROBED[name]
    if name == "nccl" and num_gpus < 2:
        return Outcome(name=title, state="skipped", reason="needs two GPUs, and there is one")
    told = run([name], limit_s=timeout_s)[name]
    seconds = float(told["seconds"])
    if told["outcome"] == "missing":
        missing = ", ".join(told["packages"])
        return Outcome(
            name=title, state="skipped", reason=f"not installed: {missing}", seconds=seconds
        )
    result = told.get("result", {})
    reason = ""
    if told["outcome"] != "ok":
        how = told.get("reason") or told.get("error") or told.get("signal")
        reason = str(how or told["outcome"])
    elif name != "nccl" and not result.get("kernels"):
        reason = f"{PROBES[name].title}: no kernel was seen on the GPU"
    return Outcome(
        name=title,
        state="failed" if reason else "passed",
        reason=reason,
        seconds=seconds,
        num_kernels=int(result.get("kernels", 0)),
        kernel_ms=float(result.get("microseconds", 0)) / 1000,
        log=str(told.get("output", "")) if reason else "",
    )
