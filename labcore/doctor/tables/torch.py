"""Releases of torch: CUDA builds, the GPU code in them, and which to take on a machine."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from labcore.doctor.tables.cuda import driver_runs
from labcore.doctor.tables.gpu import GPUS, runs_kernels
from labcore.doctor.tables.tables import (
    Table,
    cuda_of_tag,
    fits,
    parse_version,
    release,
    row_of,
    series,
)
from labcore.doctor.tables.verdict import (
    PYPI,
    OsName,
    Row,
    Verdict,
    judged,
    no,
    or_unknown,
    unknown,
)

_INDEX = "https://download.pytorch.org/whl"


@dataclass(frozen=True, kw_only=True, slots=True)
class CudaBuild(Row):
    """A torch release built for one CUDA version; the sources are those of its list of GPUs."""

    cuda: str
    cudnn: str
    experimental: bool
    """Called so by PyTorch's release matrix."""
    archs: tuple[str, ...] | None
    """Capabilities with GPU code in it, ``8.6``, ``12.0+PTX``; None when not known."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TorchRow(Row):
    """A torch release."""

    torch: str
    newest: str
    """The patch release to install: the newest that a torchvision goes with."""
    torchvision: str | None
    python: str
    cxx: int
    """C++ standard that its headers need."""
    pypi_cuda: str
    """CUDA of the Linux wheel on PyPI."""
    builds: tuple[CudaBuild, ...]
    """Oldest CUDA first; empty when not known."""

    def build(self, cuda: str) -> CudaBuild | None:
        """Returns the build for a CUDA version."""
        return row_of(self.builds, "cuda", cuda)


class TorchChoice(NamedTuple):
    """A torch that suits a machine."""

    torch: str
    cuda: str | None
    """CUDA of the build; None for a CPU build."""
    pip: str
    """The command that installs it."""


TORCH = Table("torch", TorchRow, "torch", parts={"builds": CudaBuild})


def torch_archs(torch: str, cuda: str) -> tuple[str, ...] | None:
    """Returns the compute capabilities that a build has code for; None when not known."""
    row = TORCH.row(torch)
    build = None if row is None else row.build(cuda_of_tag(cuda))
    return None if build is None else build.archs


@or_unknown
def torch_with_cuda(torch: str, cuda: str) -> Verdict:
    """Says whether a torch release was published for a CUDA version."""
    row = TORCH.row(torch)
    if row is None or not row.builds:
        return _unknown(torch, row)
    cuda = cuda_of_tag(cuda)
    released = ", ".join(each.cuda for each in row.builds)
    if row.build(cuda) is None:
        return no(
            f"there is no build of torch {torch} for CUDA {series(cuda)}; it was released for "
            f"{released}",
            f"a torch build for CUDA {_nearest(cuda, row)}: the wheel brings its own CUDA "
            "libraries, and a toolkit matters only for compiling extensions",
            row,
        )
    return judged("yes", f"torch {torch} was released for CUDA {released}", "", row)


@or_unknown
def torch_runs_on(torch: str, cuda: str, capability: str) -> Verdict:
    """Says whether a torch build has code that runs on a GPU."""
    row = TORCH.row(torch)
    if row is None or not row.builds:
        return _unknown(torch, row)
    build = row.build(cuda_of_tag(cuda))
    if build is None:
        return torch_with_cuda(torch, cuda)
    if build.archs is None:
        return unknown(f"the table does not have the GPUs of torch {torch} for CUDA {build.cuda}")
    arch = GPUS.row(capability)
    if arch is None and release(capability) > release(GPUS.last):
        return GPUS.unknown(capability)
    if arch is not None and arch.tegra:
        return unknown(
            f"{arch.architecture} takes NVIDIA's own builds of torch, and those for ARM have "
            "other code than the table's, which are for x86-64"
        )
    verdict = runs_kernels(capability, build.archs, build)
    fix = _with_code_for(capability, row) if verdict.state in ("no", "doubtful") else verdict.fix
    return replace(verdict, why=f"torch {torch} for CUDA {build.cuda}: {verdict.why}", fix=fix)


@or_unknown
def torchvision_with(torchvision: str, torch: str) -> Verdict:
    """Says whether a torchvision goes with a torch: each is compiled for one release."""
    row = TORCH.row(torch)
    if row is None or row.torchvision is None:
        return _unknown(torch, row)
    same_line = [
        each.torch
        for each in TORCH.rows
        if each.torchvision and series(each.torchvision) == series(torchvision)
    ]
    if row.torch in same_line:
        why = f"torchvision {series(torchvision)} is compiled for torch {row.torch}"
        return judged("yes", why, "", row)
    meant = f"; it is for torch {' or '.join(same_line)}" if same_line else ""
    return no(
        f"torchvision {torchvision} is not compiled for torch {torch}{meant}",
        f'pip install "torchvision=={series(row.torchvision)}.*"',
        PYPI,
    )


def torchvision_for(torch: str) -> str | None:
    """Returns the torchvision of a torch release: their last numbers go up together."""
    row, version = TORCH.row(torch), release(torch)
    if row is None or row.torchvision is None:
        return None
    newest = release(row.torchvision)
    back = release(row.newest)[2] - version[2] if len(version) > 2 else 0
    return f"{series(row.torchvision)}.{max(0, newest[2] - back)}"


def torch_for(
    *, capability: str | None, driver: str | None, os: OsName, python: str | None = None
) -> TorchChoice | None:
    """Returns the newest torch whose build runs on a machine; None when there is none.

    Machine code goes before PTX.

    Args:
        capability: Compute capability of the GPU; None for any.
        driver: Version of NVIDIA's driver; None for one that is new enough.
        os: Operating system.
        python: Python version; None for any.
    """
    rows = [each for each in TORCH.rows if python is None or fits(python, each.python)]
    if os == "macos" and rows:
        return TorchChoice(rows[-1].newest, None, torch_pip(rows[-1].newest, None, os))
    found = _first_fitting(rows[::-1], capability, driver, os)
    if found is None:
        return None
    row, build = found
    return TorchChoice(row.newest, build.cuda, torch_pip(row.newest, build.cuda, os))


def best_build(
    torch: str, *, capability: str | None, driver: str | None, os: OsName
) -> CudaBuild | None:
    """Returns the build of one release that suits a machine best; its default when none does."""
    row = TORCH.row(torch)
    if row is None:
        return None
    found = _first_fitting([row], capability, driver, os)
    return row.build(row.pypi_cuda) if found is None else found[1]


def _first_fitting(
    rows: Sequence[TorchRow], capability: str | None, driver: str | None, os: OsName
) -> tuple[TorchRow, CudaBuild] | None:
    """The first release with a build that runs on a machine; machine code goes before PTX."""
    for allowed in (("yes",), ("yes", "limited")):
        for row in rows:
            capabilities = [capability] if capability else []
            for build in fitting_builds(row, capabilities, driver, os, allowed):
                return row, build
    return None


def fitting_builds(
    row: TorchRow,
    capabilities: Sequence[str],
    driver: str | None,
    os: OsName,
    allowed: tuple[str, ...] = ("yes", "limited"),
) -> Iterator[CudaBuild]:
    """Yields the builds of a release that run on a machine.

    The default of the package index goes before others, stable before experimental ones, newer
    CUDA before older.

    Args:
        row: The release.
        capabilities: Of the GPUs.
        driver: Version of NVIDIA's driver; None for one that is new enough.
        os: Operating system.
        allowed: What the verdict on build and GPU may be.
    """

    def rank(build: CudaBuild) -> tuple[bool, bool, tuple[int, ...]]:
        return build.cuda == row.pypi_cuda, not build.experimental, release(build.cuda)

    for build in sorted(row.builds, key=rank, reverse=True):
        states = [runs_kernels(each, build.archs or ()).state for each in capabilities]
        if any(state not in allowed for state in states):
            continue
        if driver is None or driver_runs(driver, build.cuda, os).state in ("yes", "limited"):
            yield build


def torch_pip(torch: str, cuda: str | None, os: OsName, *, torchvision: str | None = None) -> str:
    """Returns the command that installs a torch build.

    Args:
        torch: Version; a release stands for its newest patch.
        cuda: CUDA of the build; None for a CPU build.
        os: Operating system: PyPI has the CUDA build only for Linux.
        torchvision: Version to install with it, from the same index.
    """
    row = TORCH.row(torch)
    version = parse_version(torch)
    full = row.newest if row is not None and len(version.release) < 3 else str(version)
    tag = "cpu" if cuda is None else f"cu{series(cuda).replace('.', '')}"
    pins = [f"torch=={full}"] + ([f"torchvision=={torchvision}"] if torchvision else [])
    if os == "macos" or (os == "linux" and row is not None and cuda == row.pypi_cuda):
        return f"pip install {' '.join(pins)}"
    if version < parse_version("1.13"):
        # Wheels of that time carry the build in their version.
        pinned = " ".join(f"{pin}+{tag}" for pin in pins)
        return f"pip install {pinned} -f {_INDEX}/torch_stable.html"
    return f"pip install {' '.join(pins)} --index-url {_INDEX}/{tag}"


def _nearest(cuda: str, row: TorchRow) -> str:
    """Of the CUDA versions of a release, one of the same family, else the nearest."""
    major, minor = release(series(cuda))
    return min(
        (each.cuda for each in row.builds),
        key=lambda each: (abs(release(each)[0] - major), abs(release(each)[1] - minor)),
    )


def _with_code_for(capability: str, row: TorchRow) -> str:
    """Names the nearest build with machine code for a GPU: of this release, else the newest."""
    for other in (row, *reversed(TORCH.rows)):
        for build in reversed(other.builds):
            if build.archs and runs_kernels(capability, build.archs).state == "yes":
                return f"torch {other.torch} has it in the build for CUDA {build.cuda}"
    return "no torch in the table has code for this GPU: compute on the CPU"


def _unknown(torch: str, row: TorchRow | None) -> Verdict:
    if row is None:
        return TORCH.unknown(torch)
    return unknown(f"the table does not have the builds of torch {torch}; {row.note}", row)
