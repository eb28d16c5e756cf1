"""CUDA toolkits: the drivers that run them, the compilers that nvcc takes, the CUB in them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from labcore.doctor.tables.tables import Table, cuda_of_tag, family, fits, release, series
from labcore.doctor.tables.verdict import OsName, Row, Verdict, judged, no, or_unknown

_GB_PER_JOB = 2.0
"""A compiler process of PyTorch3D takes 1.4 to 2.1 GB."""
_MISREAD_MAJOR = 11
_HOME = {"linux": "$PWD/cub-{}", "windows": r"$PWD\cub-{}"}
NO_MACOS = Row(sources=("nv-relnotes-13.1",), verified=True)
"""There is no CUDA for macOS."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Drivers(Row):
    linux: str
    windows: str | None
    """None where NVIDIA names none."""

    def driver(self, os: OsName) -> str | None:
        """The least driver on an operating system."""
        return self.windows if os == "windows" else self.linux


@dataclass(frozen=True, kw_only=True, slots=True)
class CudaRelease(_Drivers):
    """A CUDA toolkit and the driver that it came with."""

    cuda: str


@dataclass(frozen=True, kw_only=True, slots=True)
class _Family(_Drivers):
    """The least driver that runs every release of a CUDA family."""

    family: int


@dataclass(frozen=True, kw_only=True, slots=True)
class HostCompiler(Row):
    """Newest host compilers of a CUDA toolkit."""

    cuda: str
    gcc_max: int
    msvc_max: str
    visual_studio: str


@dataclass(frozen=True, kw_only=True, slots=True)
class _Bundled(Row):
    cuda: str
    cub: str | None
    """None before 11.0, which has none."""
    thrust: str


@dataclass(frozen=True, kw_only=True, slots=True)
class CubAdvice(Row):
    """What a build of PyTorch3D needs of CUB."""

    cuda: str
    """Range of toolkits."""
    os: tuple[OsName, ...]
    pytorch3d: str
    needed: bool
    """Whether a CUB has to be given through CUB_HOME."""
    supply: str | None
    """Release to download, when one is needed."""
    nvcc_flags: str
    why: str
    bundled: str | None = None
    """Version that comes with the toolkit; None when none does or it is not known."""
    env: Mapping[str, str] = field(default_factory=dict)
    """Environment variables of the build; of an archive that was unpacked here."""
    instead: Mapping[str, str] = field(default_factory=dict)
    """Variables that do in place of ``env``."""

    @property
    def download(self) -> str | None:
        """Where the release is."""
        if self.supply is None:
            return None
        return f"https://github.com/NVIDIA/cub/archive/refs/tags/{self.supply}.zip"


TOOLKITS = Table("cuda_driver", CudaRelease, "cuda", "CUDA")
COMPILERS = Table("host_compiler", HostCompiler, "cuda", "the host compiler of CUDA")
CUB = Table("cub_thrust", _Bundled, "cuda", "CUDA")
_ADVICE = Table("cub_thrust", CubAdvice, key="pytorch3d_build")
_FAMILIES = Table("cuda_driver", _Family, key="families")


@or_unknown
def driver_runs(driver: str, cuda: str, os: OsName = "linux") -> Verdict:
    """Says whether a driver runs programs that were built with a CUDA release.

    A driver at or above the toolkit's own runs everything of it; one at or above the family's
    least runs it by minor-version compatibility, which is ``limited``: a feature newer than the
    driver fails, and PTX of a newer toolkit cannot be compiled at start.
    """
    if os == "macos":
        why = "NVIDIA has made no driver for macOS since CUDA 10.2"
        return no(why, "compute on the CPU", NO_MACOS)
    cuda = cuda_of_tag(cuda)
    least, releases = _family(cuda), _releases(cuda)
    floor = None if least is None else least.driver(os)
    if least is not None and floor is not None and not _reaches(driver, floor):
        return no(
            f"CUDA {cuda} needs driver {floor} or newer, and this is {driver}",
            f"a driver {floor} or newer{_or_older_build(driver, os)}",
            least,
        )
    if not releases:
        return TOOLKITS.unknown(cuda)
    rows: list[Row] = [*releases, *([least] if least else [])]
    needed = min((each for row in releases if (each := row.driver(os))), key=release, default=None)
    if needed is None or _reaches(driver, needed):
        asked = needed or driver_for(cuda, os)
        why = f"driver {driver} is not older than the {asked} that CUDA {cuda} asks for"
        return judged("yes", why, "", *rows)
    if least is None:
        return no(
            f"CUDA {cuda} needs driver {needed} or newer, and this is {driver}; before CUDA 11 "
            "there is no compatibility between minor versions",
            f"a driver {needed} or newer{_or_older_build(driver, os)}",
            *releases,
        )
    return judged(
        "limited",
        f"driver {driver} is older than the {needed} that CUDA {cuda} came with, but not older "
        f"than {floor}, from which on programs of the whole CUDA {least.family} family run",
        f"nothing for ordinary use; a feature newer than the driver, or code that is compiled "
        f"at start, needs driver {needed}",
        *rows,
    )


def newest_cuda(driver: str, os: OsName = "linux") -> str | None:
    """Returns the newest CUDA release that a driver fully supports; None for an older driver.

    NVIDIA names no Windows driver for CUDA 13 and later: there the first release of the newest
    family that the driver reaches is returned.
    """
    known: list[tuple[str, _Drivers]] = [(row.cuda, row) for row in TOOLKITS.rows]
    known += [(f"{row.family}.0", row) for row in _FAMILIES.rows]
    reached = [cuda for cuda, row in known if (least := row.driver(os)) and _reaches(driver, least)]
    return series(max(reached, key=release)) if reached else None


