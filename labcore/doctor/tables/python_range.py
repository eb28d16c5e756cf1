"""Which Python versions a package's releases install on."""

from labcore.doctor.tables.packages import package_row, package_rows
from labcore.doctor.tables.pytorch3d import last_pytorch3d, pytorch3d_row
from labcore.doctor.tables.tensorflow import last_tensorflow, tensorflow_row
from labcore.doctor.tables.torch import last_torch, torch_row
from labcore.doctor.tables.verdict import PYPI, Row, Verdict, judged, no, or_unknown
from labcore.doctor.tables.versions import fits, parse_version, span

__all__ = ["PYTHONS", "python_fits", "python_for"]

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
        return Verdict(
            state="unknown",
            why=f"{package} {version} is not in the table, which ends at {_last(package)}",
        )
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
