"""PyTorch does sums: every device and number type against float64 on the CPU."""

from collections.abc import Iterator
from typing import Any

from labcore.doctor.probes.outcome import Skipped, WrongResult, need, seen_kernels

__all__ = ["convolve", "launch_kernel", "multiply"]

_TOLERANCES = {"float32": 1e-5, "tf32": 2e-3, "float16": 2e-3, "bfloat16": 1.2e-2}
"""Largest relative error (Frobenius norm) of a product of 96 terms: a few roundings of the type."""
_CONV_TOLERANCE = {"cpu": 1e-5, "cuda": 3e-3}
"""On CUDA the type is float32 and cuDNN may take TF32 for it."""


def multiply() -> dict[str, Any]:
    """Multiplies matrices on each device in each type.

    Returns:
        Versions, devices, and the relative error by device and type; None where PyTorch has no
        such product.
    """
    (torch,) = need("torch")
    generator = torch.Generator().manual_seed(0)
    left = torch.randn(64, 96, generator=generator, dtype=torch.float64)
    right = torch.randn(96, 48, generator=generator, dtype=torch.float64)
    errors: dict[str, dict[str, float | None]] = {}
    for device in _devices(torch):
        errors[device] = {}
        for name in (each for each in _TOLERANCES if (device, each) != ("cpu", "tf32")):
            dtype = getattr(torch, "float32" if name == "tf32" else name)
            torch.backends.cuda.matmul.allow_tf32 = name == "tf32"
            a, b = left.to(dtype), right.to(dtype)  # the inputs as the type can hold them
            try:
                product = (a.to(device) @ b.to(device)).cpu().double()
            except RuntimeError as error:
                if "not implemented" not in str(error):
                    raise
                errors[device][name] = None
                continue
            errors[device][name] = _error(product, a.double() @ b.double())
    _refuse(
        f"{name} on {device} is off by {error:.2g}"
        for device, by_type in errors.items()
        for name, error in by_type.items()
        if error is not None and not error <= _TOLERANCES[name]
    )
    gpus = {device: torch.cuda.get_device_name(device) for device in errors if device != "cpu"}
    return {"torch": torch.__version__, "devices": gpus, "errors": errors}


def convolve() -> dict[str, Any]:
    """Convolves a picture and takes the gradients, on each device.

    Returns:
        The cuDNN version in use, and the relative error of output and gradients by device.
    """
    (torch,) = need("torch")
    generator = torch.Generator().manual_seed(0)
    picture = torch.randn(2, 3, 16, 20, generator=generator, dtype=torch.float64)
    weight = torch.randn(4, 3, 3, 3, generator=generator, dtype=torch.float64)
    exact = _convolution(torch, picture, weight)
    errors: dict[str, float] = {}
    for device in _devices(torch):
        found = _convolution(torch, picture.float().to(device), weight.float().to(device))
        errors[device] = max(
            _error(each.cpu().double(), right) for each, right in zip(found, exact, strict=True)
        )
    _refuse(
        f"a convolution on {device} is off by {error:.2g}"
        for device, error in errors.items()
        if not error <= _CONV_TOLERANCE[device.split(":")[0]]
    )
    return {"cudnn": torch.backends.cudnn.version(), "errors": errors}


def launch_kernel() -> dict[str, Any]:
    """Lets the profiler watch a matrix product on the first GPU.

    Returns:
        The kernels it saw and their time in microseconds.
    """
    (torch,) = need("torch")
    if not torch.cuda.is_available():
        raise Skipped("PyTorch sees no GPU")
    matrix = torch.randn(512, 512, device="cuda:0")
    return seen_kernels(torch, lambda: (matrix @ matrix).sum().item(), "a product of matrices")


def _devices(torch: Any) -> list[str]:
    return ["cpu", *(f"cuda:{index}" for index in range(torch.cuda.device_count()))]


def _convolution(torch: Any, picture: Any, weight: Any) -> tuple[Any, Any, Any]:
    picture, weight = picture.requires_grad_(), weight.requires_grad_()
    output = torch.nn.functional.conv2d(picture, weight, padding=1)
    gradients = torch.autograd.grad(output.square().sum(), (picture, weight))
    return (output.detach(), *gradients)


def _error(found: Any, exact: Any) -> float:
    return float((found - exact).norm() / exact.norm())


def _refuse(complaints: Iterator[str]) -> None:
    text = "; ".join(complaints)
    if text:
        raise WrongResult(text)
