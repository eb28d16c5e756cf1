"""Releases of PyTorch3D: which torch each builds with, and the wheels that others make."""

from dataclasses import dataclass, replace

from labcore.doctor.tables.tables import rows
from labcore.doctor.tables.torch import last_torch, torch_row, torch_rows
from labcore.doctor.tables.verdict import OsName, Rule, Verdict, no, or_unknown, unknown
from labcore.doctor.tables.versions import family, fits, release, series, span

__all__ = [
    "PyTorch3DRow",
    "PyTorch3DWheel",
    "last_pytorch3d",
    "pulsar_flags",
    "pytorch3d_for",
    "pytorch3d_row",
    "pytorch3d_rows",
    "pytorch3d_wheel",
    "pytorch3d_with",
]


@dataclass(frozen=True, kw_only=True, slots=True)
class PyTorch3DRow:
    """A release of PyTorch3D."""

    pytorch3d: str
    date: str
    python: str
    torch: str
    """Range in its installation text."""
    cxx: int
    """C++ standard that its setup.py compiles with."""
    prebuilt: str
    """What upstream published for it."""
    sources: tuple[str, ...]
    verified: bool
    note: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class PyTorch3DWheel:
    """A third-party wheel, whose import name is pytorch3d."""

    package: str
    version: str
    pytorch3d: str
    torch: str
    cuda: str | None
    """CUDA family of the torch that it fits; None for a CPU build."""
    os: OsName
    python: str
    platform: str
    sources: tuple[str, ...]
    verified: bool
    note: str = ""

    @property
    def pip(self) -> str:
        """The command that installs it."""
        return f"pip install {self.package}=={self.version}"


_FIRST_FAMILY_WITH_PULSAR_FLAGS = 13
_PULSAR_FLAGS = "--device-entity-has-hidden-visibility=false -static-global-template-stub=false"
_NEAR = 2
"""Torch releases past a stated range that a build can still be tried with."""


def pytorch3d_rows() -> tuple[PyTorch3DRow, ...]:
    """Returns the releases, oldest first."""
    return rows("pytorch3d", PyTorch3DRow)


def pytorch3d_row(version: str) -> PyTorch3DRow | None:
    """Returns the row of a release; None when it is unknown."""
    wanted = release(version)
    return next((row for row in pytorch3d_rows() if release(row.pytorch3d) == wanted), None)


def last_pytorch3d() -> str:
    """Returns the newest PyTorch3D release that the table knows."""
    return pytorch3d_rows()[-1].pytorch3d


def pytorch3d_wheel(
    torch: str,
    cuda: str | None = None,
    os: OsName = "linux",
    python: str | None = None,
    pytorch3d: str | None = None,
) -> PyTorch3DWheel | None:
    """Returns a wheel whose compiled part fits a torch build.

    Args:
        torch: Version of torch.
        cuda: CUDA of its build; empty for a CPU build, None for any.
        os: Operating system.
        python: Python version; None for any.
        pytorch3d: Version wanted; None for any.
    """
    for wheel in rows("pytorch3d", PyTorch3DWheel, "wheels"):
        if wheel.os != os or not fits(torch, wheel.torch):
            continue
        if pytorch3d is not None and release(pytorch3d) != release(wheel.pytorch3d):
            continue
        if python is not None and not fits(python, wheel.python):
            continue
        if wheel.cuda is None or cuda is None or (cuda and family(cuda) == int(wheel.cuda)):
            return wheel
    return None


@or_unknown
def pytorch3d_with(
    pytorch3d: str,
    torch: str,
    cuda: str | None = None,
    os: OsName = "linux",
    python: str | None = None,
) -> Verdict:
    """Says whether a PyTorch3D release goes with a torch, as a wheel or built from source.

    Args:
        pytorch3d: Version of PyTorch3D.
        torch: Version of torch.
        cuda: CUDA of the torch build; empty for a CPU build, None when it does not matter.
        os: Operating system.
        python: Python version; None for any.
    """
    row, torch_ = pytorch3d_row(pytorch3d), torch_row(torch)
    if row is None:
        return unknown(
            f"PyTorch3D {pytorch3d} is not in the table, which ends at {last_pytorch3d()}"
        )
    if torch_ is None:
        return unknown(f"torch {torch} is not in the table, which ends at {last_torch()}")
    wheel = pytorch3d_wheel(torch, cuda, os, python, pytorch3d)
    if wheel is not None:
        return Verdict(
            state="yes" if wheel.verified else "limited",
            why=f"the wheel {wheel.package} {wheel.version} is compiled for torch "
            f"{span(wheel.torch)}" + (f" built for CUDA {wheel.cuda}" if wheel.cuda else ""),
            fix=wheel.pip if wheel.verified else f"{wheel.pip} ({wheel.note})",
            sources=wheel.sources,
        )
    verdict = _from_source(row, torch, torch_.cxx, cuda)
    other = pytorch3d_wheel(torch, None, os, python, pytorch3d)
    if other is None or verdict.state in ("no", "doubtful"):
        return verdict
    return replace(
        verdict,
        fix=f"{other.pip} with the torch build for CUDA {other.cuda}, which also runs without a "
        f"GPU; or {verdict.fix}",
    )


