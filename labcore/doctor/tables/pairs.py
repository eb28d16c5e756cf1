"""The questions that a set of versions raises, two things at a time."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import get_args

from labcore.doctor.tables.cards import maker_of
from labcore.doctor.tables.compiler import gcc_with_cuda
from labcore.doctor.tables.cub import cub_for, cub_problem
from labcore.doctor.tables.driver import NVIDIA_MACOS, driver_runs
from labcore.doctor.tables.gpu import driver_knows_card, find_card, near_cards, toolkit_makes_code
from labcore.doctor.tables.packages import Companion, with_framework
from labcore.doctor.tables.python_range import python_fits
from labcore.doctor.tables.pytorch3d import pytorch3d_wheel, pytorch3d_with
from labcore.doctor.tables.setup import CPU, Setup
from labcore.doctor.tables.tensorflow import (
    tensorflow_row,
    tensorflow_runs_on,
    tensorflow_with_cuda,
    tensorflow_with_torch,
)
from labcore.doctor.tables.torch import torch_row, torch_runs_on, torch_with_cuda, torchvision_with
from labcore.doctor.tables.torch_choice import best_build, torch_pip
from labcore.doctor.tables.verdict import OsName, Rule, Verdict, no
from labcore.doctor.tables.versions import family, release, series

__all__ = ["Pair", "build_cuda", "pairs"]

_FIRST_TENSORFLOW_WITH_CUDA_WHEELS = (2, 14)
_WITHOUT_CUDA = {
    "AMD": "torch has builds for AMD's ROCm, for Linux: https://pytorch.org/get-started/locally "
    "gives the command, https://rocm.docs.amd.com the cards",
    "Apple": "the plain builds of macOS, which use Metal (mps)",
    "Intel": "torch has builds for Intel's cards (XPU): https://pytorch.org/get-started/locally",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Pair:
    """Two things of a set and the verdict on them."""

    title: str
    """``driver 460.32 + torch for CUDA 11.7``."""
    keys: tuple[str, ...]
    """Fields of the set that the verdict depends on."""
    verdict: Verdict


def build_cuda(setup: Setup, os: OsName) -> str | None:
    """Returns the CUDA of the torch build: as given, else the toolkit's, else the one that suits.

    Empty for a CPU build, None without a torch or when the table does not know it.
    """
    if setup.torch is None:
        return None
    if setup.torch_cuda == CPU or os == "macos":
        return ""
    if setup.torch_cuda or setup.cuda:
        return setup.torch_cuda or setup.cuda
    build = best_build(setup.torch, capability=setup.capability, driver=setup.driver, os=os)
    return None if build is None else build.cuda


def pairs(setup: Setup, os: OsName) -> Iterator[Pair]:
    """Yields every question that the set raises on an operating system, with its answer."""
    maker = maker_of(setup.gpu or "")
    yield from _card(setup, os) if maker == "NVIDIA" else _other_card(setup, os, maker)
    yield from _python(setup)
    if maker in ("NVIDIA", "Apple"):
        yield from _torch(setup, os)
        yield from _tensorflow(setup, os)
        yield from _pytorch3d(setup, os)
    yield from _companions(setup)
    if setup.gcc and setup.cuda:
        yield Pair(
            title=f"gcc {setup.gcc} + CUDA {setup.cuda}",
            keys=("gcc", "cuda"),
            verdict=gcc_with_cuda(setup.gcc, setup.cuda),
        )
    if setup.torch is None and setup.tensorflow is None and setup.driver and setup.cuda:
        yield Pair(
            title=f"driver {setup.driver} + CUDA {setup.cuda}",
            keys=("driver", "cuda"),
            verdict=driver_runs(setup.driver, setup.cuda, os),
        )


def _card(setup: Setup, os: OsName) -> Iterator[Pair]:
    if setup.gpu is None:
        return
    if find_card(setup.gpu) is None:
        near = " or ".join(near_cards(setup.gpu))
        yield Pair(
            title=f"GPU {setup.gpu}",
            keys=("gpu",),
            verdict=Verdict(
                state="unknown",
                why=f"the table has no card {setup.gpu!r}" + (f"; is it a {near}?" if near else ""),
                fix="give its compute capability instead, gpu=8.6; "
                "https://developer.nvidia.com/cuda-gpus lists them",
            ),
        )
        return
    capability = setup.capability
    assert capability is not None
    card = _card_name(setup)
    if setup.driver:
        yield Pair(
            title=f"driver {setup.driver} + {card}",
            keys=("driver", "gpu"),
            verdict=driver_knows_card(setup.driver, capability, os),
        )
    compiles = setup.pytorch3d is not None and not _takes_wheel(setup, os)
    if setup.cuda and os != "macos" and (compiles or not (setup.torch or setup.tensorflow)):
        yield Pair(
            title=f"toolkit CUDA {setup.cuda} + {card}",
            keys=("cuda", "gpu"),
            verdict=toolkit_makes_code(setup.cuda, capability),
        )


def _other_card(setup: Setup, os: OsName, maker: str) -> Iterator[Pair]:
    """A card that is not NVIDIA's: CUDA is out, and the tables know no more than that."""
    if setup.cuda or setup.driver:
        verdict = no(
            f"CUDA runs on NVIDIA's cards only, and {setup.gpu} is {maker}'s",
            _WITHOUT_CUDA[maker],
            Rule(("cuda-guide",)),
        )
    elif maker == "Apple" and os == "macos":
        verdict = Verdict(
            state="limited",
            why="an Apple GPU is used through Metal: torch has it in its plain build as the device "
            "mps, TensorFlow by the plugin tensorflow-metal",
            fix="the plain builds from PyPI; what has only CUDA kernels (PyTorch3D, flash-attn) "
            "computes on the CPU",
        )
    else:
        verdict = Verdict(
            state="unknown",
            why=f"{setup.gpu} is {maker}'s card, and the tables have NVIDIA's",
            fix=_WITHOUT_CUDA[maker],
        )
    yield Pair(title=f"GPU {setup.gpu}", keys=("gpu",), verdict=verdict)


