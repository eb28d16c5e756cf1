"""Host compilers that nvcc accepts."""

from dataclasses import dataclass

from labcore.compat.tables import rows
from labcore.compat.verdict import Verdict, no, or_unknown
from labcore.compat.versions import cuda_of_tag, release, series

__all__ = ["HostCompiler", "gcc_with_cuda", "host_compiler"]


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
    wanted = series(cuda_of_tag(cuda))
    return next((row for row in rows("host_compiler", HostCompiler) if row.cuda == wanted), None)


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
