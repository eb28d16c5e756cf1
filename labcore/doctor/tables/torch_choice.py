"""The newest torch that suits a machine, and the command that installs one."""

from dataclasses import dataclass

from labcore.doctor.tables.driver import driver_runs
from labcore.doctor.tables.gpu import runs_kernels
from labcore.doctor.tables.torch import CudaBuild, TorchRow, torch_row, torch_rows
from labcore.doctor.tables.verdict import OsName
from labcore.doctor.tables.versions import fits, parse_version, release, series

__all__ = ["TorchChoice", "best_build", "torch_for", "torch_pip"]

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