def driver_for(cuda: str, os: OsName = "linux") -> str | None:
    """Returns the least driver that runs a CUDA release: the family's least from CUDA 11 on.

    None when the table does not know the release, or the operating system has no driver.
    """
    cuda = cuda_of_tag(cuda)
    least = _family(cuda)
    known = [each for row in ([least] if least else _releases(cuda)) if (each := row.driver(os))]
    return None if os == "macos" else min(known, key=release, default=None)


@or_unknown
def gcc_with_cuda(gcc: str, cuda: str) -> Verdict:
    """Says whether nvcc of a toolkit accepts a gcc."""
    row = COMPILERS.row(cuda_of_tag(cuda))
    if row is None:
        return COMPILERS.unknown(cuda)
    why = f"nvcc of CUDA {row.cuda} takes gcc up to {row.gcc_max}"
    if release(gcc)[0] <= row.gcc_max:
        return judged("yes", why, "", row)
    return no(
        f'{why}, and this is {gcc}: "unsupported GNU version"',
        f"export CC=gcc-{row.gcc_max} CXX=g++-{row.gcc_max}",
        row,
    )


def max_jobs(num_cores: int | None, memory_gb: float | None) -> int | None:
    """Returns how many compilers may run at once; None when the machine is not known."""
    if num_cores is None or memory_gb is None:
        return None
    return max(1, min(num_cores, int(memory_gb / _GB_PER_JOB)))


def cub_for(cuda: str, os: OsName, pytorch3d: str | None = None) -> CubAdvice:
    """Says whether a build of PyTorch3D has to be given a CUB, and which.

    Args:
        cuda: Version of the toolkit.
        os: Operating system.
        pytorch3d: Version to build; the newest when None.
    """
    cuda, version = cuda_of_tag(cuda), pytorch3d or "9999"
    advice = next(
        row
        for row in _ADVICE.rows
        if os in row.os and fits(cuda, row.cuda) and fits(version, row.pytorch3d)
    )
    if os == "macos":
        return advice
    bundled = CUB.row(cuda)
    flags = {"NVCC_FLAGS": advice.nvcc_flags} if advice.nvcc_flags else {}
    home = {"CUB_HOME": _HOME[os].format(advice.supply)} if advice.supply else {}
    return replace(
        advice,
        bundled=bundled.cub if bundled else None,
        env=home or flags,
        instead=flags if home else {},
    )


def cub_release(text: str) -> str:
    """Returns the CUB release that a number means: the 11.7 that people read into 1.17 is 1.17."""
    major, *rest = release(text)
    if major == _MISREAD_MAJOR and rest:
        return f"1.{10 + rest[0]}.0"
    return text


def cub_with(cuda: str, os: OsName, pytorch3d: str | None, cub: str | None) -> Verdict:
    """Says whether a build of PyTorch3D has the CUB that it needs.

    Args:
        cuda: Version of the toolkit.
        os: Operating system.
        pytorch3d: Version to build; the newest when None.
        cub: Release in CUB_HOME; None when nothing is there.
    """
    advice = cub_for(cuda, os, pytorch3d)
    settings = [f"{name}={value}" for name, value in (advice.instead or advice.env).items()]
    if cub is None and advice.supply:
        ways = [f"CUB {advice.supply} ({advice.download}) in CUB_HOME, the folder that holds cub/"]
        ways += [f"or {each} instead" for each in settings if advice.instead]
        return judged("limited", advice.why, "; ".join(ways), advice)
    if cub is None:
        return judged("limited" if settings else "yes", advice.why, "; ".join(settings), advice)
    problem = _cub_problem(cub, cuda, os, advice)
    if not problem:
        return judged("yes", f"CUB {cub} in CUB_HOME is right: {advice.why}", "", advice)
    if advice.supply:
        return no(problem, f"CUB {advice.supply} in CUB_HOME", advice)
    return no(problem, "; ".join(["unset CUB_HOME", *settings]), advice)


def _cub_problem(cub: str, cuda: str, os: OsName, advice: CubAdvice) -> str:
    """What is wrong with giving a CUB release to a build; empty when it is fine."""
    if not advice.needed:
        own = advice.bundled or "one"
        return f"CUB {cub} in CUB_HOME replaces the {own} of CUDA {cuda}: {advice.why}"
    if os == "windows" and advice.bundled and release(cub) < (1, 16):
        return f"CUB {cub} still has the name that breaks the build on Windows: {advice.why}"
    if release(cub) > (1, 17, 2):
        return f"CUB {cub} belongs to CUDA 12; give it {advice.supply}"
    if not advice.bundled and release(cub) < (1, 8):
        return f"CUB {cub} is older than the {advice.supply} that PyTorch3D's instructions name"
    return ""


def _reaches(driver: str, needed: str) -> bool:
    """Whether a driver is not older than another; 460.32, as people write it, is any 460.32."""
    have = release(driver)
    return have >= release(needed)[: len(have)]


def _or_older_build(driver: str, os: OsName) -> str:
    """Names what the driver does run: a whole family from CUDA 11 on, single releases before."""
    newest = newest_cuda(driver, os)
    if newest is None:
        return ""
    if _family(newest) is not None:
        return f", or a build for CUDA {family(newest)}"
    return f", or a build for CUDA {newest} or older"


def _family(cuda: str) -> _Family | None:
    return next((row for row in _FAMILIES.rows if row.family == family(cuda)), None)


def _releases(cuda: str) -> tuple[CudaRelease, ...]:
    """The releases that a version names: one update of 11.7 when it says 11.7.1, else them all.

    A longer number, such as the runtime library's 12.1.105, names no update.
    """
    of_series = tuple(row for row in TOOLKITS.rows if series(row.cuda) == series(cuda))
    exact = tuple(row for row in of_series if release(row.cuda) == release(cuda))
    return exact or of_series
