"""NVIDIA's driver and the CUDA versions that it runs."""

from dataclasses import dataclass

from labcore.doctor.tables.tables import rows
from labcore.doctor.tables.verdict import OsName, Rule, Verdict, no, or_unknown
from labcore.doctor.tables.versions import cuda_of_tag, family, release, series

__all__ = ["CudaFamily", "CudaRelease", "driver_for", "driver_runs", "last_cuda", "newest_cuda"]

_FIRST_FAMILY_WITH_MINOR_COMPATIBILITY = 11
NVIDIA_MACOS = Rule(("nv-relnotes-13.1",))
"""There is no CUDA for macOS."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CudaRelease:
    """A CUDA toolkit and the driver that it came with."""

    cuda: str
    linux: str
    windows: str | None
    sources: tuple[str, ...]
    verified: bool
    note: str = ""

    def driver(self, os: OsName) -> str | None:
        """The toolkit's driver on an operating system; None where NVIDIA names none."""
        return self.windows if os == "windows" else self.linux


@dataclass(frozen=True, kw_only=True, slots=True)
class CudaFamily:
    """The least driver that runs every release of a CUDA family."""

    family: int
    linux: str
    windows: str
    sources: tuple[str, ...]
    verified: bool

    def driver(self, os: OsName) -> str:
        """The least driver on an operating system."""
        return self.windows if os == "windows" else self.linux


def last_cuda() -> str:
    """Returns the newest CUDA release that the table knows."""
    return series(rows("cuda_driver", CudaRelease)[-1].cuda)


@or_unknown
def driver_runs(driver: str, cuda: str, os: OsName = "linux") -> Verdict:
    """Says whether a driver runs programs that were built with a CUDA release.

    A driver at or above the toolkit's own runs everything of it; one at or above the family's
    least runs it by minor-version compatibility, which is ``limited``: a feature newer than the
    driver fails, and PTX of a newer toolkit cannot be compiled at start.
    """
    if os == "macos":
        return no(
            "NVIDIA has made no driver for macOS since CUDA 10.2",
            "compute on the CPU",
            NVIDIA_MACOS,
        )
    cuda = cuda_of_tag(cuda)
    least = _family(cuda)
    releases = _releases(cuda)
    sources = _sources(cuda)
    if least is not None and not _reaches(driver, least.driver(os)):
        return no(
            f"CUDA {cuda} needs driver {least.driver(os)} or newer, and this is {driver}",
            f"a driver {least.driver(os)} or newer{_or_older_build(driver, os)}",
            least,
        )
    if not releases:
        return Verdict(
            state="unknown",
            why=f"CUDA {cuda} is not in the table, which ends at {last_cuda()}",
            sources=sources,
        )
    needed = min((each for row in releases if (each := row.driver(os))), key=release, default=None)
    if needed is None or _reaches(driver, needed):
        return Verdict(
            state="yes",
            why=f"driver {driver} is not older than the {needed or _floor(cuda, os)} that "
            f"CUDA {cuda} asks for",
            sources=sources,
        )
    if least is None:
        return no(
            f"CUDA {cuda} needs driver {needed} or newer, and this is {driver}; before CUDA 11 "
            "there is no compatibility between minor versions",
            f"a driver {needed} or newer{_or_older_build(driver, os)}",
            *releases,
        )
    return Verdict(
        state="limited",
        why=f"driver {driver} is older than the {needed} that CUDA {cuda} came with, but not older "
        f"than {least.driver(os)}, from which on programs of the whole CUDA {least.family} family "
        "run",
        fix=f"nothing for ordinary use; a feature newer than the driver, or code that is compiled "
        f"at start, needs driver {needed}",
        sources=sources,
    )


def newest_cuda(driver: str, os: OsName = "linux") -> str | None:
    """Returns the newest CUDA release that a driver fully supports; None for an older driver.

    NVIDIA names no Windows driver for CUDA 13 and later: there the first release of the newest
    family that the driver reaches is returned.
    """
    reached = [
        row.cuda
        for row in rows("cuda_driver", CudaRelease)
        if (needed := row.driver(os)) and _reaches(driver, needed)
    ]
    reached += [
        f"{row.family}.0"
        for row in rows("cuda_driver", CudaFamily, "families")
        if _reaches(driver, row.driver(os))
    ]
    return series(max(reached, key=release)) if reached else None


def driver_for(cuda: str, os: OsName = "linux") -> str | None:
    """Returns the least driver that runs a CUDA release: the family's least from CUDA 11 on.

    None when the table does not know the release, or the operating system has no driver.
    """
    cuda = cuda_of_tag(cuda)
    return None if os == "macos" else _floor(cuda, os)


def _reaches(driver: str, needed: str) -> bool:
    """Whether a driver is not older than another; 460.32, as people write it, is any 460.32."""
    have = release(driver)
    return have >= release(needed)[: len(have)]


def _or_older_build(driver: str, os: OsName) -> str:
    """Names what the driver does run: a whole family from CUDA 11 on, single releases before."""
    newest = newest_cuda(driver, os)
    if newest is None:
        return ""
    if family(newest) >= _FIRST_FAMILY_WITH_MINOR_COMPATIBILITY:
        return f", or a build for CUDA {family(newest)}"
    return f", or a build for CUDA {newest} or older"


def _floor(cuda: str, os: OsName) -> str | None:
    least = _family(cuda)
    if least is not None:
        return least.driver(os)
    known = [each for row in _releases(cuda) if (each := row.driver(os))]
    return min(known, key=release, default=None)


def _family(cuda: str) -> CudaFamily | None:
    number = family(cuda)
    if number < _FIRST_FAMILY_WITH_MINOR_COMPATIBILITY:
        return None
    families = rows("cuda_driver", CudaFamily, "families")
    return next((row for row in families if row.family == number), None)


def _releases(cuda: str) -> tuple[CudaRelease, ...]:
    """The releases that a version names: one update of 11.7 when it says 11.7.1, else them all.

    A longer number, such as the runtime library's 12.1.105, names no update.
    """
    of_series = tuple(
        row for row in rows("cuda_driver", CudaRelease) if series(row.cuda) == series(cuda)
    )
    exact = tuple(row for row in of_series if release(row.cuda) == release(cuda))
    return exact or of_series


def _sources(cuda: str) -> tuple[str, ...]:
    least = _family(cuda)
    named = [source for row in _releases(cuda) for source in row.sources]
    return tuple(dict.fromkeys([*named, *(least.sources if least else ())]))
