"""What comes with a CUDA toolkit: the host compilers that nvcc takes, and CUB and Thrust."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from labcore.doctor.tables.tables import row_of, rows
from labcore.doctor.tables.verdict import OsName, Verdict, judged, no, or_unknown, unknown
from labcore.doctor.tables.versions import cuda_of_tag, fits, release

__all__ = [
    "CubAdvice",
    "HostCompiler",
    "bundled_cub",
    "cub_for",
    "cub_problem",
    "cub_release",
    "gcc_with_cuda",
    "host_compiler",
    "max_jobs",
]

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
        return unknown(why)
    if release(gcc)[0] <= row.gcc_max:
        why = f"nvcc of CUDA {row.cuda} takes gcc up to {row.gcc_max}"
        return judged("yes", why, "", row)
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


_MISREAD_MAJOR = 11
_HOME = {"linux": "$PWD/cub-{}", "windows": r"$PWD\cub-{}", "macos": ""}


@dataclass(frozen=True, kw_only=True, slots=True)
class CubAdvice:
    """What a build of PyTorch3D needs of CUB."""

    needed: bool
    """Whether a CUB has to be given through CUB_HOME."""
    bundled: str | None
    """Version that comes with the toolkit; None when none does or it is not known."""
    supply: str | None
    """Release to download, when one is needed."""
    env: Mapping[str, str] = field(default_factory=dict)
    """Environment variables of the build; of an archive that was unpacked here."""
    instead: Mapping[str, str] = field(default_factory=dict)
    """Variables that do in place of ``env``."""
    why: str = ""
    sources: tuple[str, ...] = ()
    verified: bool = False

    @property
    def download(self) -> str | None:
        """Where the release is."""
        if self.supply is None:
            return None
        return f"https://github.com/NVIDIA/cub/archive/refs/tags/{self.supply}.zip"


@dataclass(frozen=True, kw_only=True, slots=True)
class _Bundled:
    cuda: str
    cub: str | None
    thrust: str
    sources: tuple[str, ...]
    verified: bool
    note: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Advice:
    cuda: str
    os: tuple[OsName, ...]
    pytorch3d: str
    needed: bool
    supply: str | None
    nvcc_flags: str
    why: str
    sources: tuple[str, ...]
    verified: bool
    note: str = ""


def bundled_cub(cuda: str) -> tuple[str | None, str] | None:
    """Returns the CUB and Thrust of a toolkit; CUB is None before 11.0, which has none.

    None when the table does not know the toolkit.
    """
    found = row_of(rows("cub_thrust", _Bundled), "cuda", cuda_of_tag(cuda))
    return None if found is None else (found.cub, found.thrust)


def cub_for(cuda: str, os: OsName, pytorch3d: str | None = None) -> CubAdvice:
    """Says whether a build of PyTorch3D has to be given a CUB, and which.

    Args:
        cuda: Version of the toolkit.
        os: Operating system.
        pytorch3d: Version to build; the newest when None.
    """
    cuda = cuda_of_tag(cuda)
    if os == "macos":
        return CubAdvice(
            needed=False, bundled=None, supply=None, why="there is no CUDA build on macOS"
        )
    version = pytorch3d or "9999"
    advice = next(
        row
        for row in rows("cub_thrust", _Advice, "pytorch3d_build")
        if os in row.os and fits(cuda, row.cuda) and fits(version, row.pytorch3d)
    )
    bundled = bundled_cub(cuda)
    flags = {"NVCC_FLAGS": advice.nvcc_flags} if advice.nvcc_flags else {}
    home = {"CUB_HOME": _HOME[os].format(advice.supply)} if advice.supply else {}
    return CubAdvice(
        needed=advice.needed,
        bundled=bundled[0] if bundled else None,
        supply=advice.supply,
        env=home or flags,
        instead=flags if home else {},
        why=advice.why,
        sources=advice.sources,
        verified=advice.verified,
    )


def cub_release(text: str) -> str:
    """Returns the CUB release that a number means: the 11.7 that people read into 1.17 is 1.17."""
    major, *rest = release(text)
    if major == _MISREAD_MAJOR and rest:
        return f"1.{10 + rest[0]}.0"
    return text


def cub_problem(cub: str, cuda: str, os: OsName, pytorch3d: str | None = None) -> str:
    """Says what is wrong with giving a CUB release to a build; empty when it is fine.

    Args:
        cub: Release in CUB_HOME.
        cuda: Version of the toolkit.
        os: Operating system.
        pytorch3d: Version to build; the newest when None.
    """
    advice = cub_for(cuda, os, pytorch3d)
    if not advice.needed:
        return (
            f"CUB {cub} in CUB_HOME replaces the {advice.bundled or 'one'} of CUDA {cuda}: "
            f"{advice.why}"
        )
    assert advice.supply is not None
    if os == "windows" and advice.bundled and release(cub) < (1, 16):
        return f"CUB {cub} still has the name that breaks the build on Windows: {advice.why}"
    if release(cub) > (1, 17, 2):
        return f"CUB {cub} belongs to CUDA 12; give it {advice.supply}"
    if not advice.bundled and release(cub) < (1, 8):
        return f"CUB {cub} is older than the {advice.supply} that PyTorch3D's instructions name"
    return ""
