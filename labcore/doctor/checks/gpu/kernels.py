"""Checks of the chain from a framework's build to the card: driver, then kernels."""

from collections.abc import Iterator

from labcore.doctor.check import check
from labcore.doctor.checks.verdicts import from_verdict
from labcore.doctor.finding import Finding, ok, warning
from labcore.doctor.machine import Card, Machine, TensorFlowBuild, TorchBuild
from labcore.doctor.nearest_torch import torch_command
from labcore.doctor.tables import (
    driver_for,
    driver_runs,
    runs_kernels,
    tensorflow_archs,
    tensorflow_runs_on,
    torch_runs_on,
)

_FIRST_WITHOUT_OLD_CARDS = 7.5
"""The least compute capability of CUDA 13, which torch's wheels on PyPI are built with."""


@check("driver-vs-cuda", "gpu", "driver against CUDA")
def _driver_vs_cuda(machine: Machine) -> Iterator[Finding]:
    if not machine.driver or machine.os == "macos":
        return
    system = machine.os or "linux"
    for name, cuda in _cuda_builds(machine):
        verdict = driver_runs(machine.driver, cuda, system)
        least = driver_for(cuda, system)
        fix = f"install driver {least} or newer" if least else "install a newer driver"
        if name == "torch":
            fix += _or_another_torch(machine)
        yield from_verdict(
            verdict,
            good=f"driver {machine.driver} runs {name}'s CUDA {cuda}",
            bad=f"driver {machine.driver} is too old for {name}'s CUDA {cuda}",
            fix=fix,
            driver=machine.driver,
            cuda=cuda,
            least_driver=least,
        )


@check("driver-minor", "gpu", "driver of the same CUDA family")
def _driver_minor(machine: Machine) -> Iterator[Finding]:
    if not machine.driver or machine.os == "macos":
        return
    for name, cuda in _cuda_builds(machine):
        verdict = driver_runs(machine.driver, cuda, machine.os or "linux")
        if verdict.state == "limited":
            yield ok(
                f"driver {machine.driver} is older than CUDA {cuda} of {name}, but of its family: "
                "it runs; only code compiled on the fly (PTX, torch.compile) may be refused",
                sources=verdict.sources,
                why=verdict.why,
            )


@check("arch-unsupported", "torch", "kernels for the card", "torch")
def _arch(machine: Machine, torch: TorchBuild) -> Iterator[Finding]:
    if not torch.cuda:
        return
    for card in _kinds(machine):
        capability = card.compute_capability or ""
        if torch.archs:
            verdict = runs_kernels(capability, torch.archs)
        else:
            verdict = torch_runs_on(torch.version, torch.cuda, capability)
        choice = torch_command(machine, capability)
        yield from_verdict(
            verdict,
            good=f"torch {torch.version} has kernels for {card.name} ({capability})",
            bad=f"torch {torch.version} has no kernels for {card.name} ({capability})",
            fix=choice
            or "use another card, or device=cpu: no torch in the tables has kernels for this one",
            capability=capability,
            archs=list(torch.archs or ()),
            driver=machine.driver,
        )


@check("arch-dropped-pip-default", "torch", "old card and torch's default build")
def _arch_dropped(machine: Machine) -> Iterator[Finding]:
    if machine.torch is not None and machine.torch.cuda:
        return  # what is installed is judged by arch-unsupported
    if machine.os not in {"linux", None}:
        return  # elsewhere the plain install has no CUDA at all
    for card in _kinds(machine):
        capability = card.compute_capability or ""
        if float(capability) >= _FIRST_WITHOUT_OLD_CARDS:
            continue
        choice = torch_command(machine, capability)
        yield warning(
            f"plain pip install torch brings no kernels for {card.name} ({capability})",
            cause="torch from PyPI is built with CUDA 13 since 2.11, which knows no card older "
            "than compute capability 7.5",
            fix=choice or "take a build for CUDA 12.6 from https://download.pytorch.org/whl/cu126",
            capability=capability,
        )


@check("tf-arch", "tensorflow", "kernels for the card", "tensorflow")
def _tf_arch(machine: Machine, build: TensorFlowBuild) -> Iterator[Finding]:
    if build.cuda == "" or machine.os == "windows":
        return
    for card in _kinds(machine):
        capability = card.compute_capability or ""
        # The table knows what users found beyond the list of kernels; the list knows this build.
        verdict = tensorflow_runs_on(build.version, capability)
        if verdict.state == "unknown" and build.archs:
            verdict = runs_kernels(capability, tensorflow_archs(build.archs))
        yield from_verdict(
            verdict,
            good=f"TensorFlow {build.version} has kernels for {card.name} ({capability})",
            bad=f"TensorFlow {build.version} has no kernels for {card.name} ({capability})",
            worst="warning",
            capability=capability,
            archs=list(build.archs or ()),
        )


def _cuda_builds(machine: Machine) -> Iterator[tuple[str, str]]:
    if machine.cards == ():
        return
    if machine.torch is not None and machine.torch.cuda:
        yield "torch", machine.torch.cuda
    if machine.tensorflow is not None and machine.tensorflow.cuda:
        yield "TensorFlow", machine.tensorflow.cuda


def _kinds(machine: Machine) -> Iterator[Card]:
    """Yields one card of each kind: eight of the same give one finding."""
    seen: set[tuple[str, str]] = set()
    for card in machine.whole_cards or machine.cards or ():
        if card.compute_capability and (card.name, card.compute_capability) not in seen:
            seen.add((card.name, card.compute_capability))
            yield card


def _or_another_torch(machine: Machine) -> str:
    card = next(_kinds(machine), None)
    choice = torch_command(machine, card.compute_capability if card is not None else None)
    return f"; or, with this driver: {choice}" if choice else ""
