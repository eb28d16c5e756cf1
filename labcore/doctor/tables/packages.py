"""What packages ask of Python and of the frameworks, by the metadata of their wheels."""

from dataclasses import dataclass
from typing import Literal

from labcore.doctor.tables.pytorch3d import last_pytorch3d, pytorch3d_row
from labcore.doctor.tables.tables import row_of, rows
from labcore.doctor.tables.tensorflow import last_tensorflow, tensorflow_row
from labcore.doctor.tables.torch import last_torch, torch_row
from labcore.doctor.tables.verdict import PYPI, Row, Rule, Verdict, judged, no, or_unknown, unknown
from labcore.doctor.tables.versions import fits, parse_version, release, series, span

__all__ = [
    "PYTHONS",
    "Companion",
    "PackageRow",
    "needs_old_numpy",
    "package_row",
    "package_rows",
    "python_fits",
    "python_for",
    "with_framework",
]

Companion = Literal["numpy", "keras", "torchvision", "lightning", "kornia", "timm"]
_NUMPY_2 = Rule(("numpy-2",))
_FIRST_WITH_NUMPY_2 = {"torch": (2, 3), "tensorflow": (2, 18)}
"""First releases that were compiled against NumPy 2."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PackageRow:
    """The newest release of a series of a package."""

    package: str
    version: str
    python: str
    asks: dict[str, str]
    """Package to range."""
    sources: tuple[str, ...]
    verified: bool


def package_rows(package: str) -> tuple[PackageRow, ...]:
    """Returns the rows of a package, oldest first."""
    return tuple(row for row in rows("packages", PackageRow) if row.package == package)


def package_row(package: str, version: str) -> PackageRow | None:
    """Returns the row of the series of a release; None when it is unknown."""
    return row_of(package_rows(package), "version", version)


def needs_old_numpy(framework: str, version: str) -> bool:
    """Whether a release of torch or TensorFlow was compiled before there was NumPy 2."""
    return release(series(version)) < _FIRST_WITH_NUMPY_2[framework]


@or_unknown
def with_framework(package: Companion, version: str, framework: str, other: str) -> Verdict | None:
    """Says whether a package goes with a release of torch or TensorFlow.

    Args:
        package: The package.
        version: Its version.
        framework: torch or tensorflow.
        other: The framework's version.

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
    row = package_row(package, version)
    specifier = None if row is None else row.asks.get(framework)
    newest = None if row is None else row.version
    if framework == "tensorflow":
        tensorflow = tensorflow_row(other)
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
        Rule(PYPI.sources, is_sure),
    )


PYTHONS = ("3.7", "3.8", "3.9", "3.10", "3.11", "3.12", "3.13", "3.14")
"""Python versions that can be proposed, oldest first."""


def python_for(package: str, version: str) -> str | None:
    """Returns the range of Python versions, ``>=3.10,<3.15``; None when it is not known.

    Args:
        package: torch, tensorflow, pytorch3d or one of the packages beside them.
        version: Its version.
    """
    found = _row(package, version)
    return None if found is None else found[0]


@or_unknown
def python_fits(package: str, version: str, python: str) -> Verdict:
    """Says whether a release of a package goes with a Python version."""
    found = _row(package, version)
    if found is None:
        return unknown(f"{package} {version} is not in the table, which ends at {_last(package)}")
    specifier, row = found
    if fits(python, specifier):
        why = f"{package} {version} is for Python {span(specifier)}"
        return judged("yes", why, "", row)
    if package == "pytorch3d" and parse_version(python) >= parse_version("3.11"):
        return Verdict(
            state="limited",
            why=f"{package} {version} names Python {span(specifier)}, and this is {python}; built "
            "from source it usually goes with a newer one, which nobody promises",
            sources=row.sources,
        )
    fitting = [each for each in PYTHONS if fits(each, specifier)]
    return no(
        f"{package} {version} is for Python {span(specifier)}, and this is {python}: pip finds no "
        "wheel, or starts to build one",
        f"Python {fitting[-1]}" if fitting else f"another {package}",
        row,
    )


def _row(package: str, version: str) -> tuple[str, Row] | None:
    if package == "torch":
        torch = torch_row(version)
        return None if torch is None else (torch.python, PYPI)
    if package == "tensorflow":
        tensorflow = tensorflow_row(version)
        return None if tensorflow is None else (tensorflow.python, PYPI)
    if package == "pytorch3d":
        pytorch3d = pytorch3d_row(version)
        return None if pytorch3d is None else (pytorch3d.python, pytorch3d)
    if not package_rows(package):
        raise LookupError(f"no table has the Python versions of {package}")
    row = package_row(package, version)
    return None if row is None else (row.python, PYPI)


def _last(package: str) -> str:
    newest = {"torch": last_torch, "tensorflow": last_tensorflow, "pytorch3d": last_pytorch3d}
    return newest[package]() if package in newest else package_rows(package)[-1].version
