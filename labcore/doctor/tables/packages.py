"""What packages ask of Python and of the frameworks, by the metadata of their wheels."""

from dataclasses import dataclass
from typing import Any, Literal

from labcore.doctor.tables.pytorch3d import PYTORCH3D
from labcore.doctor.tables.tables import Table, fits, parse_version, release, row_of, series, span
from labcore.doctor.tables.tensorflow import TENSORFLOW
from labcore.doctor.tables.torch import TORCH
from labcore.doctor.tables.verdict import PYPI, Row, Verdict, judged, no, or_unknown, unknown

Companion = Literal["numpy", "keras", "torchvision", "lightning", "kornia", "timm"]
PYTHONS = ("3.7", "3.8", "3.9", "3.10", "3.11", "3.12", "3.13", "3.14")
"""Python versions that can be proposed, oldest first."""
_NUMPY_2 = Row(sources=("numpy-2",), verified=True)
_FIRST_WITH_NUMPY_2 = {"torch": (2, 3), "tensorflow": (2, 18)}
"""First releases that were compiled against NumPy 2."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PackageRow(Row):
    """The newest release of a series of a package."""

    package: str
    version: str
    python: str
    asks: dict[str, str]
    """Package to range."""


_PACKAGES = Table("packages", PackageRow, "version")
_FRAMEWORKS: dict[str, Table[Any]] = {
    "torch": TORCH,
    "tensorflow": TENSORFLOW,
    "pytorch3d": PYTORCH3D,
}


def package_rows(package: str) -> tuple[PackageRow, ...]:
    """Returns the rows of a package, oldest first."""
    return tuple(row for row in _PACKAGES.rows if row.package == package)


def needs_old_numpy(framework: str, version: str) -> bool:
    """Whether a release of torch or TensorFlow was compiled before there was NumPy 2."""
    return release(series(version)) < _FIRST_WITH_NUMPY_2[framework]


@or_unknown
def with_framework(package: str, framework: str, version: str, other: str) -> Verdict | None:
    """Says whether a package goes with a release of torch or TensorFlow.

    Args:
        package: The package.
        framework: torch or tensorflow.
        version: Of the package.
        other: Of the framework.

    Returns:
        None when neither asks anything of the other.
    """
    if package == "numpy" and fits(version, ">=2") and needs_old_numpy(framework, other):
        why = f"{framework} {other} was compiled against NumPy 1, and this is NumPy {version}"
        if framework == "tensorflow":
            return no(f"{why}: importing it fails", 'pip install "numpy<2"', _NUMPY_2)
        why += ": tensors and arrays cannot be turned into each other"
        return judged("limited", why, 'pip install "numpy<2"', _NUMPY_2)
    asker, asked, asking, found = f"{package} {version}", framework, version, other
    row = row_of(package_rows(package), "version", version)
    specifier = None if row is None else row.asks.get(framework)
    newest = None if row is None else row.version
    if framework == "tensorflow":
        tensorflow = TENSORFLOW.row(other)
        if tensorflow is not None:
            specifier = {"numpy": tensorflow.numpy, "keras": tensorflow.keras}.get(package)
            newest = tensorflow.newest
        asker, asked, asking, found = f"tensorflow {other}", package, other, version
    if specifier is None or newest is None:
        return None
    why = f"{asker} asks for {asked}{specifier}"
    if fits(found, specifier):
        return judged("yes", f"{why}, which {found} is", "", PYPI)
    # A row has what the newest patch of its series asks for; an older one may ask for less.
    is_sure = len(release(asking)) < 3 or release(asking) == release(newest)
    return no(
        f"{why}, and this is {found}",
        f'pip install "{asked}{specifier}"',
        Row(sources=PYPI.sources, verified=is_sure),
    )


def python_for(package: str, version: str) -> str | None:
    """Returns the range of Python versions, ``>=3.10,<3.15``; None when it is not known.

    Args:
        package: torch, tensorflow, pytorch3d or one of the packages beside them.
        version: Its version.
    """
    if package in _FRAMEWORKS:
        framework = _FRAMEWORKS[package].row(version)
        return None if framework is None else str(framework.python)
    row = row_of(package_rows(package), "version", version)
    return None if row is None else row.python


@or_unknown
def python_fits(package: str, version: str, python: str) -> Verdict:
    """Says whether a release of a package goes with a Python version."""
    specifier = python_for(package, version)
    if specifier is None:
        known = package_rows(package)
        last = known[-1].version if known else _FRAMEWORKS[package].last
        return unknown(f"{package} {version} is not in the table, which ends at {last}")
    row = PYTORCH3D.row(version) if package == "pytorch3d" else None
    evidence = row or PYPI
    if fits(python, specifier):
        why = f"{package} {version} is for Python {span(specifier)}"
        return judged("yes", why, "", evidence)
    if row is not None and parse_version(python) >= parse_version("3.11"):
        return judged(
            "limited",
            f"{package} {version} names Python {span(specifier)}, and this is {python}; built "
            "from source it usually goes with a newer one, which nobody promises",
            "",
            row,
        )
    fitting = [each for each in PYTHONS if fits(each, specifier)]
    return no(
        f"{package} {version} is for Python {span(specifier)}, and this is {python}: pip finds no "
        "wheel, or starts to build one",
        f"Python {fitting[-1]}" if fitting else f"another {package}",
        evidence,
    )
