"""Packages beside the frameworks: what each asks of them, by the metadata of its wheels."""

from dataclasses import dataclass
from typing import Literal

from labcore.doctor.tables.tables import row_of, rows
from labcore.doctor.tables.tensorflow import tensorflow_row
from labcore.doctor.tables.verdict import PYPI, Rule, Verdict, judged, no, or_unknown
from labcore.doctor.tables.versions import fits, release, series

__all__ = [
    "Companion",
    "PackageRow",
    "needs_old_numpy",
    "package_row",
    "package_rows",
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
