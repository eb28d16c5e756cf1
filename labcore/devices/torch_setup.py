"""What torch has to be told once it is imported. Import this only where torch is used."""

import torch

from labcore.devices.choice import DevicePlan
from labcore.errors import RequirementError

__all__ = ["configure_torch"]


def configure_torch(device: DevicePlan) -> "torch.device":
    """Sets torch's threads and checks that torch can use the planned device.

    Args:
        device: An applied plan.

    Returns:
        The device to put tensors on.

    Raises:
        RequirementError: A GPU is planned and this torch cannot use it.
    """
    # OMP_NUM_THREADS has no effect when torch was imported before it was set.
    torch.set_num_threads(device.threads)
    if device.kind == "cuda" and not torch.cuda.is_available():
        if torch.version.cuda is None:
            cause, fix = "this torch is built without CUDA", "install a CUDA build of torch"
        else:
            cause = f"this torch is built for CUDA {torch.version.cuda} and finds no usable driver"
            fix = "update NVIDIA's driver"
        raise RequirementError(
            f"the GPU {device.name} cannot be used: {cause}", fix=f"{fix}, or use device=cpu"
        )
    return torch.device(device.torch_device)
