"""The commands that install a set of versions."""

from typing import get_args

from labcore.doctor.tables.cub import cub_for
from labcore.doctor.tables.packages import Companion, needs_old_numpy
from labcore.doctor.tables.pairs import build_cuda
from labcore.doctor.tables.pytorch3d import pulsar_flags, pytorch3d_wheel
from labcore.doctor.tables.setup import Setup
from labcore.doctor.tables.tensorflow import tensorflow_row
from labcore.doctor.tables.torch_choice import torch_pip
from labcore.doctor.tables.verdict import OsName
from labcore.doctor.tables.versions import fits, release, series

__all__ = ["commands", "set_variable", "source_pip"]

_FIRST_TENSORFLOW_WITH_CUDA_WHEELS = (2, 14)


def commands(setup: Setup, os: OsName) -> tuple[str, ...]:
    """Returns the commands that make an environment of a set, in their order.

    Args:
        setup: Versions; those left open are left to pip.
        os: Operating system, whose shell the commands are for: bash, or PowerShell on Windows.
    """
    lines: list[str] = []
    if setup.python:
        starter = (
            f"py -{series(setup.python)}" if os == "windows" else f"python{series(setup.python)}"
        )
        lines.append(f"{starter} -m venv .venv")
    if setup.torch:
        cuda = build_cuda(setup, os) or None
        lines.append(torch_pip(setup.torch, cuda, os, torchvision=setup.torchvision))
    if setup.tensorflow:
        lines += _tensorflow(setup, os)
    named = {name: getattr(setup, name) for name in get_args(Companion) if name != "torchvision"}
    pins = [f"{name}=={version}" for name, version in named.items() if version]
    lines += [f"pip install {' '.join(pins)}"] if pins else []
    if setup.pytorch3d:
        lines += _pytorch3d(setup, os)
    return tuple(lines)


def set_variable(name: str, value: str, os: OsName) -> str:
    """Returns the line that sets an environment variable: bash, or PowerShell on Windows."""
    if os == "windows":
        return f'$env:{name} = "{value}"'
    return f'export {name}="{value}"'


def source_pip(pytorch3d: str) -> str:
    """Returns upstream's documented command that builds a release from source."""
    url = f"git+https://github.com/facebookresearch/pytorch3d.git@v{pytorch3d}"
    return f'pip install --no-build-isolation "{url}"'


def _tensorflow(setup: Setup, os: OsName) -> list[str]:
    assert setup.tensorflow is not None
    row = tensorflow_row(setup.tensorflow)
    version = setup.tensorflow
    if row is not None and len(release(version)) < 3:
        version = row.newest
    # Beside torch the extra would bring a second set of CUDA wheels, except where they share one.
    shares = (
        setup.torch is not None
        and fits(version, ">=2.20,<2.21")
        and fits(setup.torch, ">=2.7,<2.11")
    )
    brings_cuda = (
        os == "linux"
        and release(series(version)) >= _FIRST_TENSORFLOW_WITH_CUDA_WHEELS
        and (setup.torch is None or shares)
    )
    pip = f'pip install "tensorflow{"[and-cuda]" if brings_cuda else ""}=={version}"'
    asked = row.numpy if row is not None else None
    if setup.numpy is None and needs_old_numpy("tensorflow", version) and fits("2.0", asked or ""):
        pip += ' "numpy<2"'  # it was compiled against NumPy 1, and does not say so
    if setup.gpu and not brings_cuda and setup.torch is None and row is not None:
        return [f"# first install CUDA {row.cuda} and cuDNN {row.cudnn} from NVIDIA", pip]
    return [pip]


def _pytorch3d(setup: Setup, os: OsName) -> list[str]:
    assert setup.pytorch3d is not None
    cuda = build_cuda(setup, os)
    if setup.torch:
        wheel = pytorch3d_wheel(setup.torch, cuda, os, setup.python, setup.pytorch3d)
        if wheel is not None:
            return [wheel.pip]
    lines = []
    toolkit = setup.cuda or cuda
    if toolkit and os != "macos":
        lines.append(f"# needs nvcc of CUDA {series(toolkit)} and a C++ compiler")
        advice = cub_for(toolkit, os, setup.pytorch3d)
        lines += [f"# unpack {advice.download} here"] if advice.download else []
        lines += [set_variable(name, value, os) for name, value in advice.env.items()]
        flags = pulsar_flags(toolkit)
        lines += [set_variable("NVCC_FLAGS", flags, os)] if flags else []
    return [*lines, source_pip(setup.pytorch3d)]
