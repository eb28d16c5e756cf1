"""Checks of the installed PyTorch3D: does its compiled part fit the torch beside it?"""

from labcore.discovery import install_command
from labcore.doctor.check import check
from labcore.doctor.checks.verdicts import from_verdict
from labcore.doctor.finding import Finding, failure, ok, unknown, warning
from labcore.doctor.machine import CompiledExtension, Machine
from labcore.doctor.tables import pytorch3d_for, pytorch3d_wheel, pytorch3d_with

__all__ = ["installed_release"]

_WHEELS = ("pytorch3d", "easypytorch3d", "pipablepytorch3d")
"""Distributions that bring the package ``pytorch3d``."""
_COMPILED_WHEEL = "easypytorch3d"
"""Comes compiled; the others are built on the machine, for the torch that is there."""
_PLAN = "lab env plan pytorch3d prints how to get one that fits"


@check("pytorch3d", "pytorch3d", "PyTorch3D")
def _pytorch3d(machine: Machine) -> Finding:
    found = _installed(machine)
    if found is not None:
        name, version = found
        of = "" if name == "pytorch3d" else f" (from {name})"
        return ok(f"PyTorch3D {version}{of}", distribution=name, version=version)
    if machine.packages is None:
        return unknown("whether PyTorch3D is installed is not known")
    return ok(f"not installed ({install_command('render')}, or lab env plan pytorch3d)")


@check("p3d-torch", "pytorch3d", "release against torch")
def _with_torch(machine: Machine) -> Finding | None:
    found, torch = _installed(machine), machine.torch
    if found is None or torch is None:
        return None
    name, version = found
    extension = machine.pytorch3d
    if extension and not (extension.missing_symbols or extension.missing_libraries):
        return ok(f"PyTorch3D {version} fits torch {torch.version}: its symbols are all there")
    number = torch.version.split("+")[0]
    system = machine.os or "linux"
    if name == _COMPILED_WHEEL and not pytorch3d_wheel(
        number, torch.cuda, system, pytorch3d=_release(version)
    ):
        return warning(
            f"{name} {version} was not compiled for torch {torch.version}",
            cause='its compiled part fits the torch it was made for alone: "undefined symbol"',
            fix=f"{_torch_wanted(machine)}{_PLAN}",
            torch=torch.version,
        )
    return from_verdict(
        pytorch3d_with(_release(version), number, torch.cuda, system, machine.python),
        good=f"PyTorch3D {version} goes with torch {torch.version}",
        bad=f"PyTorch3D {version} was not made for torch {torch.version}",
        fix=f"{_fitting(machine)}{_PLAN}",
        worst="warning",
        distribution=name,
        torch=torch.version,
    )


@check("p3d-abi", "pytorch3d", "symbols against torch", "pytorch3d")
def _abi(machine: Machine, extension: CompiledExtension) -> Finding | None:
    torch = machine.torch.version if machine.torch is not None else "this torch"
    if not extension.missing_symbols:
        return ok(f"PyTorch3D's compiled part finds all its symbols in torch {torch}")
    count = len(extension.missing_symbols)
    return failure(
        f"PyTorch3D's compiled part was built for another torch than {torch}",
        cause=f"it wants {count} symbol{'s' if count > 1 else ''} that this torch does not have "
        f"(the first: {extension.missing_symbols[0]}); importing it ends in "
        '"undefined symbol"',
        fix=f"{_torch_wanted(machine)}{_fitting(machine)}{_PLAN}",
        sources=("pytorch3d 791", "pytorch3d 1315", "pytorch3d 1608", "pytorch3d 2013"),
        path=extension.path,
        missing=list(extension.missing_symbols[:8]),
    )


@check("p3d-needed", "pytorch3d", "libraries that it needs", "pytorch3d")
def _needed(machine: Machine, extension: CompiledExtension) -> Finding | None:
    missing = extension.missing_libraries
    if not missing:
        return ok("PyTorch3D's compiled part finds the libraries that it needs")
    cpu_torch = machine.torch is not None and machine.torch.cuda == ""
    return failure(
        f"PyTorch3D's compiled part needs {', '.join(missing)}, which is nowhere",
        cause="it was built with CUDA, and this torch is a CPU build"
        if cpu_torch
        else "it was built for another CUDA family than this torch",
        fix=f"{_torch_wanted(machine) or 'install the CUDA build of torch that it was made for; '}"
        f"{_PLAN}",
        path=extension.path,
        missing=list(missing),
    )


@check("import-order", "pytorch3d", "order of imports", "pytorch3d")
def _import_order(machine: Machine, extension: CompiledExtension) -> Finding | None:
    if extension.has_runpath is None:
        return None
    if extension.has_runpath:
        return ok("PyTorch3D finds torch's libraries by itself")
    return warning(
        "PyTorch3D's compiled part loads only after torch",
        cause='it does not know where torch is: "libc10.so: cannot open shared object file"',
        fix="import torch before pytorch3d (the lab does)",
        sources=("pytorch3d 1316",),
        path=extension.path,
    )


@check("p3d-cuda-missing", "pytorch3d", "its CUDA part", "pytorch3d")
def _cuda(machine: Machine, extension: CompiledExtension) -> Finding | None:
    if extension.has_cuda is None or not machine.cards:
        return None
    if extension.has_cuda:
        return ok("PyTorch3D has its CUDA part", runtime=extension.needs_cuda_runtime)
    return warning(
        "PyTorch3D was built without CUDA, and there is a GPU",
        cause='tensors on the GPU give "Not compiled with GPU support"',
        fix=f"build it again with FORCE_CUDA=1; {_PLAN}",
        path=extension.path,
    )


def _installed(machine: Machine) -> tuple[str, str] | None:
    found = ((name, machine.version(name)) for name in _WHEELS)
    return next(((name, version) for name, version in found if version is not None), None)


def installed_release(machine: Machine) -> str | None:
    """Returns the release of PyTorch3D that is installed, whoever packed it."""
    found = _installed(machine)
    return _release(found[1]) if found is not None else None


def _release(version: str) -> str:
    """0.7.9 of 0.7.9.post1: the repackaged wheels add a number of their own."""
    return version.split("+")[0].partition(".post")[0]


def _torch_wanted(machine: Machine) -> str:
    """What the installed wheel itself asks for, when it does."""
    found = _installed(machine)
    asked = (machine.requirements or {}).get(found[0], ()) if found is not None else ()
    wanted = next((text for text in asked if text.replace(" ", "").startswith("torch")), "")
    wanted = wanted.partition(";")[0].strip()
    return f'pip install "{wanted}"; or ' if any(sign in wanted for sign in "=<>") else ""


def _fitting(machine: Machine) -> str:
    """Releases of PyTorch3D that go with the torch that is here."""
    if machine.torch is None:
        return ""
    versions = pytorch3d_for(machine.torch.version.split("+")[0])
    return f"PyTorch3D {', '.join(map(str, versions))} goes with this torch; " if versions else ""
