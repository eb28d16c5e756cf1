"""Host compilers: which nvcc accepts, and how many may run at once."""

from dataclasses import dataclass

from labcore.doctor.tables.tables import row_of, rows
from labcore.doctor.tables.verdict import Verdict, no, or_unknown
from labcore.doctor.tables.versions import cuda_of_tag, release

__all__ = ["HostCompiler", "gcc_with_cuda", "host_compiler", "max_jobs"]

_GB_PER_JOB = 2.0
"""A compiler process of PyTorch3D takes 1.4 to 2.1 GB."""


@dataclass(frozen=True, kw_only=True, slots=True)
class HostCompiler:
    """Newest host compilers of a CUDA toolkit."""

    cuda: str
    gcc_max: int
    msvc_max: str
    visual_studio: str
    sources: tuple[str, ...]
    verified: bool
    note: str = ""


def host_compiler(cuda: str) -> HostCompiler | None:
    """Returns the newest host compilers of a toolkit; None when the table does not know it."""
    return row_of(rows("host_compiler", HostCompiler), "cuda", cuda_of_tag(cuda))


@or_unknown
def gcc_with_cuda(gcc: str, cuda: str) -> Verdict:
    """Says whether nvcc of a toolkit accepts a gcc."""
    row = host_compiler(cuda)
    if row is None:
        last = rows("host_compiler", HostCompiler)[-1].cuda
        why = f"the table of compilers does not have CUDA {cuda}; it ends at {last}"
        return Verdict(state="unknown", why=why)
    if release(gcc)[0] <= row.gcc_max:
        why = f"nvcc of CUDA {row.cuda} takes gcc up to {row.gcc_max}"
        return Verdict(state="yes", why=why, sources=row.sources)
    return no(
        f"nvcc of CUDA {row.cuda} takes gcc up to {row.gcc_max}, and this is {gcc}: "
        '"unsupported GNU version"',
        f"export CC=gcc-{row.gcc_max} CXX=g++-{row.gcc_max}",
        row,
    )


def max_jobs(num_cores: int | None, memory_gb: float | None) -> int | None:
    """Returns how many compilers may run at once; None when the machine is not known."""
    if num_cores is None or memory_gb is None:
        return None
    return max(1, min(num_cores, int(memory_gb / _GB_PER_JOB)))
