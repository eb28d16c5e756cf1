"""Releases of torch: CUDA builds and the GPU code in them."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from labcore.doctor.tables.gpu import arch_of, last_capability, runs_kernels
from labcore.doctor.tables.tables import as_row, compat_dir, read_table, row_of
from labcore.doctor.tables.verdict import PYPI, Verdict, judged, no, or_unknown, unknown
from labcore.doctor.tables.versions import cuda_of_tag, release, series

__all__ = [
    "CudaBuild",
    "TorchRow",
    "last_torch",
    "torch_archs",
    "torch_row",
    "torch_rows",
    "torch_runs_on",
    "torch_with_cuda",
    "torchvision_for",
    "torchvision_with",
]


@dataclass(frozen=True, kw_only=True, slots=True)
class CudaBuild:
    """A torch release built for one CUDA version."""

    cuda: str
    cudnn: str
    experimental: bool
    """Called so by PyTorch's release matrix."""
    archs: tuple[str, ...] | None
    """Capabilities with GPU code in it, ``8.6``, ``12.0+PTX``; None when not known."""
    archs_source: str | None
    archs_verified: bool

    @property
    def sources(self) -> tuple[str, ...]:
        """Where ``archs`` comes from: as what a verdict rests on, a build is its list of GPUs."""
        return (self.archs_source,) if self.archs_source else ()

    @property
    def verified(self) -> bool:
        """Whether ``archs`` was checked against that."""
        return self.archs_verified

    @property
    def tag(self) -> str:
        """As in the name of the wheel: cu117."""
        return f"cu{self.cuda.replace('.', '')}"


@dataclass(frozen=True, kw_only=True, slots=True)
class TorchRow:
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
    sources: tuple[str, ...]
    verified: bool
    note: str = ""

    def build(self, cuda: str) -> CudaBuild | None:
        """Returns the build for a CUDA version."""
        return row_of(self.builds, "cuda", cuda)


def torch_rows() -> tuple[TorchRow, ...]:
    """Returns the releases, oldest first."""
    return _rows(str(compat_dir()))


def torch_row(torch: str) -> TorchRow | None:
    """Returns the row of a release, given any of its patch releases; None when it is unknown."""
    return row_of(torch_rows(), "torch", torch)


def last_torch() -> str:
    """Returns the newest torch release that the table knows."""
    return torch_rows()[-1].torch


def torch_archs(torch: str, cuda: str) -> tuple[str, ...] | None:
    """Returns the compute capabilities that a build has code for; None when not known."""
    row = torch_row(torch)
    build = None if row is None else row.build(cuda_of_tag(cuda))
    return None if build is None else build.archs


@or_unknown
def torch_with_cuda(torch: str, cuda: str) -> Verdict:
    """Says whether a torch release was published for a CUDA version."""
    row = torch_row(torch)
    if row is None or not row.builds:
        return _unknown(torch)
    cuda = cuda_of_tag(cuda)
    build = row.build(cuda)
    released = ", ".join(each.cuda for each in row.builds)
    if build is None:
        return no(
            f"there is no build of torch {torch} for CUDA {series(cuda)}; it was released for "
            f"{released}",
            f"a torch build for CUDA {_nearest(cuda, row)}: the wheel brings its own CUDA "
            "libraries, and a toolkit matters only for compiling extensions",
            row,
        )
    why = f"torch {torch} was released for CUDA {released}"
    return judged("yes", why, "", row)


@or_unknown
def torch_runs_on(torch: str, cuda: str, capability: str) -> Verdict:
    """Says whether a torch build has code that runs on a GPU."""
    row = torch_row(torch)
    if row is None or not row.builds:
        return _unknown(torch)
    build = row.build(cuda_of_tag(cuda))
    if build is None:
        return torch_with_cuda(torch, cuda)
    if build.archs is None:
        return unknown(f"the table does not have the GPUs of torch {torch} for CUDA {build.cuda}")
    if arch_of(capability) is None and release(capability) > release(last_capability()):
        return unknown(
            f"compute capability {capability} is not in the table, which ends at "
            f"{last_capability()}"
        )
    arch = arch_of(capability)
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
    row = torch_row(torch)
    if row is None or row.torchvision is None:
        return _unknown(torch)
    same_line = [
        each.torch
        for each in torch_rows()
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
    row, version = torch_row(torch), release(torch)
    if row is None or row.torchvision is None:
        return None
    newest = release(row.torchvision)
    back = release(row.newest)[2] - version[2] if len(version) > 2 else 0
    return f"{series(row.torchvision)}.{max(0, newest[2] - back)}"


def _nearest(cuda: str, row: TorchRow) -> str:
    """Of the CUDA versions of a release, one of the same family, else the nearest."""
    major, minor = release(f"{series(cuda)}")
    return min(
        (each.cuda for each in row.builds),
        key=lambda each: (abs(release(each)[0] - major), abs(release(each)[1] - minor)),
    )


def _with_code_for(capability: str, row: TorchRow) -> str:
    """Names the nearest build with machine code for a GPU: of this release, else the newest."""
    here = [each for each in row.builds if _native(each, capability)]
    if here:
        return f"torch {row.torch} has it in the build for CUDA {here[-1].cuda}"
    for other in reversed(torch_rows()):
        builds = [each for each in other.builds if _native(each, capability)]
        if builds:
            return f"torch {other.torch} has it in the build for CUDA {builds[-1].cuda}"
    return "no torch in the table has code for this GPU: compute on the CPU"


def _native(build: CudaBuild, capability: str) -> bool:
    return build.archs is not None and runs_kernels(capability, build.archs).state == "yes"


def _unknown(torch: str) -> Verdict:
    row = torch_row(torch)
    if row is None:
        why = f"torch {torch} is not in the table, which goes from {torch_rows()[0].torch} to "
        return unknown(why + last_torch())
    why = f"the table does not have the builds of torch {torch}; {row.note}"
    return unknown(why, row)


@functools.cache
def _rows(folder: str) -> tuple[TorchRow, ...]:
    return tuple(_typed(values) for values in read_table("torch")["rows"])


def _typed(values: Mapping[str, Any]) -> TorchRow:
    builds = [as_row(CudaBuild, each, "torch") for each in values["builds"]]
    return as_row(TorchRow, {**values, "builds": builds}, "torch")
