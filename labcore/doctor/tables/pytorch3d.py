"""Releases of PyTorch3D: which torch each builds with, and the wheels that others make."""

from dataclasses import dataclass, replace

from labcore.doctor.tables.tables import Table, family, fits, release, series, span
from labcore.doctor.tables.torch import TORCH
from labcore.doctor.tables.verdict import OsName, Row, Verdict, judged, no, or_unknown

_FIRST_FAMILY_WITH_PULSAR_FLAGS = 13
_PULSAR_FLAGS = "--device-entity-has-hidden-visibility=false -static-global-template-stub=false"
_NEAR = 2
"""Torch releases past a stated range that a build can still be tried with."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PyTorch3DRow(Row):
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


@dataclass(frozen=True, kw_only=True, slots=True)
class PyTorch3DWheel(Row):
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

    @property
    def pip(self) -> str:
        """The command that installs it."""
        return f"pip install {self.package}=={self.version}"


PYTORCH3D = Table("pytorch3d", PyTorch3DRow, "pytorch3d", "PyTorch3D", has_patches=True)
_WHEELS = Table("pytorch3d", PyTorch3DWheel, key="wheels")


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
    for wheel in _WHEELS.rows:
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
    row, torch_ = PYTORCH3D.row(pytorch3d), TORCH.row(torch)
    if row is None:
        return PYTORCH3D.unknown(pytorch3d)
    if torch_ is None:
        return TORCH.unknown(torch)
    wheel = pytorch3d_wheel(torch, cuda, os, python, pytorch3d)
    if wheel is not None:
        why = f"the wheel {wheel.package} {wheel.version} is compiled for torch {span(wheel.torch)}"
        why += f" built for CUDA {wheel.cuda}" if wheel.cuda else ""
        if wheel.verified:
            return judged("yes", why, wheel.pip, wheel)
        return judged("limited", why, f"{wheel.pip} ({wheel.note})", wheel)
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
    for row in reversed(PYTORCH3D.rows):
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
    if torch_cxx >= 17 > row.cxx:
        return no(
            f"torch {torch} needs C++17, and PyTorch3D {row.pytorch3d} is compiled as "
            f"C++{row.cxx}; it names torch {span(row.torch)}",
            _others(torch),
            row,
            Row(sources=("pt-release-md",), verified=True),
        )
    needed = pulsar_flags(cuda) if cuda else ""
    flags = f'With CUDA 13 nvcc needs two flags for pulsar: NVCC_FLAGS="{needed}"' if needed else ""
    if fits(torch, row.torch):
        if flags:
            return judged("limited", text, flags, row)
        return judged("yes", f"{text}: it builds from source with that", "", row)
    distance = _releases_after(torch, row)
    named_elsewhere = any(fits(torch, each.torch) for each in PYTORCH3D.rows)
    is_newest = row == PYTORCH3D.rows[-1]
    if distance < 0 or (distance > _NEAR and (named_elsewhere or not is_newest)):
        return no(f"{text}, and this is {torch}", _others(torch), row)
    return judged(
        "limited",
        f"{text}; its authors have not tried {torch}. A build from source usually works, "
        "nobody promises it",
        f"build it from source and test it on a small render. {flags}".strip(),
        row,
    )


def _releases_after(torch: str, row: PyTorch3DRow) -> int:
    """How many torch releases lie between a range and a release after it; negative before it."""
    known = [each.torch for each in TORCH.rows]
    inside = [place for place, each in enumerate(known) if fits(each, row.torch)]
    place = known.index(series(torch))
    if not inside:
        return place + _NEAR + 1 if release(row.torch.split("=")[-1]) < release(torch) else -1
    # 2.0.1 is outside of a range that ends at 2.0.0, and no release after it.
    return place - inside[-1] if place >= inside[0] else -1


def _others(torch: str) -> str:
    """Names the releases that go with a torch."""
    naming = [each.pytorch3d for each in PYTORCH3D.rows if fits(torch, each.torch)]
    if not naming:
        return f"PyTorch3D {PYTORCH3D.last}"
    return f"PyTorch3D {naming[-1]}" + (f", the newest that names torch {torch}")