def _companions(setup: Setup) -> Iterator[Pair]:
    if setup.torchvision and setup.torch:
        yield Pair(
            title=f"torchvision {setup.torchvision} + torch {setup.torch}",
            keys=("torchvision", "torch"),
            verdict=torchvision_with(setup.torchvision, setup.torch),
        )
    for package in get_args(Companion):
        version = getattr(setup, package)
        for framework in ("torch", "tensorflow") if version else ():
            other = getattr(setup, framework)
            verdict = with_framework(package, version, framework, other) if other else None
            if verdict is not None:
                yield Pair(
                    title=f"{package} {version} + {framework} {other}",
                    keys=(package, framework),
                    verdict=verdict,
                )


def _python(setup: Setup) -> Iterator[Pair]:
    if setup.python is None:
        return
    for package in ("torch", "tensorflow", "pytorch3d", *get_args(Companion)):
        version = getattr(setup, package)
        if version is not None and package != "torchvision":
            yield Pair(
                title=f"Python {setup.python} + {package} {version}",
                keys=("python", package),
                verdict=python_fits(package, version, setup.python),
            )


def _torch(setup: Setup, os: OsName) -> Iterator[Pair]:
    if setup.torch is None:
        return
    if os == "macos" and (setup.cuda or setup.torch_cuda not in (None, CPU)):
        verdict = no(
            "there is no torch with CUDA for macOS",
            "the CPU build: pip install torch",
            NVIDIA_MACOS,
        )
        yield Pair(title=f"torch {setup.torch} + macOS", keys=("torch", "cuda"), verdict=verdict)
        return
    cuda = build_cuda(setup, os)
    if cuda == "":
        why = "a CPU build needs no driver and no GPU, and uses none"
        yield Pair(
            title=f"torch {setup.torch} + CPU",
            keys=("torch", "torch_cuda"),
            verdict=Verdict(state="limited" if setup.gpu else "yes", why=why),
        )
        return
    key = "torch_cuda" if setup.torch_cuda else "cuda"
    built = _torch_build(setup, cuda, os)
    title = f"torch {setup.torch} + CUDA {cuda}" if cuda else f"torch {setup.torch}"
    yield Pair(title=title, keys=("torch", key), verdict=built)
    if cuda is None or built.state in ("no", "doubtful"):
        return
    if setup.driver:
        yield Pair(
            title=f"driver {setup.driver} + torch for CUDA {cuda}",
            keys=("driver", "torch", key),
            verdict=driver_runs(setup.driver, cuda, os),
        )
    if setup.capability:
        yield Pair(
            title=f"torch {setup.torch} + {_card_name(setup)}",
            keys=("torch", key, "gpu"),
            verdict=torch_runs_on(setup.torch, cuda, setup.capability),
        )


def _tensorflow(setup: Setup, os: OsName) -> Iterator[Pair]:
    if setup.tensorflow is None:
        return
    row = tensorflow_row(setup.tensorflow)
    name = f"TensorFlow {setup.tensorflow}"
    if setup.cuda and os != "macos" and not _brings_cuda(setup):
        cudnn = f" + cuDNN {setup.cudnn}" if setup.cudnn else ""
        yield Pair(
            title=f"{name} + CUDA {setup.cuda}{cudnn}",
            keys=("tensorflow", "cuda", *(("cudnn",) if setup.cudnn else ())),
            verdict=tensorflow_with_cuda(setup.tensorflow, setup.cuda, setup.cudnn),
        )
    if setup.driver and row is not None:
        yield Pair(
            title=f"driver {setup.driver} + {name} for CUDA {row.cuda}",
            keys=("driver", "tensorflow"),
            verdict=driver_runs(setup.driver, row.cuda, os),
        )
    if setup.capability:
        yield Pair(
            title=f"{name} + {_card_name(setup)}",
            keys=("tensorflow", "gpu"),
            verdict=tensorflow_runs_on(setup.tensorflow, setup.capability, os=os),
        )
    if setup.torch:
        yield Pair(
            title=f"{name} + torch {setup.torch}",
            keys=("tensorflow", "torch"),
            verdict=tensorflow_with_torch(setup.tensorflow, setup.torch),
        )


