"""Checks of Python itself and of how it is set up."""

from collections.abc import Iterator

from labcore.doctor.check import check
from labcore.doctor.finding import Finding, failure, ok, warning
from labcore.doctor.machine import Machine
from labcore.doctor.tables import parse_version, python_fits

_SUPPORTED = ((3, 11), (3, 13))
_OWN_BINDING = 12
"""From its version 12 on the package called pynvml only carries nvidia-ml-py along."""


@check("python", "python", "Python", needs=("python",))
def _python(machine: Machine) -> Finding:
    version = machine.python or ""
    least, newest = _SUPPORTED
    # A report may come from a machine that never ran the lab.
    if machine.origin == "here" and not least <= parse_version(version).release[:2] <= newest:
        return failure(
            f"Python {version} is not one that the lab is tested with",
            cause="it needs 3.11 to 3.13: older ones lack syntax, newer ones have no wheels of the "
            "frameworks yet",
            fix="uv venv --python 3.11 (or conda create -n lab python=3.11), then install again",
            python=version,
        )
    where = {None: "", True: " in a virtual environment", False: " of the system"}[machine.in_venv]
    where = " of conda" if machine.is_conda else where
    return ok(f"Python {version}{where}", python=version, in_venv=machine.in_venv)


@check("py-range", "python", "frameworks against Python", needs=("python", "packages"))
def _py_range(machine: Machine) -> Iterator[Finding]:
    version = machine.python or ""
    builds = {"torch": machine.torch, "tensorflow": machine.tensorflow}
    for package in ("torch", "tensorflow", "pytorch3d"):
        build = builds.get(package)
        installed = build.version if build is not None else machine.version(package)
        if not installed:
            continue
        verdict = python_fits(package, installed, version)
        if verdict.state in {"no", "doubtful"}:
            yield warning(
                f"{package} {installed} was not made for Python {version}",
                cause=f"{verdict.why}; it was built by hand, or will not install again",
                fix=verdict.fix or f"pip install -U {package}, or another Python",
                sources=verdict.sources,
                python=version,
                package=f"{package} {installed}",
            )
        elif verdict.state in {"yes", "limited"}:
            yield ok(f"{package} {installed} is made for Python {version}", why=verdict.why)


@check("pynvml", "python", "NVIDIA's Python binding", needs=("packages",))
def _pynvml(machine: Machine) -> Finding | None:
    other, own = machine.version("pynvml"), machine.version("nvidia-ml-py")
    if other is None or int(other.split(".")[0]) >= _OWN_BINDING:
        return ok(f"pynvml is NVIDIA's own ({own})") if own is not None else None
    shadowed = machine.modules.get("pynvml") == "pynvml"
    return warning(
        f"the package pynvml {other} is installed"
        + (" and hides NVIDIA's own binding" if shadowed else " beside NVIDIA's own binding"),
        cause="both call themselves pynvml when imported; the old one knows no new call, and torch "
        "warns about it",
        fix="pip uninstall -y pynvml && pip install --force-reinstall nvidia-ml-py",
        pynvml=other,
        imported=machine.modules.get("pynvml"),
    )


@check("bytecode", "python", "compiled byte code")
def _bytecode(machine: Machine) -> Finding | None:
    if machine.has_bytecode is None:
        return None
    if machine.has_bytecode:
        return ok("packages are compiled once")
    if not machine.variable("PYTHONDONTWRITEBYTECODE"):
        return ok("packages will be compiled at first import")
    return warning(
        "every start compiles the frameworks anew",
        cause="uv installs packages uncompiled, and PYTHONDONTWRITEBYTECODE keeps Python from "
        "saving what it compiles: an import of torch takes seconds longer, each time",
        fix="unset PYTHONDONTWRITEBYTECODE; or compile them once: python -m compileall -q "
        "\"$(python -c 'import site; print(site.getsitepackages()[0])')\"",
    )


@check("python-path", "python", "PYTHONPATH and PYTHONHOME")
def _python_path(machine: Machine) -> Iterator[Finding]:
    home = machine.variable("PYTHONHOME")
    if home:
        yield warning(
            f"PYTHONHOME={home} points Python at another standard library",
            cause="modules of two Pythons are mixed: imports fail in strange ways",
            fix="unset PYTHONHOME",
        )
    path = machine.variable("PYTHONPATH").split(":")
    foreign = [each for each in path if "site-packages" in each or "dist-packages" in each]
    if foreign:
        yield warning(
            f"PYTHONPATH puts {foreign[0]} before this environment's packages",
            cause="packages of another environment, perhaps for another Python, win over those "
            "that are installed here",
            fix="unset PYTHONPATH, and install what is missing into this environment",
            folders=foreign,
        )
    if machine.environ is not None and not home and not foreign:
        yield ok("no variable points Python elsewhere")
