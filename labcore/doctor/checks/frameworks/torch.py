"""Checks of the installed torch and of what goes with it."""

from collections.abc import Iterator

from labcore.discovery import install_command
from labcore.doctor.check import check
from labcore.doctor.checks.requirements import conflicts
from labcore.doctor.checks.verdicts import built, from_verdict
from labcore.doctor.finding import Finding, failure, ok, say, unknown, warning
from labcore.doctor.machine import Card, Machine, TorchBuild
from labcore.doctor.tables import torch_for, torchvision_with

_DEBUG_SWITCHES = {
    "CUDA_LAUNCH_BLOCKING": ("1", "each kernel is waited for: several times slower"),
    "PYTORCH_NO_CUDA_MEMORY_CACHING": ("1", "each tensor is allocated by the driver: much slower"),
    "TORCH_COMPILE_DISABLE": ("1", "torch.compile does nothing"),
    "TORCHDYNAMO_DISABLE": ("1", "torch.compile does nothing"),
}
_TORCH_COMPANIONS = ("torchvision", "torchaudio", "easypytorch3d", "xformers", "triton")


@check("torch", "torch", "torch and its build")
def _torch(machine: Machine) -> Finding | None:
    build = machine.torch
    if build is None:
        if machine.version("torch"):
            return failure(
                f"torch {machine.version('torch')} is recorded as installed, but its files are not "
                "there",
                cause="an installation was interrupted, or removed by hand",
                fix="pip install --force-reinstall --no-deps torch",
            )
        if machine.packages is None:
            return unknown("whether torch is installed is not known")
        return ok(f"not installed ({install_command('torch')})")
    return built("torch", build, hip=build.hip)


@check("torch-cpu-build", "torch", "build against the GPU", "cards")
def _cpu_build(machine: Machine, cards: tuple[Card, ...]) -> Finding | None:
    build = machine.torch
    if build is None or build.cuda is None or build.hip:
        return None
    if build.cuda:
        return ok("torch can use the GPU", cuda=build.cuda)
    card = cards[0]
    choice = torch_for(
        capability=card.compute_capability,
        driver=machine.driver or None,
        os=machine.os or "linux",
        python=machine.python,
    )
    return warning(
        f"torch {build.version} is a CPU build, and there is a {card.name}",
        cause='it cannot use the GPU: "Torch not compiled with CUDA enabled"',
        fix=choice.pip if choice is not None else "install a CUDA build: https://pytorch.org",
        version=build.version,
    )


@check("pip-file-clobber", "torch", "CUDA wheels that overwrite each other", needs=("owners",))
def _clobber(machine: Machine) -> Finding | None:
    owners = machine.owners or {}
    if not owners:
        has_wheels = any(name.startswith("nvidia-cu") for name in machine.packages or ())
        return ok("each file of the CUDA wheels belongs to one package") if has_wheels else None
    names = next(iter(owners.values()))
    major = (machine.torch.cuda or "").split(".")[0] if machine.torch is not None else ""
    of_torch = (name for name in names if major and name.endswith(f"cu{major}"))
    builds = {"torch": machine.torch, "tensorflow": machine.tensorflow}
    asked = "".join(f" {name}={each.version}" for name, each in builds.items() if each)
    return say(
        "failure" if machine.cards else "warning",
        f"{' and '.join(names)} own the same {len(owners)} files",
        cause=f"the one that was installed last has overwritten the other (here {names[0]} is on "
        "disk), and removing either deletes them for both; torch and TensorFlow then load a "
        "library that they were not built with",
        fix="one environment for each framework; or a pair that shares one set (lab doctor "
        f"--explain{asked} tells); to mend torch: pip install --force-reinstall --no-deps "
        + next(of_torch, names[0]),
        owners={path: list(each) for path, each in list(owners.items())[:6]},
        sources=("compared file lists",),
    )


@check(
    "torch-companions",
    "torch",
    "torchvision and others against torch",
    "torch",
    needs=("packages",),
)
def _companions(machine: Machine, build: TorchBuild) -> Iterator[Finding]:
    version = build.version.split("+")[0]
    if machine.requirements is None:
        torchvision = machine.version("torchvision")
        if torchvision is not None:  # a report that lists versions, and not what packages ask for
            yield from_verdict(
                torchvision_with(torchvision, version),
                good=f"torchvision {torchvision} goes with torch {version}",
                bad=f"torchvision {torchvision} was made for another torch than {version}",
                torchvision=torchvision,
                torch=version,
            )
        return
    found = list(conflicts(machine, "torch"))
    for conflict in found:
        yield failure(
            str(conflict),
            cause="its compiled part is made for exactly that torch: operators are missing, or it "
            "does not load",
            fix=f'pip install "torch{conflict.specifier}", or another {conflict.owner}: pip '
            f"install -U {conflict.owner} torch=={version}",
            owner=conflict.owner,
            wants=conflict.specifier,
        )
    companions = [name for name in _TORCH_COMPANIONS if machine.version(name)]
    if companions and not found:
        verb = "go" if len(companions) > 1 else "goes"
        yield ok(f"{', '.join(companions)} {verb} with torch {version}")


@check("extension-abi", "torch", "compiled extensions")
def _extension_abi(machine: Machine) -> Iterator[Finding]:
    for extension in machine.extensions or ():
        if extension.package == "pytorch3d":
            continue  # it has checks of its own
        missing = [*extension.missing_symbols, *extension.missing_libraries]
        if not missing:
            yield ok(f"{extension.package}'s compiled part fits this torch", path=extension.path)
            continue
        yield failure(
            f"{extension.package}'s compiled part does not fit this torch",
            cause=f"it needs {missing[0]}, which is not there",
            fix=f"pip install --force-reinstall torch {extension.package} (both from one index)",
            path=extension.path,
            missing=missing[:8],
        )


@check("debug-switches", "torch", "debugging switches")
def _debug_switches(machine: Machine) -> Iterator[Finding]:
    for name, (value, effect) in _DEBUG_SWITCHES.items():
        if machine.variable(name) == value:
            yield warning(
                f"{name}={value} is left on",
                cause=f"a switch for looking for bugs: {effect}",
                fix=f"unset {name}",
            )