def pytorch3d_for(
    torch: str, cuda: str | None = None, os: OsName = "linux", python: str | None = None
) -> list[str]:
    """Returns the PyTorch3D releases that go with a torch: fully before limited, newest first.

    A Python newer than a release names is no obstacle to building it, only untried.
    """
    found: dict[str, list[str]] = {"yes": [], "limited": []}
    for row in reversed(pytorch3d_rows()):
        state = pytorch3d_with(row.pytorch3d, torch, cuda, os, python).state
        untried = python is not None and not fits(python, row.python)
        if untried and fits(python or "", f"<{row.python.split(',')[0].lstrip('>=')}"):
            continue
        if state in found:
            found["limited" if untried else state].append(row.pytorch3d)
    return [*found["yes"], *found["limited"]]


def pulsar_flags(cuda: str) -> str:
    """Returns the nvcc flags that the pulsar renderer needs and no release sets; empty for none."""
    return _PULSAR_FLAGS if family(cuda) >= _FIRST_FAMILY_WITH_PULSAR_FLAGS else ""


def _from_source(row: PyTorch3DRow, torch: str, torch_cxx: int, cuda: str | None) -> Verdict:
    """Judges a build from source by the text and the setup.py of a release."""
    text = f"PyTorch3D {row.pytorch3d} names torch {span(row.torch)}"
    sources = row.sources
    if torch_cxx >= 17 > row.cxx:
        return no(
            f"torch {torch} needs C++17, and PyTorch3D {row.pytorch3d} is compiled as "
            f"C++{row.cxx}; it names torch {span(row.torch)}",
            _others(torch),
            row,
            Rule(("pt-release-md",)),
        )
    needed = pulsar_flags(cuda) if cuda else ""
    flags = f'With CUDA 13 nvcc needs two flags for pulsar: NVCC_FLAGS="{needed}"' if needed else ""
    if fits(torch, row.torch):
        if flags:
            return Verdict(state="limited", why=text, fix=flags, sources=sources)
        return Verdict(state="yes", why=f"{text}: it builds from source with that", sources=sources)
    distance = _releases_after(torch, row)
    named_elsewhere = any(fits(torch, each.torch) for each in pytorch3d_rows())
    is_newest = row == pytorch3d_rows()[-1]
    if distance < 0 or (distance > _NEAR and (named_elsewhere or not is_newest)):
        return no(f"{text}, and this is {torch}", _others(torch), row)
    return Verdict(
        state="limited",
        why=f"{text}; its authors have not tried {torch}. A build from source usually works, "
        "nobody promises it",
        fix=f"build it from source and test it on a small render. {flags}".strip(),
        sources=sources,
    )


def _releases_after(torch: str, row: PyTorch3DRow) -> int:
    """How many torch releases lie between a range and a release after it; negative before it."""
    known = [each.torch for each in torch_rows()]
    inside = [place for place, each in enumerate(known) if fits(each, row.torch)]
    place = known.index(series(torch))
    if not inside:
        return place + _NEAR + 1 if release(row.torch.split("=")[-1]) < release(torch) else -1
    # 2.0.1 is outside of a range that ends at 2.0.0, and no release after it.
    return place - inside[-1] if place >= inside[0] else -1


def _others(torch: str) -> str:
    """Names the releases that go with a torch."""
    naming = [each.pytorch3d for each in pytorch3d_rows() if fits(torch, each.torch)]
    if not naming:
        return f"PyTorch3D {last_pytorch3d()}"
    return f"PyTorch3D {naming[-1]}" + (f", the newest that names torch {torch}")
