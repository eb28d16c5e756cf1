"""Checks of the chain from a framework's build to the card: driver, then kernels."""

from collections.abc import Iterable, Iterator

from labcore.doctor.check import check
from labcore.doctor.checks.verdicts import from_verdict
from labcore.doctor.finding import Finding, ok, warning
from labcore.doctor.machine import Card, Machine, TensorFlowBuild, TorchBuild
from labcore.doctor.nearest_torch import torch_command
from labcore.doctor.tables import (
    Verdict,
    driver_for,
    driver_runs,
    runs_kernels,
    tensorflow_archs,
    tensorflow_runs_on,
    torch_runs_on,
)

_FIRST_WITHOUT_OLD_CARDS = 7.5
"""The least compute capability of CUDA 13, which torch's wheels on PyPI are built with."""


@check("driver-vs-cuda", "gpu", "driver against CUDA", "driver")
def _driver_vs_cuda(machine: Machine, driver: str) -> Iterator[Finding]:
    for name, cuda, verdict in _cuda_builds(machine, driver):
        least = driver_for(cuda, machine.os or "linux")
        fix = f"install driver {least} or newer" if least else "install a newer driver"
        if name == "torch":
            capability = next((card.compute_capability for card in _kinds(machine)), None)
            choice = torch_command(machine, capability)
            fix += f"; or, with this driver: {choice}" if choice else ""
        yield from_verdict(
            verdict,
            good=f"driver {driver} runs {name}'s CUDA {cuda}",
            bad=f"driver {driver} is too old for {name}'s CUDA {cuda}",
            fix=fix,
            driver=driver,
            cuda=cuda,
            least_driver=least,
        )


@check("driver-minor", "gpu", "driver of the same CUDA family", "driver")
def _driver_minor(machine: Machine, driver: str) -> Iterator[Finding]:
    for name, cuda, verdict in _cuda_builds(machine, driver):
        if verdict.state == "limited":
            yield ok(
                f"driver {driver} is older than CUDA {cuda} of {name}, but of its family: "
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


def _cuda_builds(machine: Machine, driver: str) -> Iterator[tuple[str, str, Verdict]]:
    """Yields the frameworks, the CUDA that each was built with, and whether the driver runs it."""
    if machine.cards == () or machine.os == "macos":
        return
    for name, build in (("torch", machine.torch), ("TensorFlow", machine.tensorflow)):
        if build is not None and build.cuda:
            yield name, build.cuda, driver_runs(driver, build.cuda, machine.os or "linux")


def _kinds(machine: Machine) -> Iterable[Card]:
    """Returns one card of each kind: eight of the same give one finding."""
    cards = machine.whole_cards or machine.cards or ()
    kinds = {(card.name, card.compute_capability): card for card in cards}
    return [card for card in kinds.values() if card.compute_capability]
