"""Checks of installed packages against what other installed packages ask for."""

from collections.abc import Iterator
from dataclasses import dataclass

from labcore.doctor.check import check
from labcore.doctor.finding import Finding, failure, ok, say, warning
from labcore.doctor.machine import Machine
from labcore.doctor.tables import TENSORFLOW, parse_version

__all__ = ["Conflict", "conflicts"]

_TOLD_APART = ("numpy", "protobuf", "torch")
"""Packages whose conflicts have a check of their own."""
_FRAMEWORKS = ("tensorflow", "torch", "torchvision", "tf-keras", "tensorflow-model-optimization")
_SHOWN = 4


@dataclass(frozen=True, slots=True)
class Conflict:
    """A requirement that is not met."""

    owner: str
    """Who asks."""
    package: str
    specifier: str
    installed: str
    """Empty when the package is missing."""
    is_sure: bool = True
    """Whether the packages themselves say so, or a row that was checked."""

    def __str__(self) -> str:
        wanted = f"{self.package}{self.specifier}"
        if not self.installed:
            return f"{self.owner} wants {wanted}, which is not installed"
        return f"{self.owner} wants {wanted}, and {self.installed} is installed"


def conflicts(machine: Machine, package: str = "") -> Iterator[Conflict]:
    """Yields the requirements, of one package or of all, that what is installed does not meet."""
    from packaging.requirements import InvalidRequirement, Requirement
    from packaging.utils import canonicalize_name

    packages = machine.packages or {}
    for owner, texts in (machine.requirements or {}).items():
        for text in texts:
            if package not in text.lower():  # reading a requirement takes long
                continue
            try:
                asked = Requirement(text)
            except InvalidRequirement:  # an old package; pip reads it, we need not
                continue
            if asked.marker is not None and not asked.marker.evaluate({"extra": ""}):
                continue
            name = canonicalize_name(asked.name)
            installed = packages.get(name, "")
            if package not in ("", name):
                continue
            if not installed or not asked.specifier.contains(installed, prereleases=True):
                yield Conflict(owner, name, str(asked.specifier), installed)


@check(
    "package-conflicts", "python", "packages against each other", needs=("packages", "requirements")
)
def _package_conflicts(machine: Machine) -> Finding:
    found = [each for each in conflicts(machine) if each.package not in _TOLD_APART]
    if not found:
        count = len(machine.packages or ())
        return ok("the packages agree on each other's versions", packages=count)
    shown = "; ".join(map(str, found[:_SHOWN]))
    more = f"; and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    wanted = " ".join(f'"{each.package}{each.specifier}"' for each in found[:_SHOWN])
    return warning(
        f"{len(found)} packages do not find what they ask for" if len(found) > 1 else str(found[0]),
        cause=f"{shown}{more}",
        fix=f"pip install {wanted}, or a fresh environment from env/",
        conflicts=[str(each) for each in found],
    )


@check("protobuf", "python", "protobuf", needs=("packages",))
def _protobuf(machine: Machine) -> Finding | None:
    return _of_package(
        machine,
        "protobuf",
        good="fits the packages that use it",
        cause='code generated for another protobuf fails: "Descriptors cannot be created directly"',
        sources=("tensorflow 56266", "tensorflow 59665", "tensorflow 60460"),
    )


@check("numpy-abi", "python", "NumPy against compiled packages", needs=("packages",))
def _numpy(machine: Machine) -> Iterator[Finding]:
    found = _of_package(
        machine,
        "numpy",
        good="fits the packages that were compiled against it",
        cause='compiled modules fail: "A module that was compiled using NumPy 1.x cannot be run in '
        'NumPy 2"',
    )
    if found is None:
        return
    yield found
    version, torch = machine.version("numpy") or "", machine.version("torch")
    if torch and parse_version(version).major >= 2 and parse_version(torch) < parse_version("2.3"):
        yield failure(
            f"torch {torch} was compiled against NumPy 1, and NumPy {version} is installed",
            cause="tensors and arrays cannot be turned into each other",
            fix='pip install "numpy<2"',
            numpy=version,
            torch=torch,
        )


def _of_package(
    machine: Machine, package: str, *, good: str, cause: str, sources: tuple[str, ...] = ()
) -> Finding | None:
    version = machine.version(package)
    if version is None:
        return None
    has_requirements = machine.requirements is not None
    ask = conflicts(machine, package) if has_requirements else _by_table(machine, package, version)
    found = list(ask)
    if not found:
        return ok(f"{package} {version} {good}", version=version, sources=sources)
    grave = any(each.owner in _FRAMEWORKS and each.is_sure for each in found)
    specifiers = ",".join(dict.fromkeys(each.specifier for each in found))
    return say(
        "failure" if grave else "warning",
        "; ".join(map(str, found[:_SHOWN])),
        cause=cause,
        fix=f'pip install "{package}{specifiers}"',
        sources=sources,
        version=version,
        conflicts=[str(each) for each in found],
    )


def _by_table(machine: Machine, package: str, version: str) -> Iterator[Conflict]:
    """What TensorFlow's release wants, for a report that lists versions only."""
    from packaging.specifiers import SpecifierSet

    tensorflow = machine.tensorflow.version if machine.tensorflow else machine.version("tensorflow")
    row = TENSORFLOW.row(tensorflow) if tensorflow else None
    specifier = SpecifierSet(getattr(row, package, None) or "")
    if not specifier.contains(version, prereleases=True):
        is_sure = row is not None and row.verified
        yield Conflict("tensorflow", package, str(specifier), version, is_sure)
