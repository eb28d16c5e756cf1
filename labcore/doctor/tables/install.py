"""Which torch to take on a machine, and the commands that install a set of versions."""

from dataclasses import dataclass
from typing import get_args

from labcore.doctor.tables.driver import driver_runs
from labcore.doctor.tables.gpu import runs_kernels
from labcore.doctor.tables.packages import Companion, needs_old_numpy
from labcore.doctor.tables.pytorch3d import pulsar_flags, pytorch3d_wheel
from labcore.doctor.tables.setup import CPU, Setup
from labcore.doctor.tables.tensorflow import FIRST_WITH_CUDA_WHEELS, tensorflow_row
from labcore.doctor.tables.toolkit import cub_for
from labcore.doctor.tables.torch import CudaBuild, TorchRow, torch_row, torch_rows
from labcore.doctor.tables.verdict import OsName
from labcore.doctor.tables.versions import fits, parse_version, release, series

__all__ = [
    "TorchChoice",
    "best_build",
    "build_cuda",
    "commands",
    "set_variable",
    "source_pip",
    "torch_for",
    "torch_pip",
]

_INDEX = "https://download.pytorch.org/whl"


@dataclass(frozen=True, kw_only=True, slots=True)
class TorchChoice:
    """A torch that suits a machine."""

    torch: str
    torchvision: str | None
    cuda: str | None
    """CUDA of the build; None for a CPU build."""
    pip: str
    """The command that installs it."""
    why: str


def torch_for(
    *, capability: str | None, driver: str | None, os: OsName, python: str | None = None
) -> TorchChoice | None:
    """Returns the newest torch whose build runs on a machine; None when there is none.

    Stable builds go before experimental ones, the default of the package index before others,
    machine code before PTX.

    Args:
        capability: Compute capability of the GPU; None for any.
        driver: Version of NVIDIA's driver; None for one that is new enough.
        os: Operating system.
        python: Python version; None for any.
    """
    for allowed in (("yes",), ("yes", "limited")):
        for row in reversed(torch_rows()):
            if python is not None and not fits(python, row.python):
                continue
            if os == "macos":
                return _choice(row, None, os)
            build = _best(row, capability, driver, os, allowed)
            if build is not None:
                return _choice(row, build, os)
    return None


def best_build(
    torch: str, *, capability: str | None, driver: str | None, os: OsName
) -> CudaBuild | None:
    """Returns the build of one release that suits a machine best; its default when none does."""
    row = torch_row(torch)
    if row is None:
        return None
    for allowed in (("yes",), ("yes", "limited")):
        build = _best(row, capability, driver, os, allowed)
        if build is not None:
            return build
    return row.build(row.pypi_cuda)


def torch_pip(torch: str, cuda: str | None, os: OsName, *, torchvision: str | None = None) -> str:
    """Returns the command that installs a torch build.

    Args:
        torch: Version; a release stands for its newest patch.
        cuda: CUDA of the build; None for a CPU build.
        os: Operating system: PyPI has the CUDA build only for Linux.
        torchvision: Version to install with it, from the same index.
    """
    row = torch_row(torch)
    version = parse_version(torch)
    full = row.newest if row is not None and len(version.release) < 3 else str(version)
    tag = "cpu" if cuda is None else f"cu{series(cuda).replace('.', '')}"
    pins = [f"torch=={full}"]
    if torchvision is not None:
        pins.append(f"torchvision=={torchvision}")
    if os == "macos" or (os == "linux" and row is not None and cuda == row.pypi_cuda):
        return f"pip install {' '.join(pins)}"
    if version < parse_version("1.13"):
        # Wheels of that time carry the build in their version.
        pinned = " ".join(f"{pin}+{tag}" for pin in pins)
        return f"pip install {pinned} -f {_INDEX}/torch_stable.html"
    return f"pip install {' '.join(pins)} --index-url {_INDEX}/{tag}"


def _choice(row: TorchRow, build: CudaBuild | None, os: OsName) -> TorchChoice:
    cuda = None if build is None else build.cuda
    return TorchChoice(
        torch=row.newest,
        torchvision=row.torchvision,
        cuda=cuda,
        pip=torch_pip(row.newest, cuda, os),
        why=f"the newest torch with a build that fits: {f'CUDA {cuda}' if cuda else 'CPU'}",
    )


def _best(
    row: TorchRow,
    capability: str | None,
    driver: str | None,
    os: OsName,
    allowed: tuple[str, ...],
) -> CudaBuild | None:
    fitting = [each for each in row.builds if _suits(each, capability, driver, os, allowed)]
    return max(fitting, key=lambda each: _rank(each, row), default=None)


def _suits(
    build: CudaBuild,
    capability: str | None,
    driver: str | None,
    os: OsName,
    allowed: tuple[str, ...],
) -> bool:
    if capability is not None and (
        build.archs is None or runs_kernels(capability, build.archs).state not in allowed
    ):
        return False
    return driver is None or driver_runs(driver, build.cuda, os).state in ("yes", "limited")


def _rank(build: CudaBuild, row: TorchRow) -> tuple[bool, bool, tuple[int, ...]]:
    return build.cuda == row.pypi_cuda, not build.experimental, release(build.cuda)


def build_cuda(setup: Setup, os: OsName) -> str | None:
    """Returns the CUDA of the torch build: as given, else the toolkit's, else the one that suits.

    Empty for a CPU build, None without a torch or when the table does not know it.
    """
    if setup.torch is None:
        return None
    if setup.torch_cuda == CPU or os == "macos":
        return ""
    if setup.torch_cuda or setup.cuda:
        return setup.torch_cuda or setup.cuda
    build = best_build(setup.torch, capability=setup.capability, driver=setup.driver, os=os)
    return None if build is None else build.cuda


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
        and release(series(version)) >= FIRST_WITH_CUDA_WHEELS
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
