"""What torch has to be told once it is imported, and whether it sees what was planned.

Import this only where torch is used.
"""

import torch

from labcore.devices.device_plan import DevicePlan
from labcore.errors import RequirementError

__all__ = ["configure_torch"]


def configure_torch(device: DevicePlan) -> "torch.device":
    """Sets torch's threads and checks that torch has the planned devices, and no others.

    Args:
        device: An applied plan.

    Returns:
        The device to put tensors on.

    Raises:
        RequirementError: A GPU is planned and this torch cannot use it, or torch came up with
            other GPUs or threads than planned.
    """
    # OMP_NUM_THREADS has no effect when torch was imported before it was set.
    torch.set_num_threads(device.threads)
    if torch.get_num_threads() != device.threads:
        raise RequirementError(
            f"torch computes with {torch.get_num_threads()} CPU threads, not the {device.threads} "
            "that were set",
            fix=f"leave threads= out, or use threads={torch.get_num_threads()}",
        )
    if device.kind == "cuda":
        _check_usable(device)
        _check_same(device)
    return torch.device(device.torch_device)


def _check_usable(device: DevicePlan) -> None:
    built = f"this torch is built for CUDA {torch.version.cuda}"
    fix = "update NVIDIA's driver (lab doctor says to which version)"
    if torch.version.cuda is None:
        cause, fix = "this torch is built without CUDA", "install a CUDA build of torch"
    elif not torch.cuda.is_available():
        cause = f"{built} and finds no usable driver"
    else:
        # With PYTORCH_NVML_BASED_CUDA_CHECK=1, which Lightning sets, the answer above is the
        # management library's, and that may be there where CUDA is not.
        try:
            torch.cuda.init()  # type: ignore[no-untyped-call]  # torch has no types here
        except RuntimeError as error:
            cause = f"{built} and cannot start CUDA: {str(error).strip().splitlines()[0]}"
        else:
            return
    raise RequirementError(
        f"the GPU {device.name} cannot be used: {cause}", fix=f"{fix}, or use device=cpu"
    )


def _check_same(device: DevicePlan) -> None:
    """Other GPUs than planned would be ones that another run has leased."""
    seen = torch.cuda.device_count()
    if seen != len(device.uuids):
        raise RequirementError(
            f"torch sees {seen} GPUs, and the run has {len(device.uuids)} "
            f"({', '.join(device.uuids)})",
            fix="something set CUDA_VISIBLE_DEVICES after the run chose its GPUs, or CUDA was "
            "used before: look for it in the plugin's module and in sitecustomize",
        )
    for number, planned in enumerate(device.uuids):
        # Only a whole card has the same UUID in CUDA as in its driver.
        found = str(getattr(torch.cuda.get_device_properties(number), "uuid", ""))
        if planned.startswith("GPU-") and found and found != planned.removeprefix("GPU-"):
            raise RequirementError(
                f"torch's cuda:{number} is GPU-{found}, and the run has leased {planned}",
                fix="unset CUDA_DEVICE_ORDER and CUDA_VISIBLE_DEVICES in the plugin's code",
            )