def _pytorch3d(setup: Setup, os: OsName) -> Iterator[Pair]:
    if setup.pytorch3d is None:
        return
    name = f"PyTorch3D {setup.pytorch3d}"
    cuda = build_cuda(setup, os)
    if setup.torch:
        yield Pair(
            title=f"{name} + torch {setup.torch}",
            keys=("pytorch3d", "torch", *(("torch_cuda",) if setup.torch_cuda else ())),
            verdict=pytorch3d_with(setup.pytorch3d, setup.torch, cuda, os, setup.python),
        )
    # Extensions are compiled with the toolkit; without one named, with that of the torch build.
    toolkit = setup.cuda or cuda
    if not toolkit or os == "macos" or cuda == "" or _takes_wheel(setup, os):
        return
    if cuda is not None and series(cuda) != series(toolkit):
        yield Pair(
            title=f"toolkit CUDA {toolkit} + torch for CUDA {cuda}",
            keys=("cuda", "torch_cuda"),
            verdict=_toolkit_with_build(toolkit, cuda),
        )
    yield Pair(
        title=f"{name} + CUB of CUDA {toolkit}",
        keys=("pytorch3d", "cuda", *(("cub",) if setup.cub else ())),
        verdict=_cub(setup, toolkit, os),
    )


def _torch_build(setup: Setup, cuda: str | None, os: OsName) -> Verdict:
    """Judges the build; one that was chosen here says so when it is not the index's default."""
    assert setup.torch is not None
    row = torch_row(setup.torch)
    if cuda is None or row is None:
        # Without a row there are no builds to choose from: the answer names the table's ends.
        return torch_with_cuda(setup.torch, cuda or "0.0")
    verdict = torch_with_cuda(setup.torch, cuda)
    chosen = setup.cuda is None and setup.torch_cuda is None
    if verdict.state != "yes" or not chosen or cuda == row.pypi_cuda:
        return verdict
    return Verdict(
        state="limited",
        why=f"the build for CUDA {cuda} is meant: the default one, for CUDA {row.pypi_cuda}, does "
        "not suit this machine",
        fix=torch_pip(setup.torch, cuda, os),
        sources=verdict.sources,
    )


def _cub(setup: Setup, toolkit: str, os: OsName) -> Verdict:
    advice = cub_for(toolkit, os, setup.pytorch3d)
    problem = cub_problem(setup.cub, toolkit, os, setup.pytorch3d) if setup.cub else ""
    if problem:
        fix = f"CUB {advice.supply} in CUB_HOME" if advice.supply else "unset CUB_HOME"
        flags = "".join(f"; {name}={value}" for name, value in advice.env.items())
        return no(problem, fix + ("" if advice.supply else flags), advice)
    if setup.cub:
        why = f"CUB {setup.cub} in CUB_HOME is right: {advice.why}"
        return Verdict(state="yes", why=why, sources=advice.sources)
    if advice.needed:
        fix = f"CUB {advice.supply} ({advice.download}) in CUB_HOME, the folder that holds cub/"
        if advice.instead:
            fix += "".join(f"; or {name}={value} instead" for name, value in advice.instead.items())
        return Verdict(state="limited", why=advice.why, fix=fix, sources=advice.sources)
    if advice.env:
        fix = "; ".join(f"{name}={value}" for name, value in advice.env.items())
        return Verdict(state="limited", why=advice.why, fix=fix, sources=advice.sources)
    return Verdict(state="yes", why=advice.why, sources=advice.sources)


def _toolkit_with_build(cuda: str, build: str) -> Verdict:
    """What torch's extension builder says of a toolkit that is not the build's."""
    if family(cuda) != family(build):
        return no(
            f"extensions are compiled with the CUDA family of the torch build, {build}: torch "
            'stops with "the detected CUDA version mismatches the version that was used to compile '
            'PyTorch"',
            f"CUDA toolkit {build}, or a torch build for CUDA {family(cuda)}",
            Rule(("pt-cpp-extension",)),
        )
    why = f"within the CUDA {family(cuda)} family torch only warns of another minor version"
    return Verdict(state="limited", why=why, sources=("pt-cpp-extension",))


def _brings_cuda(setup: Setup) -> bool:
    """Whether TensorFlow gets CUDA from pip, so that an installed toolkit does not matter to it.

    Beside a torch the CUDA that was named is torch's.
    """
    assert setup.tensorflow is not None
    with_wheels = release(series(setup.tensorflow)) >= _FIRST_TENSORFLOW_WITH_CUDA_WHEELS
    return setup.torch is not None and with_wheels


def _takes_wheel(setup: Setup, os: OsName) -> bool:
    if setup.torch is None or setup.pytorch3d is None:
        return False
    cuda = build_cuda(setup, os)
    wheel = pytorch3d_wheel(setup.torch, cuda, os, setup.python, setup.pytorch3d)
    return wheel is not None


def _card_name(setup: Setup) -> str:
    assert setup.gpu is not None
    found = find_card(setup.gpu)
    assert found is not None
    name, arch = found
    capability = arch.compute_capability
    return name if capability in name.split() else f"{name} ({capability})"
